"""The gallery of templates, and one template with its choices and what they cost, computed as they are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.errors import Invalid
from alma.htmx import HtmxRequest
from blueprints import catalogue, services
from blueprints.catalogue import Parameter, Template
from blueprints.catalogue.presenting import card_of, categories
from blueprints.pages.parts import parts_of
from blueprints.portrait import drawing_of, portray
from blueprints.pricing import PriceList
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument

LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Field:
    """A parameter in the form: what stands in it, and what is wrong with that."""

    parameter: Parameter
    value: Any
    error: str = ""


@require_safe
@login_required
@vary_on_headers("HX-Request")
def template_list(request: HtmxRequest) -> HttpResponse:
    """All templates, narrowed by words and category; HTMX gets the part below the filters."""
    words = request.GET.get("q", "")[:LONGEST_SEARCH]
    category = request.GET.get("category", "") if request.GET.get("category") in categories() else ""
    shown = [one for one in catalogue.all_templates().values() if _fits(one, words.casefold().split(), category)]
    prices = price_list(request.actor.organization_id)
    context = {
        "cards": [card_of(template, prices) for template in shown],
        "q": words,
        "category": category,
        "categories": categories(),
    }
    return render(request, f"blueprints/{'_templates' if request.htmx else 'template_list'}.html", context)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def template_detail(request: HtmxRequest, template_id: str) -> HttpResponse:
    """One template with the choices of the address; HTMX gets what they make."""
    template = catalogue.find(template_id)
    given = chosen(template, request.GET)
    prices = price_list(request.actor.organization_id)
    document, faults = _rendered(template, given, prices)
    fields = [_field(parameter, given, faults) for parameter in template.parameters.values()]
    context = {
        "template": template,
        "card": card_of(template, prices),
        "fields": fields,
        "faulty": [field for field in fields if field.error],
        "is_customised": bool(given),
        "can_write": request.actor.has(services.WRITE),
        **_drawn(document, prices),
    }
    if request.htmx:
        return render(request, "blueprints/_template.html", {**context, "oob": True})
    return render(request, "blueprints/template_detail.html", context, status=422 if faults else 200)


def chosen(template: Template, query: QueryDict) -> dict[str, Any]:
    """The parameters that a form or a link names. A switch that is off is not in a form at all, so the form says
    `customised`."""
    is_form = "customised" in query
    switches = [one.name for one in template.parameters.values() if one.kind == "switch"]
    named = [name for name in template.parameters if name in query or (is_form and name in switches)]
    return {name: template.parameters[name].from_text(query.get(name, "")) for name in named}


def _fits(template: Template, words: list[str], category: str) -> bool:
    text = f"{template.id} {template.name} {template.summary} {template.category}".casefold()
    return (not category or template.category == category) and all(word in text for word in words)


def _rendered(
    template: Template, given: Mapping[str, Any], prices: PriceList
) -> tuple[BlueprintDocument | None, dict[str, str]]:
    """The blueprint, or what is wrong by parameter."""
    try:
        return catalogue.render(template, given, prices), {}
    except Invalid as error:
        rows = [row for row in error.details or () if isinstance(row, dict)]
        return None, {row["field"].removeprefix("parameters."): row["message"] for row in rows}


def _field(parameter: Parameter, given: Mapping[str, Any], faults: Mapping[str, str]) -> Field:
    value = given.get(parameter.name)
    return Field(parameter, parameter.default if value is None else value, faults.get(parameter.name, ""))


def _drawn(document: BlueprintDocument | None, prices: PriceList) -> dict[str, Any]:
    if document is None:
        return {"portrait": None, "drawing": None}
    portrait = portray(document, prices)
    return {
        "portrait": portrait,
        "parts": parts_of(portrait, document.metadata),
        "drawing": drawing_of(portrait),
        "blueprint": document,
    }
