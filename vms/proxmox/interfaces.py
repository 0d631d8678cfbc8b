"""Interfaces of a node: as they are configured, and what of that waits until the node loads its network anew."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vms.proxmox.answers import rows, text
from vms.proxmox.client import Api


@dataclass(frozen=True)
class Interfaces:
    """What is configured on a node by name, and the difference to what is loaded, empty when nothing waits."""

    rows: dict[str, dict[str, Any]]
    changes: str

    def waiting(self) -> set[str]:
        """The interfaces that are configured otherwise than loaded; an empty name is a change whose place is not told."""
        return set(_touched(self.changes))


def look(api: Api, node: str) -> Interfaces:
    """Read them. Raises Unknown, Refusal."""
    found = rows(api.get("nodes", node, "network"), "networks")
    return Interfaces({text(row, "iface"): row for row in found}, str(api.beside("changes") or ""))


def _touched(changes: str) -> Iterator[str]:
    """The interface of each line that differs: the one whose section it stands in."""
    here = ""
    for line in changes.splitlines():
        if line.startswith("@@"):
            here = ""
        if line.startswith(("---", "+++", "@@")):
            continue
        words = line[1:].split()
        if words[:1] and words[0] in {"auto", "iface", "allow-hotplug"} and len(words) > 1:
            here = words[1]
        if line[:1] in {"+", "-"} and words:
            yield here
