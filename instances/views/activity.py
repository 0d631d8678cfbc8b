"""Requests to models: all of them, and each."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from instances.models import RequestRecord
from instances.pages.activity import Activity, Entry
from instances.views.lists import READ

_PARTS = {"requests": "instances/_requests.html", "request-charts": "instances/_charts.html"}


@require_safe
@login_required
@vary_on_headers("HX-Request", "HX-Target")
def activity(request: HtmxRequest) -> HttpResponse:
    """All requests; HTMX gets the part that it swaps."""
    request.actor.require(READ)
    context = {"activity": Activity(request.actor, request.GET.dict()), "here": request.get_full_path()}
    return render(request, _PARTS.get(request.htmx.target or "", "instances/activity.html"), context)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def request_detail(request: HtmxRequest, marker: UUID) -> HttpResponse:
    """One request."""
    request.actor.require(READ)
    rows = RequestRecord.objects.visible_to(request.actor).select_related("instance", "key")
    entry = Entry(get_object_or_404(rows, marker=marker))
    template = "instances/_request.html" if request.htmx else "instances/request.html"
    return render(request, template, {"entry": entry, "record": entry.record, "here": request.get_full_path()})
