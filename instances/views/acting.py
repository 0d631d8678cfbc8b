"""Starting, stopping, restarting and deleting: what that means now, and doing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from alma.accounts.actors import Actor
from alma.htmx import HtmxRequest, done
from instances import demo, services
from instances.models import Instance
from instances.pages.detail import address_of, row_named
from instances.pages.fitting import said_of
from instances.views.lists import WRITE

Do = Callable[[Instance, Actor, bool], object]


@dataclass(frozen=True)
class Verb:
    """Something to do with an instance. `cuts` tells whether requests under way may be cut for it."""

    name: str
    label: str
    icon: str
    said: str
    do: Do
    cuts: bool = False
    is_destructive: bool = False


VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("start", "Start", "play", "Asked to start.", lambda one, by, _: services.start(one, by=by)),
        Verb(
            "stop", "Stop", "stop", "Asked to stop.",
            lambda one, by, now: services.stop(one, by=by, seconds=0 if now else None), cuts=True,
        ),
        Verb(
            "restart", "Restart", "refresh", "Asked to restart.",
            lambda one, by, _: services.restart(one, by=by), cuts=True,
        ),
        Verb(
            "delete", "Delete", "trash", "Deleted.",
            lambda one, by, _: services.remove(one, by=by, stops_first=True), cuts=True, is_destructive=True,
        ),
    )
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@vary_on_headers("HX-Request")
def act(request: HtmxRequest, name: str, verb: str) -> HttpResponse:
    """Say what it would mean, as a page or for the dialog; a POST does it."""
    request.actor.require(WRITE)
    row, what = row_named(name, request.actor), VERBS[verb]
    back = _back(request, row.instance, what)
    if request.method == "POST":
        what.do(row.instance, request.actor, request.POST.get("now") == "1")
        return done(request, back, f"{row.instance.name}: {what.said[:1].lower()}{what.said[1:]}")
    context: dict[str, Any] = {"row": row, "instance": row.instance, "verb": what, "back": back}
    if verb == "start":
        context["fit"] = said_of(row.instance, by=request.actor)
    return render(request, "instances/_act.html" if request.htmx else "instances/act.html", context)


def _back(request: HtmxRequest, instance: Instance, verb: Verb) -> str:
    """Where somebody came from, as far as that is a page of instances that is still there afterwards."""
    came = request.POST.get("back", "") or (request.htmx.current_url_abs_path or "")
    own, every = address_of(instance), reverse("instances:list")
    is_ours = came.startswith(every) and url_has_allowed_host_and_scheme(came, allowed_hosts=None)
    if verb.is_destructive:
        return every
    return came if is_ours else own


@require_POST
@login_required
def make_demo(request: HtmxRequest) -> HttpResponse:
    """The tiny model and an instance of it."""
    request.actor.require(WRITE)
    instance = demo.make(by=request.actor)
    words = (
        f"{instance.name} starts: it serves half a megabyte of random weights, so its answers are nonsense, and real."
    )
    return done(request, address_of(instance), words, messages.SUCCESS)
