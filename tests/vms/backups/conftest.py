"""Machines on a sandbox, and storages that are read when a test says so."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.fixtures.sandbox import wait_for_task
from tests.vms.operations.conftest import by, environment, finish, machine, make_machine
from vms import inventory
from vms.backups import reading
from vms.models import BackupStorage

__all__ = ["by", "environment", "finish", "machine", "make_machine"]


def dump(observer: Any, node: str, vmid: int, **values: Any) -> None:
    """Somebody makes a backup, without us."""
    given = {"vmid": vmid, "storage": "shared", "compress": "zstd", **values}
    assert wait_for_task(observer, observer.nodes(node).vzdump.post(**given)) == "OK"


def look() -> None:
    """One look of the inventory, and one at the storages, however long ago the last one was."""
    inventory.refresh_all()
    BackupStorage.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    reading.read_due()
