"""Doing something with machines: what will happen to which, and what became of it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from alma.errors import Invalid, NotFound, WrongState
from alma.htmx import HtmxRequest
from alma.jobs.gate import decided_at
from alma.jobs.models import Job
from vms.forms.acting import FORMS, ActForm
from vms.models import Guest
from vms.operations.many import Candidate, begin_all, candidates
from vms.operations.verbs import MOST, VERBS, Verb
from vms.pages import runs
from vms.pages.listing import whole
from vms.pages.live import topics

_CHANGING = ["GET", "HEAD", "POST"]


@require_http_methods(_CHANGING)
@login_required
def act(request: HtmxRequest, verb: str) -> HttpResponse:
    """Say what would happen to the chosen machines; a POST begins it. Raises Refused, NotFound, Invalid."""
    request.actor.require("vm:write")
    given = request.POST if request.method == "POST" else request.GET
    guests = _chosen(request, given.getlist("vm"))
    return _answer(request, VERBS[verb], guests, is_one=False)


@require_http_methods(_CHANGING)
@login_required
def act_on(request: HtmxRequest, pk: int, verb: str) -> HttpResponse:
    """The same of one machine. Raises Refused, NotFound."""
    request.actor.require("vm:write")
    return _answer(request, VERBS[verb], _chosen(request, [str(pk)], verb), is_one=True)


def _chosen(request: HtmxRequest, numbers: Sequence[str], verb: str = "") -> list[Guest]:
    """The machines of these numbers that are there; those of others are as if they had never been."""
    wanted = list({int(text) for text in numbers if text.isascii() and text.isdigit() and len(text) < 10})
    if len(wanted) > MOST:
        raise Invalid(f"Choose {MOST} machines at most.", code="TOO_MANY")
    visible = Guest.objects.visible_to(request.actor)
    rows = (visible.present() if verb and VERBS[verb].takes_templates else visible.machines()).filter(pk__in=wanted)
    found = whole(list(rows.order_by("name", "pk").values_list("pk", flat=True)))
    if numbers and not found:
        raise NotFound("None of these machines is there any more.", code="VM_NOT_FOUND")
    return found


def _answer(request: HtmxRequest, verb: Verb, guests: list[Guest], *, is_one: bool) -> HttpResponse:
    """Begin what a good form asks for; otherwise say what would happen to which, and what is wrong with the form."""
    found = candidates(verb, guests, by=request.actor)
    is_sent = request.method == "POST" and bool(guests)
    kind, expected = FORMS[verb.name], _word(verb, found, is_one=is_one)
    form = kind(request.POST if is_sent else None, expected=expected, guests=guests, by=request.actor)
    where = _begin(request, verb, guests, form, is_one=is_one) if is_sent and form.is_valid() else ""
    if where:
        return redirect(where)
    context = {
        "verb": verb, "form": form, "open": [one for one in found if not one.reason],
        "left": [one for one in found if one.reason], "guest": guests[0] if is_one else None,
        "run": _run_name(request), "back": _back(verb, guests, is_one),
    }  # fmt: skip
    return render(request, "vms/acting/confirm.html", context, status=422 if is_sent else 200)


def _run_name(request: HtmxRequest) -> str:
    """The name that a form carries, or a new one."""
    return request.POST.get("run", "")[:32] or runs.new_name()


def _word(verb: Verb, found: list[Candidate], *, is_one: bool) -> str:
    """What must be typed: the name of one machine, the number of several."""
    if not verb.is_destructive:
        return ""
    guest = found[0].guest if is_one else None
    return (guest.name or str(guest.vmid)) if guest else str(sum(not one.reason for one in found))


def _begin(request: HtmxRequest, verb: Verb, guests: list[Guest], form: ActForm, *, is_one: bool) -> str:
    """Once for each form, however often it is sent: where that is seen. Nowhere for one machine that refuses; the form says
    why then."""
    name = _run_name(request)
    where = _back(verb, guests, is_one) if is_one else f"{reverse('vms:acted')}?run={name}"
    if runs.is_known(request.session, name):
        return where
    outcomes = begin_all(verb, guests, form.options(), by=request.actor)
    if is_one and outcomes[0].job is None:
        form.object(outcomes[0].refusal or WrongState(outcomes[0].reason))
        return ""
    for note in form.notes():
        messages.info(request, note)
    runs.remember(request.session, name, verb, outcomes)
    first = outcomes[0]
    return (_elsewhere(first.job, first.guest) if is_one and first.job else "") or where


def _elsewhere(job: Job, guest: Guest) -> str:
    """Where people decide about a job, or the page of the machine that it makes; nothing where neither is so."""
    asked = decided_at(job.params)["ipr_url"]
    made = job.params["guest"]
    return str(asked or (reverse("vms:guest", args=[made]) if made != guest.pk else ""))


def _back(verb: Verb, guests: list[Guest], is_one: bool) -> str:
    if not is_one:
        return reverse("vms:list")
    page = guests[0].get_absolute_url()
    return f"{page}?view=snapshots" if verb.name == "snapshot" else page


@require_safe
@login_required
@vary_on_headers("HX-Request")
def acted(request: HtmxRequest) -> HttpResponse:
    """What became of the machines that were chosen together, with the progress of each job."""
    request.actor.require("vm:read")
    run = runs.find(request.session, request.GET.get("run", ""), request.actor)
    context: dict[str, Any] = {"run": run, "live": topics()}
    return render(request, "vms/acting/_run.html" if request.htmx else "vms/acting/run.html", context)
