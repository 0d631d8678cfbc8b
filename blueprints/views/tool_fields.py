"""The form of a tool, from the JSON schema of its arguments, and from what was typed back to arguments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from alma.accounts.actors import Actor
from alma.errors import BadRequest
from blueprints.models import Blueprint
from blueprints.tools import Tool
from blueprints.tools.subjects import MACHINE_READ
from vms.models import Cluster

MOST_CHOICES = 200
LONG = 500
"""Texts that may be longer get more than a line."""
_UNITS = {"_ms": " time in ms", "_seconds": " time in seconds", "_hours": " in hours", "_percent": " in percent"}
_YAML = frozenset({"blueprint", "other_blueprint", "inventory", "constraints"})


@dataclass(frozen=True)
class Field:
    """One field. `kind` is number, text, lines, yaml, choice, switch or names."""

    name: str
    label: str
    help: str
    kind: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    is_required: bool = False
    has_default: bool = False
    least: Any = None
    most: Any = None
    error: str = ""


def fields_of(tool: Tool, typed: Mapping[str, str], errors: Mapping[str, str], by: Actor) -> list[Field]:
    """The fields in the order of the schema, with what was typed and what is wrong with it."""
    schema = tool.schema()
    needed = set(schema.get("required", ()))
    return [
        _field(name, told, typed, errors.get(name, ""), by, is_required=name in needed)
        for name, told in schema["properties"].items()
    ]


def _field(
    name: str, told: Mapping[str, Any], typed: Mapping[str, str], error: str, by: Actor, *, is_required: bool
) -> Field:
    kind, shape = _kind(name, told)
    default = told.get("default")
    usual = "" if default is None or isinstance(default, list | dict | bool) else str(default)
    choices = tuple((one, _capital(one.replace("_", " "))) for one in shape.get("enum", ()))
    if name.endswith("blueprint_id"):
        kind, choices, shape = "choice", _blueprints(by), {"description": "One that is saved"}
    elif name.endswith("cluster") and (known := _clusters(by)):
        kind, choices = "choice", known
    value = typed.get(name, usual) if typed else usual or ("on" if default is True else "")
    return Field(
        name, _label(name), str(shape.get("description") or told.get("description") or ""), kind, value, choices, is_required,
        bool(usual), shape.get("minimum", shape.get("exclusiveMinimum")), shape.get("maximum", shape.get("exclusiveMaximum")), error,
    )  # fmt: skip


def _kind(name: str, told: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What a property is, and the part of its schema that says so."""
    shape = next((one for one in told.get("anyOf", ()) if one.get("type") != "null"), told)
    if name in _YAML:
        return "yaml", shape
    if "enum" in shape:
        return "choice", shape
    kinds = {"integer": "number", "number": "number", "boolean": "switch", "array": "names"}
    kind = kinds.get(shape.get("type", ""), "text")
    return ("lines" if kind == "text" and shape.get("maxLength", 0) > LONG else kind), shape


def _label(name: str) -> str:
    words = (
        name.replace("vm_ids", "machines").replace("vm_id", "machine").replace("job_ids", "jobs").removesuffix("_id")
    )
    for ending, unit in _UNITS.items():
        words = words.removesuffix(ending) + unit if words.endswith(ending) else words
    words = words.replace("_", " ") + (" as YAML" if name in _YAML else "")
    return _capital(words)


def _capital(words: str) -> str:
    return words.replace("cpu", "CPU", 1) if words.startswith("cpu") else words[:1].upper() + words[1:]


def _clusters(by: Actor) -> tuple[tuple[str, str], ...]:
    rows = Cluster.objects.visible_to(by).order_by("name").values_list("slug", "name")[:MOST_CHOICES]
    return tuple(rows) if by.has(MACHINE_READ) else ()


def _blueprints(by: Actor) -> tuple[tuple[str, str], ...]:
    if not by.has("blueprint:read"):
        return ()
    rows = Blueprint.objects.visible_to(by).order_by("-updated_at").values_list("pk", "name")[:MOST_CHOICES]
    return tuple((str(pk), f"{name} (#{pk})") for pk, name in rows)


def arguments_of(tool: Tool, typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as arguments; what was left empty is left out. Raises BadRequest for text that is no YAML."""
    found: dict[str, Any] = {}
    for name, told in tool.schema()["properties"].items():
        text = typed.get(name, "").strip()
        kind, _ = _kind(name, told)
        if kind == "switch":
            found[name] = bool(text)
        elif text:
            found[name] = _value(name, kind, text)
    return found


def _value(name: str, kind: str, text: str) -> Any:
    if kind == "names":
        return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]
    if kind == "yaml" and name not in {"blueprint", "other_blueprint"}:
        return _plain_yaml(name, text)
    return text


def _plain_yaml(name: str, text: str) -> Any:
    """A list or an object; anchors and the like are refused, for a few bytes of them become gigabytes."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text[:20_000], Loader=yaml.CSafeLoader)):
            raise BadRequest(
                f"Field {name}: aliases are not taken.", details=[{"field": name, "message": "aliases are not taken"}]
            )
        return yaml.load(text[:20_000], Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        message = "is not YAML"
        raise BadRequest(f"Field {name}: {message}.", details=[{"field": name, "message": message}]) from error


def errors_by_field(details: Any) -> dict[str, str]:
    """The rows of a refusal, by the field that they are about."""
    rows: Iterable[Any] = details if isinstance(details, list) else ()
    return {
        str(row["field"]).partition(".")[0]: str(row["message"])
        for row in rows
        if isinstance(row, Mapping) and row.get("field")
    }
