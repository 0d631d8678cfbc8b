"""Every route of the product, read from the code: what is not in the table of expectations cannot hide here."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

_NAMED = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>")
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Route:
    """A method of a path. `path` shows each parameter as `{name}`; `key` is how the tables call it."""

    method: str
    path: str
    view: Callable[..., Any]

    @property
    def key(self) -> str:
        """`GET /api/v1/blueprints/{blueprint_id}`"""
        return f"{self.method} {self.path}"

    @property
    def is_api(self) -> bool:
        """Whether the API answers it, and not a page."""
        return issubclass(getattr(self.view, "cls", object), APIView)

    @property
    def is_admin(self) -> bool:
        """Whether it belongs to the administration of operators."""
        return self.path.startswith("/admin/")


def routes() -> list[Route]:
    """All of them, admin included."""
    found = [Route(method, path, view) for path, view in _patterns(get_resolver()) for method in _methods(view)]
    return sorted(set(found), key=lambda route: (route.path, route.method))


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, path)
        elif isinstance(pattern, URLPattern):
            yield _readable(path), pattern.callback


def _readable(pattern: str) -> str:
    """A pattern as people write a path: `^api/v1/iprs?/(?P<ipr_id>[0-9]{1,18})/?$` is `/api/v1/iprs/{ipr_id}`."""
    text = _NAMED.sub(lambda match: "{" + (match[1] or match[2]) + "}", pattern)
    text = text.replace("^", "").replace("/?$", "").replace("iprs?", "iprs").replace("\\Z", "").replace("\\.", ".")
    return "/" + text.removesuffix("$")


def _methods(view: Callable[..., Any]) -> list[str]:
    """GET and whatever changes something; of a view that does not say, GET and POST."""
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if cls is not None:
        named = {name.upper() for name in cls.http_method_names if hasattr(cls, name)}
    else:
        named = _decorated(view) or {"GET", "POST"}
    return sorted(named - {"HEAD", "OPTIONS"})


def _decorated(view: Callable[..., Any]) -> set[str]:
    """The methods that `require_http_methods` names somewhere below the other decorators."""
    found: set[str] = set()
    layer: Any = view
    while layer is not None:
        names = dict(zip(layer.__code__.co_freevars, layer.__closure__ or (), strict=True)) if _is_plain(layer) else {}
        if "request_method_list" in names:
            found |= set(names["request_method_list"].cell_contents)
        layer = getattr(layer, "__wrapped__", None)
    return found


def _is_plain(layer: Any) -> bool:
    return hasattr(layer, "__code__") and hasattr(layer, "__closure__")
