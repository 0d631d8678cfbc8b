"""Making an instance and changing one."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from alma.accounts.actors import Actor
from alma.errors import DomainError, Unavailable
from alma.htmx import HtmxRequest, done
from instances import services
from instances.api.pasting import as_options
from instances.api.reading import shown_settings
from instances.backends.kinds import BACKENDS, backend_of
from instances.backends.pasting import Pasted
from instances.forms.instance import InstanceForm, lines_of
from instances.library import listing
from instances.library.scanning import Found
from instances.models import Instance
from instances.pages.detail import InstancePage, address_of, row_named
from instances.pages.listing import asked
from instances.pages.options import described
from instances.views.lists import READ, WRITE

_CHANGING = ["GET", "HEAD", "POST"]


@require_http_methods(_CHANGING)
@login_required
def instance_new(request: HtmxRequest) -> HttpResponse:
    """Ask what it shall be, make it, and show it."""
    request.actor.require(WRITE)
    if request.POST.get("action") == "paste":
        return _pasted(request, None, {})
    chosen = {"model": request.GET.get("model", "")[:500], "node": request.GET.get("node", "")[:64]}
    form = InstanceForm(request.POST if request.method == "POST" else None, initial=chosen)
    if form.is_bound and form.is_valid():
        try:
            instance = services.create(form.draft(), by=request.actor, starts=request.POST.get("action") == "start")
        except DomainError as error:
            form.object(error)
        else:
            return redirect(address_of(instance))
    return _form(request, form, None, {})


@require_http_methods(_CHANGING)
@login_required
def instance_config(request: HtmxRequest, name: str) -> HttpResponse:
    """Show what it shall be, and change it; who may only read sees it as well."""
    request.actor.require(WRITE if request.method == "POST" else READ)
    row = row_named(name, request.actor)
    page = InstancePage(row, request.actor, {"view": "config"})
    context = {"page": page, "row": row, "instance": row.instance}
    if request.POST.get("action") == "paste":
        return _pasted(request, row.instance, context)
    form = InstanceForm(request.POST if request.method == "POST" else None, instance=row.instance)
    if form.is_bound and form.is_valid():
        try:
            needs_restart = _change(row.instance, form, by=request.actor)
        except DomainError as error:
            form.object(error)
        else:
            words = "Saved. It goes on as it was until it is restarted." if needs_restart else "Saved."
            level = messages.WARNING if needs_restart else messages.SUCCESS
            return done(request, request.path, words, level)
    return _form(request, form, row.instance, context)


def _change(instance: Instance, form: InstanceForm, *, by: Actor) -> bool:
    return services.change(
        instance, by=by, model=form.cleaned_data["model"], options=form.changed_options(instance), changes=form.settings
    )


def _form(
    request: HtmxRequest, form: InstanceForm, instance: Instance | None, context: Mapping[str, Any]
) -> HttpResponse:
    template = "instances/config.html" if instance else "instances/new.html"
    node = instance.node if instance else str(form["node"].value() or "") if "node" in form.fields else ""
    shared = {
        "form": form,
        "models": _suggested(node, by=request.actor),
        "kind": instance.backend if instance else "llama_cpp",
    }
    return render(request, template, {**context, **shared}, status=422 if form.errors else 200)


def _suggested(node: str, *, by: Actor) -> list[Found]:
    """Models that lie there; none of a machine that does not answer."""
    try:
        return [entry.model for entry in listing.of(by=by, node=node) if not entry.model.problem]
    except Unavailable:
        return []


def _pasted(request: HtmxRequest, instance: Instance | None, context: Mapping[str, Any]) -> HttpResponse:
    """The form with what a command says in it; nothing is saved yet."""
    known = {name: request.POST.get(name, "") for name in ("name", "model", "options", "backend", "node")}
    kind = instance.backend if instance else known["backend"] or "llama_cpp"
    pasted, problem = Pasted(), None
    try:
        node = instance.node if instance else known["node"]
        pasted = as_options(backend_of(kind).kind, request.POST.get("command", ""), node)
        known |= {"options": lines_of(pasted.options)} | ({"model": pasted.model} if pasted.model else {})
    except DomainError as error:
        problem = error
    initial = {name: value for name, value in known.items() if value} | {"command": request.POST.get("command", "")}
    told = {"pasted": pasted, "problem": problem}
    return _form(request, InstanceForm(instance=instance, initial=initial), instance, {**context, **told})


@require_safe
@login_required
def instance_export(request: HtmxRequest, name: str) -> HttpResponse:
    """What makes the same instance again: the body of `POST /api/v1/instances/{name}`."""
    request.actor.require(READ)
    instance = services.find(name, by=request.actor)
    settings = {key: value for key, value in shown_settings(instance).items() if key != "idle_timeout"}
    body = {"backend_type": instance.backend, "model": instance.model, **settings, "backend_options": instance.options}
    answer = JsonResponse(body, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{instance.name}.json"'
    return answer


@require_safe
@login_required
def options(request: HtmxRequest) -> HttpResponse:
    """What may be set of a backend, as the program itself describes it."""
    request.actor.require(READ)
    given = asked(request.GET.dict(), ("backend", "option", "node"))
    kind = given["backend"] if given["backend"] in BACKENDS else "llama_cpp"
    context: dict[str, Any] = {"kind": kind, "asked": given["option"], "node": given["node"]}
    try:
        context["rows"] = described(kind, given["option"], node=given["node"])
    except DomainError as error:
        context["problem"] = error.message
    template = "instances/_options.html" if request.htmx else "instances/options.html"
    return render(request, template, context)
