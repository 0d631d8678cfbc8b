"""What the machines of a project cost in a month, and whether one more deployment stays within its budget."""

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Max

from alma.accounts.models import Project
from alma.errors import Invalid, PaymentRequired
from blueprints.models import Blueprint, BlueprintRevision
from blueprints.pricing import PriceList, cost_of
from blueprints.pricing.book import price_list
from iprs.models import IPR, Deployment, Plan

logger = logging.getLogger(__name__)
_MOST_PRICED = 10_000
_PRICED: dict[tuple[object, str], Decimal] = {}
"""By the prices and the digest of the revision."""
_IN_ONE_QUERY = 500


class _Deployed(NamedTuple):
    """What was deployed last of a blueprint in an environment: the next deployment there replaces its guests."""

    blueprint: int
    environment: int
    project: int | None
    revision: int
    digest: str


def check_budget(ipr: IPR, plan: Plan) -> None:
    """Let a plan pass that its project can pay for. The project stays locked until the caller's transaction ends, so that
    two deployments do not spend the same money. Raises PaymentRequired."""
    if ipr.blueprint is None or ipr.blueprint.project_id is None or plan.revision is None:
        return
    project = Project.objects.select_for_update().get(pk=ipr.blueprint.project_id)
    if project.monthly_budget is None:
        return
    own = (ipr.blueprint_id, ipr.environment_id)
    others = [row for row in _deployed(project_id=project.pk) if (row.blueprint, row.environment) != own]
    revision, prices = plan.revision, price_list(ipr.organization_id)
    costs = _costs({row.digest: row.revision for row in others} | {revision.digest: revision.pk}, prices)
    committed, wanted = sum((costs[row.digest] for row in others), Decimal(0)), costs[revision.digest]
    if wanted and committed + wanted > project.monthly_budget:
        raise _too_expensive(project, committed, wanted, prices.currency)


def _too_expensive(project: Project, committed: Decimal, wanted: Decimal, currency: str) -> PaymentRequired:
    details = {
        "project": str(project.public_id), "currency": currency, "monthly_budget": float(project.monthly_budget or 0),
        "committed": float(committed), "wanted": float(wanted),
    }  # fmt: skip
    return PaymentRequired(
        f"This would cost {wanted} {currency} a month. {committed} of the budget of {project.monthly_budget} of"
        f" {project.name} are committed already.",
        details=details,
    )


def committed(projects: Iterable[Project], prices: PriceList) -> dict[int, Decimal]:
    """What is deployed of each project, by its pk; one query for all of them, and more for what was never priced at these
    prices."""
    sums = {project.pk: Decimal(0) for project in projects}
    rows = _deployed(project__in=list(sums)) if sums else []
    costs = _costs({row.digest: row.revision for row in rows}, prices)
    for row in rows:
        if row.project is not None:
            sums[row.project] += costs[row.digest]
    return sums


def committed_by(organization_id: int | None, prices: PriceList) -> Decimal:
    """What is deployed of an organization, in projects or not."""
    rows = _deployed(organization_id=organization_id) if organization_id else []
    costs = _costs({row.digest: row.revision for row in rows}, prices)
    return sum((costs[row.digest] for row in rows), Decimal(0))


def _deployed(**which: object) -> list[_Deployed]:
    """Of each of these blueprints in each environment the last deployment, also where it stopped halfway."""
    blueprints = Blueprint.objects.filter(**which)
    real = Deployment.objects.filter(is_dry_run=False, ipr__blueprint__in=blueprints).order_by()
    newest = real.values("ipr__blueprint", "ipr__environment").annotate(newest=Max("pk")).values("newest")
    fields = ("ipr__blueprint_id", "ipr__environment_id", "ipr__blueprint__project_id")
    rows = Deployment.objects.filter(pk__in=newest).order_by("pk")
    return [_Deployed(*row) for row in rows.values_list(*fields, "plan__revision_id", "plan__revision__digest")]


def _costs(revisions: Mapping[str, int], prices: PriceList) -> dict[str, Decimal]:
    """By digest. What has the same digest costs the same, so a document is read and priced once for each list of prices."""
    costs = {digest: cost for digest in revisions if (cost := _PRICED.get((prices.key, digest))) is not None}
    unpriced = [pk for digest, pk in revisions.items() if digest not in costs]
    for start in range(0, len(unpriced), _IN_ONE_QUERY):
        for row in BlueprintRevision.objects.filter(pk__in=unpriced[start : start + _IN_ONE_QUERY]):
            costs[row.digest] = _remember((prices.key, row.digest), _cost(row, prices))
    return costs


def _remember(key: tuple[object, str], cost: Decimal) -> Decimal:
    if len(_PRICED) >= _MOST_PRICED:
        _PRICED.clear()
    _PRICED[key] = cost
    return cost


def _cost(revision: BlueprintRevision, prices: PriceList) -> Decimal:
    try:
        return cost_of(revision.parsed(), prices).total
    except Invalid:
        logger.warning("a revision of old cannot be priced", extra={"revision": revision.pk})
        return Decimal(0)
