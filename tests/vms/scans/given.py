"""Facts for the rules: a guest, a node and a cluster against which nothing can be said, and what is changed about them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from vms.scans.facts import (
    BackupFacts,
    ClusterFacts,
    Firewall,
    GuestFacts,
    NodeFacts,
    PasswordFacts,
    StorageFacts,
    SystemFacts,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MAC = "BC:24:11:00:00:01"
VM = {
    "scsi0": "safe:vm-101-disk-0,size=8G", "net0": f"virtio={MAC},bridge=vmbr0,firewall=1", "agent": "1", "ostype": "l26",
    "protection": 1, "ide2": "safe:vm-101-cloudinit,media=cdrom", "sshkeys": "ssh-ed25519%20AAAA", "bios": "ovmf",
    "cipassword": "**********", "efidisk0": "safe:vm-101-disk-1,pre-enrolled-keys=1", "tpmstate0": "safe:vm-101-disk-2,version=v2.0",
    "cores": 2, "memory": "2048", "description": "alma:1 the web server", "machine": "pc-q35-10.1",
}  # fmt: skip
CT = {
    "rootfs": "safe:vm-101-disk-0,size=8G", "net0": f"name=eth0,bridge=vmbr0,hwaddr={MAC},firewall=1,ip=dhcp", "unprivileged": 1,
    "cores": 2, "memory": 512, "protection": 1, "ostype": "debian",
}  # fmt: skip
FIREWALL = Firewall(
    options={"enable": 1}, rules=({"type": "in", "action": "ACCEPT", "enable": 1, "dport": "443", "pos": 0},)
)
SAFE = StorageFacts(name="safe", plugin="zfspool", is_encrypted=True, is_redundant=True)


def guest(kind: str = "vm", config: dict[str, Any] | None = None, **changes: Any) -> GuestFacts:
    """A guest that passes every rule; in `config` None takes an option away."""
    options = {**(CT if kind == "lxc" else VM), **(config or {})}
    facts = GuestFacts(
        now=NOW, kind=kind, node="pve1", vmid=101, status="running",
        config={name: value for name, value in options.items() if value is not None},
        firewall=FIREWALL, cluster_firewall={"enable": 1}, addresses={MAC: ("10.0.0.5",)}, agent_answers=True,
        system=SystemFacts(family="debian", version="13", name="Debian GNU/Linux 13"), password=PasswordFacts(is_plain=False, is_default=False),
        snapshots={"before": NOW - timedelta(days=2)}, is_in_backup_job=True,
        backups=(BackupFacts(at=NOW - timedelta(days=1), volume="pbs:backup/vm/101", is_encrypted=True),),
        storages={"safe": SAFE}, environment="production", is_protected_environment=True, node_cores=16, node_memory=64 * 2**30,
    )  # fmt: skip
    return replace(facts, **changes)


def unread(kind: str = "vm", vmid: int = 101) -> GuestFacts:
    """A guest of which nothing is known."""
    return GuestFacts(now=NOW, kind=kind, node="pve1", vmid=vmid)


def cluster(**changes: Any) -> ClusterFacts:
    """A cluster that passes every rule."""
    jobs = ({"id": "backup-1", "schedule": "daily"},)
    facts = ClusterFacts(
        now=NOW, version="9.1.2", firewall=FIREWALL, backup_jobs=jobs, is_verified=True, excess=()
    )  # fmt: skip
    return replace(facts, **changes)


def node(**changes: Any) -> NodeFacts:
    """A node that passes every rule."""
    return replace(
        NodeFacts(
            now=NOW,
            node="pve1",
            is_online=True,
            firewall=Firewall(options={}, rules=()),
            cluster_firewall={"enable": 1},
        ),
        **changes,
    )
