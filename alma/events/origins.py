"""Whether a websocket may be opened: by whom it says to be opened, and under which name."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from alma.asgi_types import Scope

_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
_LOCAL = [".localhost", "127.0.0.1", "[::1]"]


def header(scope: Scope, name: bytes) -> str:
    """The first header of that name, or nothing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


def is_known_host(scope: Scope) -> bool:
    """Whether the connection was made to a name of ours; another one is a sign of DNS rebinding."""
    host, _ = split_domain_port(header(scope, b"host"))
    allowed = settings.ALLOWED_HOSTS or (_LOCAL if settings.DEBUG else [])
    return bool(host) and validate_host(host, allowed)


def is_same_origin(scope: Scope) -> bool:
    """Whether a page of ours, or of an origin that is trusted by the settings, opened the connection."""
    origin = header(scope, b"origin")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            return False
    except ValueError:
        return False
    ours = _place(header(scope, b"host"), parts.scheme)
    return bool(ours[0]) and _place(parts.netloc, parts.scheme) == ours


def is_foreign(scope: Scope) -> bool:
    """Whether a page of another origin opened the connection; programs send no origin and are not foreign."""
    return any(key.lower() == b"origin" for key, _ in scope["headers"]) and not is_same_origin(scope)


def _place(netloc: str, scheme: str) -> tuple[str, str]:
    host, port = split_domain_port(netloc)
    return host, port or _DEFAULT_PORTS[scheme]
