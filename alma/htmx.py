"""Types and answers for pages that HTMX asks for."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class HtmxRequest(HttpRequest):
    """A request behind our middleware: who acts, whether HTMX asked, and its id."""

    htmx: HtmxDetails
    actor: "Actor"
    request_id: str
