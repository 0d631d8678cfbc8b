"""Checks parameters against the table of a method; every error of a request is told at once."""

import re
from collections.abc import Mapping

from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.model import Json, Value
from vms.sandbox.core.parameters import Check, FormatError, Param, Shape, Table

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"
LIST_SEPARATORS = re.compile(r"[,;\s\0]+")
_INTEGER = re.compile(r"[+-]?0*[0-9]{1,18}")
"""As many digits as 64 bits hold: Perl would go on with a number of less precision, and we could not write it down."""
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TRUE, _FALSE = {"1", "on", "yes", "true"}, {"0", "off", "no", "false"}


def split_list(value: str) -> list[str]:
    return [part for part in LIST_SEPARATORS.split(value) if part]


def check_all(table: Table, given: Mapping[str, Json]) -> dict[str, Value]:
    """The parameters with their types, or the 400 that lists everything that is wrong."""
    errors: dict[str, str] = {}
    values = check_object(table, given, errors)
    if errors:
        raise ApiError(400, "Parameter verification failed.", errors=errors)
    return values


def check_object(table: Table, given: Mapping[str, Json], errors: dict[str, str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, value in given.items():
        param = table.get(name)
        if param is None:
            add_error(errors, name, UNKNOWN)
        elif value is not None:
            _check_one(name, param, value, values, errors)
    for name, param in table.items():
        if param.is_required and given.get(name) is None:
            add_error(errors, name, MISSING)
        if param.requires and given.get(name) is not None and given.get(param.requires) is None:
            add_error(errors, param.requires, f"missing property required by '{name}'")
    return values


def add_error(errors: dict[str, str], name: str, text: str) -> None:
    errors[name] = f"{errors[name]}\\n{text}" if name in errors else text


def _check_one(name: str, param: Param, value: Json, values: dict[str, Value], errors: dict[str, str]) -> None:
    if param.type == "array":
        _check_array(name, param, value, values, errors)
        return
    if isinstance(value, list) and param.is_list:
        value = ",".join(map(str, value))
    text = _kind_problem(param, value) or problem(param, _scalar(value))
    if text:
        add_error(errors, name, text)
    else:
        values[name] = typed(param, _scalar(value))


def _check_array(name: str, param: Param, value: Json, values: dict[str, Value], errors: dict[str, str]) -> None:
    """The elements are kept in one text, apart by NUL, which no value can hold."""
    elements = [value] if value and not isinstance(value, list | dict) else value
    if not isinstance(elements, list):
        add_error(errors, name, "type check ('array') failed")
        return
    element = param.items or Param()
    for index, one in enumerate(elements):
        if text := _kind_problem(element, one) or problem(element, _scalar(one)):
            add_error(errors, f"{name}[{index}]", text)
    values[name] = "\0".join(map(_scalar, elements))


def _kind_problem(param: Param, value: Json) -> str:
    """What is no scalar is refused by the name of its Perl class."""
    kinds = {list: "ARRAY", dict: "HASH", bool: "JSON::PP::Boolean"}
    kind = kinds.get(type(value))
    if kind is None or (kind == "JSON::PP::Boolean" and param.type == "boolean"):
        return ""
    return f"type check ('{param.type}') failed - got {kind}"


def _scalar(value: Json) -> str:
    """The text that Perl would see."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def typed(param: Param, raw: str) -> Value:
    return int(raw) if param.type in {"integer", "boolean"} else raw


def problem(param: Param, raw: str) -> str:
    """The first thing that is wrong with a value: type, format, pattern, length, range, enumeration."""
    return (
        _type_problem(param, raw)
        or _format_problem(param, raw)
        or _text_problem(param, raw)
        or _range_problem(param, raw)
    )


def _type_problem(param: Param, raw: str) -> str:
    patterns = {"integer": _INTEGER, "number": _NUMBER, "boolean": re.compile("[01]")}
    pattern = patterns.get(param.type)
    return "" if pattern is None or pattern.fullmatch(raw) else f"type check ('{param.type}') failed - got '{raw}'"


def _format_problem(param: Param, raw: str) -> str:
    if param.format is None:
        return ""
    try:
        _apply(param.format, split_list(raw) if param.is_list else [raw])
    except FormatError as error:
        return f"invalid format - {error}\n"
    return ""


def _apply(check: Check | Shape, values: list[str]) -> None:
    for value in values:
        if isinstance(check, Shape):
            parse(value, check)
        else:
            check(value)


def _text_problem(param: Param, raw: str) -> str:
    if param.pattern and not re.fullmatch(param.pattern, raw):
        return "value does not match the regex pattern"
    if param.max_length and len(raw) > param.max_length:
        return f"value may only be {param.max_length} characters long"
    if len(raw) < param.min_length:
        return f"value must be at least {param.min_length} characters long"
    return ""


def _range_problem(param: Param, raw: str) -> str:
    is_number = bool(_NUMBER.fullmatch(raw))
    if is_number and param.maximum is not None and float(raw) > param.maximum:
        return f"value must have a maximum value of {_plain(param.maximum)}"
    if is_number and param.minimum is not None and float(raw) < param.minimum:
        return f"value must have a minimum value of {_plain(param.minimum)}"
    if param.enum and raw not in param.enum:
        return f"value '{raw}' does not have a value in the enumeration '{', '.join(param.enum)}'"
    return ""


def _plain(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def parse(value: str, shape: Shape) -> dict[str, str]:
    """The parts of a property string, aliases resolved and booleans as 0/1; raises FormatError."""
    parts: dict[str, str] = {}
    for part in value.split(","):
        if part.strip():
            _take(part, shape, parts)
    errors: dict[str, str] = {}
    check_object(shape.keys, parts, errors)
    if errors:
        raise FormatError("format error\n" + "\n".join(f"{key}: {text.rstrip()}" for key, text in errors.items()))
    return parts


def _take(part: str, shape: Shape, parts: dict[str, str]) -> None:
    key, has_value, value = part.partition("=")
    if not has_value:
        key, value = shape.default_key, part
        if not key:
            raise FormatError("value without key, but schema does not define a default key")
    elif not key or not value:
        raise FormatError("missing key in comma-separated list property")
    if key in shape.key_aliases:
        parts[shape.key_aliases[key]] = key
    key = shape.aliases.get(key, key)
    if key in parts:
        raise FormatError(f"duplicate key in comma-separated list property: {key}")
    if key not in shape.keys:
        raise FormatError(f"invalid key in comma-separated list property: {key}")
    parts[key] = _boolean(value) if shape.keys[key].type == "boolean" else value


def _boolean(value: str) -> str:
    lowered = value.lower()
    return "1" if lowered in _TRUE else "0" if lowered in _FALSE else value


def show(parts: Mapping[str, Value], shape: Shape) -> str:
    """A property string in the canonical order: default key, required keys, the rest, each sorted."""
    rest = sorted(key for key in parts if key != shape.default_key)
    rest.sort(key=lambda key: not shape.keys[key].is_required if key in shape.keys else True)
    shown = [str(parts[shape.default_key])] if shape.default_key in parts else []
    return ",".join(shown + [f"{key}={parts[key]}" for key in rest])
