"""The list of IPRs with its tabs: seven queries for any number of rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, F, Prefetch, Q
from django.db.models.expressions import OrderBy

from alma.accounts.actors import Actor
from iprs import rights
from iprs.gates import rule_against
from iprs.models import IPR, Plan, Review
from iprs.models.ipr import IPRQuerySet
from iprs.pages.search import apply, parse
from iprs.queues import QUEUES

PAGE_SIZE = 25
SORTS: Mapping[str, tuple[str, OrderBy]] = {
    "newest": ("Newest first", F("pk").desc()),
    "oldest": ("Oldest first", F("pk").asc()),
    "updated": ("Recently changed", F("updated_at").desc()),
    "title": ("By title", F("title").asc()),
}


@dataclass(frozen=True)
class Row:
    """One IPR as the list shows it."""

    ipr: IPR
    status: str
    given: int
    needed: int
    is_stale: bool

    @property
    def summary(self) -> dict[str, int]:
        """Counts of the plan."""
        return self.ipr.current_plan.summary if self.ipr.current_plan else {}

    @property
    def is_open(self) -> bool:
        """Whether approvals still matter."""
        return self.ipr.status in IPR.REVIEWABLE


def list_context(params: Mapping[str, str], actor: Actor) -> dict[str, Any]:
    """The page of the list that a query string asks for."""
    view = params.get("view", "") if params.get("view", "") in QUEUES else ""
    sort = params.get("sort", "") if params.get("sort", "") in SORTS else "newest"
    everything = IPR.objects.visible_to(actor)
    search = parse(params.get("q", ""))
    chosen = QUEUES[view][1](everything, actor) if view else everything
    found = apply(chosen, search, actor).order_by(SORTS[sort][1], "-pk")
    page = Paginator(_with_all(found), PAGE_SIZE).get_page(params.get("page"))
    return {
        "tabs": _tabs(everything, actor, view),
        "view": view,
        "view_title": QUEUES[view][0] if view else "All",
        "search": search,
        "sort": sort,
        "sorts": [(name, label) for name, (label, _) in SORTS.items()],
        "page": page,
        "rows": [_row(ipr) for ipr in page],
        "open_reason": rights.refusal(lambda: rights.check_open(by=actor)),
    }


def _with_all(rows: IPRQuerySet) -> IPRQuerySet:
    """What a row needs, in one query more for all rows."""
    verdicts = Review.objects.filter(action__in=Review.VERDICTS).order_by("pk")
    found = rows.for_page().select_related("current_plan__revision")
    return found.prefetch_related(Prefetch("reviews", queryset=verdicts, to_attr="said"))


def _row(ipr: IPR) -> Row:
    plan = ipr.current_plan
    is_stale = plan is not None and ipr.blueprint is not None and plan.revision_number != ipr.blueprint.revision_number
    return Row(ipr, _shown(ipr), _approvals(ipr), ipr.environment.required_approvals, is_stale)


def _shown(ipr: IPR) -> str:
    """The status, or what keeps a pending one from being reviewed."""
    plan = ipr.current_plan
    is_planning = plan is not None and plan.status == Plan.Status.PLANNING
    return "planning" if ipr.status == IPR.Status.PENDING and is_planning else ipr.status


def _approvals(ipr: IPR) -> int:
    """How many count, by the rule alone: whether each person may still review is asked on the page."""
    latest = {review.identity: review for review in ipr.said}  # type: ignore[attr-defined]
    return sum(row.action == Review.Action.APPROVE and not rule_against(ipr, row) for row in latest.values())


def _tabs(everything: IPRQuerySet, actor: Actor, here: str) -> list[dict[str, Any]]:
    """Each tab with its number, counted in one query."""
    counts = everything.aggregate(
        all=Count("pk"),
        **{
            name: Count("pk", filter=Q(pk__in=queue(everything, actor).values("pk")))
            for name, (_, queue) in QUEUES.items()
        },
    )
    tabs = [{"name": name, "label": label, "count": counts[name]} for name, (label, _) in QUEUES.items()]
    tabs.append({"name": "", "label": "All", "count": counts["all"]})
    return [{**tab, "is_here": tab["name"] == here} for tab in tabs]
