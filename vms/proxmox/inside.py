"""What answers from within a guest: its system, its addresses, its file systems. What nobody tells is empty or None."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any, TypeVar

from alma.jobs.kinds import Unknown
from vms.proxmox import agent, guests
from vms.proxmox.answers import Refusal, clean, mapping, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.readings import GuestReading

T = TypeVar("T")
MOST_FILE_SYSTEMS = 60
_SYSTEM = re.compile(r"[^A-Za-z0-9._-]+")
_SERIAL = re.compile(r"drive-((?:scsi|sata|ide|virtio)\d+)$")
_NO_DISKS = frozenset(
    {"squashfs", "iso9660", "udf", "cdfs", "overlay", "tmpfs", "ramfs", "erofs", "nfs", "nfs4", "cifs"}
)
"""File systems that say nothing of how full a disk is: they are always full, or lie elsewhere."""
Addresses = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What a guest tells of itself. `addresses` are by MAC in capitals, with the width of their network, those of version 4
    first. `file_systems` are {mount_point, bytes, used_bytes, disk}, where `disk` is a place of the config or None."""

    system: str = ""
    addresses: Addresses = field(default_factory=dict)
    file_systems: list[dict[str, Any]] | None = None

    @property
    def first_address(self) -> str:
        """The first that leads anywhere, of version 4 if there is one, without its width."""
        found = sorted((one for some in self.addresses.values() for one in some), key=lambda one: ":" in one)
        return found[0].partition("/")[0] if found else ""


def read(api: Api, reading: GuestReading) -> Inside:
    """Ask a guest that runs, in up to three calls; who is silent or may not be asked tells nothing. Raises Unknown."""
    if reading.status != "running":
        return Inside()
    if reading.kind == "lxc":
        return Inside(addresses=_understood(_of_container, _asked(api, reading, "interfaces"), {}))
    system = _asked(api, reading, "agent", "get-osinfo") if agent.is_configured(reading) else None
    if system is None:
        return Inside()
    mounted = _asked(api, reading, "agent", "get-fsinfo")
    return Inside(
        system=_understood(_system, system, ""),
        addresses=_understood(_of_machine, _asked(api, reading, "agent", "network-get-interfaces"), {}),
        file_systems=_understood(partial(_file_systems, reading), mounted, None),
    )  # fmt: skip


def _asked(api: Api, reading: GuestReading, *path: str) -> Any:
    """What a guest answers, None when it does not. Raises Unknown."""
    try:
        told = api.get(*guests.path(reading), *path)
    except Refusal:
        return None
    return told.get("result") if path[0] == "agent" and isinstance(told, dict) else told


def _understood(read: Callable[[Any], T], told: Any, nothing: T) -> T:
    """The words of a guest are its owner's: what makes no sense is as good as nothing, and no fault of the cluster."""
    try:
        return nothing if told is None else read(told)
    except Unknown:
        return nothing


def _system(found: Any) -> str:
    """`ubuntu-22.04`, `windows-server-2019`"""
    about = mapping(found, "system")
    if text(about, "id") == "mswindows":
        about = {**about, "id": "windows-server" if text(about, "variant-id") == "server" else "windows"}
    parts = [_SYSTEM.sub("-", text(about, name)) for name in ("id", "version-id")]
    return "-".join(part for part in parts if part)[:64]


# -- addresses ------------------------------------------------------------------------------------
def _of_machine(listed: Any) -> Addresses:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows(listed, "interfaces"):
        told = rows(row.get("ip-addresses") or [], "addresses")
        usable = _usable(f"{text(one, 'ip-address')}/{text(one, 'prefix')}".rstrip("/") for one in told)
        mac = text(row, "hardware-address").upper()
        found[mac] = found.get(mac, ()) + usable
    return found


def _of_container(listed: Any) -> Addresses:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows(listed, "interfaces"):
        mac = (text(row, "hwaddr") or text(row, "hardware-address")).upper()
        found[mac] = found.get(mac, ()) + _usable(text(row, name) for name in ("inet", "inet6"))
    return found


def _usable(given: Iterable[str]) -> tuple[str, ...]:
    """Those that lead anywhere, of version 4 first."""
    found = [interface for one in given if (interface := leading(one)) is not None]
    return tuple(str(one) for one in sorted(found, key=lambda one: one.version))


def leading(given: str) -> IPv4Interface | IPv6Interface | None:
    """An address that leads anywhere beyond the guest and its wire."""
    try:
        found = ip_interface(given.partition("%")[0] if "%" in given else given)
    except ValueError:
        return None
    return None if found.ip.is_link_local or found.ip.is_loopback else found


# -- file systems ---------------------------------------------------------------------------------
def _file_systems(reading: GuestReading, mounted: Any) -> list[dict[str, Any]]:
    """Each device once, however often it is mounted: where it is mounted first."""
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(rows(mounted, "file systems"), key=_depth):
        if text(row, "type").lower() in _NO_DISKS or not whole(row, "total-bytes"):
            continue
        found.setdefault(text(row, "name") or text(row, "mountpoint"), {
            "mount_point": clean(text(row, "mountpoint"), 200), "bytes": whole(row, "total-bytes"),
            "used_bytes": whole(row, "used-bytes"), "disk": _disk_of(row, reading),
        })  # fmt: skip
    return list(found.values())[:MOST_FILE_SYSTEMS]


def _depth(row: Mapping[str, Any]) -> tuple[int, str]:
    where = text(row, "mountpoint")
    return len(where), where


def _disk_of(row: Mapping[str, Any], reading: GuestReading) -> str | None:
    """The disk that a file system lies on; None when it lies on several, or nobody tells."""
    places = {_place(disk, reading) for disk in rows(row.get("disk") or [], "disks")}
    if len(reading.disks) == 1 and len(places) <= 1:
        return next(iter(reading.disks))
    return places.pop() if len(places) == 1 else None


def _place(disk: Mapping[str, Any], reading: GuestReading) -> str | None:
    """By the serial number that QEMU gives, or by the address on the bus; a virtio disk without a serial has neither."""
    serial = _SERIAL.search(text(disk, "serial"))
    place = serial[1] if serial else _by_address(disk, text(reading.config, "scsihw"))
    return place if place in reading.disks else None


def _by_address(disk: Mapping[str, Any], controller: str) -> str | None:
    """Proxmox puts scsiN at unit N of a virtio controller, sataN at bus N, and two ide disks at each bus."""
    bus = text(disk, "bus-type").lower()
    if bus == "scsi" and controller.startswith("virtio-scsi"):
        return f"scsi{whole(disk, 'unit')}"
    if bus == "sata":
        return f"sata{whole(disk, 'bus')}"
    return f"ide{whole(disk, 'bus') * 2 + whole(disk, 'unit')}" if bus == "ide" else None
