"""HTTP for pages: request ids, the content security policy, and errors as pages or panels."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url

from alma.errors import (
    BadRequest,
    DomainError,
    Invalid,
    LengthRequired,
    NotAuthenticated,
    NotFound,
    PaymentRequired,
    RateLimited,
    Refused,
    TooLarge,
    Unavailable,
    WrongState,
)

GetResponse = Callable[[HttpRequest], HttpResponse]

STATUS: dict[type[DomainError], int] = {
    BadRequest: 400,
    NotAuthenticated: 401,
    PaymentRequired: 402,
    Refused: 403,
    NotFound: 404,
    WrongState: 409,
    LengthRequired: 411,
    TooLarge: 413,
    Invalid: 422,
    RateLimited: 429,
    Unavailable: 502,
}
_REQUEST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
BROWSER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""What a browser is told beside the content policy, with every answer, whoever gives it."""
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
NO_CONTENT = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
"""The content policy of answers that are no pages and that Django does not give."""


class OneLine(logging.Filter):
    """A request for a host that is not ours was refused, as it should be: that is one line, and no fault with a traceback
    with which whoever scans addresses fills the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, as a warning without its traceback."""
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        return True


def status_of(error: DomainError) -> int:
    """The usual HTTP status of an error; a dialect may document another."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)


def request_id(given: str) -> str:
    """The caller's own id when it is well formed, or a new one."""
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class RequestIdMiddleware:
    """Give each request an id, the caller's own when it is well formed, and say it in the answer; note when it came."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.started_at = time.perf_counter()  # type: ignore[attr-defined]
        request.request_id = request_id(request.headers.get("X-Request-ID", ""))  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response


class BrowserHeadersMiddleware:
    """Scripts, styles and connections from our own origin only; the vendored API explorer may style itself. It stands
    outside of all that may answer by itself, so that refusals, files and faults bear these headers too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        styles = " 'unsafe-inline'" if request.path.startswith("/swagger") else ""
        response.setdefault("Content-Security-Policy", _POLICY.format(styles=styles))
        for name, value in BROWSER_HEADERS.items():
            response.setdefault(name, value)
        return response


class SignInReturnMiddleware:
    """After signing in, people come back to the page with their form, not to where it was posted."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login, _, target = response.get("Location", "").partition("?next=")
        is_lost_post = request.method == "POST" and target and resolve_url(settings.LOGIN_URL) == login
        if is_lost_post:
            response["Location"] = f"{login}?next={quote(_page_of(request))}"
        return response


def _page_of(request: HttpRequest) -> str:
    """The page of ours that a form was sent from, or home."""
    page = urlsplit(request.headers.get("Referer", ""))
    return page._replace(scheme="", netloc="").geturl() if page.netloc == request.get_host() else "/"


class DomainErrorMiddleware:
    """Turn a DomainError of a page into a page, or into the error panel when HTMX asked."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Only what the domain raised; anything else is a fault of ours and goes to the log."""
        if not isinstance(error, DomainError):
            return None
        is_part = getattr(request, "htmx", False)
        template = "_shell/_error_panel.html" if is_part else "errors/domain.html"
        context = {"error": error, "request_id": getattr(request, "request_id", ""), "debug": settings.DEBUG}
        return render(request, template, context, status=status_of(error))
