"""One machine as the Proxmox AI document writes it, nested. What nobody has told is null, and its key is there all the same."""

from datetime import datetime
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any

from pydantic import BaseModel

from vms.api.bodies import MIB, MachineSecurity, details_of, gigabytes, security_of
from vms.machines import public_id, standing
from vms.models import Guest, GuestDetails
from vms.operations.showing import statuses
from vms.scans.services import Security as Judged


class MachineDisk(BaseModel):
    """A disk; `disk_id` is its place in the config. `type` is ssd where it is presented as one."""

    disk_id: str
    size_gb: float
    type: str | None
    encrypted: bool | None
    mount_point: str | None
    storage: str | None


class MachineCard(BaseModel):
    """A network card; `interface` is its place in the config, `mode` says dhcp or static where that is known."""

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
    """What was last measured, and when."""

    cpu_usage_percent: float | None
    memory_usage_percent: float | None
    disk_usage_percent: float | None
    network_rx_mbps: float | None
    network_tx_mbps: float | None
    uptime_seconds: int | None
    measured_at: datetime


class MachineVulnerabilities(BaseModel):
    """Open findings by severity."""

    critical: int
    high: int
    medium: int
    low: int


class MachineSecurityDetail(MachineSecurity):
    """What is known of how it is protected."""

    ssh_key_auth: bool | None
    vulnerabilities: MachineVulnerabilities | None


class MachineBackup(BaseModel):
    """How it is backed up."""

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
        "configuration": _configuration(guest, details), "performance": _performance(guest),
        "security": security_of(details, judged) | {
            "ssh_key_auth": details.has_ssh_keys if details else None, "vulnerabilities": _vulnerabilities(judged),
        },
        "backup": dict.fromkeys(MachineBackup.model_fields), "created_at": guest.created_at, "updated_at": guest.changed_at,
        "tags": guest.tag_list, "os_type": (details and details.os_type) or None, "kind": guest.kind,
        "cluster": guest.cluster.slug, "node": guest.node, "last_status": stands.last_status,
        "status_since": stands.since, "seen_at": guest.seen_at, "details_read_at": details.read_at if details else None,
    }  # fmt: skip


def _vulnerabilities(judged: Judged | None) -> dict[str, int] | None:
    """Of the last scan; null for a machine that none has looked at."""
    return {name: judged.counts[name] for name in MachineVulnerabilities.model_fields} if judged else None


def _configuration(guest: Guest, details: GuestDetails | None) -> dict[str, Any]:
    return {
        "cpu_cores": guest.cores or None, "cpu_sockets": details.sockets if details else None,
        "memory_mb": guest.memory_bytes // MIB or None, "vmid": guest.vmid,
        "storage": [_disk(disk) for disk in details.disks] if details else None,
        "network": [_card(card, details.ip_address if number == 0 else "") for number, card in enumerate(details.cards)]
        if details else None,
    }  # fmt: skip


def _disk(disk: dict[str, Any]) -> dict[str, Any]:
    return {
        "disk_id": disk["place"], "size_gb": gigabytes(disk["bytes"]), "type": "ssd" if disk["is_ssd"] else None,
        "encrypted": None, "mount_point": disk["mount_point"], "storage": disk["storage"] or None,
    }  # fmt: skip


def _card(card: dict[str, Any], seen: str) -> dict[str, Any]:
    """The address is the one that was seen from within, or else the one that the config gives to it."""
    given = _interface(card["ip"])
    address = seen or (str(given.ip) if given else "")
    return {
        "interface": card["place"], "ip_address": address or None, "subnet": str(given.network) if given else None,
        "gateway": card["gateway"] or None, "vlan_id": card["vlan"], "bridge": card["bridge"] or None,
        "mac_address": card["mac"] or None, "mode": "static" if given else card["ip"] or None,
    }  # fmt: skip


def _interface(text: str) -> IPv4Interface | IPv6Interface | None:
    try:
        return ip_interface(text)
    except ValueError:
        return None


def _performance(guest: Guest) -> dict[str, Any]:
    """Figures of the last reading; of a machine that is off there are none."""
    is_on = guest.status in {"running", "paused"}
    share = guest.memory_used / guest.memory_bytes if guest.memory_bytes else None
    return {
        "cpu_usage_percent": round(guest.cpu_load * 100, 1) if is_on else None,
        "memory_usage_percent": round(share * 100, 1) if is_on and share is not None else None,
        "disk_usage_percent": None, "network_rx_mbps": None, "network_tx_mbps": None,
        "uptime_seconds": guest.uptime if is_on else None, "measured_at": guest.seen_at,
    }  # fmt: skip
