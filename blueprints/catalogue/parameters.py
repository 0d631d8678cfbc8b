"""What of a template may be chosen, and whether a choice can be."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_interface
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from alma.errors import Invalid
from blueprints.schema.names import check_title
from blueprints.schema.sizes import format_size, parse_size
from blueprints.schema.spec_keys import nearest

Value = int | str | bool | None
_LABEL = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,18}[A-Za-z0-9])?", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}", re.ASCII)


class Parameter(BaseModel):
    """One choice. A size is written with its unit ("8GB") and so are its limits; null stands for "not said"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    label: str
    kind: Literal["integer", "size", "switch", "choice", "word", "label", "title", "address", "host"]
    default: Value
    minimum: int | str | None = None
    maximum: int | str | None = None
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    help: str = ""

    @property
    def limits(self) -> str:
        """`1 to 50`, or nothing."""
        return f"{self.minimum} to {self.maximum}" if self.maximum is not None else ""

    @property
    def is_optional(self) -> bool:
        """Whether it may be left empty."""
        return self.default in (None, "")

    def read(self, value: Any) -> Value:
        """The value as it goes into the blueprint. Raises ValueError with half a sentence."""
        if value is None or (value == "" and self.is_optional):
            return self.default
        return _READERS[self.kind](self, value)

    def from_text(self, text: str) -> Any:
        """What a form's field means: numbers and switches come as text there."""
        if self.kind == "switch":
            return text in {"on", "true", "1"}
        text = text.strip()
        if self.kind == "integer":
            return int(text) if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else text or None
        return text


def _integer(parameter: Parameter, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be a whole number, {parameter.limits}")
    if not int(parameter.minimum or 0) <= value <= int(parameter.maximum or 0):
        raise ValueError(f"must be {parameter.limits}")
    return value


def _size(parameter: Parameter, value: Any) -> str:
    size = parse_size(value)
    if not parse_size(parameter.minimum) <= size <= parse_size(parameter.maximum):
        raise ValueError(f"must be {parameter.limits}")
    return format_size(size)


def _switch(parameter: Parameter, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _choice(parameter: Parameter, value: Any) -> str:
    if value not in parameter.choices:
        raise ValueError(f"must be one of {', '.join(parameter.choices)}")
    return str(value)


def _word(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise ValueError("must be a word of letters, digits, hyphens and underscores, at most 50")
    return value


def _label(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str) or not _LABEL.fullmatch(value):
        raise ValueError("must be letters, digits and hyphens, at most 20, and begin with a letter")
    return value


def _title(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return check_title(value)


def _address(parameter: Parameter, value: Any) -> str:
    """With its network, for without it nobody knows which addresses come after it."""
    if not isinstance(value, str) or "/" not in value:
        raise ValueError("must be an address with its network, such as 10.0.30.10/24")
    found = _parsed(ip_interface, value)
    if found.network.num_addresses > 2 and found.ip in (found.network.network_address, found.network.broadcast_address):
        raise ValueError(f"must be an address of a host in {found.network}")
    return str(found)


def _host(parameter: Parameter, value: Any) -> str:
    return str(_parsed(ip_address, value))


def _parsed(read: Callable[[str], Any], value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be text")
    try:
        return read(value.strip())
    except ValueError as error:
        raise ValueError("is not an address") from error


_READERS: Mapping[str, Callable[[Parameter, Any], Value]] = {
    "integer": _integer, "size": _size, "switch": _switch, "choice": _choice, "word": _word, "label": _label,
    "title": _title, "address": _address, "host": _host,
}  # fmt: skip


def checked(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Value]:
    """Every parameter with its value, what is not given by default. Raises Invalid, whose details name each fault."""
    faults = [_unknown(name, parameters) for name in given if name not in parameters]
    values: dict[str, Value] = {}
    for name, parameter in parameters.items():
        try:
            values[name] = parameter.read(given.get(name))
        except ValueError as error:
            faults.append({"field": f"parameters.{name}", "message": str(error)})
    if faults:
        said = "; ".join(f"{row['field']} {row['message']}" for row in faults[:5])
        raise Invalid(f"{said}.", details=faults[:50])
    return values


def _unknown(name: str, parameters: Mapping[str, Parameter]) -> dict[str, str]:
    near = nearest(name[:60], set(parameters))
    known = f'did you mean "{near}"?' if near else f"known are {', '.join(parameters)}"
    return {"field": f"parameters.{name[:60]}", "message": f"is not a parameter of this template; {known}"}
