"""What the value of an option may be. Each rule takes JSON as well as the text of a pasted command."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Value = bool | int | float | str
_TRUE, _FALSE = frozenset({"true", "on", "1", "yes"}), frozenset({"false", "off", "0", "no"})
_WHOLE = re.compile(r"[+-]?\d{1,20}")
_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?")


class Rule(Protocol):
    """Knows the values of one option."""

    def read(self, value: object) -> Value:
        """The value as it is kept. Raises ValueError with the end of a sentence that begins with the option's name."""


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds, or one of a few words."""

    least: int
    most: int
    words: tuple[str, ...] = ()
    never: int | None = None
    """A number within the bounds that is none."""

    def read(self, value: object) -> Value:
        """The number; never a truth value, which Python would count as one."""
        if isinstance(value, str) and value in self.words:
            return value
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number{_or(self.words)}")
        if value == self.never:
            raise ValueError(f"cannot be {value}")
        return _within(value, self.least, self.most)


@dataclass(frozen=True)
class Number:
    """A number within bounds."""

    least: float
    most: float

    def read(self, value: object) -> Value:
        """The number as given, 0 as well."""
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError("must be a number")
        return _within(value, self.least, self.most)


@dataclass(frozen=True)
class Switch:
    """Yes or no."""

    def read(self, value: object) -> Value:
        """True or False."""
        if isinstance(value, bool):
            return value
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in _TRUE | _FALSE:
            raise ValueError("must be true or false")
        return word in _TRUE


@dataclass(frozen=True)
class OneOf:
    """One of a few words; true and false where the words are on and off."""

    words: tuple[str, ...]

    def read(self, value: object) -> Value:
        """The word."""
        if isinstance(value, bool) and {"on", "off"} <= set(self.words):
            return "on" if value else "off"
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return value


@dataclass(frozen=True)
class Several:
    """A few parts of one form: a list, or a text with something between them. Kept as that text."""

    form: str
    between: str
    most: int
    what: str

    def read(self, value: object) -> Value:
        """The parts, joined."""
        parts = value.split(self.between) if isinstance(value, str) else value
        if not isinstance(parts, list) or not 1 <= len(parts) <= self.most:
            raise ValueError(f"must be up to {self.most} {self.what}")
        words = [str(part) for part in parts if isinstance(part, str | int | float) and not isinstance(part, bool)]
        if len(words) != len(parts) or not all(re.fullmatch(self.form, word) for word in words):
            raise ValueError(f"must be {self.what}")
        return self.between.join(words)


def _within(value: float, least: float, most: float) -> Value:
    if not least <= value <= most:
        raise ValueError(f"must lie between {least:g} and {most:g}" if most < 1e9 else f"must be at least {least:g}")
    return value


def _or(words: tuple[str, ...]) -> str:
    return f", or {' or '.join(words)}" if words else ""


Rules = Mapping[str, Rule]
"""By the name of the option in snake case."""
