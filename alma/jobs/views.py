"""Pages of jobs, and the tray that every page has."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import trigger_client_event

from alma.htmx import HtmxRequest, done
from alma.jobs import services, tray
from alma.jobs.models import Job
from alma.jobs.pages.detail import job_context, log_context, seq_of
from alma.jobs.pages.listing import list_context
from alma.jobs.pages.tray import tray_context

READ, WRITE = "job:read", "job:write"
_PARTS = {"job-head": "jobs/_job_head.html", "job-live": "jobs/_job_live.html"}


def _find(request: HtmxRequest, public_id: str) -> Job:
    request.actor.require(READ)
    rows = tray.marked(Job.objects.visible_to(request.actor), request.actor)
    return get_object_or_404(rows, public_id=public_id)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def job_list(request: HtmxRequest) -> HttpResponse:
    """All jobs, newest first; HTMX gets the part below the filters."""
    request.actor.require(READ)
    context = list_context(request.GET.dict(), request.actor)
    return render(request, "jobs/_job_list.html" if request.htmx else "jobs/job_list.html", context)


@require_safe
@login_required
@vary_on_headers("HX-Request", "HX-Target")
def job_detail(request: HtmxRequest, public_id: str) -> HttpResponse:
    """One job, live; HTMX gets the part that it swaps."""
    job, params = _find(request, public_id), request.GET.dict()
    if request.htmx.target == "log-lines":
        return _log_lines(request, job)
    context = job_context(job, request.actor, params)
    if template := _PARTS.get(request.htmx.target or ""):
        return render(request, template, context)
    log = log_context(job, request.actor, before=seq_of(params, "before"))
    return render(request, "jobs/job_detail.html", {**context, **log})


def _log_lines(request: HtmxRequest, job: Job) -> HttpResponse:
    """The lines after the last one that the page has; when there are more than fit, the page asks again at once."""
    log = log_context(job, request.actor, after=seq_of(request.GET.dict(), "after") or 0)
    response = render(request, "jobs/_job_log_more.html", {**log, "job": job})
    if log["is_full"]:
        trigger_client_event(response, "alma:changed", {"target": "#log-more"}, after="settle")
    return response


@require_POST
@login_required
def job_cancel(request: HtmxRequest, public_id: str) -> HttpResponse:
    """Ask a job to stop."""
    job = _find(request, public_id)
    request.actor.require(WRITE)
    services.stop(job, by=request.actor)
    return done(request, job, "Asked to stop: what is in flight is finished, nothing new begins.")


@require_POST
@login_required
def job_dismiss(request: HtmxRequest, public_id: str) -> HttpResponse:
    """Note that a person has read of a failure."""
    tray.dismiss([_find(request, public_id)], by=request.actor)
    return _dismissed(request)


@require_POST
@login_required
def dismiss_all(request: HtmxRequest) -> HttpResponse:
    """The same for all failures that the tray counts."""
    tray.dismiss_all(by=request.actor)
    return _dismissed(request)


def _dismissed(request: HtmxRequest) -> HttpResponse:
    """The tray without it, or, without scripts, the list."""
    if request.htmx:
        return render(request, "jobs/_tray.html", tray_context(request.actor))
    return done(request, "jobs:pages", "Dismissed. It is still in the list of jobs.", messages.SUCCESS)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def job_tray(request: HtmxRequest) -> HttpResponse:
    """What runs, what failed, and what has just ended, or their numbers alone while nobody has opened it; without scripts the
    list, which shows the same and more."""
    request.actor.require(READ)
    if not request.htmx:
        return redirect("jobs:pages")
    if request.GET.get("part") == "count":
        return render(request, "_shell/_tray_counts.html")
    return render(request, "jobs/_tray.html", tray_context(request.actor))
