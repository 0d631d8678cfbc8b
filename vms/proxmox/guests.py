"""One guest: finding it, reading it closely, and what can be done to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from alma.jobs.kinds import Unknown
from vms.models import MARKER, Guest, GuestClaim
from vms.proxmox.answers import Refusal, Verdict, clean, mapping, number, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.cluster import TYPES, list_guests
from vms.proxmox.readings import CardReading, GuestReading, GuestRow
from vms.proxmox.values import MIB, parse_properties, parse_size, parse_tags

_DISK = re.compile(r"(ide|scsi|virtio|sata)\d+|rootfs|mp\d+")
_CARD = re.compile(r"net\d+")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_ORDER = ("rootfs", "ide", "scsi", "virtio", "sata")
UNFINISHED = frozenset({"create", "clone"})
"""Locks of a guest that is being made; its description may still be to come."""


class Seen(StrEnum):
    """Whose guest has a number, if there is one."""

    ABSENT = "absent"
    OURS = "ours"
    FOREIGN = "foreign"
    LOCKED = "locked"


@dataclass(frozen=True)
class Observation:
    """What stands behind a ledger row. The reading is there unless ABSENT."""

    seen: Seen
    reading: GuestReading | None = None


def observe(api: Api, claim: GuestClaim, *, is_new: bool = False) -> Observation:
    """Look for the guest of a ledger row, wherever it is. Of a new number only whether it is free is asked at first: to
    ask for its config would cost the connection, which Proxmox closes after a refusal. Raises Unknown, Refusal."""
    if is_new and _is_free(api, claim.vmid):
        return Observation(Seen.ABSENT)
    reading = find(api, claim)
    if reading is None:
        return Observation(Seen.ABSENT)
    is_ours = reading.marker == claim.marker
    if reading.lock and (is_ours or reading.lock in UNFINISHED):
        return Observation(Seen.LOCKED, reading)
    return Observation(Seen.OURS if is_ours else Seen.FOREIGN, reading)


def find(api: Api, claim: GuestClaim) -> GuestReading | None:
    """The guest with the row's number; None only when the whole cluster has no such number. Raises Unknown, Refusal.

    For a number that is only reserved, None also when whoever has it may not be seen by us: then it is not ours."""
    try:
        return _read(api, vmid=claim.vmid, kind=claim.kind, node=claim.node)
    except Refusal as error:
        if error.verdict != Verdict.ABSENT and error.status != 403:
            raise
    return None if _is_free(api, claim.vmid) else _elsewhere(api, claim)


def _is_free(api: Api, vmid: int) -> bool:
    """Whether the cluster has no guest of this number, those that we may not see included. Raises Unknown, Refusal."""
    try:
        return str(api.get("cluster", "nextid", vmid=vmid)) == str(vmid)
    except Refusal as error:
        if error.status == 400:
            return False
        raise


def _elsewhere(api: Api, claim: GuestClaim) -> GuestReading | None:
    """The guest on the node that the cluster's list names. Raises Unknown, Refusal."""
    row = next((row for row in list_guests(api) if row.vmid == claim.vmid), None)
    if row is None:
        if claim.state == GuestClaim.State.RESERVED:
            return None
        raise Unknown(f"VMID {claim.vmid} exists, but the token may not see it.")
    try:
        return _read(api, vmid=row.vmid, kind=row.kind, node=row.node)
    except Refusal as error:
        raise Unknown(f"Guest {claim.vmid} is listed on {row.node}, but not found there.") from error


def find_closely(api: Api, claim: GuestClaim) -> GuestReading | None:
    """The same, with what still waits for the next start. Raises Unknown, Refusal."""
    reading = find(api, claim)
    if reading is None or reading.status != "running":
        return reading
    return replace(reading, pending=read_pending(api, reading))


def path(reading: "GuestReading | GuestClaim") -> tuple[str | int, ...]:
    """Where a guest lies in the API."""
    return ("nodes", reading.node, TYPES[reading.kind], reading.vmid)


def _read(api: Api, *, vmid: int, kind: str, node: str) -> GuestReading:
    here = ("nodes", node, TYPES[kind], vmid)
    config = mapping(api.get(*here, "config"), "config")
    try:
        status = text(mapping(api.get(*here, "status", "current"), "status"), "status", "unknown")
    except Refusal as error:
        raise Unknown(f"Guest {vmid} went while it was read.") from error
    return interpret(config, vmid=vmid, kind=kind, node=node, status=status)


def read_listed(api: Api, row: GuestRow | Guest) -> GuestReading | None:
    """A listed guest in one call, with the status that the list gave it; None when it is not there. Raises Unknown, Refusal."""
    try:
        config = mapping(api.get("nodes", row.node, TYPES[row.kind], row.vmid, "config"), "config")
    except Refusal as error:
        if error.verdict == Verdict.ABSENT:
            return None
        raise
    return interpret(config, vmid=row.vmid, kind=row.kind, node=row.node, status=row.status)


def read_marker(api: Api, row: GuestRow | Guest) -> str | None:
    """The marker of a listed guest, empty without one; None when it is gone. Raises Unknown, Refusal."""
    try:
        config = mapping(api.get("nodes", row.node, TYPES[row.kind], row.vmid, "config"), "config")
    except Refusal as error:
        if error.verdict == Verdict.ABSENT:
            return None
        raise
    return marker_of(text(config, "description"))


def read_pending(api: Api, reading: GuestReading) -> tuple[str, ...]:
    """Options that take effect at the next start only. Raises Unknown, Refusal."""
    found = rows(api.get(*path(reading), "pending"), "pending")
    return tuple(sorted(text(row, "key") for row in found if "pending" in row or row.get("delete")))


def interpret(config: Mapping[str, Any], *, vmid: int, kind: str, node: str, status: str) -> GuestReading:
    """A config in our terms. Raises Unknown when it cannot be understood."""
    disks = _disks(config)
    disk = _first_disk(config, disks)
    return GuestReading(
        vmid=vmid, kind=kind, node=node, status=clean(status, 16), config=config,
        name=clean(text(config, "hostname" if kind == "lxc" else "name"), 128),
        digest=text(config, "digest"), lock=clean(text(config, "lock"), 32), marker=marker_of(text(config, "description")),
        cores=whole(config, "cores", 1 if kind == "vm" else 0) * max(1, whole(config, "sockets", 1)),
        memory_bytes=_memory(config), disk=disk, disk_bytes=disks.get(disk, 0), disks=disks,
        tags=parse_tags(text(config, "tags")), cards=_cards(config), is_template=bool(whole(config, "template")),
    )  # fmt: skip


def _cards(config: Mapping[str, Any]) -> dict[str, CardReading]:
    names = sorted(name for name in config if _CARD.fullmatch(name))
    return {name: _card(text(config, name), text(config, f"ipconfig{name[3:]}")) for name in names}


def _card(net: str, address: str) -> CardReading:
    """A container says its address in the card, a machine beside it; the MAC stands at the model or by name."""
    parts = parse_properties(net)
    told = parse_properties(address) | parts
    mac = next((value for value in parts.values() if _MAC.fullmatch(value)), "")
    return CardReading(
        bridge=parts.get("bridge", ""), vlan=_whole(parts, "tag"), ip=told.get("ip") or told.get("ip6", ""),
        gateway=told.get("gw") or told.get("gw6", ""),
        mac=mac.upper(), mtu=_whole(parts, "mtu"), has_firewall=parts.get("firewall") == "1",
    )  # fmt: skip


def _whole(parts: Mapping[str, str], name: str) -> int | None:
    return int(number(parts, name)) if parts.get(name) else None


def marker_of(description: str) -> str:
    """The marker that a description begins with, or nothing."""
    first = description.split(maxsplit=1)[:1]
    return first[0] if first and first[0].startswith(MARKER) else ""


def _memory(config: Mapping[str, Any]) -> int:
    parts = parse_properties(text(config, "memory", "512"))
    return whole({"memory": parts.get("current") or parts.get("")}, "memory") * MIB


def _disks(config: Mapping[str, Any]) -> dict[str, int]:
    found = {}
    for name in config:
        if _DISK.fullmatch(name):
            parts = parse_properties(text(config, name))
            if parts.get("media") != "cdrom" and "cloudinit" not in parts.get("", "") and parts.get("size"):
                found[name] = parse_size(parts["size"])
    return found


def _first_disk(config: Mapping[str, Any], disks: Mapping[str, int]) -> str:
    order = parse_properties(text(config, "boot")).get("order", "").split(";")
    booted = next((name for name in order if name in disks), None)
    return booted or min(disks, key=_place, default="")


def _place(disk: str) -> tuple[int, int]:
    stem = disk.rstrip("0123456789")
    return (_ORDER.index(stem) if stem in _ORDER else len(_ORDER), int(disk[len(stem) :] or 0))
