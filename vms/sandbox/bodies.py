"""The parameters of a request, read from its query and body as Proxmox's HTTP server reads them."""

import re
from urllib.parse import unquote_to_bytes

import orjson

from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.model import Json

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
_MALFORMED = "malformed JSON string, neither tag, array, object, number, string or atom, at character offset 0"


class NotHttp(ApiError):
    """Refused before any method is looked for: the body is the text itself, or nothing."""

    def __init__(self, status: int, message: str, *, has_text: bool = True) -> None:
        super().__init__(status, message)
        self.has_text = has_text


def kind_of(content_type: str) -> str:
    """The type without its parameters; none is a form."""
    return re.split(r"\s*[;,]\s*", content_type.strip())[0] or FORM


def check_kind(content_type: str) -> None:
    if kind_of(content_type) not in {FORM, JSON}:
        raise NotHttp(506, f"upload 'Content-Type '{content_type}' not implemented")


def parameters(content_type: str | None, body: bytes, query: str) -> dict[str, Json]:
    """Body (None: the method has none) overlaid by the query string; `_dc` is nobody's parameter."""
    given: dict[str, Json] = {}
    if content_type is not None:
        given = _json(body) if kind_of(content_type) == JSON else form(body.decode("latin-1"))
    given.update(form(query))
    given.pop("_dc", None)
    return given


def _json(body: bytes) -> dict[str, Json]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        before = body[:20].decode(errors="replace") or "(end of string)"
        raise NotHttp(500, f'{_MALFORMED} (before "{before}")') from error
    if not isinstance(given, dict):
        raise NotHttp(500, "Not a HASH reference")
    return given


def form(text: str) -> dict[str, Json]:
    """A name that comes twice becomes a list; one without a value is there, but undefined."""
    given: dict[str, Json] = {}
    for pair in re.split("[&;]", text):
        name, value = _pair(pair)
        if value is not None and given.get(name) is not None:
            known = given[name]
            given[name] = [*(known if isinstance(known, list) else [known]), value]
        elif pair:
            given[name] = value
    return given


def _pair(text: str) -> tuple[str, str | None]:
    """What follows a second `=` is dropped; `a=` has no value."""
    parts = text.split("=")
    value = parts[1] if len(parts) > 1 and any(parts[1:]) else None
    return _decoded(parts[0]), None if value is None else _decoded(value)


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode(errors="replace")
