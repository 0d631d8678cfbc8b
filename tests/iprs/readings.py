"""A cluster as a reading, for planning without one."""

from datetime import UTC, datetime
from typing import Any

from vms.services import (
    CardReading,
    ClusterReading,
    GuestReading,
    GuestRow,
    NodeReading,
    OsTemplate,
    OwnedGuest,
    StorageReading,
)

GIB = 1024**3


def node(name: str, *, memory: int = 64, used: int = 8, cores: int = 16, is_online: bool = True) -> NodeReading:
    return NodeReading(name=name, is_online=is_online, cores=cores, memory_bytes=memory * GIB, memory_used=used * GIB)


def storage(name: str, on: str, *, free: int = 500, is_shared: bool = False, content: str = "images rootdir") -> Any:
    return StorageReading(
        name=name, node=on, plugin="lvmthin", content=frozenset(content.split()), is_shared=is_shared, is_active=True,
        total_bytes=1000 * GIB, free_bytes=free * GIB,
    )  # fmt: skip


def template(vmid: int, name: str, on: str, *, disk: int = 8) -> GuestRow:
    return GuestRow(
        vmid=vmid, kind="vm", node=on, name=name, status="stopped", is_template=True, cores=1, memory_bytes=GIB,
        disk_bytes=disk * GIB, memory_used=0, cpu_load=0.0, uptime=0, tags="", lock="",
    )  # fmt: skip


def reading(**overrides: Any) -> ClusterReading:
    """Two nodes of 64 GiB, local storage, a Debian template on the first, a container image on both."""
    values: dict[str, Any] = {
        "version": "9.1",
        "nodes": (node("pve1"), node("pve2", used=16)),
        "storages": (storage("local-lvm", "pve1"), storage("local-lvm", "pve2")),
        "templates": (template(9000, "debian-12", "pve1"),),
        "guests": (),
        "bridges": {"pve1": ("vmbr0",), "pve2": ("vmbr0",)},
        "ostemplates": tuple(
            OsTemplate(
                volid="local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst", node=n, storage="local", size_bytes=1
            )
            for n in ("pve1", "pve2")
        ),
        "at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return ClusterReading(**{**values, **overrides})


def owned(key: str, **overrides: Any) -> OwnedGuest:
    """A running guest of 2 cores, 2 GiB, 20 GiB that ALMA owns; all its disks lie on local-lvm unless `config` says else."""
    about: dict[str, Any] = {"is_ours": True, "state": "live", "node": "pve1", "kind": "vm", "vmid": 5001}
    about |= {name: overrides.pop(name) for name in list(overrides) if name in about}
    if overrides.pop("gone", False):
        return OwnedGuest(claim_id="c", owner="o", key=key, reading=None, **about)
    values: dict[str, Any] = {
        "vmid": about["vmid"], "kind": about["kind"], "node": about["node"], "name": key, "status": "running",
        "config": {}, "digest": "d1", "lock": "", "marker": "c", "cores": 2, "memory_bytes": 2 * GIB, "disk": "scsi0",
        "disk_bytes": 20 * GIB, "disks": {"scsi0": 20 * GIB}, "tags": (), "cards": {"net0": CardReading(bridge="vmbr0")},
        "is_template": False,
    }  # fmt: skip
    values |= overrides
    values["config"] = {slot: f"local-lvm:vm-5001-{slot}" for slot in values["disks"]} | values["config"]
    return OwnedGuest(claim_id="c", owner="o", key=key, reading=GuestReading(**values), **about)
