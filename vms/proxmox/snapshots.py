"""Snapshots of one guest: reading them, and whether its disks can have any."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vms.proxmox.answers import clean, mapping, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.guests import path
from vms.proxmox.readings import GuestReading

MOST = 200
NOW = "current"


@dataclass(frozen=True, kw_only=True)
class SnapshotReading:
    """A snapshot as Proxmox lists it."""

    name: str
    description: str
    has_memory: bool
    parent: str
    taken_at: datetime
    is_current: bool = False
    """Whether the guest goes on from it now."""

    def as_json(self) -> dict[str, Any]:
        """For the evidence of a step."""
        return {**vars(self), "taken_at": self.taken_at.isoformat()}


def read(api: Api, guest: GuestReading) -> list[SnapshotReading]:
    """The snapshots of a guest, the oldest first. Raises Unknown, Refusal."""
    listed = rows(api.get(*path(guest), "snapshot"), "snapshots")
    found = [row for row in listed if row.get("name") != NOW]
    here = next((text(row, "parent") for row in listed if row.get("name") == NOW), "")
    readings = [
        SnapshotReading(
            name=text(row, "name"), description=clean(text(row, "description"), 1000), parent=text(row, "parent"),
            is_current=text(row, "name") == here, has_memory=bool(whole(row, "vmstate")), taken_at=datetime.fromtimestamp(whole(row, "snaptime"), UTC),
        )
        for row in found[:MOST]
    ]  # fmt: skip
    return sorted(readings, key=lambda one: (one.taken_at, one.name))


def can_have(api: Api, guest: GuestReading) -> bool:
    """Whether all disks of a guest lie where snapshots can be taken. Raises Unknown, Refusal."""
    return bool(whole(mapping(api.get(*path(guest), "feature", feature="snapshot"), "feature"), "hasFeature"))
