"""Whether an answer has what a documented example shows: its keys and the kinds of its values. More keys may be there."""

import re
from collections.abc import Iterator
from typing import Any

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def lacks(example: Any, found: Any, where: str = "body") -> list[str]:
    """What the example shows and the answer does not, one line each."""
    return list(_differences(example, found, where))


def _differences(example: Any, found: Any, where: str) -> Iterator[str]:
    if isinstance(example, dict) and isinstance(found, dict):
        yield from (f"{where}.{key} is missing" for key in example.keys() - found.keys())
        for key in example.keys() & found.keys():
            yield from _differences(example[key], found[key], f"{where}.{key}")
    elif isinstance(example, list) and isinstance(found, list):
        for number, row in enumerate(found if example else ()):
            yield from _differences(example[0], row, f"{where}[{number}]")
    elif _kind(example) is not _kind(found):
        yield f"{where} is {found!r}, not like {example!r}"
    elif isinstance(example, str) and TIME.fullmatch(example) and not TIME.fullmatch(found):
        yield f"{where} is {found!r}, not a time like {example}"


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
