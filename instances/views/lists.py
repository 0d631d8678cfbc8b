"""The list of instances."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from instances.pages.listing import InstanceList

READ, WRITE = "instance:read", "instance:write"


@require_safe
@login_required
@vary_on_headers("HX-Request")
def instance_list(request: HtmxRequest) -> HttpResponse:
    """All instances; HTMX gets the part below the filters."""
    request.actor.require(READ)
    context = {"instances": InstanceList(request.actor, request.GET.dict()), "here": request.get_full_path()}
    return render(request, "instances/_list.html" if request.htmx else "instances/list.html", context)
