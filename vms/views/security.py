"""The security of one cluster: what the last scan of it found there, and starting another."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from vms.models import Guest, SecurityScan
from vms.scans import services
from vms.scans.standing import latest, standing_of
from vms.views.registration import find
from vms.views.scans import tone_of

MOST_SCANS = 5


@require_safe
@login_required
@vary_on_headers("HX-Request")
def cluster_security(request: HtmxRequest, slug: str) -> HttpResponse:
    """Score, findings and scans of a cluster; HTMX gets the part that changes."""
    request.actor.require("vm:read")
    request.actor.require(services.READ)
    cluster = find(request, slug)
    standing, scans = standing_of(cluster), latest(cluster, MOST_SCANS)
    context = {
        "cluster": cluster, "standing": standing, "scans": scans, "tone": tone_of(standing.score if standing else None),
        "is_running": any(scan.state == SecurityScan.State.RUNNING for scan in scans),
        "why_not": _why_not(request, cluster.is_enabled, Guest.objects.machines().filter(cluster=cluster).exists()),
    }  # fmt: skip
    template = "vms/scans/_cluster.html" if request.htmx else "vms/cluster_security.html"
    return render(request, template, context)


def _why_not(request: HtmxRequest, is_enabled: bool, has_guests: bool) -> str:
    """Why no scan can be started here now, or nothing."""
    if not request.actor.has(services.WRITE):
        return f"This needs the right {services.WRITE}, which you do not have."
    if not is_enabled:
        return "The cluster is switched off; nothing is read from it."
    return "" if has_guests else "No guest of this cluster was seen yet."
