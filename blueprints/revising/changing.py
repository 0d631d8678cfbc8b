"""A draft while it is changed: each change is written down in words, with the words that caused it."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from blueprints.causes import Cause, in_turn, quoted
from blueprints.revising.matching import stem
from blueprints.schema import Resource, parse_document
from blueprints.schema.machines import DEFAULT_CORES, DEFAULT_DISK, DEFAULT_MEMORY, kind_of
from blueprints.schema.sizes import GIB, MIB, format_size
from blueprints.schema.types import is_machine

Sizes = dict[str, Any]
_SUB_CAUSES = {"network": ("vlan", "ip", "gateway"), "backup": ("backup_schedule", "backup_days")}
_UNTOLD = {"software": "none"}
_NOUNS = {"cpu": "cores", "memory": "memory", "disk": "disk", "os": "system", "count": "number", "software": "software"}


class Draft:
    """A copy of a document and what has been done to it. Resources are those it came with."""

    def __init__(self, document: Mapping[str, Any], words: str, turn: int = 0) -> None:
        self.document: dict[str, Any] = copy.deepcopy(dict(document))
        self.document["resources"] = [
            copy.deepcopy(dict(row)) for row in document["resources"]
        ]  # none shares with another
        self.resources: Sequence[Resource] = parse_document(document).resources
        self.changes: list[str] = []
        self.recent: set[str] = self._of_last_turn()
        """The names of what was changed last, here or by the message before."""
        self.has_lost = False
        """Whether something was taken out."""
        self._touched: set[str] = set()
        self._turn, self._words = turn, quoted(words)

    @property
    def machines(self) -> list[Resource]:
        """The resources that are machines."""
        return [one for one in self.resources if is_machine(one.type)]

    def settle(self) -> None:
        """One thing is done: what is said next is about the draft as it is now. Raises Invalid for what cannot be."""
        if self._touched:
            self.recent, self._touched = self._touched, set()
        self.resources = parse_document(self.document).resources

    def _of_last_turn(self) -> set[str]:
        turns = {
            name: max((cause.get("turn", 0) for cause in causes.values() if isinstance(cause, Mapping)), default=0)
            for name, causes in self._causes.items()
            if isinstance(causes, Mapping)
        }
        last = max(turns.values(), default=0)
        names = {name for name, turn in turns.items() if last and turn == last}
        return {one.name for one in self.resources if one.name in names or self._is_told_by(one.name, names)}

    def _is_told_by(self, name: str, names: set[str]) -> bool:
        """Whether the causes of a resource are those of its kind, and are among these."""
        return name not in self._causes and stem(name) in names

    def call(self, title: str) -> None:
        """Give the draft itself another name."""
        if self.document.get("name") != title:
            self.document["name"] = title
            self.changes.append(f"The draft is called {title}.")

    def move_to(self, environment: str) -> None:
        """Plan it for an environment."""
        metadata = self.document.setdefault("metadata", {})
        before = metadata.get("environment") or "none"
        if before != environment:
            metadata["environment"] = environment
            self.changes.append(f"Environment: {before} → {environment}.")

    def afford(self, most: float) -> None:
        """Set the budget of a month."""
        metadata = self.document.setdefault("metadata", {})
        if metadata.get("max_cost") != most:
            before = metadata.get("max_cost")
            before = f"{before:g}" if isinstance(before, int | float) else before or "none"
            metadata["max_cost"] = most
            self.changes.append(f"Budget of a month: {before} → {most:g}.")

    def remove(self, resource: Resource) -> None:
        """Take it out, and whatever needed it no longer does."""
        rows = [row for row in self._rows if row["name"] != resource.name]
        for row in rows:
            for key in ("dependencies", "depends_on"):
                if key in row:
                    row[key] = [name for name in row[key] if name != resource.name]
        self.document["resources"] = rows
        self.has_lost = True
        self._causes.pop(resource.name, None)
        self._forget(stem(resource.name))
        self.changes.append(f"{resource.name} is gone.")

    def _forget(self, kind: str) -> None:
        """What was assumed of a kind of which nothing is left is no longer of use."""
        if kind in {stem(row["name"]) for row in self._rows}:
            return
        self._causes.pop(kind, None)
        metadata = self.document["metadata"]
        if isinstance(said := metadata.get("assumptions"), list):
            metadata["assumptions"] = [line for line in said if stem(str(line).partition(":")[0]) != kind]

    def add(self, resource: Mapping[str, Any], causes: Mapping[str, Any]) -> None:
        """Put a new one in, under a name that is free."""
        taken = {row["name"].lower() for row in self._rows}
        name = _free(str(resource["name"]), taken)
        row = copy.deepcopy(dict(resource)) | {"name": name}
        row["dependencies"] = [one for one in row.get("dependencies", []) if one.lower() in taken]
        self._rows.append(row)
        self._causes[name] = in_turn(causes, self._turn)
        self._touched.add(name)
        self.changes.append(f"{name} is new: {_summary(row)}.")

    def recount(self, resources: Sequence[Resource], number: int) -> None:
        """How many of them there shall be: of one that has a count, or of siblings that are alike."""
        if len(resources) == 1 and (resources[0].specs.count or resources[0].name == stem(resources[0].name)):
            self.set_sizes(resources[0], {"count": number})
            return
        for resource in resources[number:]:
            self.remove(resource)
        last = resources[-1].name
        for _ in range(number - len(resources)):
            last = self._clone(resources[-1], after=last)
        self._tell_count(stem(last))

    def _tell_count(self, kind: str) -> None:
        """How many there are of a kind is now for these words."""
        for name, causes in self._causes.items():
            if stem(name) == kind and isinstance(causes, dict) and "count" in causes:
                causes.update(in_turn({"count": self._words}, self._turn))

    def _clone(self, like: Resource, *, after: str) -> str:
        """One more of a kind, which all that needs the others needs as well. Answers its name."""
        row = copy.deepcopy(self._row(like.name))
        row["name"] = _numbered(stem(like.name), {one["name"].lower() for one in self._rows})
        self._rows.insert(self._rows.index(self._row(after)) + 1, row)
        for other in self._rows:
            if like.name in other.get("dependencies", ()):
                other["dependencies"].append(row["name"])
        if like.name in self._causes:
            self._causes[row["name"]] = dict(self._causes[like.name])
        self._touched.add(row["name"])
        self.changes.append(f"{row['name']} is new, like {like.name}.")
        return str(row["name"])

    def set_sizes(
        self, resource: Resource, values: Mapping[str, Any], causes: Mapping[str, Cause] | None = None
    ) -> None:
        """Give it these values, under the keys in which it has them. Without a cause of its own a value has all that was said."""
        before = _values(resource)
        self._touched.add(resource.name)
        changed = {key: value for key, value in values.items() if _plain(value) != _plain(before.get(key))}
        if not changed:
            return
        specs = self._row(resource.name).setdefault("specs", {})
        for key, value in changed.items():
            specs[resource.specs.written.get(key, key)] = value
        told = {key: (causes or {}).get(key, self._words) for key in changed}
        of_siblings = self._causes.get(stem(resource.name), {})
        self._causes.setdefault(resource.name, {**of_siblings}).update(in_turn(told, self._turn))
        said = ", ".join(
            f"{_NOUNS[key]} {_told(before.get(key)) or _UNTOLD.get(key, 'as by default')} → {_told(value)}"
            for key, value in changed.items()
        )
        self.changes.append(f"{resource.name}: {said}.")

    def set_part(self, resource: Resource, part: str, values: Mapping[str, Any], causes: Mapping[str, Cause]) -> None:
        """Give its network or its backup these values, beside those that it has."""
        specs = self._row(resource.name).setdefault("specs", {})
        before = specs.get(part) if isinstance(specs.get(part), dict) else {}
        changed = {key: value for key, value in values.items() if before.get(key) != value}
        if not changed:
            return
        specs[part] = {**before, **changed}
        self._touched.add(resource.name)
        told = {name: cause for name, cause in causes.items() if name in _SUB_CAUSES[part]}
        self._causes.setdefault(resource.name, {}).update(in_turn(told, self._turn))
        said = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in changed.items())
        self.changes.append(f"{resource.name}: {part} with {said}.")

    def rename(self, resource: Resource, name: str) -> None:
        """Call it otherwise, also where others need it."""
        for row in self._rows:
            for key in ("dependencies", "depends_on"):
                if key in row:
                    row[key] = [name if one == resource.name else one for one in row[key]]
        self._row(resource.name)["name"] = name
        if resource.name in self._causes:
            self._causes[name] = self._causes.pop(resource.name)
        self._touched.add(name)
        self.changes.append(f"{resource.name} is called {name}.")

    def keep_apart(self, resource: Resource, group: str) -> None:
        """On another host than the rest of its group."""
        if resource.specs.anti_affinity != group:
            self._row(resource.name).setdefault("specs", {})["anti_affinity"] = group
            self._touched.add(resource.name)
            self._causes.setdefault(resource.name, {}).update(in_turn({"anti_affinity": self._words}, self._turn))
            self.changes.append(f"{resource.name}: on another host than the rest of {group}.")

    def set_kind(self, resource: Resource, kind: str) -> None:
        """Make it a container, or a virtual machine."""
        row = self._row(resource.name)
        if kind_of(resource) != kind:
            if row["type"] in ("vm", "lxc") and not resource.specs.kind:
                row["type"] = kind
            else:  # "web" and "database" say what for, and not as what
                row.setdefault("specs", {})[resource.specs.written.get("kind", "kind")] = kind
            self._touched.add(resource.name)
            self.changes.append(f"{resource.name}: {'container' if kind == 'lxc' else 'virtual machine'}.")

    def unset(self, resource: Resource, name: str, noun: str) -> None:
        """Do without something that it has."""
        if (self._row(resource.name).get("specs") or {}).pop(resource.specs.written.get(name, name), None) is not None:
            self._touched.add(resource.name)
            self.changes.append(f"{resource.name}: no {noun}.")

    def scale(self, resource: Resource, names: Sequence[str], factor: float) -> None:
        """Multiply these sizes, to whole cores and to whole MB."""
        given = _given(resource)
        self.set_sizes(resource, {name: _scaled(name, given[name], factor) for name in names})

    def step(self, resource: Resource, by: Mapping[str, int]) -> None:
        """Add so many cores or bytes; less than nothing is refused by the schema."""
        sizes = {name: _given(resource)[name] + more for name, more in by.items()}
        self.set_sizes(resource, {name: size if name == "cpu" else format_size(size) for name, size in sizes.items()})

    @property
    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.document["resources"]
        return rows

    @property
    def _causes(self) -> dict[str, Any]:
        metadata = self.document.setdefault("metadata", {})
        causes: dict[str, Any] = metadata.setdefault("causes", {})
        return causes

    def _row(self, name: str) -> dict[str, Any]:
        return next(row for row in self._rows if row["name"] == name)


def _given(resource: Resource) -> dict[str, int]:
    specs = resource.specs
    return {
        "cpu": specs.cpu or DEFAULT_CORES,
        "memory": specs.memory or DEFAULT_MEMORY,
        "disk": specs.disk or DEFAULT_DISK,
    }


def _values(resource: Resource) -> Sizes:
    """Its sizes as one writes them."""
    specs = resource.specs
    return {
        "cpu": specs.cpu,
        "memory": format_size(specs.memory) if specs.memory else None,
        "disk": format_size(specs.disk) if specs.disk else None,
        "os": specs.os,
        "count": specs.count or 1,
        "software": list(specs.software or ()),
    }


def _told(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def _plain(value: Any) -> Any:
    return value.replace(" ", "").upper() if isinstance(value, str) else value


def _scaled(name: str, value: int, factor: float) -> Any:
    if name == "cpu":
        return max(1, round(value * factor))
    unit = GIB if value * factor >= GIB else MIB
    return format_size(max(unit, round(value * factor / unit) * unit))


def _free(name: str, taken: set[str]) -> str:
    if name.lower() not in taken:
        return name
    return next(f"{name}-{number}" for number in range(2, 1000) if f"{name}-{number}".lower() not in taken)


def _numbered(name: str, taken: set[str]) -> str:
    """The next free number after the highest."""
    return next(f"{name}-{number}" for number in range(1, 1000) if f"{name}-{number}".lower() not in taken)


def _summary(row: Mapping[str, Any]) -> str:
    specs = row.get("specs") or {}
    parts = [f"{specs['count']} ×" if specs.get("count", 1) != 1 else "", str(row["type"]).replace("_", " ")]
    sizes = [str(specs[key]) + (" cores" if key == "cpu" else "") for key in ("cpu", "memory", "disk") if key in specs]
    return " ".join(part for part in parts if part) + (f" with {', '.join(sizes)}" if sizes else "")
