"""Reading JSON bodies: strict, bounded, and with an error that says where."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.parsers import JSONParser

from alma.errors import BadRequest, Invalid

MAX_DEPTH = 32
MAX_NODES = 10_000
MAX_INTEGER = 2**63 - 1
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


def loads(body: bytes) -> Any:
    """Parse JSON; refuses what is no JSON (NaN and lone surrogates too), too deep, too large, or holds NUL or a whole
    number that 64 bits do not.

    Raises BadRequest, Invalid."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.", code="INVALID_JSON") from error
    check_bounds(value)
    if _LONG_NUMBER.search(body):
        json.loads(body, parse_int=_whole)
    return value


def _whole(digits: str) -> int:
    """A whole number. What is longer than 64 bits has become an inexact one by the time that orjson gives it."""
    if len(digits) > 20 or not -MAX_INTEGER - 1 <= int(digits) <= MAX_INTEGER:
        raise Invalid("A whole number in the body is larger than 64 bits can hold.")
    return int(digits)


def check_bounds(value: Any) -> None:
    """Refuse a value nested deeper than 32, of more than 10,000 values, or with a NUL character in a string."""
    level, nodes = [value], 0
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise BadRequest(f"The body holds more than {MAX_NODES:,} values.", code="JSON_TOO_LARGE")
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.", code="JSON_TOO_DEEP")


def _children(item: Any) -> list[Any]:
    if isinstance(item, dict):
        for key in item:
            _check_text(key)
        return list(item.values())
    if isinstance(item, list):
        return item
    if isinstance(item, str):
        _check_text(item)
    return []


def _check_text(text: str) -> None:
    if "\0" in text:
        raise BadRequest("A string in the body holds a NUL character.", code="INVALID_CHARACTER")


class StrictJSONParser(JSONParser):
    """DRF's JSON parser over `loads`."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return loads(stream.read())


def body_object(data: Any) -> dict[str, Any]:
    """The body as an object. Raises BadRequest."""
    if not isinstance(data, dict):
        raise BadRequest("The body must be a JSON object.", code="INVALID_JSON")
    return data
