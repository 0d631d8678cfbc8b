"""A draft while it is changed: each change is written down in words, with the words that caused it."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.causes import Cause, in_turn, quoted
from blueprints.pricing.budgets import budget_of
from blueprints.revising.matching import stem
from blueprints.revising.measures import free, given, numbered, plain, scaled, sizes_of, summary, told_value
from blueprints.schema import Resource, parse_document
from blueprints.schema.machines import kind_of
from blueprints.schema.sizes import format_size
from blueprints.schema.types import is_machine

_SUB_CAUSES = {"network": ("vlan", "ip", "subnet", "gateway"), "backup": ("backup_schedule", "backup_days")}
_UNTOLD = dict.fromkeys(("software", "gpu", "virtual_ip"), gettext_noop("none"))
_BY_DEFAULT = gettext_noop("as by default")
_NOUNS = {
    "cpu": gettext_noop("cores"), "memory": gettext_noop("memory"), "disk": gettext_noop("disk"), "os": gettext_noop("system"), "count": gettext_noop("number"),
    "software": gettext_noop("software"), "gpu": gettext_noop("GPUs"), "virtual_ip": gettext_noop("virtual address"),
}  # fmt: skip
_KEYS = {
    "network": gettext_noop("network"), "backup": gettext_noop("backup"), "vlan": gettext_noop("vlan"), "ip": gettext_noop("ip"), "subnet": gettext_noop("subnet"), "gateway": gettext_noop("gateway"),
    "schedule": gettext_noop("schedule"), "retention_days": gettext_noop("retention days"),
}  # fmt: skip


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
            self.changes.append(_("The draft is called %(name)s.") % {"name": title})

    def move_to(self, environment: str) -> None:
        """Plan it for an environment."""
        metadata = self.document.setdefault("metadata", {})
        before = metadata.get("environment") or _("none")
        if before != environment:
            metadata["environment"] = environment
            self.changes.append(_("Environment: %(before)s → %(after)s.") % {"before": before, "after": environment})

    def afford(self, most: float, currency: str = "") -> None:
        """Set the budget of a month, in that currency or in that of the prices."""
        metadata = self.document.setdefault("metadata", {})
        before = budget_of(metadata)
        metadata["max_cost"] = most
        metadata["budget_currency"] = currency
        if not currency:
            del metadata["budget_currency"]
        if budget_of(metadata) != before:
            self.changes.append(
                _("Budget of a month: %(before)s → %(after)s.")
                % {"before": before or _("none"), "after": budget_of(metadata)}
            )

    def needs(self, resource: Resource) -> list[str]:
        """The names of what it waits for."""
        row = self.row(resource.name)
        return list(row.get("dependencies", row.get("depends_on")) or ())

    def set_needs(self, resource: Resource, names: Sequence[str]) -> None:
        """Let it wait for these, each once."""
        row = self.row(resource.name)
        row["depends_on" if "depends_on" in row else "dependencies"] = list(dict.fromkeys(names))

    def remove(self, resource: Resource) -> None:
        """Take it out, and whatever needed it no longer does."""
        rows = [row for row in self.rows if row["name"] != resource.name]
        for row in rows:
            for key in ("dependencies", "depends_on"):
                if key in row:
                    row[key] = [name for name in row[key] if name != resource.name]
        self.document["resources"] = rows
        self.has_lost = True
        self._causes.pop(resource.name, None)
        self._forget(stem(resource.name))
        self.changes.append(_("%(name)s is gone.") % {"name": resource.name})

    def _forget(self, kind: str) -> None:
        """What was assumed of a kind of which nothing is left is no longer of use."""
        if kind in {stem(row["name"]) for row in self.rows}:
            return
        self._causes.pop(kind, None)
        metadata = self.document["metadata"]
        if isinstance(said := metadata.get("assumptions"), list):
            metadata["assumptions"] = [line for line in said if stem(str(line).partition(":")[0]) != kind]

    def add(self, resource: Mapping[str, Any], causes: Mapping[str, Any]) -> None:
        """Put a new one in, under a name that is free."""
        taken = {row["name"].lower() for row in self.rows}
        name = free(str(resource["name"]), taken)
        row = copy.deepcopy(dict(resource)) | {"name": name}
        row["dependencies"] = [one for one in row.get("dependencies", []) if one.lower() in taken]
        self.rows.append(row)
        self._causes[name] = in_turn(causes, self._turn)
        self._touched.add(name)
        self.changes.append(_("%(name)s is new: %(what)s.") % {"name": name, "what": summary(row)})

    def recount(self, resources: Sequence[Resource], number: int) -> None:
        """How many of them there shall be: of one that has a count, or of siblings that are alike."""
        if len(resources) == 1 and (resources[0].specs.count or resources[0].name == stem(resources[0].name)):
            self.set_sizes(resources[0], {"count": number})
            return
        for resource in resources[number:]:
            self.remove(resource)
        last = resources[-1].name
        for _number in range(number - len(resources)):
            last = self._clone(resources[-1], after=last)
        self._tell_count(stem(last))

    def _tell_count(self, kind: str) -> None:
        """How many there are of a kind is now for these words."""
        for name, causes in self._causes.items():
            if stem(name) == kind and isinstance(causes, dict) and "count" in causes:
                causes.update(in_turn({"count": self._words}, self._turn))

    def _clone(self, like: Resource, *, after: str) -> str:
        """One more of a kind, which all that needs the others needs as well. Answers its name."""
        row = copy.deepcopy(self.row(like.name))
        row["name"] = numbered(stem(like.name), {one["name"].lower() for one in self.rows})
        self.rows.insert(self.rows.index(self.row(after)) + 1, row)
        for other in self.rows:
            if like.name in other.get("dependencies", ()):
                other["dependencies"].append(row["name"])
        if like.name in self._causes:
            self._causes[row["name"]] = dict(self._causes[like.name])
        self._touched.add(row["name"])
        self.changes.append(_("%(name)s is new, like %(other)s.") % {"name": row["name"], "other": like.name})
        return str(row["name"])

    def set_sizes(
        self, resource: Resource, values: Mapping[str, Any], causes: Mapping[str, Cause] | None = None
    ) -> None:
        """Give it these values, under the keys in which it has them. Without a cause of its own a value has all that was said."""
        before = sizes_of(resource)
        self._touched.add(resource.name)
        changed = {key: value for key, value in values.items() if plain(value) != plain(before.get(key))}
        if not changed:
            return
        specs = self.row(resource.name).setdefault("specs", {})
        for key, value in changed.items():
            specs[resource.specs.written.get(key, key)] = value
        told = {key: (causes or {}).get(key, self._words) for key in changed}
        said = ", ".join(
            f"{_(_NOUNS[key])} {told_value(before.get(key)) or _(_UNTOLD.get(key, _BY_DEFAULT))} → {told_value(value)}"
            for key, value in changed.items()
        )
        self.tell(resource, said, told)

    def set_part(self, resource: Resource, part: str, values: Mapping[str, Any], causes: Mapping[str, Cause]) -> None:
        """Give its network or its backup these values, beside those that it has."""
        specs = self.row(resource.name).setdefault("specs", {})
        before = specs.get(part) if isinstance(specs.get(part), dict) else {}
        changed = {key: value for key, value in values.items() if before.get(key) != value}
        if not changed:
            return
        specs[part] = {**before, **changed}
        told = {name: cause for name, cause in causes.items() if name in _SUB_CAUSES[part]}
        said = ", ".join(f"{_(_KEYS[key])} {value}" for key, value in changed.items())
        self.tell(resource, _("%(part)s with %(values)s") % {"part": _(_KEYS[part]), "values": said}, told)

    def rename(self, resource: Resource, name: str) -> None:
        """Call it otherwise, also where others need it."""
        for row in self.rows:
            for key in ("dependencies", "depends_on"):
                if key in row:
                    row[key] = [name if one == resource.name else one for one in row[key]]
        self.row(resource.name)["name"] = name
        if resource.name in self._causes:
            self._causes[name] = self._causes.pop(resource.name)
        if isinstance(said := self.document.setdefault("metadata", {}).get("assumptions"), list):
            said[:] = [re.sub(rf"^{re.escape(resource.name)}(?=: )", name, str(line)) for line in said]
        self._touched.add(name)
        self.changes.append(_("%(name)s is called %(new)s.") % {"name": resource.name, "new": name})

    def put(self, resource: Resource, key: str, value: Any, said: str) -> None:
        """Give it this value of its specs, or none. What is so already is not told."""
        specs = self.row(resource.name).setdefault("specs", {})
        name = resource.specs.written.get(key, key)
        if specs.get(name) == value:
            return
        specs[name] = value
        if value is None:
            del specs[name]
        self.tell(resource, said, {key: self._words})

    def tell(self, resource: Resource, said: str, causes: Mapping[str, Cause]) -> None:
        """Note what was done to it, and why."""
        self._touched.add(resource.name)
        of_siblings = self._causes.get(stem(resource.name), {})
        self._causes.setdefault(resource.name, {**of_siblings}).update(in_turn(causes, self._turn))
        self.changes.append(f"{resource.name}: {said}.")

    def keep_apart(self, resource: Resource, group: str) -> None:
        """On another host than the rest of its group."""
        self.put(resource, "anti_affinity", group, _("on another host than the rest of %(group)s") % {"group": group})

    def set_kind(self, resource: Resource, kind: str) -> None:
        """Make it a container, or a virtual machine."""
        row = self.row(resource.name)
        if kind_of(resource) != kind:
            if row["type"] in ("vm", "lxc") and not resource.specs.kind:
                row["type"] = kind
            else:  # "web" and "database" say what for, and not as what
                row.setdefault("specs", {})[resource.specs.written.get("kind", "kind")] = kind
            self._touched.add(resource.name)
            noun = _("container") if kind == "lxc" else _("virtual machine")
            self.changes.append(f"{resource.name}: {noun}.")

    def scale(self, resource: Resource, names: Sequence[str], factor: float) -> None:
        """Multiply these sizes, to whole cores and to whole MB."""
        sizes = given(resource)
        self.set_sizes(resource, {name: scaled(name, sizes[name], factor) for name in names})

    def step(self, resource: Resource, by: Mapping[str, int]) -> None:
        """Add so many cores or bytes; less than nothing is refused by the schema."""
        sizes = {name: given(resource)[name] + more for name, more in by.items()}
        self.set_sizes(resource, {name: size if name == "cpu" else format_size(size) for name, size in sizes.items()})

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its resources, as they are now."""
        rows: list[dict[str, Any]] = self.document["resources"]
        return rows

    @property
    def _causes(self) -> dict[str, Any]:
        metadata = self.document.setdefault("metadata", {})
        causes: dict[str, Any] = metadata.setdefault("causes", {})
        return causes

    def row(self, name: str) -> dict[str, Any]:
        """The resource of that name, as it is now."""
        return next(row for row in self.rows if row["name"] == name)
