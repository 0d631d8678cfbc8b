"""Reading a whole cluster."""

import re
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from vms.models import GuestKind
from vms.proxmox.answers import Refusal, clean, mapping, number, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.readings import ClusterReading, GuestRow, NodeReading, OsTemplate, StorageReading

MOST_TEMPLATES = 50
_DISK = re.compile(r"(ide|scsi|virtio|sata|efidisk|tpmstate)\d+")
KINDS = {"qemu": GuestKind.VM.value, "lxc": GuestKind.LXC.value}
TYPES = {kind: name for name, kind in KINDS.items()}


def read_resources(api: Api) -> list[dict[str, Any]]:
    """Everything of the cluster in one call. Raises Unknown, Refusal."""
    return rows(api.get("cluster", "resources"), "cluster resources")


def guest_rows(resources: list[dict[str, Any]]) -> list[GuestRow]:
    """The guests among them, by number. Raises Unknown."""
    found = [_guest(row) for row in resources if row.get("type") in KINDS]
    return sorted(found, key=lambda row: row.vmid)


def list_guests(api: Api) -> list[GuestRow]:
    """All guests of the cluster. Raises Unknown, Refusal."""
    return guest_rows(rows(api.get("cluster", "resources", type="vm"), "guests"))


def _guest(row: dict[str, Any]) -> GuestRow:
    """How full its disks are a machine's row does not tell: it says 0 then."""
    return GuestRow(
        vmid=whole(row, "vmid"), kind=KINDS[row["type"]], node=text(row, "node"), name=clean(text(row, "name"), 128),
        status=clean(text(row, "status", "unknown"), 16), is_template=bool(whole(row, "template")),
        cores=whole(row, "maxcpu"), memory_bytes=whole(row, "maxmem"), disk_bytes=whole(row, "maxdisk"),
        memory_used=whole(row, "mem"), cpu_load=round(number(row, "cpu"), 4), uptime=whole(row, "uptime"),
        tags=clean(text(row, "tags"), 500), lock=clean(text(row, "lock"), 32),
        disk_used=_told(row, "disk") or None, net_in=_told(row, "netin"), net_out=_told(row, "netout"),
    )  # fmt: skip


def _told(row: dict[str, Any], name: str) -> int | None:
    return whole(row, name) if row.get(name) is not None else None


def _node(row: dict[str, Any]) -> NodeReading:
    return NodeReading(
        name=text(row, "node"), is_online=text(row, "status") == "online", cores=whole(row, "maxcpu"),
        memory_bytes=whole(row, "maxmem"), memory_used=whole(row, "mem"), cpu_load=round(number(row, "cpu"), 4),
        uptime=whole(row, "uptime"),
    )  # fmt: skip


def node_rows(resources: list[dict[str, Any]]) -> list[NodeReading]:
    """The nodes among them, by name. Raises Unknown."""
    return sorted((_node(row) for row in resources if row.get("type") == "node"), key=lambda node: node.name)


def storage_rows(resources: list[dict[str, Any]]) -> list[StorageReading]:
    """The storages among them, by node and name. Raises Unknown."""
    found = [_storage(row) for row in resources if row.get("type") == "storage"]
    return sorted(found, key=lambda one: (one.node, one.name))


def _storage(row: dict[str, Any]) -> StorageReading:
    total = whole(row, "maxdisk")
    return StorageReading(
        name=text(row, "storage"), node=text(row, "node"), plugin=text(row, "plugintype"),
        content=frozenset(part for part in text(row, "content").split(",") if part),
        is_shared=bool(whole(row, "shared")), is_active=text(row, "status") == "available",
        total_bytes=total, free_bytes=max(0, total - whole(row, "disk")),
    )  # fmt: skip


def read(api: Api, pulse: Callable[[], None] = lambda: None) -> ClusterReading:
    """The whole cluster; `pulse` is called between calls, for those who hold a lease. Raises Unknown, Refusal."""
    resources = read_resources(api)
    guests = guest_rows(resources)
    nodes, storages = node_rows(resources), storage_rows(resources)
    bridges: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        if node.is_online:
            pulse()
            bridges[node.name] = _bridges(api, node.name)
    return ClusterReading(
        version=text(mapping(api.get("version"), "version"), "version"),
        nodes=tuple(nodes),
        storages=tuple(storages),
        templates=tuple(row for row in guests if row.is_template),
        guests=tuple(row for row in guests if not row.is_template),
        bridges=bridges,
        ostemplates=_ostemplates(api, storages, {node.name for node in nodes if node.is_online}, pulse),
        at=timezone.now(),
        shared_templates=_shared_templates(api, guests, nodes, storages, pulse),
    )


def _shared_templates(
    api: Api,
    guests: list[GuestRow],
    nodes: list[NodeReading],
    storages: list[StorageReading],
    pulse: Callable[[], None],
) -> frozenset[int]:
    """Templates of VMs that other nodes reach; where no storage is shared, nobody need be asked."""
    shared = {storage.name for storage in storages if storage.is_shared and "images" in storage.content}
    online = {node.name for node in nodes if node.is_online}
    asked = [row for row in guests if row.is_template and row.kind == "vm" and row.node in online] if shared else []
    found = set()
    for row in asked[:MOST_TEMPLATES]:
        pulse()
        used = _storages_of(api, row)
        if used and used <= shared:
            found.add(row.vmid)
    return frozenset(found)


def _storages_of(api: Api, row: GuestRow) -> set[str]:
    """The storages on which the disks of a template lie; none when its config may not be read."""
    try:
        config = mapping(api.get("nodes", row.node, "qemu", row.vmid, "config"), "config")
    except Refusal:
        return set()
    disks = [text(config, name) for name in config if _DISK.fullmatch(name)]
    return {disk.partition(":")[0] for disk in disks if "media=cdrom" not in disk}


def _bridges(api: Api, node: str) -> tuple[str, ...]:
    """Its own bridges first: the first one is the usual one, whatever virtual networks there are."""
    found = [row for row in rows(api.get("nodes", node, "network", type="any_bridge"), "networks") if row.get("iface")]
    return tuple(
        text(row, "iface") for row in sorted(found, key=lambda row: (text(row, "type") == "vnet", row["iface"]))
    )


def _ostemplates(
    api: Api, storages: list[StorageReading], online: set[str], pulse: Callable[[], None]
) -> tuple[OsTemplate, ...]:
    found: list[OsTemplate] = []
    for storage in storages:
        if "vztmpl" in storage.content and storage.is_active and storage.node in online:
            pulse()
            path = ("nodes", storage.node, "storage", storage.name, "content")
            found += [_ostemplate(row, storage) for row in rows(api.get(*path, content="vztmpl"), "templates")]
    return tuple(sorted(found, key=lambda one: (one.volid, one.node)))


def _ostemplate(row: dict[str, Any], storage: StorageReading) -> OsTemplate:
    return OsTemplate(volid=text(row, "volid"), node=storage.node, storage=storage.name, size_bytes=whole(row, "size"))
