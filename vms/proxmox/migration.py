"""What stands in the way of a guest's move to another node, as the cluster tells it before anybody tries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vms.proxmox import tasks
from vms.proxmox.answers import Refusal, clean, mapping, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.guests import path
from vms.proxmox.readings import GuestReading

_WHY = {
    "unavailable_storages": "it does not have the storage", "unavailable-resources": "it does not have the device",
    "blocking-ha-resources": "high availability keeps it away from",
}  # fmt: skip
_SIGNS = ("can't migrate", "ERROR:", "can't live migrate")


@dataclass(frozen=True, kw_only=True)
class Way:
    """What was read. `cores` and `free_bytes` (of memory) are the node's, None where nobody tells; `disks` are attached disks
    that only its node sees, `images` are CDs in its drives of which that holds, `devices` hardware that it is tied to, and
    `refused` says why the other node cannot take it."""

    is_online: bool
    cores: int | None
    free_bytes: int | None
    is_managed: bool
    disks: tuple[str, ...]
    images: tuple[str, ...]
    devices: tuple[str, ...]
    refused: tuple[str, ...]


def read(api: Api, guest: GuestReading, target: str) -> Way:
    """The way of a guest to a node. Raises Unknown, Refusal."""
    node = next((row for row in rows(api.get("nodes"), "nodes") if text(row, "node") == target), {})
    memory = whole(node, "maxmem")
    current = mapping(api.get(*path(guest), "status", "current"), "status")
    told = mapping(api.get(*path(guest), "migrate"), "migration") if guest.kind == "vm" else {}
    return Way(
        is_online=text(node, "status") == "online", cores=whole(node, "maxcpu") or None,
        free_bytes=max(0, memory - whole(node, "mem")) if memory else None,
        is_managed=bool(whole(mapping(current.get("ha") or {}, "ha"), "managed")), **_told(told, target),
    )  # fmt: skip


def _told(told: Mapping[str, Any], target: str) -> dict[str, tuple[str, ...]]:
    """What Proxmox's own look at the way says. Of containers it has none before version 9, and then one at high availability."""
    local = rows(told.get("local_disks") or [], "local disks")
    refused = mapping(told.get("not_allowed_nodes") or {}, "nodes")
    return {
        "disks": tuple(_named(row) for row in local if not whole(row, "cdrom") and not whole(row, "is_unused")),
        "images": tuple(_volume(row) for row in local if whole(row, "cdrom") and "cloudinit" not in _volume(row)),
        "devices": tuple(clean(name, 60) for name in told.get("local_resources") or ()),
        "refused": tuple(_reasons(mapping(refused.get(target) or {}, "node"))),
    }


def _volume(row: Mapping[str, Any]) -> str:
    return clean(text(row, "volid"), 120)


def _named(row: Mapping[str, Any]) -> str:
    return f"{clean(text(row, 'drivename'), 20)} ({_volume(row)})".strip()


def _reasons(told: Mapping[str, Any]) -> Iterator[str]:
    for name, found in told.items():
        if found:
            things = found if isinstance(found, list) else [found]
            named = sorted(clean(one.get("sid", one) if isinstance(one, dict) else one, 60) for one in things)
            yield f"{_WHY.get(name, clean(name, 40))} {', '.join(named)}"


def complaints(api: Api, upid: str) -> str:
    """What the log of a failed move says was in its way; empty when it cannot be read. Raises Unknown."""
    try:
        lines = [line for _, line in tasks.log(api, upid, 0, 500)]
    except Refusal:
        return ""
    return "; ".join(dict.fromkeys(_without_time(line) for line in lines if any(sign in line for sign in _SIGNS)))[:600]


def _without_time(line: str) -> str:
    """Lines of a move begin with the day and the time."""
    day, _, rest = line.partition(" ")
    return rest.partition(" ")[2] if len(day) == 10 and day[4] == "-" else line
