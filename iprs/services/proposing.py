"""From a draft to an open IPR in one step, for callers that are no people: the same twice is one proposal."""

from django.db import transaction

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from blueprints import services as blueprints
from blueprints.mcp.proposing import ProposalResult
from blueprints.models import Blueprint
from blueprints.schema import BlueprintDocument
from iprs.identity import identity_of
from iprs.models import IPR
from iprs.pages.words import rule_of
from iprs.rights import check_open
from iprs.services.opening import open_ipr
from iprs.services.previewing import environment_of


def propose(
    document: BlueprintDocument, *, by: Actor, blueprint: Blueprint | None, title: str, description: str,
    environment: str | None,
) -> ProposalResult:  # fmt: skip
    """An IPR of the document in an environment. Raises Refused, Invalid, NotFound."""
    check_open(by=by)
    place = environment_of(document, environment, by)
    with transaction.atomic():
        place = Environment.objects.select_for_update().get(pk=place.pk)  # two that ask at once are asked one by one
        found = _already_open(document, place, title, blueprint, by)
        if found is None:
            row = blueprint or blueprints.create(document, by=by)
            ipr = open_ipr(row, by=by, title=title, description=description, environment=place)
    return _result(found or ipr, place, is_new=found is None)


def _already_open(
    document: BlueprintDocument, place: Environment, title: str, blueprint: Blueprint | None, by: Actor
) -> IPR | None:
    """What the same author has open of the same content under the same title."""
    rows = IPR.objects.filter(
        organization_id=place.organization_id, environment=place, title=title, status__in=IPR.REVIEWABLE,
        author_identity=identity_of(by).name, current_plan__revision__digest=document.digest(),
    )  # fmt: skip
    return (rows.filter(blueprint=blueprint) if blueprint else rows).order_by("-pk").first()


def _result(ipr: IPR, place: Environment, *, is_new: bool) -> ProposalResult:
    done = "is open now" if is_new else "was open already"
    return ProposalResult(
        summary=f"IPR #{ipr.pk} {done} for {place.name}. Nothing is built until people decide.",
        ipr_id=ipr.pk, blueprint_id=ipr.blueprint_id or 0, title=ipr.title, status=ipr.status, environment=place.slug,
        page=ipr.get_absolute_url(), is_new=is_new, approvals=rule_of(place),
        next_steps=[f"People review its plan at {ipr.get_absolute_url()}; GET /api/v1/iprs/{ipr.pk} says how it stands."],
    )  # fmt: skip
