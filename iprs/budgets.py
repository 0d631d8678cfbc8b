"""What the machines of a project cost in a month, and whether one more deployment stays within its budget."""

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Max

from alma.accounts.models import Project
from alma.errors import Invalid, PaymentRequired
from blueprints.generation.estimates import monthly_cost
from blueprints.generation.lexicon import table
from blueprints.models import Blueprint, BlueprintRevision
from iprs.models import IPR, Deployment, Plan

logger = logging.getLogger(__name__)
_CENT = Decimal("0.01")
_MOST_PRICED = 10_000
_PRICED: dict[str, Decimal] = {}
"""By the digest of the revision; prices are those of the table that this process has read."""
_IN_ONE_QUERY = 500


class _Deployed(NamedTuple):
    """What was deployed last of a blueprint in an environment: the next deployment there replaces its guests."""

    blueprint: int
    environment: int
    project: int | None
    revision: int
    digest: str


def currency() -> str:
    """In which the table of prices counts."""
    return str(table("prices")["currency"])


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
    revision = plan.revision
    prices = _prices({row.digest: row.revision for row in others} | {revision.digest: revision.pk})
    committed, wanted = sum((prices[row.digest] for row in others), Decimal(0)), prices[revision.digest]
    if wanted and committed + wanted > project.monthly_budget:
        raise _too_expensive(project, committed, wanted)


def _too_expensive(project: Project, committed: Decimal, wanted: Decimal) -> PaymentRequired:
    details = {
        "project": str(project.public_id), "currency": currency(), "monthly_budget": float(project.monthly_budget or 0),
        "committed": float(committed), "wanted": float(wanted),
    }  # fmt: skip
    return PaymentRequired(
        f"This would cost {wanted} {currency()} a month. {committed} of the budget of {project.monthly_budget} of"
        f" {project.name} are committed already.",
        details=details,
    )


def committed(projects: Iterable[Project]) -> dict[int, Decimal]:
    """What is deployed of each project, by its pk; one query for all of them, and more for what was never priced."""
    sums = {project.pk: Decimal(0) for project in projects}
    rows = _deployed(project__in=list(sums)) if sums else []
    prices = _prices({row.digest: row.revision for row in rows})
    for row in rows:
        if row.project is not None:
            sums[row.project] += prices[row.digest]
    return sums


def committed_by(organization_id: int | None) -> Decimal:
    """What is deployed of an organization, in projects or not."""
    rows = _deployed(organization_id=organization_id) if organization_id else []
    prices = _prices({row.digest: row.revision for row in rows})
    return sum((prices[row.digest] for row in rows), Decimal(0))


def _deployed(**which: object) -> list[_Deployed]:
    """Of each of these blueprints in each environment the last deployment, also where it stopped halfway."""
    blueprints = Blueprint.objects.filter(**which)
    real = Deployment.objects.filter(is_dry_run=False, ipr__blueprint__in=blueprints).order_by()
    newest = real.values("ipr__blueprint", "ipr__environment").annotate(newest=Max("pk")).values("newest")
    fields = ("ipr__blueprint_id", "ipr__environment_id", "ipr__blueprint__project_id")
    rows = Deployment.objects.filter(pk__in=newest).order_by("pk")
    return [_Deployed(*row) for row in rows.values_list(*fields, "plan__revision_id", "plan__revision__digest")]


def _prices(revisions: Mapping[str, int]) -> dict[str, Decimal]:
    """By digest. What has the same digest costs the same, so a document is read and priced once."""
    prices = {digest: price for digest in revisions if (price := _PRICED.get(digest)) is not None}
    unpriced = [pk for digest, pk in revisions.items() if digest not in prices]
    for start in range(0, len(unpriced), _IN_ONE_QUERY):
        for row in BlueprintRevision.objects.filter(pk__in=unpriced[start : start + _IN_ONE_QUERY]):
            prices[row.digest] = _remember(row.digest, _price(row))
    return prices


def _remember(digest: str, price: Decimal) -> Decimal:
    if len(_PRICED) >= _MOST_PRICED:
        _PRICED.clear()
    _PRICED[digest] = price
    return price


def _price(revision: BlueprintRevision) -> Decimal:
    try:
        document = revision.parsed()
    except Invalid:
        logger.warning("a revision of old cannot be priced", extra={"revision": revision.pk})
        return Decimal(0)
    return Decimal(str(monthly_cost(document)["total"])).quantize(_CENT)
