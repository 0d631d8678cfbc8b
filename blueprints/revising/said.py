"""The values that words name: sizes, system and number, each with the words that name it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alma.errors import BadRequest
from blueprints.causes import Cause
from blueprints.generation import GeneratedBlueprint, generate
from blueprints.revising import matching
from blueprints.revising.changing import Sizes

_MACHINE = "machine: "
_PARTS = {
    "network": {"vlan": "vlan", "ip": "ip", "gateway": "gateway"},
    "backup": {"schedule": "backup_schedule", "retention_days": "backup_days"},
}
"""Of these the keys that can be said, and under which name their cause stands."""


@dataclass(frozen=True)
class Said:
    """Values that the words name, and which of the words name them. `parts` has what is within something: a network's VLAN."""

    values: Sizes = field(default_factory=dict)
    parts: dict[str, Sizes] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)
    environment: str = ""
    max_cost: float | None = None

    def __bool__(self) -> bool:
        return bool(self.values or self.parts)


def said_values(text: str, start: int = 0) -> Said:
    """Sizes, system and number that the words name, and nothing that a default decided. `start` is where the words begin in
    all that was said."""
    made, shift = _read_machines(text, start)
    if made is None:
        return Said()
    about = made["metadata"]
    said = Said(environment=str(about.get("environment") or ""), max_cost=about.get("max_cost"))
    for resource in made["resources"]:
        causes = causes_of(made, resource["name"])
        specs = {"count": len(made["resources"]), **resource["specs"]}
        for name in ("cpu", "memory", "disk", "os", "count"):
            if name in specs and name not in said.values and is_said(causes.get(name)):
                said.values[name] = specs[name]
                said.causes[name] = moved(causes[name], shift)
        _note_parts(said, specs, {name: moved(cause, shift) for name, cause in causes.items()})
    return said


def _note_parts(said: Said, specs: Mapping[str, Any], causes: Mapping[str, Cause]) -> None:
    for part, keys in _PARTS.items():
        given = specs.get(part) or {}
        told = {key: name for key, name in keys.items() if key in given and is_said(causes.get(name))}
        if told and part not in said.parts:
            said.parts[part] = {key: given[key] for key in told}
            said.causes.update({name: causes[name] for name in told.values()})


def moved(cause: Cause, by: int) -> Cause:
    """The same cause where its words stand so many letters further on."""
    if "span" not in cause:
        return cause
    start, end = cause["span"]
    return {**cause, "span": [start + by, end + by]}


def _read_machines(text: str, start: int) -> tuple[GeneratedBlueprint | None, int]:
    """What the planner makes of the words, and by how much its spans are to be moved; a name of its own, or "it", says nothing of
    machines to it, so these are read as words about one."""
    made = _read(text)
    if made is None or not made["resources"]:
        return _read(_MACHINE + text), start - len(_MACHINE)
    return made, start


def _read(text: str) -> GeneratedBlueprint | None:
    """What the planner makes of the words; None when that is nothing."""
    try:
        return generate(text)
    except BadRequest:
        return None


def causes_of(made: GeneratedBlueprint, name: str) -> dict[str, Any]:
    """Causes stand under the name of a resource, or under that of all its siblings."""
    causes = made["metadata"].get("causes", {})
    return dict(causes.get(name) or causes.get(matching.stem(name)) or {})


def is_said(cause: Any) -> bool:
    """Whether a cause quotes somebody."""
    return isinstance(cause, Mapping) and "words" in cause
