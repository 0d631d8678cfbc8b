"""Deploying as a durable job: make sure that nothing moved, then execute the plan's steps to the letter."""

from django.urls import reverse

from alma.accounts.actors import Actor
from alma.errors import Unavailable
from alma.jobs.context import StepContext
from alma.jobs.kinds import JobKind, Place, StepFailed, StepKind, Unknown
from alma.jobs.models import Job, Step
from alma.jobs.services import StepSpec
from iprs.gates import missing
from iprs.models import IPR, Deployment, Plan
from iprs.operating import read_subject
from iprs.planner import facts_of, moved_facts
from iprs.planning import proposal
from iprs.services.deploying import cancel_deployment
from iprs.services.drifting import accept_unchanged
from vms.proxmox.answers import Refusal
from vms.rehearsal import rehearse
from vms.services import ClusterReading, OwnedGuest, created_by, owned_guests, read_cluster


class DeploymentKind(JobKind):
    """A job that carries out one plan."""

    prefix = "deploy"
    stopping = (
        "What is in flight is finished, nothing new begins. Machines that were made stay: a retry of the deployment goes on "
        "from there, and a rollback removes them."
    )
    stopping_needs = ("job:write", "ipr:deploy")

    def places(self, job: Job) -> list[Place]:
        """The deployment, and the IPR whose plan it carries out."""
        return [Place("Deployment", reverse("iprs:deployment", args=[job.public_id]), "deploy"), *proposal(job)]

    def stop(self, job: Job, *, by: Actor) -> bool:
        """Its deployment is cancelled, by whoever may do that. Raises Refused, WrongState."""
        cancel_deployment(job.deployment, by=by)
        return True

    def started(self, job: Job) -> None:
        """The first worker has taken it up."""
        if job.deployment.status == Deployment.Status.QUEUED:
            job.deployment.move(Deployment.Status.IN_PROGRESS)

    def completed(self, job: Job) -> dict[str, object]:
        """Everything was done and read back."""
        self._end(job, Deployment.Status.COMPLETED, IPR.Status.DEPLOYED)
        if not job.deployment.is_dry_run:
            accept_unchanged(job.deployment.plan)
        made = job.steps.filter(kind="guest.verify", state__in=Step.DONE).values("key").distinct().count()
        return {"duration_seconds": _duration(job), "resources_created": made}

    def failed(self, job: Job) -> dict[str, object]:
        """It stopped; what it leaves behind is named."""
        leftovers = self._note_leftovers(job)
        self._end(job, Deployment.Status.FAILED, IPR.Status.FAILED)
        return {"duration_seconds": _duration(job), "leftovers": leftovers}

    def cancelled(self, job: Job) -> dict[str, object]:
        """Somebody stopped it; what it leaves behind is named."""
        leftovers = self._note_leftovers(job)
        self._end(job, Deployment.Status.CANCELLED, IPR.Status.FAILED)
        return {"duration_seconds": _duration(job), "leftovers": leftovers}

    @staticmethod
    def _note_leftovers(job: Job) -> list[dict[str, object]]:
        """The guests that it made, whether or not they were ever finished."""
        left = created_by(job)
        Deployment.objects.filter(pk=job.deployment.pk).update(leftovers=left)
        return left

    @staticmethod
    def _end(job: Job, status: Deployment.Status, ipr_status: IPR.Status) -> None:
        deployment = job.deployment
        deployment.move(status)
        if not deployment.is_dry_run:
            ipr = IPR.objects.select_for_update().get(pk=deployment.ipr_id)
            ipr.move(ipr_status, by="", deployment=job.public_id)


def _duration(job: Job) -> int:
    ended, began = job.finished_at, job.started_at or job.created_at
    return int((ended - began).total_seconds()) if ended else 0


def read_facts(plan: Plan, context: StepContext) -> dict[str, str]:
    """What a plan can rely on, as it is now. Raises Unknown, StepFailed."""
    if plan.ipr.operation is not None:
        return read_subject(plan, context).facts
    return facts_of(*_read_cluster(plan, context))


def _read_cluster(plan: Plan, context: StepContext) -> tuple[ClusterReading, list[OwnedGuest]]:
    """The cluster as it is now. Raises Unknown, StepFailed."""
    if plan.cluster is None:
        raise StepFailed("NO_CLUSTER", "The plan was made without a cluster.")
    try:
        reading = read_cluster(plan.cluster, pulse=context.renew)
        return reading, owned_guests(plan.cluster, plan.ipr.owner, pulse=context.renew)
    except Unavailable as error:
        raise Unknown(error.message) from error


class ConfirmPlan(StepKind):
    """The first step of a deployment. params: `plan`, `digest`, `dry_run`.

    Nothing of the cluster is touched when anything that the plan relied on has moved, or when a gate has closed
    between the click and now."""

    def run(self, context: StepContext) -> None:
        """Compare digest, gates and facts. Raises StepFailed with what is different."""
        rows = Plan.objects.select_related("ipr__environment", "ipr__blueprint", "ipr__operation", "cluster")
        plan = rows.get(pk=context.params["plan"])
        if plan.digest != context.params["digest"]:
            raise StepFailed("PLAN_CHANGED", "The plan is not the one that was approved.")
        if not context.params["dry_run"]:
            self._check_gates(plan)
        facts = read_facts(plan, context)
        relied_on = {name: value for item in plan.items.all() for name, value in item.facts.items()}
        moved = moved_facts(relied_on, facts)
        if moved:
            raise StepFailed("PLAN_CHANGED", f"The cluster has changed since the plan was made: {'; '.join(moved)}.")
        context.succeed(plan=plan.digest, facts=len(relied_on))

    @staticmethod
    def _check_gates(plan: Plan) -> None:
        unmet = missing(plan.ipr)
        if unmet:
            raise StepFailed("IPR_NOT_APPROVED", " ".join(gate.message for gate in unmet))


class RehearsePlan(StepKind):
    """The last step of a dry run: all steps of the plan, run on a sandbox that is a copy of the cluster. params: `plan`."""

    MOST_LINES = 50

    def run(self, context: StepContext) -> None:
        """Touches neither cluster nor ledger. Raises Unknown, StepFailed in the words in which the plan would fail."""
        plan = Plan.objects.select_related("cluster").get(pk=context.params["plan"])
        if plan.cluster is None:
            raise StepFailed("NO_CLUSTER", "The plan was made without a cluster.")
        steps = [StepSpec(**step) for item in plan.items.all() for step in item.steps]
        context.renew()
        try:
            told = rehearse(plan.cluster, steps)
        except Refusal as error:
            context.log(f"The cluster refused to be copied: {error.text}", "warning")
            context.succeed(warnings=True, steps=0)
            return
        for sentence in told.left_out[: self.MOST_LINES]:
            context.log(f"Not on the copy: {sentence}", "warning")
        for line in told.log[-self.MOST_LINES :]:
            context.log(f"On the copy: {line}")
        if not told.is_completed:
            reason = (told.error or {}).get("message", "it did not end.")
            raise StepFailed("REHEARSAL_FAILED", f"On a copy of the cluster: {reason}")
        context.succeed(warnings=bool(told.left_out), steps=len(steps), cluster_seconds=told.seconds)


class RehearseItem(StepKind):
    """What a dry run does for an item instead of its steps: reads what they rely on and tells what they would do.

    params: `facts`, `steps` (titles)."""

    def run(self, context: StepContext) -> None:
        """Touches nothing."""
        for title in context.params["steps"]:
            context.log(f"Would do: {title}")
        context.succeed(would_do=context.params["steps"])
