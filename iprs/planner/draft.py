"""The plan before it is stored, and the digest that approvals name."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from alma.jobs.services import StepSpec


def digest_of(value: Any) -> str:
    """SHA-256 of canonical JSON: sorted keys, no spaces."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def change(name: str, before: Any, after: Any, cause: str) -> dict[str, Any]:
    """One attribute of an item: what it is, what it will be, and who said so."""
    return {"field": name, "before": before, "after": after, "cause": cause}


@dataclass(frozen=True)
class Item:
    """What happens to one guest."""

    action: str
    key: str
    kind: str
    node: str
    vmid: int | None = None
    changes: tuple[dict[str, Any], ...] = ()
    needs_restart: bool = False
    reasons: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    steps: tuple[StepSpec, ...] = ()

    def content(self) -> dict[str, Any]:
        """Everything that a reviewer agrees to."""
        return {
            "action": self.action, "key": self.key, "kind": self.kind, "node": self.node, "vmid": self.vmid,
            "changes": list(self.changes), "needs_restart": self.needs_restart, "reasons": list(self.reasons),
            "depends_on": list(self.depends_on), "facts": self.facts, "steps": [vars(step) for step in self.steps],
        }  # fmt: skip

    def digest(self) -> str:
        """SHA-256 of the content."""
        return digest_of(self.content())


@dataclass(frozen=True)
class Draft:
    """A computed plan. Problems keep it from running; remarks are for the reviewer."""

    items: tuple[Item, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    def summary(self) -> dict[str, int]:
        """How many guests of each action."""
        return dict(Counter(item.action for item in self.items))

    def digest(self, *bound_to: str) -> str:
        """SHA-256 over the items and whatever else the approval is bound to: revision, environment, cluster."""
        return digest_of([list(bound_to), [item.digest() for item in self.items], list(self.problems)])

    def seconds(self, history: Mapping[str, float] | None = None) -> int:
        """How long it should take: per level the longest guest, for guests of a level go side by side.

        `history` gives the usual seconds of a kind of step on this cluster, where it has any."""
        usual = {**SECONDS, **(history or {})}
        levels: dict[int, float] = {}
        for item in self.items:
            for step in item.steps:
                levels[step.level] = max(levels.get(step.level, 0.0), usual.get(step.kind, 2.0))
        return max(1, round(sum(levels.values()))) if levels else 0


SECONDS = {
    "guest.create": 8.0,
    "guest.configure": 3.0,
    "guest.start": 4.0,
    "guest.stop": 12.0,
    "guest.reboot": 15.0,
    "guest.snapshot": 3.0,
    "guest.delete": 3.0,
    "guest.verify": 1.0,
    "guest.await": 15.0,
}
"""Medians of small real nodes, in seconds; a first estimate until a cluster has its own history."""
