"""The page of one instance."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from instances.pages.access import Access
from instances.pages.detail import InstancePage, row_named
from instances.views.lists import READ

PARTS = {
    "instance-head": "instances/_head.html",
    "instance-now": "instances/_now.html",
    "requests": "instances/_requests.html",
    "metrics": "instances/_metrics.html",
    "queue": "instances/_queue_rows.html",
    "log-lines": "instances/_log_more.html",
}


@require_safe
@login_required
@vary_on_headers("HX-Request", "HX-Target")
def instance_detail(request: HtmxRequest, name: str) -> HttpResponse:
    """The page; HTMX gets the part that it swaps."""
    request.actor.require(READ)
    page = InstancePage(row_named(name, request.actor), request.actor, request.GET.dict())
    context = {
        "page": page,
        "row": page.row,
        "instance": page.instance,
        "activity": page.activity,
        "metrics": page.metrics,
        "here": request.get_full_path(),
    }
    if page.view == "access":
        context["access"] = Access(page.instance, request.actor, request.build_absolute_uri("/v1"))
    return render(request, PARTS.get(request.htmx.target or "", "instances/detail.html"), context)
