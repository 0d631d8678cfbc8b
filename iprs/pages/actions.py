"""Buttons: what can be done next, and when it cannot, why not."""

from dataclasses import dataclass

from django.urls import reverse

from alma.accounts.actors import Actor
from iprs import rights
from iprs.gates import Gate
from iprs.locks import Lock
from iprs.models import IPR, Deployment, Plan

_OWN = "You opened this IPR; somebody else has to approve it."
_UNREADY = {
    "PLAN_READY": "There is no computed plan to approve yet.",
    "PLAN_SOUND": "This plan cannot be carried out as it is, so there is nothing to approve.",
    "BLUEPRINT_CURRENT": "The blueprint has moved on: plan again, then approve the new plan.",
}
"""What keeps an approval from meaning anything, by the condition that does not hold."""


@dataclass(frozen=True)
class Action:
    """A link (`is_link`) or a form that posts; a reason says why it is not available now."""

    label: str
    url: str
    icon: str = ""
    reason: str = ""
    is_link: bool = False
    look: str = ""
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Standing:
    """What the actions of an IPR depend on, read once."""

    ipr: IPR
    actor: Actor
    unmet: list[Gate]
    deployment: Deployment | None
    has_approved: bool = False
    """Whether the actor's approval of the current plan counts already."""
    is_reading: bool = False
    """Whether the changes themselves are on the page."""
    lock: Lock | None = None
    """Who works on the same blueprint and environment now."""


def approve_reason(standing: Standing) -> str:
    """Why this person's approval would not be taken or not be counted."""
    ipr, actor = standing.ipr, standing.actor
    reason = rights.refusal(lambda: rights.check_review(ipr, by=actor))
    if reason:
        return reason
    if rights.is_author(ipr, actor):
        return _OWN
    if standing.has_approved:
        return "You have approved this plan already."
    return next((_UNREADY[gate.code] for gate in standing.unmet if gate.code in _UNREADY), "")


def primary(standing: Standing) -> Action | None:
    """The one next thing."""
    ipr = standing.ipr
    by_status = {
        IPR.Status.PENDING: _review_next,
        IPR.Status.APPROVED: _deploy,
        IPR.Status.DEPLOYING: _watch,
        IPR.Status.FAILED: _after_failure,
        IPR.Status.CHANGES_REQUESTED: _revise,
        IPR.Status.REJECTED: _reopen,
        IPR.Status.CANCELLED: _reopen,
        IPR.Status.DEPLOYED: _watch,
    }
    make = by_status.get(IPR.Status(ipr.status))
    return make(standing) if make else None


def secondary(standing: Standing) -> list[Action]:
    """What else can be done, in the menu."""
    ipr, actor = standing.ipr, standing.actor
    dry = rights.refusal(lambda: rights.check_dry_run(ipr, by=actor))
    replan = rights.refusal(lambda: rights.check_replan(ipr, by=actor))
    withdraw = rights.refusal(lambda: rights.check_withdraw(ipr, by=actor))
    return [
        Action("Dry run", _url("deploy", ipr), "play", dry, fields=(("dry_run", "1"),)),
        Action("Plan again", _url("replan", ipr), "refresh", replan),
        *([_safety(ipr, replan)] if ipr.operation_id is None else []),
        Action("Withdraw", _url("withdraw", ipr), "undo", withdraw, look="btn-danger"),
    ]


def _safety(ipr: IPR, reason: str) -> Action:
    """Plan again with a snapshot of each guest before it is changed, or without."""
    label = "Leave safety snapshots out" if ipr.has_safety_snapshots else "Add safety snapshots"
    wanted = "off" if ipr.has_safety_snapshots else "on"
    return Action(label, _url("replan", ipr), "shield", reason, fields=(("safety_snapshots", wanted),))


def _url(name: str, ipr: IPR) -> str:
    return reverse(f"iprs:{name}", args=[ipr.pk])


def _review_next(standing: Standing) -> Action:
    ipr, plan = standing.ipr, standing.ipr.current_plan
    if plan is None or plan.status == Plan.Status.PLANNING:
        return Action("Planning…", _url("changes", ipr), "spinner", "The plan is being computed.")
    if plan.problems:
        return _mend(standing, look="btn-primary")
    if any(gate.code == "BLUEPRINT_CURRENT" for gate in standing.unmet):
        return replan_action(standing, look="btn-primary")
    number = sum(plan.summary.get(action, 0) for action in ("create", "update", "replace", "delete"))
    items = f"{number} item{'' if number == 1 else 's'}"
    if approve_reason(standing):
        return Action(f"Read {items}", _url("changes", ipr), "eye", is_link=True)
    if standing.is_reading:
        return Action("Approve…", "#review", "ring-check", is_link=True, look="btn-ok")
    return Action(f"Review {items}", _url("changes", ipr), "eye", is_link=True, look="btn-primary")


def _mend(standing: Standing, look: str = "") -> Action:
    """What to do about a proposal that is not good as it is."""
    return edit_action(standing, look=look) or replan_action(standing, look=look)


def edit_action(standing: Standing, look: str = "") -> Action | None:
    """Change what the proposal is made from; an operation is asked for anew instead."""
    if standing.ipr.blueprint_id is None:
        return None
    reason = rights.refusal(lambda: rights.check_edit(by=standing.actor))
    url = reverse("blueprints:edit", args=[standing.ipr.blueprint_id])
    return Action("Edit blueprint", url, "pencil", reason, is_link=True, look=look)


def replan_action(standing: Standing, look: str = "") -> Action:
    """Compute the plan anew."""
    ipr, actor = standing.ipr, standing.actor
    reason = rights.refusal(lambda: rights.check_replan(ipr, by=actor))
    return Action("Plan again", _url("replan", ipr), "refresh", reason, look=look)


def _deploy(standing: Standing) -> Action:
    ipr, actor, plan = standing.ipr, standing.actor, standing.ipr.current_plan
    reason = rights.refusal(lambda: rights.check_deploy(ipr, standing.unmet, by=actor))
    reason = reason or (standing.lock.sentence if standing.lock else "")
    fields = (("plan_digest", plan.digest if plan else ""),)
    return Action("Deploy", _url("deploy", ipr), "deploy", reason, look="btn-ok", fields=fields)


def _watch(standing: Standing) -> Action | None:
    run = standing.deployment
    if run is None:
        return None
    label, icon, look = ("Watch", "eye", "btn-primary") if run.is_active else ("See the run", "terminal", "")
    return Action(label, run.get_absolute_url(), icon, is_link=True, look=look)


def _after_failure(standing: Standing) -> Action | None:
    run = standing.deployment
    retry = retry_action(standing) if run else None
    return retry if retry and not retry.reason else replan_action(standing, look="btn-primary")


def retry_action(standing: Standing) -> Action | None:
    """Take the last run up again."""
    run, ipr, actor = standing.deployment, standing.ipr, standing.actor
    if run is None:
        return None
    reason = rights.refusal(lambda: rights.check_retry(run, ipr, _unmet_after_failure(standing), by=actor))
    reason = reason or (standing.lock.sentence if standing.lock and not run.is_dry_run else "")
    url = reverse("iprs:deployment-retry", args=[run.job.public_id])
    return Action("Retry", url, "refresh", reason, look="btn-primary")


def _unmet_after_failure(standing: Standing) -> list[Gate]:
    run = standing.deployment
    return [] if run and run.is_dry_run else standing.unmet


def cancel_action(deployment: Deployment, actor: Actor) -> Action:
    """Let what is in flight finish and begin nothing new."""
    reason = rights.refusal(lambda: rights.check_cancel(deployment, by=actor))
    url = reverse("iprs:deployment-cancel", args=[deployment.job.public_id])
    return Action("Cancel", url, "stop", reason, look="btn-danger")


def force_cancel_action(deployment: Deployment, actor: Actor) -> Action:
    """Wait no longer for what is in flight."""
    reason = rights.refusal(lambda: rights.check_force_cancel(deployment, by=actor))
    url = reverse("iprs:deployment-cancel", args=[deployment.job.public_id])
    return Action("Force cancel", url, "octagon-x", reason, look="btn-danger", fields=(("force", "1"),))


def rollback_action(deployment: Deployment, actor: Actor) -> Action:
    """Undo what it did."""
    reason = rights.refusal(lambda: rights.check_rollback(deployment, by=actor))
    url = reverse("iprs:deployment-rollback", args=[deployment.job.public_id])
    return Action("Roll back", url, "undo", reason, look="btn-danger")


def _revise(standing: Standing) -> Action:
    if rights.is_author(standing.ipr, standing.actor):
        return _mend(standing, look="btn-primary")
    return replan_action(standing)


def _reopen(standing: Standing) -> Action:
    ipr, actor = standing.ipr, standing.actor
    reason = rights.refusal(lambda: rights.check_reopen(ipr, by=actor))
    return Action("Reopen", _url("reopen", ipr), "refresh", reason)
