"""Machines as the Proxmox AI document writes them. What nobody has told is null, and its key is there all the same."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from vms.machines import public_id, standing
from vms.models import Cluster, Guest, GuestDetails
from vms.scans.services import Security as Judged

MIB, GIB = 1024**2, 1024**3


class MachineSecurity(BaseModel):
    """What is known of how a machine is protected."""

    encrypted: bool | None
    firewall_enabled: bool | None
    last_security_scan: datetime | None
    compliance_score: float | None


class MachineRow(BaseModel):
    """A machine in a list. Its status is `unknown` while its cluster is out of reach; then `last_status` and
    `status_since` say how it was seen last."""

    id: str
    name: str
    status: str
    environment: str | None
    cpu_cores: int | None
    memory_mb: int | None
    storage_gb: float | None
    ip_address: str | None
    os_type: str | None
    created_at: datetime | None
    updated_at: datetime
    tags: list[str]
    security: MachineSecurity
    kind: str
    vmid: int
    cluster: str
    node: str
    last_status: str | None
    status_since: datetime | None
    seen_at: datetime


def row_of(guest: Guest, cluster: Cluster, judged: Judged | None = None) -> dict[str, Any]:
    """A machine in a list."""
    details = details_of(guest)
    stands = standing(guest, cluster)
    return {
        "id": public_id(guest), "name": guest.name, "status": stands.status,
        "environment": guest.environment.slug if guest.environment else None, "cpu_cores": guest.cores or None,
        "memory_mb": guest.memory_bytes // MIB or None, "storage_gb": gigabytes(_disks(guest)) or None,
        "ip_address": (details and details.ip_address) or None, "os_type": (details and details.os_type) or None,
        "created_at": guest.created_at, "updated_at": guest.changed_at, "tags": guest.tag_list,
        "security": security_of(cluster, details, judged), "kind": guest.kind, "vmid": guest.vmid, "cluster": cluster.slug,
        "node": guest.node, "last_status": stands.last_status, "status_since": stands.since, "seen_at": guest.seen_at,
    }  # fmt: skip


def details_of(guest: Guest) -> GuestDetails | None:
    """What was read of it closely, if it was."""
    return getattr(guest, "details", None)


def _disks(guest: Guest) -> int:
    """Bytes of all its disks; the list of a cluster knows the first one alone."""
    details = details_of(guest)
    return sum(disk["bytes"] for disk in details.disks) if details and details.disks else guest.disk_bytes


def security_of(cluster: Cluster, details: GuestDetails | None, judged: Judged | None = None) -> dict[str, Any]:
    """Proxmox tells of the firewall, an operator which storages encrypt, a scan the rest."""
    return {
        "encrypted": is_encrypted(cluster, details), "firewall_enabled": details.firewall_enabled if details else None,
        "last_security_scan": judged.scanned_at if judged else None, "compliance_score": judged.score if judged else None,
    }  # fmt: skip


def is_encrypted(cluster: Cluster, details: GuestDetails | None) -> bool | None:
    """Whether all disks lie on storages that encrypt; None when that is not known, and for a machine without disks."""
    known = {cluster.encrypts(disk["storage"]) for disk in details.disks} if details else set()
    return None if None in known or not known else False not in known


def gigabytes(size: int) -> float:
    """Bytes as GiB, whole where they are."""
    value = round(size / GIB, 2)
    return int(value) if value.is_integer() else value
