"""The drift page of a cluster: what is not as it was left, and the buttons that answer it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from alma.errors import Invalid
from alma.htmx import HtmxRequest
from iprs import services
from iprs.models import DriftAnswer
from iprs.pages.drift import drift_context
from vms.models import Cluster, Drift


def _cluster(request: HtmxRequest, slug: str) -> Cluster:
    request.actor.require("vm:read")
    return get_object_or_404(Cluster.objects.visible_to(request.actor), slug=slug)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def cluster_drift(request: HtmxRequest, slug: str) -> HttpResponse:
    """Drifts and strays of a cluster; HTMX gets the part below the tabs."""
    context = drift_context(_cluster(request, slug), request.actor)
    return render(request, "iprs/_drift.html" if request.htmx else "iprs/cluster_drift.html", context)


@require_POST
@login_required
def drift_answer(request: HtmxRequest, slug: str, pk: int) -> HttpResponse:
    """Open the IPR that adopts what is there, or that restores what was approved."""
    drifts = Drift.objects.visible_to(request.actor).filter(cluster=_cluster(request, slug))
    drift = get_object_or_404(drifts, pk=pk)
    kind = request.POST.get("answer", "")
    if kind not in DriftAnswer.Kind.values:
        raise Invalid("A drift is answered with adopt or restore.", details={"field": "answer"})
    ipr = services.answer_drift(drift, kind, by=request.actor)
    messages.info(request, "Opened as an IPR: nothing happens before it is approved and deployed.")
    return redirect(ipr)
