"""A guest as it was left against the guest as it is. Pure: no database, no network."""

from collections.abc import Iterator, Mapping
from typing import Any

from vms.models import Drift, Guest, GuestClaim
from vms.proxmox.readings import GuestReading
from vms.proxmox.values import EXTENT

Change = dict[str, Any]
_AT_REST = frozenset({"running", "stopped"})


def judge(claim: GuestClaim, facts: Mapping[str, Any], reading: GuestReading | None) -> tuple[str, list[Change]] | None:
    """The kind of drift with what is different, or None when the guest is as it was left."""
    if reading is None:
        return Drift.Kind.GONE.value, []
    if reading.marker != claim.marker:
        return Drift.Kind.UNMARKED.value, [_change("mark", claim.marker, reading.marker)]
    found = list(changes(facts, reading))
    return (Drift.Kind.CHANGED.value, found) if found else None


def changes(facts: Mapping[str, Any], reading: GuestReading) -> Iterator[Change]:
    """Each attribute that is known and different. Tags that people add beside ours are theirs to add."""
    now = {
        "cores": reading.cores, "memory": reading.memory_bytes, "disk": reading.disk_bytes, "power": reading.status,
        "name": reading.name,
    }  # fmt: skip
    for field, value in now.items():
        is_same = facts.get(field) in (None, value)
        if not is_same and (field != "power" or {facts[field], value} <= _AT_REST):
            yield _change(field, facts[field], value)
    yield from _fittings(facts, reading)
    if not set(facts.get("tags") or ()) <= set(reading.tags):
        yield _change("tags", list(facts["tags"]), sorted(reading.tags))


def _fittings(facts: Mapping[str, Any], reading: GuestReading) -> Iterator[Change]:
    """Network cards and further disks at their places in the config."""
    for slot, place in facts.get("cards", {}).items():
        card = reading.cards.get(slot)
        found = place_of(card.bridge, card.vlan) if card else None
        if found != place:
            yield _change("network" if slot == "net0" else f"network {slot}", place, found)
    for slot, size in facts.get("disks", {}).items():
        now = reading.disks.get(slot)
        if now is None or not 0 <= now - size <= EXTENT:
            yield _change(f"disk {slot}", size, now)


def place_of(bridge: str, vlan: int | None) -> str:
    """What a network card is plugged into, in words."""
    return f"{bridge}, VLAN {vlan}" if vlan else bridge


def is_suspect(facts: Mapping[str, Any], row: Guest | None) -> bool:
    """Whether the list of the cluster shows it otherwise; then it is looked at closely at once."""
    if row is None:
        return True
    listed = {"cores": row.cores, "memory": row.memory_bytes, "power": row.status, "name": row.name}
    return any(facts.get(field) not in (None, value) for field, value in listed.items())


def _change(field: str, before: Any, after: Any) -> Change:
    return {"field": field, "before": before, "after": after}
