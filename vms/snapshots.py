"""The rows of snapshots, made like what was read: by jobs at their end, and now and then of every guest."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from alma.jobs.models import Job
from vms.models import Cluster, Guest, GuestDetails, GuestSnapshot
from vms.upserts import write_over

SNAPSHOT_JOBS = {"vm_snapshot": "creating", "vm_snapshot_restore": "restoring", "vm_snapshot_deletion": "deleting"}
"""How a snapshot is shown while a job of a kind works on it."""
_WRITTEN = ("description", "has_memory", "parent", "taken_at", "is_ours", "is_current")


def store(guest_id: int, readings: Iterable[dict[str, Any]]) -> None:
    """Make the rows of a machine what was read: a snapshot keeps its row as long as it keeps its name. It is ours while it is the
    one that a job took: one of the same name and another time is somebody else's."""
    if not Guest.objects.filter(pk=guest_id).exists():
        return
    known = {row.name: row for row in GuestSnapshot.objects.filter(guest_id=guest_id)}
    rows = [_row(guest_id, one, known.get(one["name"])) for one in readings]
    write_over(rows, ["guest", "name"], _WRITTEN)
    gone = {name for name, row in known.items() if row.taken_at is not None} - {row.name for row in rows}
    if gone:
        GuestSnapshot.objects.filter(guest_id=guest_id, name__in=gone).delete()
    GuestDetails.objects.filter(guest_id=guest_id).update(snapshots_read_at=timezone.now())


def _row(guest_id: int, reading: Mapping[str, Any], known: GuestSnapshot | None) -> GuestSnapshot:
    taken_at = datetime.fromisoformat(reading["taken_at"])
    is_ours = known is not None and known.is_ours and known.taken_at in {None, taken_at}
    values = {**reading, "taken_at": taken_at, "is_ours": is_ours}
    return GuestSnapshot(pk=known.pk if known else None, guest_id=guest_id, **values)


def note_ours(cluster_id: int, vmid: int, reading: Mapping[str, Any]) -> None:
    """Keep that a snapshot which was just read back is one that ALMA took. Inside a transaction."""
    guest = Guest.objects.filter(cluster_id=cluster_id, vmid=vmid).first()
    if guest is not None:
        values = {**reading, "taken_at": datetime.fromisoformat(reading["taken_at"]), "is_ours": True}
        GuestSnapshot.objects.update_or_create(guest=guest, name=values.pop("name"), defaults=values)


def store_seen(cluster_id: int, seen: Mapping[int, Iterable[dict[str, Any]]], *, since: datetime) -> None:
    """Keep what a look showed, by number of the guest; the look began at `since`. Where a job worked on snapshots meanwhile, its
    own reading is newer. Inside a transaction."""
    Cluster.objects.select_for_update().get(pk=cluster_id)
    working = Job.objects.filter(
        Q(state__in=Job.ACTIVE) | Q(finished_at__gte=since), kind__in=SNAPSHOT_JOBS, params__guest__in=list(seen)
    )
    busy = {params["guest"] for params in working.values_list("params", flat=True)}
    for guest_id, readings in seen.items():
        if guest_id not in busy:
            store(guest_id, readings)
