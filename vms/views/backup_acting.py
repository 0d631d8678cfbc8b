"""One backup, and what is done with it: what that means first, and then the job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from alma.accounts.actors import Actor
from alma.errors import DomainError, WrongState
from alma.htmx import HtmxRequest
from alma.jobs.gate import decided_at
from alma.jobs.models import Job
from vms.backups import listing, proving, restoring, services
from vms.backups.rights import READ, WRITE, key_of, savable_claim, usable
from vms.forms.backup_acting import RestoreForm, TakeForm
from vms.models import Backup, Guest
from vms.operations.rights import gated_by

_CHANGING = ["GET", "HEAD", "POST"]


@dataclass(frozen=True)
class Way:
    """Something that is done with a backup without more being said; `check` raises what keeps somebody from it."""

    name: str
    label: str
    icon: str
    begin: Callable[[Backup, Actor], Job]
    check: Callable[[Backup, Actor], object]
    is_destructive: bool = False


WAYS: Mapping[str, Way] = {
    "verify": Way(
        "verify",
        "Test a restore",
        "shield",
        lambda row, by: proving.verify(row, by=by),
        lambda row, by: usable(row, by=by),
    ),
    "delete": Way(
        "delete",
        "Delete backup",
        "trash",
        lambda row, by: services.drop(row, by=by),
        lambda row, by: services.droppable(row, by=by),
        is_destructive=True,
    ),  # fmt: skip
}


def _refusal(check: Callable[[], object]) -> str:
    """Why something cannot be done now, empty when it can."""
    try:
        check()
    except DomainError as error:
        return error.message
    return ""


def _find(request: HtmxRequest, pk: int) -> Backup:
    return listing.find(pk, by=request.actor)


@require_safe
@login_required
def backup_detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """What is known of a backup, what its last restore test showed, and what can be done with it."""
    request.actor.require(READ)
    row = _find(request, pk)
    context = {
        "backup": row, "shown_as": listing.busy([row]).get(row.pk, row.state), "live": f"{row.cluster.stream} {listing.TOPICS}",
        "reason": _refusal(lambda: usable(row, by=request.actor)), "asked": _asked(row), "job": Job.objects.filter(public_id=row.job).first(),
    }  # fmt: skip
    return render(request, "vms/backups/_detail.html" if request.htmx else "vms/backups/backup_detail.html", context)


def _asked(row: Backup) -> Job | None:
    """The job that waits until people have agreed to it."""
    return Job.objects.waiting().filter(organization_id=row.organization_id, exclusive_key=key_of(row)).first()


@require_http_methods(_CHANGING)
@login_required
def backup_act(request: HtmxRequest, pk: int, way: str) -> HttpResponse:
    """Say what it means; a POST begins it. Raises Refused, NotFound, WrongState, Unavailable."""
    request.actor.require(WRITE)
    row, chosen = _find(request, pk), WAYS[way]
    if request.method != "POST":
        context = {
            "backup": row, "way": chosen, "reason": _refusal(lambda: chosen.check(row, request.actor)),
            "gate": gated_by(row.claim) if chosen.is_destructive and row.claim else None,
        }  # fmt: skip
        return render(request, "vms/backups/backup_act.html", context)
    return _begun(request, chosen.begin(row, request.actor))


@require_http_methods(_CHANGING)
@login_required
def backup_restore(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask how; a POST begins it. Raises Refused, NotFound, WrongState, Unavailable."""
    request.actor.require(WRITE)
    request.actor.require("vm:write")
    row = _find(request, pk)
    form = RestoreForm(request.POST if request.method == "POST" else None, backup=row)
    if request.method == "POST" and form.is_valid():
        try:
            return _begun(request, _restored(row, form, request.actor))
        except WrongState as error:
            form.add_error(None, error.message)
    context = {"backup": row, "form": form, "reason": _refusal(lambda: usable(row, by=request.actor))}
    return render(request, "vms/backups/backup_restore.html", context, status=422 if request.method == "POST" else 200)


def _restored(row: Backup, form: RestoreForm, by: Actor) -> Job:
    if form.is_in_place:
        return restoring.overwrite(row, is_forced=True, by=by)[1]
    return restoring.unpack(row, form.copy_of(), by=by)[1]


@require_http_methods(_CHANGING)
@login_required
def backup_take(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask where to; a POST begins it. Raises Refused, NotFound, Invalid, WrongState, Unavailable."""
    request.actor.require(WRITE)
    rows = Guest.objects.visible_to(request.actor).machines().select_related("cluster")
    guest = get_object_or_404(rows, pk=pk)
    form = TakeForm(request.POST if request.method == "POST" else None, guest=guest)
    if request.method == "POST" and form.is_valid():
        return _begun(request, services.take(guest, form.wish(), by=request.actor)[1])
    context = {"guest": guest, "form": form, "reason": _refusal(lambda: savable_claim(guest, by=request.actor))}
    return render(request, "vms/backups/backup_take.html", context, status=422 if request.method == "POST" else 200)


def _begun(request: HtmxRequest, job: Job) -> HttpResponse:
    asked = decided_at(job.params)["ipr_url"]
    if not asked:
        messages.info(request, f"{job.title} has begun.")
    return redirect(str(asked or job.get_absolute_url()))
