"""One machine: how it stands, what it is made of, and what happened to it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from vms.models import Guest
from vms.pages.figures import Figures
from vms.pages.listing import whole
from vms.pages.machine import MachinePage

PARTS = {
    "vm-head": "vms/guest/_head.html",
    "vm-now": "vms/guest/_now.html",
    "vm-snapshots": "vms/guest/_snapshots.html",
    "vm-work": "vms/guest/_work.html",
    "vm-jobs": "vms/guest/_jobs.html",
    "vm-history": "vms/guest/_history.html",
}


def find(request: HtmxRequest, pk: int) -> Guest:
    """A machine or template that the person sees, with all that pages show of it; 404 for any other."""
    get_object_or_404(Guest.objects.visible_to(request.actor).only("pk"), pk=pk)
    return whole([pk])[0]


@require_safe
@login_required
@vary_on_headers("HX-Request", "HX-Target")
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """The page, as its cluster was last read; HTMX gets the part that it swaps."""
    request.actor.require("vm:read")
    asked = {name: request.GET.get(name, "") for name in ("view", "cursor")}
    page = MachinePage(find(request, pk), request.actor, number=request.GET.get("page", ""), **asked)
    template = PARTS.get(request.htmx.target or "", "vms/guest/detail.html")
    return render(request, template, {"page": page, "guest": page.guest, "here": request.get_full_path()})


@require_safe
@login_required
def console(request: HtmxRequest, pk: int) -> HttpResponse:
    """Its screen, which a socket carries; or why it cannot be looked at."""
    request.actor.require("vm:write")
    page = MachinePage(find(request, pk), request.actor)
    return render(request, "vms/guest/console.html", {"page": page, "guest": page.guest})


@require_safe
@login_required
def by_public_id(request: HtmxRequest, pk: int) -> HttpResponse:
    """For those who come with the id that the API gives, as in `/vms/vm-027/`: to its page."""
    request.actor.require("vm:read")
    return redirect(find(request, pk))


@require_safe
@login_required
@vary_on_headers("HX-Request")
def figures(request: HtmxRequest, pk: int) -> HttpResponse:
    """Its past as pictures. The cluster is asked, with a short deadline: for HTMX, and as a page for those without it."""
    request.actor.require("vm:read")
    guest = find(request, pk)
    context = {"guest": guest, "figures": Figures(guest, request.GET.get("period", ""))}
    return render(request, "vms/guest/_figures.html" if request.htmx else "vms/guest/figures.html", context)
