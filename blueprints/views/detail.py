"""One blueprint: overview, YAML, revisions and what differs between two, deletion."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from alma.events.models import Event
from alma.htmx import HtmxRequest
from blueprints import services
from blueprints.comparing import compare
from blueprints.models import Blueprint, BlueprintRevision, Conversation
from blueprints.pages.conversation import badge_of
from blueprints.pages.parts import parts_of
from blueprints.portrait import drawing_of, portray
from blueprints.pricing.book import price_list
from blueprints.schema import to_yaml

NEWEST_EVENTS = 8
NEWEST_REVISIONS = 200
TOLD = ("assumptions", "questions", "warnings")
COMPUTED = ("estimated_cost", "currency", "complexity_score", "complexity", "language")
"""What a draft was worth when it was made; the page computes it anew."""


def load(request: HtmxRequest, pk: int) -> Blueprint:
    """A blueprint that the person sees. Raises NotFound."""
    blueprint = Blueprint.objects.visible_to(request.actor).filter(pk=pk).first()
    if blueprint is None:
        raise services.not_found(pk)
    return blueprint


def frame(request: HtmxRequest, blueprint: Blueprint, tab: str) -> dict[str, Any]:
    """What the head of each page of a blueprint shows."""
    api = reverse("blueprints:api-detail", args=[blueprint.pk])
    return {
        "blueprint": blueprint,
        "tab": tab,
        "api": api,
        "curl": f"curl -s {request.build_absolute_uri(api)}",
        "can_write": request.actor.has(services.WRITE),
        "can_propose": request.actor.has("ipr:write"),
        "search": f'blueprint:"{blueprint.name}"',
    }


@require_safe
@login_required
@vary_on_headers("HX-Request")
def blueprint_detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """What it asks for; HTMX gets the live part."""
    blueprint = load(request, pk)
    document = blueprint.current_revision().parsed()
    portrait = portray(document, price_list(request.actor.organization_id))
    context = {
        **frame(request, blueprint, "overview"),
        "portrait": portrait,
        "parts": parts_of(portrait, document.metadata),
        "drawing": drawing_of(portrait),
        "facts": {key: value for key, value in blueprint.metadata.items() if _is_fact(key, value)},
        "conversation": _conversation(request, blueprint),
        "badge": badge_of(blueprint.metadata),
        "told": {key: _listed(blueprint.metadata.get(key)) for key in TOLD},
        "uses": services.uses(blueprint),
        "events": Event.objects.of(blueprint.stream).reverse()[:NEWEST_EVENTS],
    }
    template = "blueprints/_detail.html" if request.htmx else "blueprints/blueprint_detail.html"
    return render(request, template, context)


def _conversation(request: HtmxRequest, blueprint: Blueprint) -> Conversation | None:
    """Where it was talked about, if the person sees that."""
    said = blueprint.metadata.get("conversation")
    try:
        uid = UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return Conversation.objects.visible_to(request.actor).filter(uid=uid).first() if uid else None


def _is_fact(key: str, value: object) -> bool:
    return key not in (*COMPUTED, "conversation") and not isinstance(value, dict | list)


def _listed(value: object) -> list[str]:
    """Metadata is free-form: only a list of sentences is shown as one."""
    return [line for line in value if isinstance(line, str)] if isinstance(value, list) else []


@require_safe
@login_required
def blueprint_yaml(request: HtmxRequest, pk: int) -> HttpResponse:
    """The document as text."""
    blueprint = load(request, pk)
    text = to_yaml(blueprint.current_revision().parsed())
    return render(request, "blueprints/blueprint_yaml.html", {**frame(request, blueprint, "yaml"), "text": text})


@require_safe
@login_required
@vary_on_headers("HX-Request")
def blueprint_revisions(request: HtmxRequest, pk: int) -> HttpResponse:
    """Every saved version, and what differs between two of them."""
    blueprint = load(request, pk)
    newest = blueprint.revision_number
    older, newer = _number(request, "from", max(newest - 1, 1)), _number(request, "to", newest)
    pair = {revision.number: revision for revision in blueprint.revisions.filter(number__in=[older, newer])}
    if {older, newer} - pair.keys():
        raise services.not_found(f"{pk} revision {older if older not in pair else newer}")
    context = {
        **frame(request, blueprint, "revisions"),
        "revisions": blueprint.revisions.defer("document").order_by("-number")[:NEWEST_REVISIONS],
        "older": pair[older],
        "newer": pair[newer],
        "comparison": compare(pair[older].document, pair[newer].document),
    }
    template = "blueprints/_comparison.html" if request.htmx else "blueprints/blueprint_revisions.html"
    return render(request, template, context)


def _number(request: HtmxRequest, name: str, otherwise: int) -> int:
    raw = request.GET.get(name, "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else otherwise


def revision_of(blueprint: Blueprint, number: int) -> BlueprintRevision:
    """One saved version. Raises NotFound."""
    revision = blueprint.revisions.filter(number=number).first()
    if revision is None:
        raise services.not_found(f"{blueprint.pk} revision {number}")
    return revision


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def blueprint_delete(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask, saying what is lost and what stands against it; then delete."""
    blueprint = load(request, pk)
    request.actor.require(services.WRITE)
    if request.method == "POST":
        services.delete(blueprint, by=request.actor)
        messages.success(request, f"{blueprint.name} was deleted.")
        return redirect("blueprints:list")
    context = {**frame(request, blueprint, ""), "uses": services.uses(blueprint)}
    return render(request, "blueprints/blueprint_delete.html", context)
