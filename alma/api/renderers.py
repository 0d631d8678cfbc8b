"""Writing answers: the view gives plain data, its dialect the envelope, orjson the bytes."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer

from alma.api.dialects import Dialect, Exchange, Page
from alma.errors import DomainError

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_NON_STR_KEYS
Context = Mapping[str, Any]


def dumps(value: Any) -> bytes:
    """JSON with times as the documents write them; orjson.Fragment passes stored JSON through untouched."""
    return orjson.dumps(value, default=str, option=OPTIONS)


def dumps_unix(value: Any) -> bytes:
    """JSON with times as whole seconds since 1970."""
    return orjson.dumps(value, default=_second, option=OPTIONS | orjson.OPT_PASSTHROUGH_DATETIME)


def _second(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime) else str(value)


def spoken(data: Any, context: Context) -> bytes:
    """The whole body of an answer. Errors come with theirs from the exception handler; 204 has none."""
    dialect: Dialect | None = getattr(context.get("view"), "dialect", None)
    response = context.get("response")
    if dialect is None or response is None or response.exception:
        return b"" if data is None else dumps(data)
    if response.status_code == 204:
        return b""
    body = dialect.success_body(data, _exchange(data, context))
    if body is None:
        return b""
    return dumps_unix(body) if dialect.has_unix_times else dumps(body)


def _exchange(data: Any, context: Context) -> Exchange:
    request, response = context["request"], context["response"]
    began = getattr(request, "started_at", None)
    return Exchange(
        request_id=getattr(request, "request_id", ""),
        milliseconds=int((time.perf_counter() - began) * 1000) if began and isinstance(data, Page) else None,
        message=getattr(response, "message", None),
        meta=getattr(response, "meta", {}),
    )


class OrjsonRenderer(BaseRenderer):
    """application/json."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "text"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return spoken(data, renderer_context or {})


class _IndentedRenderer(OrjsonRenderer):
    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        body = spoken(data, renderer_context or {})
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2) if body else b""


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's pages, with the JSON indented for reading."""

    def get_default_renderer(self, view: Any) -> BaseRenderer:
        return _IndentedRenderer()

    def show_form_for_method(self, view: Any, method: str, request: Any, obj: Any) -> bool:
        """Whether the caller may do this; what the domain refuses is a no, not an error of the page."""
        try:
            return bool(super().show_form_for_method(view, method, request, obj))
        except DomainError:
            return False
