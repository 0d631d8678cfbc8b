"""Which storages take the backups of a machine, by the last reading."""

from dataclasses import dataclass

from vms.models import BackupStorage, Cluster, ClusterStorage
from vms.proxmox.backups import PBS


@dataclass(frozen=True)
class Target:
    """Where a backup goes."""

    storage: str
    node: str
    is_server: bool
    """A Proxmox Backup Server: it compresses, and is sent what has changed."""
    encrypts: bool | None


def targets(cluster: Cluster, node: str) -> list[Target]:
    """Those that a node reaches: shared ones before its own, then by their room."""
    rows = ClusterStorage.objects.filter(cluster=cluster, node=node, is_active=True)
    told = BackupStorage.objects.filter(cluster=cluster, node__in=("", node))
    encrypts = dict(told.values_list("name", "encrypts"))
    found = [row for row in rows if "backup" in row.content.split(", ")]
    found.sort(key=lambda row: (not row.is_shared, -(row.total_bytes - row.used_bytes), row.name))
    return [
        Target(row.name, "" if row.is_shared else row.node, row.plugin == PBS, encrypts.get(row.name)) for row in found
    ]


def best_storage(cluster: Cluster, node: str) -> str:
    """The first of them, empty when there is none."""
    return next((one.storage for one in targets(cluster, node)), "")
