"""The page of one deployment: steps by resource, the log, and what it left."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from alma.accounts.actors import Actor
from alma.jobs.models import Job, Step
from iprs.gates import missing
from iprs.locks import lock_of
from iprs.models import Deployment, PlanItem
from iprs.pages.actions import Action, Standing, cancel_action, force_cancel_action, retry_action, rollback_action
from iprs.pages.words import advice, waiting_note
from iprs.services import rollback_body

_STATES = ("failed", "running", "succeeded_with_warnings", "pending", "cancelled", "skipped", "succeeded")
_FIRST = ""
_TONES = {
    Deployment.Status.COMPLETED: "ok",
    Deployment.Status.FAILED: "bad",
    Deployment.Status.ROLLBACK_FAILED: "bad",
    Deployment.Status.CANCELLED: "neutral",
    Deployment.Status.ROLLED_BACK: "neutral",
}


@dataclass(frozen=True)
class Group:
    """The steps of one resource."""

    key: str
    title: str
    state: str
    steps: tuple[Step, ...]
    vmid: int | None
    node: str
    action: str

    @property
    def done(self) -> int:
        """How many are through."""
        return sum(step.state in Step.DONE for step in self.steps)

    @property
    def lines(self) -> list[tuple[Step, str]]:
        """Each step with what it waits or has waited for."""
        return [(step, waiting_note(step)) for step in self.steps]

    @property
    def is_open(self) -> bool:
        """Shown unfolded: what needs an eye now."""
        return self.state in {Step.State.FAILED, Step.State.RUNNING, Step.State.WARNED}


def run_context(deployment: Deployment, actor: Actor) -> dict[str, Any]:
    """Everything but the log."""
    job, ipr = deployment.job, deployment.ipr
    steps = list(job.steps.all())
    undoing = list(deployment.rollback.steps.all()) if deployment.rollback else []
    unmet = [] if deployment.is_live or deployment.is_dry_run else missing(ipr)
    lock = None if deployment.is_dry_run else lock_of(ipr)
    retry = retry_action(Standing(ipr, actor, unmet, deployment, lock=lock))
    return {
        "deployment": deployment,
        "job": job,
        "ipr": ipr,
        "lock": lock,
        "environment": ipr.environment,
        "steps": steps,
        "groups": groups(deployment, steps),
        "done": sum(step.state in Step.DONE for step in steps),
        "percentage": _percentage(deployment, steps),
        "tone": _TONES.get(Deployment.Status(deployment.status), ""),
        "error": _error(job, steps),
        "cancel": _cancel(deployment, actor),
        **_rollback(deployment, undoing, actor),
        "retry": retry if deployment.status in {Deployment.Status.FAILED, Deployment.Status.CANCELLED} else None,
        "timing": _timing(deployment),
    }


def _cancel(deployment: Deployment, actor: Actor) -> Action | None:
    """The ordinary way to stop, and once that was asked for the other."""
    if deployment.status == Deployment.Status.CANCELLING:
        return force_cancel_action(deployment, actor)
    return cancel_action(deployment, actor) if deployment.is_active else None


def _rollback(deployment: Deployment, undoing: list[Step], actor: Actor) -> dict[str, Any]:
    """What was or would be undone."""
    error = _error(deployment.rollback, undoing) if deployment.rollback else None
    undo = rollback_body(deployment)
    return {
        "undo": undo if deployment.status != Deployment.Status.ROLLING_BACK else None,
        "roll_back": rollback_action(deployment, actor) if undo else None,
        "rollback_error": error,
        "rollback_steps": undoing,
        "rollback_done": sum(step.state in Step.DONE for step in undoing),
    }


def groups(deployment: Deployment, steps: Iterable[Step]) -> list[Group]:
    """Steps by resource, in the order in which the resources come first."""
    by_key: dict[str, list[Step]] = {}
    for step in steps:
        by_key.setdefault(step.key, []).append(step)
    items = {item.key: item for item in deployment.plan.items.all()}
    return [_group(key, rows, items.get(key)) for key, rows in by_key.items()]


def _group(key: str, rows: list[Step], item: PlanItem | None) -> Group:
    vmid, node = _place(rows, item)
    title = "Before anything is touched" if key == _FIRST else key
    return Group(key, title, _state(rows), tuple(rows), vmid, node, item.action if item else "")


def _state(rows: list[Step]) -> str:
    """The state of a resource: the worst of its steps, and running from the first step to the last."""
    states = {step.state for step in rows}
    worst = next(name for name in _STATES if name in states)
    return Step.State.RUNNING if worst == Step.State.PENDING and len(states) > 1 else worst


def _place(rows: list[Step], item: PlanItem | None) -> tuple[int | None, str]:
    """Where the guest is: as read back, or as planned."""
    seen = {name: step.evidence[name] for step in rows for name in ("vmid", "node") if step.evidence.get(name)}
    planned = (item.vmid, item.node) if item else (None, "")
    return seen.get("vmid") or planned[0], seen.get("node") or planned[1]


def _percentage(deployment: Deployment, steps: Iterable[Step]) -> int:
    rows = list(steps)
    total = sum(step.weight for step in rows)
    done = sum(step.weight for step in rows if step.state in Step.DONE)
    if deployment.status == Deployment.Status.COMPLETED:
        return 100
    return min(100 * done // total, 99) if total else 0


def _error(job: Job, steps: Iterable[Step]) -> dict[str, Any] | None:
    """The first failure, with what to do."""
    failed = next((step for step in steps if step.state == Step.State.FAILED), None)
    error = (failed.error if failed else None) or job.error
    if not error:
        return None
    code = str(error.get("code", ""))
    message = str(error.get("message", ""))
    title = f"{failed.title}: {message}" if failed and not message.startswith(failed.title) else message
    return {"code": code, "message": message, "title": title, "step": failed, "advice": advice(code)}


def _timing(deployment: Deployment) -> dict[str, Any]:
    """Taken and expected, in seconds."""
    job = deployment.job
    taken = ((job.finished_at or timezone.now()) - job.started_at).total_seconds() if job.started_at else 0.0
    return {"expected": deployment.plan.seconds, "taken": taken, "is_over": taken > 2 * deployment.plan.seconds + 10}
