"""Reviews and comments, and what follows from them for the status."""

from typing import Any

from django.db import transaction
from django.db.models import F

from alma.accounts.actors import Actor
from alma.errors import Invalid, WrongState
from iprs.gates import is_strict, missing
from iprs.identity import Identity, identity_of
from iprs.models import IPR, Plan, Review
from iprs.operating import let_go
from iprs.rights import check_review

MAX_COMMENT = 20_000
MAX_UNVERIFIED = 200
"""Words of unverified callers that one IPR takes: everybody may speak, nobody may bury what the others said."""
NEWEST = 200
_VERDICT_STATUS = {
    Review.Action.REJECT: IPR.Status.REJECTED,
    Review.Action.REQUEST_CHANGES: IPR.Status.CHANGES_REQUESTED,
}


@transaction.atomic
def review(
    ipr: IPR,
    action: str,
    *,
    by: Actor,
    comments: str = "",
    claimed: str = "",
    acknowledged: list[str] | None = None,
    plan_digest: str = "",
) -> Review:
    """Record a verdict on the plan that the reviewer saw, and let the status follow.

    `plan_digest` names that plan; a caller who gives none means the one that is current.
    Raises Refused, Invalid, WrongState."""
    if action not in Review.VERDICTS:
        raise Invalid(
            f"action must be approve, reject or request_changes, not {action[:40]!r}.", details={"field": "action"}
        )
    row = IPR.objects.select_for_update(of=("self",)).select_related("operation").get(pk=ipr.pk)
    check_review(row, by=by)
    who = identity_of(by, claimed)
    plan = _reviewed_plan(row, action, plan_digest)
    _check_words(row, action, comments, who)
    _check_room(row, who)
    _check_ticks(row, plan, action, set(acknowledged or []))
    written = _write(row, plan, action, comments, who, acknowledged or [])
    row.tell("ipr.reviewed", by=who.label, action=action, verified=who.is_verified, plan=plan.number if plan else None)
    _follow(row, Review.Action(action), who, comments)
    return written


def _reviewed_plan(ipr: IPR, action: str, plan_digest: str) -> Plan | None:
    plan = ipr.current_plan
    if plan_digest and (plan is None or plan.digest != plan_digest):
        raise WrongState("The plan has changed since you read it; read it again.", code="PLAN_CHANGED")
    return plan


def _check_words(ipr: IPR, action: str, comments: str, who: Identity) -> None:
    if len(comments) > MAX_COMMENT or "\0" in comments:
        raise Invalid(f"comments are at most {MAX_COMMENT:,} characters.", details={"field": "comments"})
    needs_words = action != Review.Action.APPROVE and who.is_verified
    if needs_words and not comments.strip():
        raise Invalid("Say what is wrong, so that the author can mend it.", details={"field": "comments"})


def _check_room(ipr: IPR, who: Identity) -> None:
    if not who.is_verified and ipr.reviews.filter(is_verified=False).count() >= MAX_UNVERIFIED:
        raise WrongState(
            f"This IPR has {MAX_UNVERIFIED} reviews by unverified callers; sign in to add one.", code="TOO_MANY_REVIEWS"
        )


def _check_ticks(ipr: IPR, plan: Plan | None, action: str, ticked: set[str]) -> None:
    """Where the environment is protected, each guest that loses data is agreed to by name."""
    if action != Review.Action.APPROVE or plan is None or not is_strict(ipr.environment):
        return
    lost = {item.key for item in plan.items.all() if item.is_destructive}
    if lost - ticked:
        raise Invalid(
            f"This plan destroys {', '.join(sorted(lost - ticked))}: acknowledge each by name.",
            details={"field": "acknowledged", "unacknowledged": sorted(lost - ticked)},
        )


def _write(ipr: IPR, plan: Plan | None, action: str, comments: str, who: Identity, ticks: list[str]) -> Review:
    return Review.objects.create(
        organization_id=ipr.organization_id, ipr=ipr, plan=plan, plan_digest=plan.digest if plan else "",
        action=action, comments=comments, reviewer=who.label, identity=who.name, user=who.user,
        is_verified=who.is_verified, acknowledged=ticks,
    )  # fmt: skip


def _follow(ipr: IPR, action: Review.Action, who: Identity, comments: str) -> None:
    """A counted objection moves the status itself, and lets a job go that waited; an approval may open the gates."""
    counts = who.is_verified or not is_strict(ipr.environment)
    target = _VERDICT_STATUS.get(action)
    if target and counts and ipr.status != target:
        ipr.move(target, by=who.label)
        let_go(ipr, by=who.label, why=comments)
    elif action == Review.Action.APPROVE:
        if ipr.status == IPR.Status.CHANGES_REQUESTED and counts:
            ipr.move(IPR.Status.PENDING, by=who.label)
        settle(ipr)


def settle(ipr: IPR) -> None:
    """Let the stored status say what the gates say now; called in the transaction of whatever changed them."""
    unmet = missing(ipr)
    if ipr.status == IPR.Status.PENDING and not unmet:
        ipr.move(IPR.Status.APPROVED, by="")
    elif ipr.status == IPR.Status.APPROVED and unmet:
        ipr.move(IPR.Status.PENDING, by="", missing=[gate.code for gate in unmet])


def settle_outrun(limit: int = 50) -> None:
    """Take back the status «approved» where the blueprint has moved on since the plan; a chore of the reconciler."""
    current = IPR.objects.filter(status=IPR.Status.APPROVED, operation=None).exclude(
        current_plan__revision__number=F("blueprint__revision_number"), blueprint__deleted_at=None
    )
    for pk in current.order_by("pk").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            settle(IPR.objects.select_for_update().get(pk=pk))


@transaction.atomic
def comment(ipr: IPR, text: str, *, by: Actor, plan_digest: str = "") -> Review:
    """Say something without a verdict. Raises Invalid, Refused."""
    by.require("ipr:read")
    if not text.strip():
        raise Invalid("Write something first.", details={"field": "comments"})
    who = identity_of(by)
    _check_words(ipr, Review.Action.COMMENT, text, who)
    written = _write(ipr, ipr.current_plan, Review.Action.COMMENT, text.strip(), who, [])
    ipr.tell("ipr.commented", by=who.label)
    return written


def said(ipr: IPR) -> list[dict[str, Any]]:
    """The newest reviews and comments, oldest of them first, for the API."""
    fields = ("action", "comments", "reviewer", "is_verified", "plan_digest", "created_at")
    return list(reversed(ipr.reviews.order_by("-pk").values(*fields)[:NEWEST]))
