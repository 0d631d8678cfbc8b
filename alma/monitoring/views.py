"""The doctor's page: what the last examination found, for staff in person. Its subjects are those of all organizations."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from alma.accounts.recent_login import browser_required
from alma.errors import Refused
from alma.htmx import HtmxRequest
from alma.monitoring import examining
from alma.monitoring.models import Examination
from alma.monitoring.remedies import remedy

View = Callable[..., HttpResponse]
_ORDER = {"breach": 0, "drift": 1, "unknown": 2}
_LOOKS = {
    "breach": ("failed", "Must not be"),
    "drift": ("drifted", "Changed by others"),
    "unknown": ("unknown", "Not known"),
}


def staff(view: View) -> View:
    """For staff in person."""

    @wraps(view)
    def checked(request: HtmxRequest) -> HttpResponse:
        request.actor.require("admin:read")
        if not getattr(request.user, "is_staff", False):
            raise Refused("Only staff of this installation may see what the doctor finds.")
        return view(request)

    return browser_required(vary_on_headers("HX-Request")(checked))


@require_GET
@staff
def doctor(request: HtmxRequest) -> HttpResponse:
    """The last findings, and how far the examination that is under way has come."""
    return render(request, "monitoring/_doctor.html" if request.htmx else "monitoring/doctor.html", _context())


@require_POST
@staff
def examine(request: HtmxRequest) -> HttpResponse:
    """Ask for an examination; the page shows how it goes and does not wait."""
    examining.ask(by=request.actor.label)
    return render(request, "monitoring/_doctor.html", _context()) if request.htmx else redirect("monitoring:doctor")


def _context() -> dict[str, Any]:
    ended = Examination.objects.exclude(finished_at=None).first()
    rows = [
        {**row, "remedy": remedy(row), "look": _LOOKS[row["severity"]]} for row in (ended.findings if ended else [])
    ]
    return {
        "ended": ended,
        "running": Examination.objects.filter(finished_at=None).order_by("pk").first(),
        "findings": sorted(rows, key=lambda row: (_ORDER[row["severity"]], row["code"])),
    }
