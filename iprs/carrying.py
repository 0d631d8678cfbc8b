"""Carrying out an operation: its own job, which waited for the approval, is let begin, and followed to its end."""

from typing import Any

from django.utils import timezone

from alma.errors import WrongState
from alma.jobs import services as jobs
from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, StepKind, Wait
from alma.jobs.models import Job, Step
from alma.jobs.services import StepSpec
from iprs.models import Plan
from iprs.operating import steps_of
from iprs.planner import digest_of
from vms.operations.proposing import check_agreed

KIND = "operation.carry"
PATIENCE = 600
"""Seconds for which the machine may be busy with something else."""


def digest_of_steps(steps: list[dict[str, Any]]) -> str:
    """What people agreed to, in 64 letters."""
    return digest_of([[step["kind"], step["key"], step["level"], step["params"]] for step in steps])


def carrying(plan: Plan, job: Job) -> StepSpec:
    """The step of a deployment that carries out the operation of its plan."""
    steps = [step for item in plan.items.all() for step in item.steps]
    params = {"job": job.public_id, "steps": digest_of_steps(steps)}
    return StepSpec(KIND, job.steps.values_list("key", flat=True)[0], job.title, 10, 9, params)


class CarryOut(StepKind):
    """Let a job begin that waited, and end as it does. params: `job`, its public id, and `steps`, the digest of those that
    were approved: it begins with these and no others. Once more after a failure takes it up where it stopped."""

    def run(self, context: StepContext) -> None:
        """Begin it once, then look how it goes. Raises Wait, StepFailed."""
        job = Job.objects.get(public_id=context.params["job"], organization_id=context.job.organization_id)
        if context.step.state == Step.State.PENDING:
            context.record(begun=timezone.now().timestamp(), is_released=False)
        if not context.journal["is_released"]:
            self._release(context, job)
        else:
            self._follow(context, job)

    def _release(self, context: StepContext, job: Job) -> None:
        """The same checks as when it was asked for, and then it is told to begin, in one transaction with the note of it."""
        is_fresh = job.state == Job.State.WAITING
        if is_fresh and digest_of_steps([vars(step) for step in steps_of(job)]) != context.params["steps"]:
            raise StepFailed("PLAN_CHANGED", "The steps of the operation are not those that were approved.")
        check_agreed(job)
        try:
            with context.fenced():
                if not job.is_active and job.state != Job.State.COMPLETED:
                    jobs.release(job, by=context.job.created_by)
                context.record(is_released=True)
        except WrongState as error:
            self._still_in_time(context, error)
        raise Wait

    @staticmethod
    def _still_in_time(context: StepContext, error: WrongState) -> None:
        if timezone.now().timestamp() - context.journal["begun"] > PATIENCE:
            raise StepFailed("GUEST_BUSY", f"The machine was busy for {PATIENCE} s: {error.message}") from error

    def _follow(self, context: StepContext, job: Job) -> None:
        self._tell(context, job)
        if job.is_active:
            self._pass_on(context, job)
            raise Wait
        if job.state != Job.State.COMPLETED:
            error = job.error or {"code": "OPERATION_CANCELLED", "message": f"{job.public_id} was cancelled."}
            raise StepFailed(error["code"], error["message"])
        context.succeed(job=job.public_id, **_read_back(job))

    @staticmethod
    def _pass_on(context: StepContext, job: Job) -> None:
        """Whoever cancels the deployment means the operation."""
        if context.job.cancel_requested_at is not None and job.cancel_requested_at is None:
            with context.fenced():
                jobs.cancel(job, by=context.job.created_by)

    @staticmethod
    def _tell(context: StepContext, job: Job) -> None:
        """Each step that has ended, once."""
        told = context.journal.get("told", 0)
        ended = list(job.steps.filter(state__in=Step.ENDED).order_by("finished_at", "ordinal"))[told:]
        for step in ended:
            context.note_line(f"{step.title}: {step.get_state_display().lower()}")
        if ended:
            context.note(told=told + len(ended))


def _read_back(job: Job) -> dict[str, Any]:
    """The machine as the last step of its job saw it."""
    seen = [step.evidence for step in job.steps.order_by("level", "ordinal") if step.evidence.get("vmid")]
    names = ("vmid", "kind", "node", "name", "status")
    return {name: seen[-1][name] for name in names if name in seen[-1]} if seen else {}
