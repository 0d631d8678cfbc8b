"""Starting all instances and stopping all: which they are, and doing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from alma.accounts.actors import Actor
from alma.htmx import HtmxRequest, done
from instances import services
from instances.models import Instance
from instances.pages.listing import InstanceList, Row, rows_of, with_traffic
from instances.views.lists import WRITE

SHOWN = 20


@dataclass(frozen=True)
class VerbForAll:
    """Something to do with all. `concerns` are those that it would be done to."""

    name: str
    label: str
    icon: str
    do: Callable[..., list[Instance]]
    concerns: Callable[[Actor], list[Instance]]


VERBS: Mapping[str, VerbForAll] = {
    "start": VerbForAll("start", "Start all", "play", services.start_all, services.startable),
    "stop": VerbForAll("stop", "Stop all", "stop", services.stop_all, services.stoppable),
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@vary_on_headers("HX-Request")
def act_all(request: HtmxRequest, verb: str) -> HttpResponse:
    """Say which they are, as a page or for the dialog; a POST does it."""
    request.actor.require(WRITE)
    what = VERBS[verb]
    if request.method == "POST":
        asked = what.do(by=request.actor)
        plural = "" if len(asked) == 1 else "s"
        return done(request, "instances:list", f"{len(asked)} instance{plural} asked to {verb}.")
    concerned = what.concerns(request.actor)
    context = {
        "verb": what, "count": len(concerned), "rows": _rows(concerned[:SHOWN]), "more": max(0, len(concerned) - SHOWN),
        "usage": InstanceList(request.actor, {}).usage,
    }  # fmt: skip
    return render(request, "instances/_act_all.html" if request.htmx else "instances/act_all.html", context)


def _rows(instances: list[Instance]) -> list[Row]:
    """With their traffic, those first of which requests would be cut."""
    rows = rows_of(with_traffic(Instance.objects.filter(pk__in=[one.pk for one in instances])))
    return sorted(rows, key=lambda row: (-row.outstanding, row.instance.name))
