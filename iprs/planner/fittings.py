"""Further disks and network cards of a machine: their places, the rows of a plan, and what stands in the way.

The first further disk of a machine is `scsi1`, of a container `mp0`, the next one after it; cards are `net0`, `net1`, ….
What is at a place is what the document's disk or card of that number means. Nothing is taken away.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from blueprints.schema import Machine, NetworkCard
from iprs.planner.draft import change
from vms.services import EXTENT, Card, CardReading, CloudInit, GuestReading, GuestSpec, Volume

MIB = 1024**2
GIB = 1024**3
_MOUNT = re.compile(r"(?:/[\w+-][\w.+-]*)+", re.ASCII)
_FURTHER_DISK = re.compile(r"(?:scsi|virtio|sata|ide|mp)\d+")
Row = dict[str, Any]


# -- what is wanted -------------------------------------------------------------------------------
def volumes_of(machine: Machine, storage: str, now: GuestReading | None = None) -> tuple[Volume, ...]:
    """The further disks, none smaller than it is now; those that name no storage lie on the machine's."""
    found = []
    for number, disk in enumerate(machine.data_disks):
        slot = _slot(machine, number)
        size = max(-(-disk.size_bytes // MIB) * MIB, now.disks.get(slot, 0) if now else 0)
        mount = disk.path(number + 1) if machine.kind == "lxc" else ""
        found.append(Volume(slot=slot, size_bytes=size, storage=disk.storage or storage, mount=mount))
    return tuple(found)


def cards_of(machine: Machine, bridges: Sequence[str], now: GuestReading | None = None) -> tuple[Card, ...]:
    """All cards. A first card of which the document says nothing stays as it is."""
    has_init = machine.kind == "lxc" or needs_cloud_init(machine)
    cards = [
        _card(number, nic, bridge, has_init=has_init)
        for number, (nic, bridge) in enumerate(zip(machine.nics, bridges, strict=True))
    ]
    first = now.cards.get("net0") if now else None
    if first and machine.causes.get("network", "default") == "default":
        cards[0] = replace(cards[0], bridge=first.bridge, vlan=first.vlan, ip="", gateway="")
    return tuple(cards)


def cloud_init_of(machine: Machine) -> CloudInit | None:
    """What a new guest learns at its first start; None when nothing is said."""
    card = machine.network
    if not needs_cloud_init(machine):
        return None
    return CloudInit(
        user=machine.user or "", ssh_keys=machine.ssh_keys, ip=card.ip or "dhcp", gateway=card.gateway or "",
        nameserver=card.dns[0] if card.dns else "",
    )  # fmt: skip


def needs_cloud_init(machine: Machine) -> bool:
    """Whether the machine is told anything at its first start."""
    return bool(machine.user or machine.ssh_keys or any(nic.ip or nic.dns for nic in machine.nics))


def _slot(machine: Machine, number: int) -> str:
    return f"mp{number}" if machine.kind == "lxc" else f"scsi{number + 1}"


def _card(number: int, nic: NetworkCard, bridge: str, *, has_init: bool) -> Card:
    return Card(
        slot=f"net{number}", bridge=bridge, vlan=nic.vlan, ip=nic.ip or ("dhcp" if has_init else ""),
        gateway=(nic.gateway or "") if nic.ip else "", mac=nic.mac or "", mtu=nic.mtu, firewall=nic.firewall,
    )  # fmt: skip


# -- rows of a plan -------------------------------------------------------------------------------
def new_rows(machine: Machine, volumes: Sequence[Volume], cards: Sequence[Card], storage: str) -> Iterator[Row]:
    """The further disks and all cards of a machine that is made."""
    return _rows(machine, volumes, cards, storage, None)


def changed_rows(
    machine: Machine, volumes: Sequence[Volume], cards: Sequence[Card], storage: str, now: GuestReading
) -> Iterator[Row]:
    """The disks and cards that are not as they shall be."""
    return (row for row in _rows(machine, volumes, cards, storage, now) if row["before"] != row["after"])


def _rows(
    machine: Machine, volumes: Sequence[Volume], cards: Sequence[Card], storage: str, now: GuestReading | None
) -> Iterator[Row]:
    for volume in volumes:
        yield from _disk_rows(volume, now.disks.get(volume.slot) if now else None, storage)
    for number, card in enumerate(cards):
        name = "network" if number == 0 else f"network {card.slot}"
        cause = machine.causes.get("network", "default") if number == 0 else "specs.networks"
        found = now.cards.get(card.slot) if now else None
        yield change(name, _present(found, card) if found else None, _wanted(card, found), cause)


def _disk_rows(volume: Volume, before: int | None, storage: str) -> Iterator[Row]:
    """Its size, and of one that is made where it lies and is mounted, unless that goes without saying."""
    yield change(f"disk {volume.slot}", before, volume.size_bytes, "specs.disks")
    if before is not None:
        return
    if volume.storage != storage:
        yield change(f"storage {volume.slot}", None, volume.storage, "specs.disks")
    if volume.mount:
        yield change(f"mount {volume.slot}", None, volume.mount, "specs.disks")


def _wanted(card: Card, now: CardReading | None) -> str:
    stays = (now.ip, now.gateway) if now and not card.ip else (card.ip, card.gateway)
    return _words(card.bridge, card.vlan, stays, card.mac.upper(), card.mtu, has_firewall=card.firewall)


def _present(now: CardReading, card: Card) -> str:
    """In the words of what is wanted: what the document does not speak of is not compared."""
    mac, mtu = now.mac if card.mac else "", now.mtu if card.mtu else None
    has_firewall = card.firewall and now.has_firewall
    return _words(now.bridge, now.vlan, (now.ip, now.gateway), mac, mtu, has_firewall=has_firewall)


def _words(
    bridge: str, vlan: int | None, address: tuple[str, str], mac: str, mtu: int | None, *, has_firewall: bool
) -> str:
    ip, gateway = address
    said = "DHCP" if ip in {"", "dhcp"} else ip + (f" via {gateway}" if gateway else "")
    parts = [bridge, f"VLAN {vlan}" if vlan else "", said, f"MTU {mtu}" if mtu else "", mac]
    return ", ".join([*(part for part in parts if part), *(["firewall"] if has_firewall else [])])


def lost_rows(now: GuestReading) -> Iterator[Row]:
    """The disks of a guest that is deleted."""
    if now.disk_bytes:
        yield change("disk", now.disk_bytes, None, "not in the blueprint")
    for slot, size in sorted(now.disks.items()):
        if slot != now.disk:
            yield change(f"disk {slot}", size, None, "not in the blueprint")


def replaced_rows(rows: Sequence[Row], now: GuestReading) -> list[Row]:
    """The rows of a guest that is made anew, with the disks that are lost by it as what was before."""
    lost = {row["field"]: row for row in lost_rows(now)}
    named = [row | {"before": lost.pop(row["field"])["before"]} if row["field"] in lost else row for row in rows]
    return [*named, *lost.values()]


# -- room -----------------------------------------------------------------------------------------
def room_needed(spec: GuestSpec, now: GuestReading) -> dict[str, int]:
    """Bytes that a guest takes in addition, per storage: disks grow where they lie, new ones are made where they are asked for."""
    needs = Counter({_storage_of(now, now.disk): spec.disk_bytes - now.disk_bytes})
    for volume in spec.volumes:
        has = now.disks.get(volume.slot)
        needs[volume.storage if has is None else _storage_of(now, volume.slot)] += volume.size_bytes - (has or 0)
    return {name: size for name, size in needs.items() if size > 0}


def storages_of(now: GuestReading) -> set[str]:
    """Where the disks of a guest lie."""
    return {_storage_of(now, slot) for slot in now.disks}


def _storage_of(now: GuestReading, slot: str) -> str:
    return str(now.config.get(slot, "")).partition(":")[0]


# -- what stands in the way, and what is left -----------------------------------------------------
def problems_of(machine: Machine, now: GuestReading | None = None) -> Iterator[str]:
    """Disks that would have to shrink, and paths at which nothing can be mounted."""
    for number, disk in enumerate(machine.data_disks):
        if machine.kind == "lxc" and not _MOUNT.fullmatch(disk.path(number + 1)):
            yield f"{machine.key}: a disk cannot be mounted at {disk.mount}."
        slot = _slot(machine, number)
        size = now.disks.get(slot, 0) if now else 0
        if disk.size_bytes + EXTENT < size:
            yield (
                f"{machine.key}: its disk {slot} has {size / GIB:g} GiB; a disk cannot shrink to "
                f"{disk.size_bytes / GIB:g} GiB without losing data. Keep the size."
            )


def remarks_of(machine: Machine, now: GuestReading | None) -> Iterator[str]:
    """What stays although the document does not name it, and what is left to do within the guest."""
    for number, disk in enumerate(machine.data_disks):
        if machine.kind == "vm" and disk.mount:
            slot = _slot(machine, number)
            yield f"{machine.key}: its disk {slot} comes empty; formatting and mounting it at {disk.mount} is not done."
    if now is None:
        return
    wanted = {now.disk, *(_slot(machine, number) for number in range(len(machine.data_disks)))}
    extra = [slot for slot in now.disks if slot not in wanted and _FURTHER_DISK.fullmatch(slot)]
    extra += [slot for slot in now.cards if int(slot[3:]) >= len(machine.nics)]
    if extra:
        yield f"{machine.key} also has {', '.join(sorted(extra))}; the blueprint does not name that, and it stays."


def restart_reasons(rows: Sequence[Row], cards: Sequence[Card], now: GuestReading) -> tuple[str, ...]:
    """Why a running guest has to be restarted for its changes; nothing when it has not."""
    if now.status != "running":
        return ()
    reasons = []
    if any(row["field"] in {"cores", "memory"} for row in rows):
        reasons.append("Cores and memory of a running guest change at its next start: it is restarted.")
    if now.kind == "vm" and not _plugged(rows) <= _hot(now):
        reasons.append("It takes no disks or cards while it runs (its hotplug option): it is restarted.")
    if now.kind == "vm" and any(_is_readdressed(card, now) for card in cards):
        reasons.append("A machine learns its addresses at its start: it is restarted.")
    return tuple(reasons)


def can_reboot(spec: GuestSpec, now: GuestReading) -> bool:
    """Whether its settings may be changed while it still runs, to take effect with a reboot. A machine whose hotplug option has
    processors or memory would take them at once, which can fail; a container always does, and memory that it gives back may cost
    it what runs."""
    if now.kind == "lxc":
        return spec.memory_bytes >= now.memory_bytes
    is_resized = (spec.cores, spec.memory_bytes) != (now.cores, now.memory_bytes)
    return not (is_resized and {"cpu", "memory"} & _hot(now))


def _is_readdressed(card: Card, now: GuestReading) -> bool:
    found = now.cards.get(card.slot)
    if found is None or not card.ip:
        return False
    return (found.ip or "dhcp", found.gateway) != (card.ip, card.gateway)


def _plugged(rows: Sequence[Row]) -> set[str]:
    """What of the changes is plugged in: disks that grow and addresses are not."""
    added = {row["field"].partition(" ")[0] for row in rows if row["field"].startswith("disk ") and not row["before"]}
    return added | {"network" for row in rows if row["field"].startswith("network")}


def _hot(now: GuestReading) -> set[str]:
    told = str(now.config.get("hotplug", "1"))
    return {"disk", "network"} if told == "1" else set(re.split(r"[,;\s]+", told))
