"""Includes that are only looked through for paths that one of their routes can match.

Django tries the routes of every included app in turn; most requests would pass a hundred of other apps before their own.
"""

import re
from importlib import import_module
from typing import Any

from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RegexPattern, RoutePattern

_LITERAL = re.compile(r"\^?((?:[\w/-](?![?*{]))*)")


class _Heads(RoutePattern):
    """Matches like the empty route, but only before paths that begin in one of some ways."""

    def __init__(self, heads: tuple[str, ...]) -> None:
        super().__init__("", is_endpoint=False)
        self.heads = heads

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, int | str]] | None:
        """The whole path, nothing taken from it; None for one that no route here can match."""
        return (path, (), {}) if path.startswith(self.heads) else None


def app(module: str) -> URLResolver:
    """The routes of an app at the root of the site; module is the dotted name of its urls."""
    urls = import_module(module)
    heads = tuple(sorted({head_of(route) for route in urls.urlpatterns}))
    return URLResolver(_Heads(heads), module, app_name=urls.app_name, namespace=urls.app_name)


def head_of(route: URLPattern | URLResolver) -> str:
    """The letters with which every path of a route begins: "api/v1/ipr" of ^api/v1/iprs?/(?P<number>[^/]+)$."""
    text = str(route.pattern)
    if not isinstance(route.pattern, RegexPattern):
        return text.partition("<")[0]
    found = _LITERAL.match(text)
    return found[1] if found else ""
