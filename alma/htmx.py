"""Types and answers for pages that HTMX asks for."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class HtmxRequest(HttpRequest):
    """A request behind our middleware: who acts, whether HTMX asked, and its id."""

    htmx: HtmxDetails
    actor: "Actor"
    request_id: str


def done(request: HttpRequest, target: Any, words: str, level: int = messages.INFO) -> HttpResponse:
    """Bring a person to where what they did shows, and say it there; `target` is what `redirect` takes."""
    messages.add_message(request, level, words)
    return redirect(target)
