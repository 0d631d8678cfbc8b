"""One guest read closely for those who look at it: its config, its firewall, its snapshots, and what answers from within."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vms.models import MARKER, Guest
from vms.proxmox import guests, inside, snapshots
from vms.proxmox.answers import Refusal, clean, mapping, text, whole
from vms.proxmox.client import Api
from vms.proxmox.inside import Addresses
from vms.proxmox.readings import CardReading, GuestReading
from vms.proxmox.snapshots import SnapshotReading
from vms.proxmox.values import parse_properties

MOST_TEXT = 8_000
MOST_ADDRESSES = 8
_CTIME = re.compile(r"\bctime=(\d{9,11})\b")


@dataclass(frozen=True, kw_only=True)
class Closely:
    """What a config and an agent tell. None where nobody told: `os_type` and `ip_address` are empty then."""

    description: str
    sockets: int | None
    os_type: str
    is_os_measured: bool
    """Whether the system itself said what it is, and not only its config."""
    ip_address: str
    firewall_enabled: bool | None
    has_ssh_keys: bool | None
    disks: list[dict[str, Any]]
    cards: list[dict[str, Any]]
    created_at: datetime | None
    file_systems: list[dict[str, Any]] | None = None
    snapshots: list[SnapshotReading] | None = None


def read_closely(api: Api, guest: Guest, *, has_firewall: bool | None) -> Closely | None:
    """A listed guest in three to six calls; None when it is gone. `has_firewall` is whether the cluster's is on, without which
    no guest's is. Raises Unknown, Refusal."""
    reading = guests.read_listed(api, guest)
    if reading is None:
        return None
    told = inside.read(api, reading)
    given = next((_bare(card.ip) for card in reading.cards.values()), "")
    config = reading.config
    return Closely(
        description=_described(text(config, "description")),
        sockets=whole(config, "sockets", 1) if reading.kind == "vm" else None,
        os_type=told.system or clean(text(config, "ostype"), 64), is_os_measured=bool(told.system),
        ip_address=told.first_address or given, firewall_enabled=_firewall(api, reading, has_firewall),
        has_ssh_keys=True if text(config, "sshkeys") else None,
        disks=[_disk(config, place, size) for place, size in sorted(reading.disks.items())],
        cards=[{"place": place, **_card(card, told.addresses)} for place, card in reading.cards.items()],
        created_at=_created(config), file_systems=told.file_systems, snapshots=_snapshots(api, reading),
    )  # fmt: skip


def cluster_firewall(api: Api) -> bool | None:
    """Whether the cluster's firewall is on; None when that may not be read. Raises Unknown."""
    try:
        return bool(whole(mapping(api.get("cluster", "firewall", "options"), "options"), "enable"))
    except Refusal:
        return None


def _firewall(api: Api, reading: GuestReading, has_firewall: bool | None) -> bool | None:
    """Whether packets to a guest are filtered: cluster, guest and each card have to say so."""
    if not has_firewall:
        return has_firewall
    try:
        options = mapping(api.get(*guests.path(reading), "firewall", "options"), "options")
    except Refusal:
        return None
    cards = reading.cards.values()
    return bool(whole(options, "enable")) and bool(cards) and all(card.has_firewall for card in cards)


def _snapshots(api: Api, reading: GuestReading) -> list[SnapshotReading] | None:
    """Its snapshots, None when they may not be seen. Raises Unknown."""
    try:
        return snapshots.read(api, reading)
    except Refusal:
        return None


def _bare(given: str) -> str:
    """An address without its width, if it leads anywhere."""
    found = inside.leading(given)
    return str(found.ip) if found else ""


def _described(description: str) -> str:
    """Without the mark that ALMA puts before it."""
    first, _, rest = description.partition("\n")
    return (rest if first.startswith(MARKER) else description).strip()[:MOST_TEXT]


def _disk(config: Mapping[str, Any], place: str, size: int) -> dict[str, Any]:
    parts = parse_properties(text(config, place))
    mount = "/" if place == "rootfs" else parts.get("mp")
    return {
        "place": place, "storage": clean(parts.get("", "").partition(":")[0], 100), "bytes": size,
        "is_ssd": parts.get("ssd") == "1", "mount_point": clean(mount, 200) if mount else None,
    }  # fmt: skip


def _card(card: CardReading, addresses: Addresses) -> dict[str, Any]:
    return {
        "bridge": clean(card.bridge, 64), "mac": card.mac, "ip": clean(card.ip, 64), "gateway": clean(card.gateway, 64),
        "vlan": card.vlan, "has_firewall": card.has_firewall,
        "seen": list(addresses.get(card.mac, ()))[:MOST_ADDRESSES],
    }  # fmt: skip


def _created(config: Mapping[str, Any]) -> datetime | None:
    """When a machine was made, which its config remembers; that of a container does not."""
    match = _CTIME.search(text(config, "meta"))
    return datetime.fromtimestamp(int(match[1]), UTC) if match else None
