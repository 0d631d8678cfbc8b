"""Snapshots that are taken of guests before they are changed, where the proposal wants them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vms.services import GuestReading, StorageReading

_THICK = frozenset({"lvm", "iscsi", "iscsidirect"})


@dataclass(frozen=True)
class Safety:
    """What is done for the safety of one guest; without a name nothing."""

    name: str = ""

    @classmethod
    def of(cls, wanted: str, rows: Sequence[Mapping[str, Any]]) -> "Safety":
        """A guest of which nothing but its power changes needs no way back."""
        return cls(wanted if any(row["field"] != "power" for row in rows) else "")

    @property
    def reasons(self) -> tuple[str, ...]:
        """What the reviewer reads at the guest."""
        return (f"A snapshot {self.name} is taken first; it stays until somebody deletes it.",) if self.name else ()

    def remarks(self, key: str, now: GuestReading, storages: Iterable[StorageReading]) -> list[str]:
        """What the reviewer should know of its disks."""
        stores = without_snapshots(now, storages) if self.name else []
        words = f"{', '.join(stores)} may have no snapshots. If so, the deployment stops before it touches {key}."
        return [f"{key}: {words}"] if stores else []


def lost_with(wanted: str, key: str) -> list[str]:
    """A guest that is deleted takes its snapshots along."""
    return (
        [f"{key} is deleted with its snapshots, so none is taken of it. Back it up first if need be."] if wanted else []
    )


def without_snapshots(now: GuestReading, storages: Iterable[StorageReading]) -> list[str]:
    """Storages of a guest's disks that usually have no snapshots: thick volumes, and raw files."""
    plugins = {one.name: one.plugin for one in storages if one.node == now.node}
    found = set()
    for slot in now.disks:
        name, _, volume = str(now.config.get(slot, "")).partition(",")[0].partition(":")
        if plugins.get(name) in _THICK or volume.endswith(".raw"):
            found.add(name)
    return sorted(found)
