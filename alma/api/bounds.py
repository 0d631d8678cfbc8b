"""Bounds of texts, and of the free-form objects that clients keep beside their things."""

from collections.abc import Callable

import orjson
from pydantic import AfterValidator, JsonValue

Json = dict[str, JsonValue]


def trimmed(least: int = 0) -> AfterValidator:
    """Takes blanks from both ends, after the length was checked as the schema says it; then at least so many
    characters have to be left."""

    def trim(value: str) -> str:
        text = value.strip()
        if len(text) < least:
            raise ValueError("must not be blank" if least == 1 else f"must have at least {least} characters")
        return text

    return AfterValidator(trim)


def bounded(size: int, depth: int) -> Callable[[Json], Json]:
    """A validator for objects of at most `size` bytes of JSON, nested at most `depth` levels deep."""

    def check(value: Json) -> Json:
        if len(orjson.dumps(value)) > size:
            raise ValueError(f"must not be larger than {size // 1024} KB")
        if _depth(value) > depth:
            raise ValueError(f"must not be nested deeper than {depth} levels")
        return value

    return check


def _depth(value: JsonValue) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)
