"""The values that words name: sizes, system and number, each with the words that name it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alma.errors import BadRequest
from blueprints.causes import Cause
from blueprints.generation import GeneratedBlueprint, generate
from blueprints.revising import matching
from blueprints.revising.hearing import hear, mentions, senses_in
from blueprints.revising.measures import Sizes
from blueprints.revising.properties import Property, properties

_MACHINE = "machine: "
_VALUES = ("cpu", "memory", "disk", "os", "count", "gpu", "virtual_ip")
_PARTS = {
    "network": {"vlan": "vlan", "ip": "ip", "subnet": "subnet", "gateway": "gateway"},
    "backup": {"schedule": "backup_schedule", "retention_days": "backup_days"},
}
"""Of these the keys that can be said, and under which name their cause stands."""


@dataclass(frozen=True)
class Said:
    """Values that the words name, and which of the words name them. `parts` has what is within something: a network's VLAN;
    `addresses` has one for each of several machines."""

    values: Sizes = field(default_factory=dict)
    parts: dict[str, Sizes] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)
    properties: Sequence[Property] = ()
    addresses: list[str] = field(default_factory=list)
    names_schedule: bool = False
    environment: str = ""
    max_cost: float | None = None
    currency: str = ""

    def __bool__(self) -> bool:
        return bool(self.values or self.parts or self.properties)

    @property
    def adds_something(self) -> bool:
        """Whether it says what can be there besides: a GPU, a network, a backup."""
        return bool(self.parts or self.properties or "gpu" in self.values)

    @property
    def is_of_whole(self) -> bool:
        """Whether it says an environment or a budget, and nothing of machines."""
        return bool(self.environment or self.max_cost) and not self

    @property
    def is_common(self) -> bool:
        """Whether it says what all machines may have alike: a system, a network, a backup."""
        return bool(self.parts or self.properties or "os" in self.values) and not self.has_sizes

    @property
    def has_sizes(self) -> bool:
        """Whether it says how large, or how many."""
        return bool(self.values.keys() & {"cpu", "memory", "disk", "count"})


def said_values(text: str, start: int = 0) -> Said:
    """Sizes, system and number that the words name, and nothing that a default decided. `start` is where the words begin in
    all that was said."""
    found = tuple(properties(hear(text)))
    made, shift = _read_machines(text, start)
    if made is None:
        return Said(properties=found)
    about = made["metadata"]
    said = Said(
        properties=found, environment=str(about.get("environment") or ""), max_cost=about.get("max_cost"),
        currency=str(about.get("budget_currency") or ""), names_schedule=any(kind == "schedule" for kind, _ in senses_in(hear(text))),
    )  # fmt: skip
    for resource in made["resources"]:
        causes = {name: moved(cause, shift) for name, cause in causes_of(made, resource["name"]).items()}
        specs = {"count": len(made["resources"]), **resource["specs"]}
        _note_values(said, specs, causes)
        _note_addresses(said, specs, causes)
        _note_parts(said, specs, causes)
    _note_kind_of_size(said, text)
    _without_properties(said)
    return said


def _note_kind_of_size(said: Said, text: str) -> None:
    """ "Reduce the disk of the web servers to 10 GB": of the only kind of size that is named, however far away."""
    heard, sizes = hear(text), said.values.keys() & {"memory", "disk"}
    named = {name for name in ("memory", "disk") if mentions(heard, "label", name)}
    if len(named) == len(sizes) == 1 and named != sizes:
        (wrong,), (name,) = sizes, named
        said.values[name], said.causes[name] = said.values.pop(wrong), said.causes.pop(wrong)


def _without_properties(said: Said) -> None:
    """The figure of a release or of a port counts no machines; the address of a DNS server is not theirs."""
    keys = {one.key for one in said.properties}
    if keys & {"version", "ports", "mtu"}:
        said.values.pop("count", None)
    if keys & {"dns", "dhcp"}:
        said.parts.get("network", {}).pop("ip", None)
        said.addresses.clear()
        if not said.parts.get("network", True):
            del said.parts["network"]


def _note_values(said: Said, specs: Mapping[str, Any], causes: Mapping[str, Cause]) -> None:
    for name in _VALUES:
        if name in specs and name not in said.values and is_said(causes.get(name)):
            said.values[name] = specs[name]
            said.causes[name] = causes[name]


def _note_addresses(said: Said, specs: Mapping[str, Any], causes: Mapping[str, Cause]) -> None:
    cards = [specs.get("network") or {}, *specs.get("networks", ())]
    said.addresses.extend(card["ip"] for card in cards if isinstance(card.get("ip"), str) and is_said(causes.get("ip")))


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
