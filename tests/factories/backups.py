"""Backups for tests."""

from typing import Any

from django.utils import timezone

from tests.factories.vms import GIB, make_cluster
from vms.models import Backup, BackupStorage, Cluster, Guest


def make_backup(cluster: Cluster | None = None, guest: Guest | None = None, **overrides: Any) -> Backup:
    """An archive on a storage that all nodes share; of a guest, or of number 100."""
    cluster = cluster or (guest.cluster if guest else make_cluster())
    now = timezone.now()
    number = Backup.objects.count() + 1
    values = {
        "vmid": guest.vmid if guest else 100, "guest_kind": "vm", "guest_name": guest.name if guest else "",
        "claim": guest.claim if guest else None, "storage": "shared", "compression": "zstd", "size_bytes": 3 * GIB,
        "volume": f"shared:backup/vzdump-qemu-{number}.vma.zst", "state": "completed", "taken_at": now, "created_at": now,
        "seen_at": now, "is_encrypted": False,
    }  # fmt: skip
    return Backup.objects.create(
        organization_id=cluster.organization_id, cluster=cluster, guest=guest, **(values | overrides)
    )


def make_storage(cluster: Cluster, **overrides: Any) -> BackupStorage:
    """A storage for backups that was read just now."""
    now = timezone.now()
    values = {"name": "shared", "plugin": "nfs", "encrypts": False, "asked_at": now, "read_at": now}
    return BackupStorage.objects.create(cluster=cluster, **(values | overrides))
