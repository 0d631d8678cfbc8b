"""What must hold of proposals and their deployments: the approved plan, all of it, and nothing else."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from alma.jobs.findings import MOST, Finding, breach, breaches
from alma.jobs.models import Job, Step
from iprs.models import IPR, Deployment, Plan, PlanItem
from iprs.planner import digest_of
from vms.operations.effects import PLACING

JOB_STATES = {
    Deployment.Status.QUEUED: Job.ACTIVE,
    Deployment.Status.IN_PROGRESS: Job.ACTIVE,
    Deployment.Status.CANCELLING: Job.ACTIVE,
    Deployment.Status.COMPLETED: (Job.State.COMPLETED,),
    Deployment.Status.FAILED: (Job.State.FAILED,),
    Deployment.Status.CANCELLED: (Job.State.CANCELLED,),
    Deployment.Status.ROLLING_BACK: (Job.State.FAILED, Job.State.CANCELLED),
    Deployment.Status.ROLLED_BACK: (Job.State.FAILED, Job.State.CANCELLED),
    Deployment.Status.ROLLBACK_FAILED: (Job.State.FAILED, Job.State.CANCELLED),
}
"""What the job of a deployment may be; both change in one transaction."""
ROLLBACK_STATES = {
    Deployment.Status.ROLLING_BACK: Job.ACTIVE,
    Deployment.Status.ROLLED_BACK: (Job.State.COMPLETED,),
    Deployment.Status.ROLLBACK_FAILED: (Job.State.FAILED, Job.State.CANCELLED),
}
"""What the job of its rollback may be; a deployment of any other status has none."""
LATEST = 500
"""Deployments that are compared with their plans, newest first."""


def statuses() -> Iterator[Finding]:
    """A deployment says what its job says, and an IPR what its deployment says."""
    agrees = Q(pk__in=[])
    for status, states in JOB_STATES.items():
        agrees |= Q(status=status, job__state__in=states)
    rows = Deployment.objects.exclude(agrees).select_related("job")[:MOST]
    yield from (
        breach("TWO_STORIES", row.job, f"The deployment is {row.status}, its job {row.job.state}.") for row in rows
    )
    yield from _rollbacks()
    real = Deployment.objects.filter(ipr=OuterRef("pk"), is_dry_run=False)
    running = Exists(real.filter(status__in=Deployment.ACTIVE))
    idle = IPR.objects.filter(~running, status=IPR.Status.DEPLOYING)[:MOST]
    yield from breaches("NOTHING_DEPLOYS", idle, "It says deploying, and no deployment of it runs.")
    hidden = IPR.objects.filter(running).exclude(status=IPR.Status.DEPLOYING)[:MOST]
    yield from breaches("HIDDEN_DEPLOYMENT", hidden, "A deployment of it runs, and it does not say so.")


def _rollbacks() -> Iterator[Finding]:
    """A deployment says what the job of its rollback says, and one that was rolled back has left nothing."""
    agrees = Q(rollback=None) & ~Q(status__in=ROLLBACK_STATES)
    for status, states in ROLLBACK_STATES.items():
        agrees |= Q(status=status, rollback__state__in=states)
    rows = Deployment.objects.exclude(agrees).select_related("job", "rollback")[:MOST]
    for row in rows:
        undoing = row.rollback.state if row.rollback else "missing"
        yield breach("TWO_STORIES", row.job, f"The deployment is {row.status}, the job of its rollback {undoing}.")
    unclean = Deployment.objects.filter(status=Deployment.Status.ROLLED_BACK).exclude(leftovers=[])
    for row in unclean.select_related("job")[:MOST]:
        yield breach("NOT_UNDONE", row.job, "It says rolled back, and guests that it made are left.")


def plans() -> Iterator[Finding]:
    """What was carried out is the plan, step by step, and the plan is the one that was approved."""
    real = Deployment.objects.filter(is_dry_run=False).select_related("job", "plan", "ipr__operation").order_by("-pk")
    for deployment in real.prefetch_related("plan__items", "job__steps", "ipr__operation__steps")[:LATEST]:
        items, steps = list(deployment.plan.items.all()), list(deployment.job.steps.all())
        if any(digest_of(content(item)) != item.digest for item in items):
            yield breach("PLAN_ALTERED", deployment.job, "An item of its plan is not what its digest says.")
        planned = [(step["kind"], step["key"], step["params"]) for item in items for step in item.steps]
        done = [(step.kind, step.key, step.params) for step in _carried_out(deployment, steps)]
        if _open(done) != _open(planned) or steps[0].params.get("digest") != deployment.plan.digest:
            yield breach("NOT_THE_PLAN", deployment.job, "Its steps are not those of its plan.")


def _carried_out(deployment: Deployment, steps: list[Step]) -> list[Step]:
    """What was done after the confirmation: by the deployment itself, or by the job of an operation that it let begin."""
    job = deployment.ipr.operation
    if job is None or [step.params.get("job") for step in steps[1:]] != [job.public_id]:
        return steps[1:]
    return sorted(job.steps.all(), key=lambda step: step.ordinal)


def _open(steps: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    """Steps without the parameters that are found out when they run: where a new machine finds a place."""
    is_placed = any(kind in PLACING for kind, _, _ in steps)
    return [(kind, key, None if is_placed and kind not in PLACING else params) for kind, key, params in steps]


def operations() -> Iterator[Finding]:
    """A job waits as long as people can still agree to it, and has not begun without them."""
    waiting = Job.objects.waiting().exclude(ipr__status__in=[*IPR.REVIEWABLE, IPR.Status.DEPLOYING, IPR.Status.FAILED])
    yield from breaches("WAITS_IN_VAIN", waiting[:MOST], "It waits, and nobody can agree to it any more.")
    unasked = [IPR.Status.DRAFT, *IPR.REVIEWABLE, IPR.Status.REJECTED, IPR.Status.CANCELLED]
    begun = Job.objects.filter(ipr__status__in=unasked).exclude(state__in=[Job.State.WAITING, Job.State.CANCELLED])
    yield from breaches("BEGAN_UNASKED", begun[:MOST], "It has begun, and its IPR was not deployed.")


def content(item: PlanItem) -> dict[str, object]:
    """What the digest of an item covers."""
    names = (
        "action",
        "key",
        "kind",
        "node",
        "vmid",
        "changes",
        "needs_restart",
        "reasons",
        "depends_on",
        "facts",
        "steps",
    )
    return {name: getattr(item, name) for name in names}


def planning() -> Iterator[Finding]:
    """No plan is being computed without anybody computing it."""
    jobs = Job.objects.active().filter(kind="plan").values_list("steps__params__plan", flat=True)
    orphaned = Plan.objects.filter(status=Plan.Status.PLANNING).exclude(pk__in=[pk for pk in jobs if pk])[:MOST]
    yield from breaches("NOBODY_PLANS", orphaned, "It is being computed, and no job computes it.")
