"""Making things go wrong on a sandbox: for staff in person, and on sandboxes alone."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from alma.accounts.recent_login import browser_required
from alma.errors import Invalid, Refused, Unavailable
from alma.htmx import HtmxRequest
from vms import trials
from vms.forms.faults import CALLS, METHODS, STATUSES, TASKS, FaultForm, SpeedForm
from vms.models import Cluster, ClusterNode, ClusterStorage
from vms.views.registration import find

View = Callable[..., HttpResponse]
MOST = 200


def staff(view: View) -> View:
    """For staff in person who may change guests; the cluster of the path must be a sandbox."""

    @wraps(view)
    def checked(request: HtmxRequest, slug: str) -> HttpResponse:
        request.actor.require("vm:write")
        if not getattr(request.user, "is_staff", False):
            raise Refused("Only staff make things go wrong on a sandbox.")
        cluster = find(request, slug)
        if not cluster.is_sandbox:
            raise Http404
        return view(request, cluster)

    return browser_required(vary_on_headers("HX-Request")(checked))


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def faults(request: HtmxRequest, cluster: Cluster) -> HttpResponse:
    """What is wrong now, and everything that can be made to go wrong; a POST makes one thing go wrong."""
    if request.method != "POST":
        return _shown(request, cluster)
    form = FaultForm(request.POST)
    if not form.is_valid():
        raise Invalid(form.sentence())
    trials.add(cluster, form.values(), by=request.actor)
    return _done(request, cluster, "It goes wrong from now on.")


@require_POST
@staff
def heal(request: HtmxRequest, cluster: Cluster) -> HttpResponse:
    """End one fault, or all when none is named."""
    fault = request.POST.get("fault", "")[:120]
    trials.heal(cluster, fault, by=request.actor)
    return _done(request, cluster, "Healed." if fault else "Everything is healed.")


@require_POST
@staff
def speed(request: HtmxRequest, cluster: Cluster) -> HttpResponse:
    """Let time run at another pace."""
    form = SpeedForm(request.POST)
    if not form.is_valid():
        raise Invalid("A speed lies between 0.01 and 1000.")
    trials.set_speed(cluster, form.cleaned_data["speed"], by=request.actor)
    return _done(request, cluster, "The pace is changed, also for what is under way.")


@require_POST
@staff
def reset(request: HtmxRequest, cluster: Cluster) -> HttpResponse:
    """Begin anew."""
    trials.reset(cluster, by=request.actor)
    return _done(request, cluster, f"{cluster.name} begins anew.")


def _done(request: HtmxRequest, cluster: Cluster, words: str) -> HttpResponse:
    if request.htmx:
        return _shown(request, cluster)
    messages.success(request, words)
    return redirect("vms:cluster-faults", cluster.slug)


def _shown(request: HtmxRequest, cluster: Cluster) -> HttpResponse:
    """A sandbox that does not answer is told on the page, which is where its operator looks."""
    context: dict[str, Any] = {"cluster": cluster, "speeds": trials.SPEEDS}
    try:
        context["trial"] = trials.look(cluster, by=request.actor)
    except Unavailable as error:
        context["silence"] = error.message
    if request.htmx:
        return render(request, "vms/_trial.html", context)
    return render(request, "vms/cluster_faults.html", context | _choices(cluster))


def _choices(cluster: Cluster) -> dict[str, Any]:
    storages = ClusterStorage.objects.filter(cluster=cluster)[:MOST]
    return {
        "nodes": [node.name for node in ClusterNode.objects.filter(cluster=cluster)[:MOST]],
        "storages": sorted({storage.name for storage in storages}),
        "tasks": TASKS, "methods": METHODS, "calls": CALLS, "statuses": STATUSES,
    }  # fmt: skip
