"""A template as a list, a page and the API show it."""

from functools import cache
from typing import Any

from blueprints.catalogue.figures import cost_range, figures_of
from blueprints.catalogue.rendering import render
from blueprints.catalogue.templates import Template, all_templates, find
from blueprints.pricing import PriceList
from blueprints.schema import BlueprintDocument


def card_of(template: Template, prices: PriceList) -> dict[str, Any]:
    """Its row in a list, as the document has it, with its category, machines and parameters."""
    least, most = (figures_of(document, prices) for document in _range(template.id))
    return {
        "id": template.id,
        "name": template.name,
        "description": template.summary,
        "complexity": least.complexity,
        "estimated_cost": cost_range(least, most),
        "category": template.category,
        "machines": least.machines,
        "parameters": list(template.parameters),
    }


@cache
def _range(template_id: str) -> tuple[BlueprintDocument, BlueprintDocument]:
    """What it makes as it is, and with twice as many servers, as far as it goes."""
    template = find(template_id)
    servers = template.parameters["instance_count"]
    doubled = min(2 * int(servers.default or 1), int(servers.maximum or 1))
    return render(template), render(template, {servers.name: doubled})


def parameters_of(template: Template) -> dict[str, dict[str, Any]]:
    """What can be chosen, by name."""
    return {
        name: parameter.model_dump(exclude={"name"}, exclude_defaults=True) | {"default": parameter.default}
        for name, parameter in template.parameters.items()
    }


@cache
def categories() -> tuple[str, ...]:
    """The categories in the order of their first template."""
    return tuple(dict.fromkeys(template.category for template in all_templates().values()))
