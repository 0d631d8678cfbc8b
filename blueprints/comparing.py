"""What changed between two revisions: resources by name, values by their path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MISSING = object()


@dataclass(frozen=True)
class Change:
    """One value. None stands for a value that is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Item:
    """One resource, or the blueprint's own fields under an empty name."""

    name: str
    type: str
    action: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Comparison:
    """All that changed; nothing when the two say the same."""

    items: tuple[Item, ...]

    def count(self, action: str) -> int:
        """How many items have this action."""
        return sum(item.action == action for item in self.items)

    @property
    def created(self) -> int:
        return self.count("create")

    @property
    def updated(self) -> int:
        return self.count("update")

    @property
    def deleted(self) -> int:
        return self.count("delete")


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """The blueprint's own fields first, then what goes, what changes, what comes."""
    own = tuple(_changes(_own(before), _own(after)))
    items = [Item("", "", "update", own)] if own else []
    items += sorted(_resources(before, after), key=lambda item: ("delete", "update", "create").index(item.action))
    return Comparison(tuple(items))


def _own(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "resources"}


def _resources(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Item]:
    old = {resource["name"]: resource for resource in before["resources"]}
    new = {resource["name"]: resource for resource in after["resources"]}
    for name in [*old, *(name for name in new if name not in old)]:
        changes = tuple(_changes(_unnamed(old.get(name, {})), _unnamed(new.get(name, {}))))
        if changes:
            action = "create" if name not in old else "delete" if name not in new else "update"
            yield Item(name, (new.get(name) or old[name])["type"], action, changes)


def _unnamed(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The name is the heading already."""
    return {key: value for key, value in resource.items() if key != "name"}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = dict(flat(before)), dict(flat(after))
    for path in [*old, *(path for path in new if path not in old)]:
        if old.get(path, MISSING) != new.get(path, MISSING):
            yield Change(path, old.get(path), new.get(path))


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Leaves by path; what is empty is left out."""
    for key, inner in _inside(value):
        yield from flat(inner, f"{path}{key}" if path or not key.startswith(".") else key[1:])
    if not isinstance(value, Mapping) and not _is_nested(value) and value not in ([], "", None):
        yield path, _text(value)


def _inside(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f".{key}", inner) for key, inner in value.items()]
    return [(f"[{index}]", inner) for index, inner in enumerate(value)] if _is_nested(value) else []


def _is_nested(value: Any) -> bool:
    """A list of plain values is one leaf, as people read it."""
    return isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(inner) for inner in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
