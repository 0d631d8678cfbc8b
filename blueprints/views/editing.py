"""Writing blueprints: from words or as YAML, checked while typing, saved as revisions."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from alma.errors import Invalid
from alma.htmx import HtmxRequest
from blueprints import catalogue, services
from blueprints.forms import ENVIRONMENTS, DocumentForm, WishForm
from blueprints.generation import GeneratedBlueprint
from blueprints.models import Blueprint
from blueprints.pages.conversation import badge_of
from blueprints.portrait import portray
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument, parse_document, to_yaml
from blueprints.views.detail import load, revision_of
from blueprints.views.gallery import chosen
from blueprints.views.talking import drafted_document

SKELETON = """\
version: "1.0"
name: my-infrastructure
description: One web server
resources:
  - name: web-1
    type: vm
    specs:
      cpu: 2
      memory: 4GB
      disk: 20GB
      os: debian-12
metadata:
  environment: development
"""
EXAMPLES = (
    "3 web servers behind a load balancer, with a PostgreSQL database",
    "Kubernetes cluster with 3 control planes and 5 workers, 8 GB each",
    "Small test machine with 2 cores, 4 GB and Ubuntu 24.04",
)
FIGURES = ("estimated_cost", "currency", "cost_per_machine", "complexity_score", "complexity", "warnings", "language")
"""Computed again wherever a blueprint is shown: in the text they would be wrong after the first edit."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def blueprint_new(request: HtmxRequest) -> HttpResponse:
    """Two ways in one page: describe it, or write it."""
    request.actor.require(services.WRITE)
    if request.method != "POST":
        return _begun(request)
    if request.POST.get("action") == "generate":
        return _drafted(request, request.POST)
    form = DocumentForm(request.POST)
    if form.is_valid() and request.POST.get("action") == "save":
        blueprint = services.create(form.parsed, by=request.actor)
        messages.success(request, f"{blueprint.name} was created.")
        return redirect(blueprint)
    return _page(request, form=form, wish=WishForm(initial=request.POST.dict()))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def blueprint_edit(request: HtmxRequest, pk: int) -> HttpResponse:
    """Change it as YAML; an older revision can be taken up again by `?revision=`."""
    blueprint = load(request, pk)
    request.actor.require(services.WRITE)
    if request.method != "POST":
        taken = request.GET.get("revision", "")
        number = int(taken) if taken.isascii() and taken.isdigit() and len(taken) < 10 else blueprint.revision_number
        return _page(request, blueprint=blueprint, text=to_yaml(revision_of(blueprint, number).parsed()), taken=number)
    form = DocumentForm(request.POST)
    is_saving = form.is_valid() and request.POST.get("action") == "save"
    if is_saving and form.save_over(blueprint, by=request.actor):
        messages.success(request, f"{form.parsed.name} was saved.")
        return redirect(blueprint)
    return _page(request, form=form, blueprint=blueprint)


@require_POST
@login_required
def blueprint_check(request: HtmxRequest) -> HttpResponse:
    """What the text in the editor means, while it is typed. Nothing is saved."""
    form = DocumentForm(request.POST)
    return render(request, "blueprints/_check.html", {"form": form, "portrait": _portrait(form, request)})


def _drafted(request: HtmxRequest, values: QueryDict) -> HttpResponse:
    """The editor with a draft of the words; drafting stores nothing, so a link may ask for it, but for no model's time."""
    by = request.actor if request.method == "POST" else None
    wish = WishForm(values, prices=price_list(request.actor.organization_id), by=by)
    if not wish.is_valid():
        return _page(request, wish=wish, text=values.get("document", ""), status=422)
    return _page(request, wish=wish, text=_text(wish.draft), draft=wish.draft, badge=badge_of(wish.draft["metadata"]))


def _begun(request: HtmxRequest) -> HttpResponse:
    """The editor with what a link asks for: words, a template, a conversation's draft, or nothing yet."""
    if request.GET.get("description"):
        return _drafted(request, request.GET)
    if request.GET.get("template"):
        return _from_template(request)
    document = drafted_document(request, request.GET["conversation"]) if request.GET.get("conversation") else None
    if document is not None:
        return _page(request, wish=WishForm(), text=_written(document))
    return _page(request, wish=WishForm(), text=SKELETON if "blank" in request.GET else "")


def _from_template(request: HtmxRequest) -> HttpResponse:
    """The editor with what a template makes of the choices in the address; back to them when they cannot be."""
    template = catalogue.find(request.GET["template"])
    try:
        prices = price_list(request.actor.organization_id)
        document = catalogue.render(template, chosen(template, request.GET), prices)
    except Invalid:
        return redirect(f"{reverse('blueprints:template', args=[template.id])}?{request.GET.urlencode()}")
    return _page(request, wish=WishForm(), text=_written(document))


def _text(draft: GeneratedBlueprint) -> str:
    return _written(parse_document(draft))


def _written(document: BlueprintDocument) -> str:
    """A draft as text, without what is computed anew."""
    metadata = {key: value for key, value in document.metadata.items() if key not in FIGURES and value}
    return to_yaml(document.model_copy(update={"metadata": metadata}))


def _page(request: HtmxRequest, *, form: DocumentForm | None = None, text: str = "", **context: Any) -> HttpResponse:
    """The editor, with what was typed and what is wrong with it; 422 when something is."""
    blueprint: Blueprint | None = context.get("blueprint")
    if form is None:
        form = DocumentForm({"document": text}) if text else DocumentForm()
    typed = form.data.get("document", "")
    status = context.pop("status", 422 if form.is_bound and request.method == "POST" and form.errors else 200)
    context |= {
        "form": form,
        "text": typed,
        "portrait": _portrait(form, request),
        "error_lines": ",".join(str(fault["line"]) for fault in form.faults if fault.get("line")),
        "based_on": blueprint.revision_number if blueprint and form.non_field_errors() else _based_on(form, blueprint),
        "environments": ENVIRONMENTS,
        "examples": EXAMPLES,
    }
    return render(request, "blueprints/blueprint_form.html", context, status=status)


def _based_on(form: DocumentForm, blueprint: Blueprint | None) -> int | str:
    """The revision that the author saw first; after a collision the page names the newer one."""
    return form.data.get("based_on") or (blueprint.revision_number if blueprint else "")


def _portrait(form: DocumentForm, request: HtmxRequest) -> Any:
    prices = price_list(request.actor.organization_id)
    return portray(form.parsed, prices) if form.is_bound and form.is_valid() else None
