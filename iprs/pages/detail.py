"""The page of one IPR."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects

from alma.accounts.actors import Actor
from alma.accounts.models import Environment, Membership
from alma.accounts.scopes import ROLE_SCOPES
from iprs.claims import check_claims
from iprs.gates import Gate, Verdict, gates, is_strict, verdicts
from iprs.identity import identity_of
from iprs.locks import lock_of
from iprs.models import IPR, Deployment, Plan, PlanItem, Review
from iprs.pages.actions import Action, Standing, approve_reason, edit_action, primary, replan_action, secondary
from iprs.pages.timeline import timeline
from iprs.pages.words import comfort_sentence, joined, loss_sentence, rule_of, summary_sentence
from iprs.rights import check_review, refusal

_FACT_NOUNS = (
    ("guest", "guest"),
    ("node", "node"),
    ("storage", "storage"),
    ("template", "template"),
    ("image", "image"),
)
_PATH = ("Proposed", "Planned", "In review", "Deploying", "Done")
_AT = {
    IPR.Status.DRAFT: 0,
    IPR.Status.APPROVED: 3,
    IPR.Status.DEPLOYING: 3,
    IPR.Status.FAILED: 3,
    IPR.Status.DEPLOYED: 5,
    IPR.Status.ROLLED_BACK: 5,
}


@dataclass(frozen=True)
class GateRow:
    """A condition, who can fulfil it, and the button if that is you."""

    gate: Gate
    who: str = ""
    action: Action | None = None


def load_standing(ipr: IPR, actor: Actor, judged: list[Verdict]) -> tuple[Standing, list[Gate], list[Deployment]]:
    """What the buttons depend on, the gates, and the runs of this IPR, newest first."""
    runs = list(ipr.deployments.select_related("job")[:10])
    for run in runs:
        run.ipr = ipr
    real = next((run for run in runs if not run.is_dry_run), None)
    rows = gates(ipr, judged)
    own = identity_of(actor).name
    has_approved = any(
        one.counts and one.review.identity == own and one.review.action == Review.Action.APPROVE for one in judged
    )
    return (
        Standing(ipr, actor, [gate for gate in rows if not gate.is_open], real, has_approved, lock=lock_of(ipr)),
        rows,
        runs,
    )


def detail_context(ipr: IPR, actor: Actor) -> dict[str, Any]:
    """All that the overview shows."""
    prefetch_related_objects([ipr], "reviews")  # the verdicts, the composer and the timeline read the same ones
    judged = verdicts(ipr)
    standing, rows, runs = load_standing(ipr, actor, judged)
    reviews = list(ipr.reviews.all())
    items = list(ipr.current_plan.items.all()) if ipr.current_plan else []
    is_reviewable = ipr.status in IPR.REVIEWABLE
    return {
        **head_context(standing),
        **review_context(standing, items, reviews),
        **_sentences(ipr),
        "claim": check_claims(ipr, items, _other_environments(ipr)) if _is_computed(ipr) else None,
        "gate_rows": _gate_rows(standing, rows, judged) if is_reviewable else [],
        "met": sum(gate.is_open for gate in rows),
        "approvals": _approvals(ipr, judged),
        "facts": _facts(items),
        "timeline": timeline(ipr, reviews, judged),
        "plans": list(ipr.plans.select_related("revision")[:20]),
        "runs": runs,
        "path": _path(ipr),
    }


def head_context(standing: Standing) -> dict[str, Any]:
    """The sticky header, which all tabs share."""
    ipr = standing.ipr
    run = standing.deployment
    lock = standing.lock
    topics = dict.fromkeys(
        [ipr.stream, *([run.job.stream] if run and run.is_active else []), *([lock.job.stream] if lock else [])]
    )
    return {
        "ipr": ipr,
        "plan": ipr.current_plan,
        "environment": ipr.environment,
        "rule": rule_of(ipr.environment),
        "primary": primary(standing),
        "secondary": secondary(standing),
        "topics": " ".join(topics),
        "is_planning": ipr.current_plan is not None and ipr.current_plan.status == Plan.Status.PLANNING,
        "change_count": _changing(ipr),
        "deployment": run,
        "lock": lock,
        "stale": next((gate for gate in standing.unmet if gate.code == "BLUEPRINT_CURRENT"), None),
        "replan": replan_action(standing),
        "edit": edit_action(standing),
    }


def review_context(standing: Standing, items: list[PlanItem], reviews: list[Review]) -> dict[str, Any]:
    """The composer. Its key changes with each own word, so that a sent text does not stay in the field."""
    ipr, actor = standing.ipr, standing.actor
    name = identity_of(actor).name
    own = [review for review in reviews if review.identity == name]
    verdicts_given = [review for review in own if review.action in Review.VERDICTS]
    digest = ipr.current_plan.digest if ipr.current_plan else ""
    return {
        "is_reviewable": ipr.status in IPR.REVIEWABLE,
        "own_verdict": next((row for row in reversed(verdicts_given) if digest and row.plan_digest == digest), None),
        "has_approved": standing.has_approved,
        "review_reason": refusal(lambda: check_review(ipr, by=actor)),
        "approve_reason": approve_reason(standing),
        "composer_key": f"composer-{own[-1].pk if own else 0}",
        "destructive": [item for item in items if item.is_destructive],
        "must_tick": is_strict(ipr.environment),
    }


def _sentences(ipr: IPR) -> dict[str, str]:
    plan = ipr.current_plan
    if plan is None or not plan.digest:
        return {"sentence": "", "loss": "", "comfort": ""}
    return {"sentence": summary_sentence(plan), "loss": loss_sentence(plan), "comfort": comfort_sentence(plan)}


def _is_computed(ipr: IPR) -> bool:
    return ipr.current_plan is not None and bool(ipr.current_plan.digest)


def _changing(ipr: IPR) -> int:
    summary = ipr.current_plan.summary if ipr.current_plan else {}
    return sum(summary.get(action, 0) for action in PlanItem.CHANGING)


def _other_environments(ipr: IPR) -> list[str]:
    rows = Environment.objects.filter(organization_id=ipr.organization_id).exclude(pk=ipr.environment_id)
    return [name for pair in rows.values_list("slug", "name") for name in pair]


def _gate_rows(standing: Standing, rows: list[Gate], judged: list[Verdict]) -> list[GateRow]:
    return [GateRow(gate) if gate.is_open else _unmet(standing, gate, judged) for gate in rows]


def _unmet(standing: Standing, gate: Gate, judged: list[Verdict]) -> GateRow:
    edit = edit_action(standing)
    approve = Action("Review", "#review", "ring-check", approve_reason(standing), is_link=True)
    by_code = {
        "PLAN_READY": ("ALMA is at it; nobody has to do anything.", None),
        "BLUEPRINT_CURRENT": ("Anybody who may propose changes.", replan_action(standing)),
        "PLAN_SOUND": (_sound_by(standing.ipr), edit if standing.ipr.current_plan and standing.ipr.current_plan.problems else None),
        "APPROVALS": (_approvers(standing.ipr, judged), None if approve.reason else approve),
        "NO_OBJECTION": ("Whoever objected, or a new plan.", None),
    }  # fmt: skip
    who, action = by_code.get(gate.code, ("", None))
    return GateRow(gate, who, action)


def _sound_by(ipr: IPR) -> str:
    if ipr.blueprint_id is None:
        return f"{ipr.created_by}, by asking for something else, or an operator on the cluster."
    return f"{ipr.created_by}, by changing the blueprint, or an operator on the cluster." if ipr.current_plan else ""


def _approvers(ipr: IPR, judged: list[Verdict]) -> str:
    """The people whose approval would count and is not there."""
    roles = [role for role, scopes in ROLE_SCOPES.items() if "ipr:review" in scopes]
    given = {verdict.review.user_id for verdict in judged if verdict.counts and verdict.review.user_id}
    rows = Membership.objects.filter(organization_id=ipr.organization_id, role__in=roles, user__is_active=True)
    rows = rows.exclude(user_id__in=[pk for pk in {*given, ipr.author_id} if pk is not None])
    names = list(rows.order_by("user__username").values_list("user__username", flat=True)[:4])
    if not names:
        return "Nobody has the right yet: an operator gives somebody else than the author the role of a reviewer."
    return f"{joined(names[:3])} can." if len(names) < 4 else f"{', '.join(names[:3])} and others can."


def _approvals(ipr: IPR, judged: list[Verdict]) -> dict[str, Any]:
    given = [v.review for v in judged if v.counts and v.review.action == Review.Action.APPROVE]
    ignored = [v for v in judged if not v.counts]
    return {"given": given, "needed": ipr.environment.required_approvals, "ignored": ignored}


def _facts(items: Iterable[PlanItem]) -> dict[str, Any]:
    """What the planner relied on, and how much of each kind."""
    relied_on = dict(sorted({name: value for item in items for name, value in item.facts.items()}.items()))
    kinds = Counter(name.partition("/")[0] for name in relied_on)
    said = [f"{kinds[kind]} {noun}{'s' if kinds[kind] > 1 else ''}" for kind, noun in _FACT_NOUNS if kinds[kind]]
    return {"rows": relied_on, "count": len(relied_on), "words": joined(said)}


def _path(ipr: IPR) -> list[tuple[str, str]]:
    """Where the proposal stands: per station its name and done, here, failed, or nothing."""
    is_refused = ipr.current_plan is not None and bool(ipr.current_plan.problems)
    here = _AT.get(IPR.Status(ipr.status), 2 if _is_computed(ipr) and not is_refused else 1)
    has_ended = ipr.status in {IPR.Status.FAILED, IPR.Status.REJECTED, IPR.Status.CANCELLED}
    mark = "failed" if has_ended or (is_refused and here == 1) else "here"
    marks = ["done"] * here + [mark] + [""] * len(_PATH)
    return list(zip(_PATH, marks, strict=False))
