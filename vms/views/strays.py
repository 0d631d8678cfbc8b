"""What people decide about an orphan in quarantine."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from alma.accounts.recent_login import browser_required
from alma.errors import Invalid
from alma.htmx import HtmxRequest
from vms.drift import strays
from vms.models import Stray
from vms.views.registration import find


@require_POST
@browser_required
def stray_decide(request: HtmxRequest, slug: str, pk: int) -> HttpResponse:
    """Keep it for good, or put one that was kept back into quarantine."""
    request.actor.require("vm:write")
    cluster = find(request, slug)
    stray = get_object_or_404(Stray.objects.visible_to(request.actor).filter(cluster=cluster), pk=pk)
    decide = {"keep": strays.keep, "put_back": strays.put_back}.get(request.POST.get("to", ""))
    if decide is None:
        raise Invalid("Say keep or put_back.", details={"field": "to"})
    decide(stray, by=request.actor)
    messages.info(
        request, f"VMID {stray.vmid} is kept." if decide is strays.keep else f"VMID {stray.vmid} waits again."
    )
    return redirect(f"{cluster.get_absolute_url()}drift/")
