"""How a method says which parameters it takes: types, limits, formats and property strings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace


class FormatError(Exception):
    """The text behind `invalid format - `."""


Check = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """A property string `value,key=value`. `nic_models` are keys that carry a MAC and name the model."""

    keys: Mapping[str, "Param"]
    default_key: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    key_aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Param:
    type: str = "string"
    is_required: bool = False
    format: Check | Shape | None = None
    is_list: bool = False
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    max_length: int = 0
    pattern: str = ""
    requires: str = ""
    items: "Param | None" = None

    def required(self) -> "Param":
        return replace(self, is_required=True)


Table = Mapping[str, Param]


def integer(minimum: float | None = None, maximum: float | None = None) -> Param:
    return Param("integer", minimum=minimum, maximum=maximum)


def number(minimum: float | None = None, maximum: float | None = None) -> Param:
    return Param("number", minimum=minimum, maximum=maximum)


def boolean() -> Param:
    return Param("boolean")


def text(max_length: int = 0, *, min_length: int = 0, pattern: str = "") -> Param:
    return Param(max_length=max_length, min_length=min_length, pattern=pattern)


def one_of(*values: str) -> Param:
    return Param(enum=values)


def formatted(check: Check | Shape) -> Param:
    return Param(format=check)


def listing(check: Check) -> Param:
    """A `*-list`: several values in one string, each checked; a repeated parameter is joined."""
    return Param(format=check, is_list=True)


def array(items: Param | None = None) -> Param:
    """Several values, each of its own: repeated in a form, a list in JSON; a single one stands for itself."""
    return Param("array", items=items or Param())


def needing(param: Param, other: str) -> Param:
    """A parameter that makes no sense without another."""
    return replace(param, requires=other)


def optional(table: Table, *without: str) -> dict[str, Param]:
    """The same parameters for a change: none is required."""
    return {name: replace(param, is_required=False) for name, param in table.items() if name not in without}


def indexed(stem: str, count: int, param: Param) -> dict[str, Param]:
    """`net[n]`: net0, net1, ..."""
    return {f"{stem}{index}": param for index in range(count)}
