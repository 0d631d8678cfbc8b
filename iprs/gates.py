"""What must hold before a plan may run. Asked anew for every button, page, API answer and deployment."""

from dataclasses import dataclass

from django.conf import settings

from alma.accounts.models import Environment, Membership
from alma.accounts.scopes import ROLE_SCOPES
from iprs.models import IPR, Plan, Review


@dataclass(frozen=True)
class Gate:
    """One condition: a stable code, whether it holds, and a sentence that says what to do when it does not."""

    code: str
    title: str
    is_open: bool
    message: str


@dataclass(frozen=True)
class Verdict:
    """A review as the rules of its environment see it: whether it counts, and if not, why."""

    review: Review
    counts: bool
    reason: str = ""


_OBJECTIONS = {Review.Action.REJECT: "rejected it", Review.Action.REQUEST_CHANGES: "requested changes"}


def is_strict(environment: Environment) -> bool:
    """Whether only verified people count there."""
    return environment.is_protected or settings.ALMA_STRICT_REVIEW


def verdicts(ipr: IPR) -> list[Verdict]:
    """The latest verdict of each identity, oldest first, judged by the environment's rule."""
    latest: dict[str, Review] = {}
    for review in ipr.reviews.all():
        if review.action in Review.VERDICTS:
            latest[review.identity] = review
    entitled = _entitled(ipr, list(latest.values()))
    return [_judge(ipr, review, entitled) for review in latest.values()]


def _judge(ipr: IPR, review: Review, entitled: set[int]) -> Verdict:
    reason = rule_against(ipr, review)
    if not reason and review.user_id is not None and review.user_id not in entitled:
        reason = f"{review.reviewer} may no longer review."
    return Verdict(review, not reason, reason)


def _entitled(ipr: IPR, reviews: list[Review]) -> set[int]:
    """The people among the reviewers whose role lets them review now, not when the review was given."""
    people = {review.user_id for review in reviews if review.user_id is not None}
    if not people:
        return set()
    roles = [role for role, scopes in ROLE_SCOPES.items() if "ipr:review" in scopes]
    members = Membership.objects.filter(organization_id=ipr.organization_id, role__in=roles, user__is_active=True)
    return set(members.filter(user__in=people).values_list("user_id", flat=True))


def rule_against(ipr: IPR, review: Review) -> str:
    """Why the environment's rule ignores a review, or nothing. Asks no database: lists count with it."""
    is_approval = review.action == Review.Action.APPROVE
    plan = ipr.current_plan
    if is_approval and (plan is None or not plan.digest or review.plan_digest != plan.digest):
        return "It approved an earlier plan."
    if is_approval and review.identity == ipr.author_identity:
        return "Authors do not approve their own plans."
    if is_strict(ipr.environment) and not review.is_verified:
        return "The identity is not verified."
    return ""


def gates(ipr: IPR, judged: list[Verdict] | None = None) -> list[Gate]:
    """Every condition of an IPR, in the order in which people meet them; `judged` is what `verdicts` said just now."""
    judged = verdicts(ipr) if judged is None else judged
    return [_planned(ipr), _current(ipr), _sound(ipr), _agreed(ipr, judged), _unopposed(judged)]


def missing(ipr: IPR) -> list[Gate]:
    """The conditions that do not hold."""
    return [gate for gate in gates(ipr) if not gate.is_open]


def _planned(ipr: IPR) -> Gate:
    plan = ipr.current_plan
    is_open = plan is not None and plan.status != Plan.Status.PLANNING
    message = "The plan is computed." if is_open else "The plan is being computed; it needs the cluster to answer."
    return Gate("PLAN_READY", "Plan computed", is_open, message)


def _current(ipr: IPR) -> Gate:
    if ipr.blueprint is None:
        return Gate("BLUEPRINT_CURRENT", "Plan is current", True, "Made from the operation as it was asked for.")
    plan, latest = ipr.current_plan, ipr.blueprint.revision_number
    if ipr.blueprint.deleted_at is not None:
        return Gate("BLUEPRINT_CURRENT", "Plan is current", False, "The blueprint was deleted; withdraw this IPR.")
    if plan is not None and plan.revision_number != latest:
        message = (
            f"The blueprint is at revision {latest}, this plan was made from revision {plan.revision_number}. "
            "Plan again and review what changed."
        )
        return Gate("BLUEPRINT_CURRENT", "Plan is current", False, message)
    return Gate(
        "BLUEPRINT_CURRENT", "Plan is current", True, f"Made from revision {latest} of the blueprint, the latest."
    )


def _sound(ipr: IPR) -> Gate:
    plan = ipr.current_plan
    if plan is None or plan.status == Plan.Status.PLANNING:
        return Gate("PLAN_SOUND", "Checks pass", False, "Nothing is checked before the plan is computed.")
    if plan.problems:
        return Gate("PLAN_SOUND", "Checks pass", False, " ".join(str(problem) for problem in plan.problems))
    return Gate("PLAN_SOUND", "Checks pass", True, "Every guest of the plan can be carried out as written.")


def _agreed(ipr: IPR, judged: list[Verdict]) -> Gate:
    needed = ipr.environment.required_approvals
    given = sum(verdict.counts and verdict.review.action == Review.Action.APPROVE for verdict in judged)
    ignored = [f"{v.review.reviewer}: {v.reason}" for v in judged if not v.counts]
    if given >= needed:
        rule = f"{given} of {needed} approvals" if needed else f"{ipr.environment.name} needs no approval"
        return Gate("APPROVALS", "People agree", True, f"{rule}.")
    message = f"{given} of {needed} approvals for this exact plan."
    if ignored:
        message += " Not counted: " + " ".join(ignored)
    return Gate("APPROVALS", "People agree", False, message)


def _unopposed(judged: list[Verdict]) -> Gate:
    against = [v.review for v in judged if v.counts and v.review.action != Review.Action.APPROVE]
    if not against:
        return Gate("NO_OBJECTION", "Nobody objects", True, "No open objection.")
    said = " ".join(f"{review.reviewer} {_OBJECTIONS[Review.Action(review.action)]}." for review in against)
    return Gate("NO_OBJECTION", "Nobody objects", False, f"{said} They have to approve, or the plan has to change.")
