"""Cells: what stands under a heading or behind a key, and where; and what such a heading speaks of."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from blueprints.generation.lexicon import fold, table
from blueprints.schema.sizes import UNITS

_SPLIT = re.compile(r"[^a-z0-9#]+")
_LONGEST = 30
_VALUES = ("cpu", "memory", "disk", "count", "os", "ip", "vlan", "gpu")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with its place in the text; `column` is what it is about, `unit` what its heading counts in."""

    column: str
    unit: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


Record = list[Cell]


class Found(NamedTuple):
    """Records, and the places in the text that they stand at."""

    records: list[Record]
    spans: list[tuple[int, int]]


def is_value(column: str) -> bool:
    """Whether such a column makes records out of lines."""
    return column in _VALUES


@cache
def _columns() -> dict[str, str]:
    found: dict[str, str] = {}
    for column, names in table("columns").items():
        for name in names:
            found.setdefault(name, column)
    return found


@lru_cache(maxsize=2048)
def meaning(heading: str) -> tuple[str, str]:
    """What a heading speaks of, or nothing, and its unit: "RAM (GB)" is memory in gb."""
    if heading.strip() == "#":
        return "count", ""
    if len(heading) > _LONGEST or any(sign.isdigit() for sign in heading):
        return "", ""
    words = [word for word in _SPLIT.split(fold(heading)) if word]
    unit = next((word for word in reversed(words) if word in UNITS and len(word) > 1), "")
    return _column([word for word in words if word != unit]), unit


def _column(words: list[str]) -> str:
    """The column of these words together, or of the first or last when it is one of values: "RAM per VM"."""
    ends = [_columns().get(word, "") for word in (words[:1] + words[-1:] if len(words) > 1 else [])]
    return _columns().get(" ".join(words)) or next((column for column in ends if is_value(column)), "")
