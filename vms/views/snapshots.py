"""Going back to a snapshot of a machine, and deleting one: what that means first, and then the job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from alma.accounts.actors import Actor
from alma.htmx import HtmxRequest
from alma.jobs.gate import decided_at
from alma.jobs.models import Job
from vms.models import Guest, GuestSnapshot
from vms.operations import snapshots
from vms.pages.listing import rows_of
from vms.views.machine import find


@dataclass(frozen=True)
class Way:
    """Something that is done with a snapshot."""

    name: str
    label: str
    icon: str
    begin: Callable[[Guest, GuestSnapshot, Actor], Job]


def _restore(guest: Guest, row: GuestSnapshot, by: Actor) -> Job:
    return snapshots.restore(guest, row, by=by)


def _drop(guest: Guest, row: GuestSnapshot, by: Actor) -> Job:
    return snapshots.drop(guest, row, by=by)


WAYS: Mapping[str, Way] = {
    "restore": Way("restore", "Go back", "undo", _restore),
    "delete": Way("delete", "Delete snapshot", "trash", _drop),
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act_on(request: HtmxRequest, pk: int, number: int, way: str) -> HttpResponse:
    """Say what it means; a POST begins it. Raises Refused, NotFound, WrongState, Unavailable."""
    request.actor.require("vm:write")
    guest, chosen = find(request, pk), WAYS[way]
    row = snapshots.find(guest, number)
    if request.method != "POST":
        here = rows_of([guest], by=request.actor)[0]
        context = {"guest": guest, "snapshot": row, "way": chosen, "reason": here.reason, "gate": here.gate}
        return render(request, "vms/acting/snapshot.html", context)
    job = chosen.begin(guest, row, request.actor)
    asked = decided_at(job.params)["ipr_url"]
    if not asked:
        messages.info(request, f"{job.title}: {row.name} has begun.")
    return redirect(str(asked or f"{guest.get_absolute_url()}?view=snapshots"))
