"""The home page, and the last answer when nothing else fits."""

import logging

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from alma.accounts.actors import permit
from alma.accounts.scopes import OVERVIEW
from alma.api.dialects import ProtocolError
from alma.api.exceptions import api_error
from alma.errors import BadRequest, DomainError, NotFound, Refused
from alma.htmx import HtmxRequest
from alma.overview.control import Control
from alma.overview.mission import Mission

logger = logging.getLogger(__name__)

_PARTS = {
    "rail-counts": "_shell/_rail_counts.html",
    "home-tiles": "home/_tiles.html",
    "home-tasks": "home/_tasks.html",
    "home-feed": "home/_feed.html",
    "home-cluster": "home/_clusters.html",
}
_CONTROL_PARTS = {
    "mission": "mission/_all.html",
    "mission-running": "mission/_running.html",
    "mission-activity": "mission/_activity.html",
    "mission-feed": "mission/_feed.html",
    "mission-machines": "mission/_machines.html",
}


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
@login_required
def home(request: HtmxRequest) -> HttpResponse:
    """What waits, what runs, and what happened lately."""
    template = _PARTS.get(request.htmx.target or "", "home.html")
    return render(request, template, {"mission": Mission(request.actor)})


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
@login_required
def mission_control(request: HtmxRequest) -> HttpResponse:
    """The activity of the organization, and what runs now; HTMX gets the part that it swaps."""
    permit(request.actor, *OVERVIEW)
    template = _CONTROL_PARTS.get(request.htmx.target or "", "mission/mission_control.html")
    return render(request, template, {"control": Control(request.actor, request.GET), "here": request.get_full_path()})


def _answer(request: HttpRequest, error: DomainError, status: int, template: str) -> HttpResponse:
    return api_error(request, error) or render(request, template, {"error": error}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _answer(request, BadRequest("The request cannot be understood."), 400, "400.html")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, Refused(str(exception) or "You may not do this."), 403, "403.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token, or from another site."""
    return _answer(request, Refused("This form has expired or came from another site.", code="CSRF"), 403, "403.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, in the dialect of the path."""
    return _answer(request, NotFound(f"There is nothing at {request.path[:200]}."), 404, "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: says that it is our fault and under which id it is logged."""
    request_id = getattr(request, "request_id", "")
    logger.error("the fault above is that of request %s", request_id)
    fault = ProtocolError(f"Something went wrong on our side; it is logged as {request_id}.", "INTERNAL_ERROR", 500)
    return _answer(request, fault, 500, "500.html")
