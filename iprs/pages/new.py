"""The form that opens an IPR."""

from collections.abc import Mapping
from typing import Any

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from blueprints.models import Blueprint
from iprs import rights
from iprs.forms import NEWEST_BLUEPRINTS, NewIPRForm
from iprs.pages.words import rule_of


def _blueprint(text: str, actor: Actor) -> Blueprint | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 19
    return Blueprint.objects.visible_to(actor).filter(pk=text).first() if is_number else None


def first_values(params: Mapping[str, str], actor: Actor) -> dict[str, Any]:
    """What the form shows at first: the blueprint of the link, the environment that it names, a title."""
    blueprint = _blueprint(params.get("blueprint", ""), actor)
    places = list(Environment.objects.visible_to(actor))
    named = str(blueprint.metadata.get("environment", "")).lower() if blueprint else ""
    place = next((row for row in places if row.slug == named), places[0] if places else None)
    title = f"Deploy {blueprint.name}"[:200] if blueprint else ""
    return {
        "blueprint": blueprint.pk if blueprint else None,
        "environment": place.pk if place else None,
        "title": title,
    }


def new_context(form: NewIPRForm, actor: Actor) -> dict[str, Any]:
    """The form with its blueprints, newest first, and each environment with its rule."""
    chosen = _blueprint(str(form["blueprint"].value() or ""), actor)
    newest = Blueprint.objects.visible_to(actor).order_by("-updated_at")[:NEWEST_BLUEPRINTS]
    places = [(place, rule_of(place)) for place in Environment.objects.visible_to(actor)]
    return {
        "form": form,
        "blueprint": chosen,
        "choices": [] if chosen else list(newest),
        "places": places,
        "place_id": str(form["environment"].value() or ""),
        "reason": rights.refusal(lambda: rights.check_open(by=actor)) or _nothing_to_choose(places),
    }


def _nothing_to_choose(places: list[tuple[Environment, str]]) -> str:
    return "" if places else "Your organization has no environment yet; an operator adds one in the administration."
