"""From what somebody asks for to a draft, priced as their organization reckons. Nothing is stored."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.complexity import figures_for
from blueprints.generation import GeneratedBlueprint, generate
from blueprints.generation.constraints import Constraints, read_constraints
from blueprints.generation.planner import GENERATOR
from blueprints.pasted import Pasted, pasted_in
from blueprints.portrait import portray
from blueprints.pricing import PriceList, budgets
from blueprints.schema import BlueprintDocument
from blueprints.sentences import DEFAULT_SIZES, listed

_AS_GIVEN = {"rule": "as the blueprint in the request has it"}
_UNREAD = gettext_noop("The blueprint in the request is taken as it stands; the words beside it were not read.")


def draft_of(description: object, constraints: object = None, *, prices: PriceList) -> GeneratedBlueprint:
    """The draft that follows from the words, or the blueprint that stands in them. Raises BadRequest when they ask for
    something else."""
    pasted = pasted_in(description)
    if pasted is None:
        return generate(description, constraints, prices)
    return _taken(pasted, read_constraints(constraints), prices)


def _taken(pasted: Pasted, wanted: Constraints, prices: PriceList) -> GeneratedBlueprint:
    """A blueprint as it was given, with what the planner would say of one of its own."""
    document, figures = pasted.document, figures_for(pasted.document, prices)
    budget = {"max_cost": wanted.max_cost} if wanted.max_cost else {}
    too_dear = budgets.remark(budget, figures["estimated_cost"], figures["currency"])
    metadata = {
        "generated_by": GENERATOR, **document.metadata,
        **({"environment": wanted.environment} if wanted.environment else {}),
        **({"region": wanted.region} if wanted.region else {}),
        "assumptions": list(_assumptions(document)), "questions": [], "causes": _causes(document),
        **figures, **budget,
        "warnings": [line for line in (*wanted.remarks, _(_UNREAD) if pasted.beside else "", too_dear) if line],
    }  # fmt: skip
    values = document.as_dict()
    return {
        "version": values["version"], "name": values["name"], "description": values["description"] or values["name"],
        "resources": values["resources"], "metadata": metadata,
    }  # fmt: skip


def _assumptions(document: BlueprintDocument) -> Iterator[str]:
    for view in portray(document).resources:
        if view.defaults:
            yield _(DEFAULT_SIZES) % {"kind": view.resource.name, "names": listed(view.defaults)}
        if view.note:
            yield f"{view.resource.name}: {view.note}"


def _causes(document: BlueprintDocument) -> dict[str, Any]:
    return {row.name: dict.fromkeys(row.specs.given(), _AS_GIVEN) for row in document.resources if row.specs.given()}
