"""Pages of deployments."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import trigger_client_event

from alma.htmx import HtmxRequest, done
from iprs import services
from iprs.models import Deployment
from iprs.pages.log import log_context
from iprs.pages.run import run_context
from iprs.pages.runs import list_context

_MOST = 10**15


def _find(request: HtmxRequest, public_id: str) -> Deployment:
    rows = Deployment.objects.visible_to(request.actor)
    rows = rows.select_related(
        "job", "plan", "rollback", "ipr__environment", "ipr__blueprint", "ipr__current_plan__revision"
    )
    return get_object_or_404(rows, job__public_id=public_id)


def _seq(request: HtmxRequest, name: str) -> int | None:
    """A position in the log from the query string; nonsense is none."""
    given = request.GET.get(name, "")
    return min(int(given), _MOST) if given.isascii() and given.isdigit() and len(given) < 19 else None


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
@login_required
def deployment_list(request: HtmxRequest) -> HttpResponse:
    """All runs, newest first."""
    template = "iprs/_deployment_list.html" if request.htmx else "iprs/deployment_list.html"
    return render(request, template, list_context(request.GET.dict(), request.actor))


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
@login_required
def deployment_detail(request: HtmxRequest, public_id: str) -> HttpResponse:
    """One run, live."""
    deployment = _find(request, public_id)
    if request.htmx.target == "log-lines":
        return _log_lines(request, deployment)
    context = run_context(deployment, request.actor)
    parts = {"run-head": "iprs/_run_head.html", "run-live": "iprs/_run_live.html"}
    template = parts.get(request.htmx.target or "")
    if template:
        return render(request, template, context)
    log = log_context(deployment, before=_seq(request, "before"))
    return render(request, "iprs/deployment_detail.html", {**context, **log})


def _log_lines(request: HtmxRequest, deployment: Deployment) -> HttpResponse:
    """The lines after the last one that the page has; when there are more than fit, the page asks again at once."""
    log = log_context(deployment, after=_seq(request, "after") or 0)
    response = render(request, "iprs/_log_more.html", {**log, "deployment": deployment})
    if log["is_full"]:
        trigger_client_event(response, "alma:changed", {"target": "#log-more"}, after="settle")
    return response


@require_POST
@login_required
def deployment_cancel(request: HtmxRequest, public_id: str) -> HttpResponse:
    """Finish what is in flight and begin nothing new."""
    deployment = _find(request, public_id)
    if request.POST.get("force"):
        services.force_cancel_deployment(deployment, by=request.actor)
        words = "Cancelled by force. What was in flight may still have its effect."
        return done(request, deployment, words, messages.WARNING)
    services.cancel_deployment(deployment, by=request.actor)
    return done(request, deployment, "Cancelling: what is in flight is finished, nothing new begins.")


@require_POST
@login_required
def deployment_retry(request: HtmxRequest, public_id: str) -> HttpResponse:
    """Go on at the step where it stopped."""
    deployment = _find(request, public_id)
    services.retry_deployment(deployment, by=request.actor)
    return done(request, deployment, "Taken up again at the step where it stopped.")


@require_POST
@login_required
def deployment_rollback(request: HtmxRequest, public_id: str) -> HttpResponse:
    """Undo what it did, once somebody has said that they read what cannot be undone."""
    deployment = _find(request, public_id)
    services.roll_back(deployment, by=request.actor, is_confirmed=bool(request.POST.get("confirm")))
    return done(request, deployment, "Rolling back: the guests that this run made are removed.")
