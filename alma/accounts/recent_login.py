"""Pages that only a person in the browser opens, and some of them only a little while after signing in."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from alma.errors import Refused

View = Callable[..., HttpResponse]
SESSION_KEY = "confirmed_at"


def confirm(request: HttpRequest) -> None:
    """Note that the person of this session has just given the password."""
    request.session[SESSION_KEY] = int(time.time())


def is_recent(request: HttpRequest) -> bool:
    """Whether the password was given in this session, and not too long ago."""
    confirmed_at = request.session.get(SESSION_KEY)
    return isinstance(confirmed_at, int) and 0 <= time.time() - confirmed_at < settings.ALMA_RECENT_LOGIN_SECONDS


def refuse_keys(request: HttpRequest) -> None:
    """Raises Refused when a request carries a key or a token, whatever that may do."""
    if _carries_key(request):
        raise Refused("Only a person in the browser may do this, not a key.", code="BROWSER_ONLY")


def browser_required(view: View) -> View:
    """For people alone: a request that carries a key is refused, an anonymous one is sent to sign in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        refuse_keys(request)
        if not request.user.is_authenticated:
            return _go(request, redirect_to_login(_page(request)).url)
        return view(request, *args, **kwargs)

    return guarded


def _carries_key(request: HttpRequest) -> bool:
    """A proxy in front may ask for a password of its own; that is Basic, and no business of ours."""
    scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
    return "X-API-Key" in request.headers or scheme == "bearer"


def recent_login_required(view: View) -> View:
    """For people alone who have given their password lately; others give it again and come back to the page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_recent(request):
            return view(request, *args, **kwargs)
        if request.method not in {"GET", "HEAD"}:
            messages.warning(request, "Nothing was changed yet: your password was asked for first. Please do it again.")
        return _go(request, f"{reverse('accounts:confirm_login')}?{urlencode({'next': _page(request)})}")

    return browser_required(guarded)


def _page(request: HttpRequest) -> str:
    """The page to come back to: this one, or for a form or a part the page that it stands on."""
    if request.method in {"GET", "HEAD"} and "HX-Request" not in request.headers:
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    is_ours = came_from.netloc == request.get_host() and came_from.path.startswith("/")
    return f"{came_from.path}?{came_from.query}".rstrip("?") if is_ours else "/"


def _go(request: HttpRequest, address: str) -> HttpResponse:
    is_part = "HX-Request" in request.headers
    return HttpResponseClientRedirect(address) if is_part else HttpResponseRedirect(address)
