"""The list of machines."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from vms.forms import KINDS, ORIGINS, STATUSES, FilterForm
from vms.pages.listing import MachineList

_LABELS = {"status": {}, "kind": dict(KINDS), "origin": dict(ORIGINS), "cluster": {}}


@require_safe
@login_required
@vary_on_headers("HX-Request")
def guest_list(request: HtmxRequest) -> HttpResponse:
    """The machines of the person's clusters as they were last read; HTMX gets the part below the filters."""
    request.actor.require("vm:read")
    values = FilterForm(request.GET).values()
    context = {
        "machines": MachineList(request.actor, values, request.GET.get("page", "")), "filters": values,
        "chips": [(name, _label(name, values[name])) for name in _LABELS if values[name]],
        "statuses": STATUSES, "kinds": KINDS, "origins": ORIGINS,
    }  # fmt: skip
    return render(request, "vms/_list.html" if request.htmx else "vms/guest_list.html", context)


@require_safe
@login_required
def summary(request: HtmxRequest) -> HttpResponse:
    """Figures and the age of the readings, for the strip above the list."""
    request.actor.require("vm:read")
    machines = MachineList(request.actor, FilterForm(request.GET).values())
    return render(request, "vms/_summary.html", {"machines": machines})


def _label(name: str, value: str) -> str:
    labels: dict[str, str] = dict(_LABELS[name])
    return labels.get(value, f"{name}: {value}")
