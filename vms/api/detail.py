"""One machine as the Proxmox AI document writes it, nested. What nobody has told is null, and its key is there all the same."""

from datetime import datetime
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any

from pydantic import BaseModel

from vms.api.bodies import MIB, MachineSecurity, details_of, gigabytes, security_of
from vms.api.units import megabits
from vms.backups import listing
from vms.machines import public_id, standing
from vms.metrics import percent
from vms.models import Cluster, Guest, GuestDetails
from vms.operations.showing import statuses
from vms.scans.services import Security as Judged


class MachineDisk(BaseModel):
    """A disk; `disk_id` is its place in the config. `type` is ssd where it is presented as one. `mount_point` is where the guest
    agent says that it is mounted, or the config of a container."""

    disk_id: str
    size_gb: float
    type: str | None
    encrypted: bool | None
    mount_point: str | None
    storage: str | None


class MachineCard(BaseModel):
    """A network card; `interface` is its place in the config, `mode` says dhcp or static where that is known. Address and subnet
    are those that the guest itself tells, or else those that its config gives to it."""

    interface: str
    ip_address: str | None
    subnet: str | None
    gateway: str | None
    vlan_id: int | None
    bridge: str | None
    mac_address: str | None
    mode: str | None


class MachineConfiguration(BaseModel):
    """What it is made of."""

    cpu_cores: int | None
    cpu_sockets: int | None
    memory_mb: int | None
    storage: list[MachineDisk] | None
    network: list[MachineCard] | None
    vmid: int


class MachinePerformance(BaseModel):
    """What was last measured, and when. The disks of a machine are measured by its guest agent, at `disk_measured_at`."""

    cpu_usage_percent: float | None
    memory_usage_percent: float | None
    disk_usage_percent: float | None
    network_rx_mbps: float | None
    network_tx_mbps: float | None
    uptime_seconds: int | None
    measured_at: datetime
    disk_measured_at: datetime | None


class MachineVulnerabilities(BaseModel):
    """Open findings by severity."""

    critical: int
    high: int
    medium: int
    low: int


class MachineSecurityDetail(MachineSecurity):
    """What is known of how it is protected. `ssh_key_auth` is true where cloud-init gives it keys, and null elsewhere: nobody tells
    which keys its system takes besides."""

    ssh_key_auth: bool | None
    vulnerabilities: MachineVulnerabilities | None


class MachineBackup(BaseModel):
    """How it is backed up; `schedule` is null where nobody told, or a job for many guests does it."""

    enabled: bool | None
    schedule: str | None
    retention_days: int | None
    last_backup: datetime | None
    backup_size_gb: float | None


class MachineDetail(BaseModel):
    """A machine. `configuration` and `description` are as its config was last read, at `details_read_at`."""

    id: str
    name: str
    description: str | None
    status: str
    environment: str | None
    configuration: MachineConfiguration
    performance: MachinePerformance
    security: MachineSecurityDetail
    backup: MachineBackup
    created_at: datetime | None
    updated_at: datetime
    tags: list[str]
    os_type: str | None
    kind: str
    cluster: str
    node: str
    last_status: str | None
    status_since: datetime | None
    seen_at: datetime
    details_read_at: datetime | None


class OneMachine(BaseModel):
    """A machine."""

    vm: MachineDetail


def detail_of(guest: Guest, judged: Judged | None = None) -> dict[str, Any]:
    """A machine on its own."""
    details, stands = details_of(guest), standing(guest, guest.cluster)
    return {
        "id": public_id(guest), "name": guest.name, "description": details.description if details else None,
        "status": statuses([guest]).get(guest.pk, stands.status), "environment": guest.environment.slug if guest.environment else None,
        "configuration": _configuration(guest, details), "performance": _performance(guest, details),
        "security": security_of(guest.cluster, details, judged) | {
            "ssh_key_auth": details.has_ssh_keys if details else None, "vulnerabilities": _vulnerabilities(judged),
        },
        "backup": _backup(listing.saved(guest)), "created_at": guest.created_at, "updated_at": guest.changed_at,
        "tags": guest.tag_list, "os_type": (details and details.os_type) or None, "kind": guest.kind,
        "cluster": guest.cluster.slug, "node": guest.node, "last_status": stands.last_status,
        "status_since": stands.since, "seen_at": guest.seen_at, "details_read_at": details.read_at if details else None,
    }  # fmt: skip


def _backup(saved: listing.Saved) -> dict[str, Any]:
    """By a job of its own, or by one of the cluster; and what was last seen on a storage."""
    return {
        "enabled": saved.is_enabled, "schedule": saved.schedule or None, "retention_days": saved.retention_days,
        "last_backup": saved.last_at, "backup_size_gb": None if saved.size_bytes is None else gigabytes(saved.size_bytes),
    }  # fmt: skip


def _vulnerabilities(judged: Judged | None) -> dict[str, int] | None:
    """Of the last scan; null for a machine that none has looked at."""
    return {name: judged.counts[name] for name in MachineVulnerabilities.model_fields} if judged else None


def _configuration(guest: Guest, details: GuestDetails | None) -> dict[str, Any]:
    return {
        "cpu_cores": guest.cores or None, "cpu_sockets": details.sockets if details else None,
        "memory_mb": guest.memory_bytes // MIB or None, "vmid": guest.vmid,
        "storage": [_disk(disk, guest.cluster, _mounts(details)) for disk in details.disks] if details else None,
        "network": [_card(card, details.ip_address if number == 0 else "") for number, card in enumerate(details.cards)]
        if details else None,
    }  # fmt: skip


def _mounts(details: GuestDetails) -> dict[str, str]:
    """Where each disk is mounted, the place nearest to the root."""
    told = [(one["disk"], one["mount_point"]) for one in details.file_systems or () if one["disk"]]
    return dict(sorted(told, key=lambda one: -len(one[1])))


def _disk(disk: dict[str, Any], cluster: Cluster, mounts: dict[str, str]) -> dict[str, Any]:
    return {
        "disk_id": disk["place"], "size_gb": gigabytes(disk["bytes"]), "type": "ssd" if disk["is_ssd"] else None,
        "encrypted": cluster.encrypts(disk["storage"]), "mount_point": disk["mount_point"] or mounts.get(disk["place"]), "storage": disk["storage"] or None,
    }  # fmt: skip


def _card(card: dict[str, Any], first: str) -> dict[str, Any]:
    """`first` is an address that was seen of the machine before it was known of which card, and how wide its network is."""
    told = _told(card)
    address = first if first and "seen" not in card else str(told.ip) if told else ""
    return {
        "interface": card["place"], "ip_address": address or None, "subnet": str(told.network) if told else None,
        "gateway": card["gateway"] or None, "vlan_id": card["vlan"], "bridge": card["bridge"] or None,
        "mac_address": card["mac"] or None, "mode": "static" if _interface(card["ip"]) else card["ip"] or None,
    }  # fmt: skip


def _told(card: dict[str, Any]) -> IPv4Interface | IPv6Interface | None:
    """The address that the guest itself tells, or else the one that its config gives to it."""
    texts = [*card.get("seen", ()), card["ip"]]
    return next((found for text in texts if (found := _interface(text)) is not None), None)


def _interface(text: str) -> IPv4Interface | IPv6Interface | None:
    try:
        return ip_interface(text)
    except ValueError:
        return None


def _performance(guest: Guest, details: GuestDetails | None) -> dict[str, Any]:
    """Figures of the last reading; of a machine that is off there are none."""
    is_on = guest.status in {"running", "paused"}
    disk, disk_at = _disk_usage(guest, details) if is_on else (None, None)
    return {
        "cpu_usage_percent": round(guest.cpu_load * 100, 1) if is_on else None,
        "memory_usage_percent": percent(guest.memory_used, guest.memory_bytes) if is_on else None,
        "disk_usage_percent": disk, "network_rx_mbps": megabits(guest.rx_rate) if is_on else None,
        "network_tx_mbps": megabits(guest.tx_rate) if is_on else None, "uptime_seconds": guest.uptime if is_on else None,
        "measured_at": guest.seen_at, "disk_measured_at": disk_at,
    }  # fmt: skip


def _disk_usage(guest: Guest, details: GuestDetails | None) -> tuple[float | None, datetime | None]:
    """How full it is, and when that was measured: of a container Proxmox knows it, of a machine its agent."""
    if guest.kind == "lxc":
        used = percent(guest.disk_used, guest.disk_bytes)
        return used, None if used is None else guest.seen_at
    mounted = details.file_systems if details else None
    if not mounted or details is None:
        return None, None
    used = percent(sum(one["used_bytes"] for one in mounted), sum(one["bytes"] for one in mounted))
    return used, details.file_systems_read_at
