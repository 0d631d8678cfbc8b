"""Keeps the rows of backups like the storages show them. What was not told stays as it was."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from vms.backups.found import Found, Place, Told
from vms.models import Backup, BackupJobs, BackupSchedule, BackupStorage, Cluster, Guest, GuestClaim
from vms.proxmox.backups import ArchiveReading

FORGET_AFTER = timedelta(days=30)
"""How long it is shown that a backup failed, or is no longer there."""
CLOCKS = timedelta(minutes=10)
"""How far the clock of a node may be behind ours."""
_SEEN = (
    "guest", "claim", "guest_name", "description", "is_encrypted", "is_protected", "size_bytes", "seen_at", "compression",
)  # fmt: skip
_COMPARED = tuple(f"{name}_id" if name in {"guest", "claim"} else name for name in _SEEN if name != "seen_at")


@transaction.atomic
def store(cluster: Cluster, found: Found, now: datetime) -> None:
    """Write what one pass found, under the lock under which the inventory writes."""
    row = Cluster.objects.select_for_update().get(pk=cluster.pk)
    for told in found.told:
        if told.archives is not None:
            _settle(row, told, Owners.of(row), now)
            hidden = _miss(row, told, found)
            _on(row, told.place).there().exclude(pk__in=hidden).update(seen_at=now)
    _note_storages(row, found, now)
    _note_jobs(row, found, now)
    gone = Backup.objects.filter(cluster=row).exclude(state__in=(Backup.State.RUNNING, *Backup.THERE))
    gone.filter(created_at__lt=now - FORGET_AFTER).delete()


class Owners:
    """Whose an archive is, by its number and its age: a number may have been another guest's before."""

    def __init__(self, guests: dict[int, Guest], claims: dict[int, GuestClaim]) -> None:
        self.guests = guests
        self.claims = claims

    @classmethod
    def of(cls, cluster: Cluster) -> "Owners":
        """Those of a cluster."""
        guests = Guest.objects.present().filter(cluster=cluster)
        claims = GuestClaim.objects.filter(cluster=cluster).exclude(state=GuestClaim.State.FOREIGN)
        return cls({row.vmid: row for row in guests}, {row.vmid: row for row in claims})

    def describe(self, archive: ArchiveReading) -> dict[str, Any]:
        """The guest that is there now, the ledger row, and a name."""
        claim, guest = self.claims.get(archive.vmid), self.guests.get(archive.vmid)
        if claim is not None and claim.created_at > archive.taken_at + CLOCKS:
            claim = None
        if guest is not None and (guest.claim_id != (claim.pk if claim else None)):
            guest = None
        name = guest.name if guest else claim.key if claim else ""
        return {"guest": guest, "claim": claim, "guest_name": name}


def values_of(archive: ArchiveReading, now: datetime) -> dict[str, Any]:
    """What a row says of an archive that was seen."""
    return {
        "volume": archive.volume, "description": archive.notes, "is_encrypted": archive.is_encrypted,
        "is_protected": archive.is_protected, "size_bytes": archive.size_bytes, "compression": archive.compression,
        "taken_at": archive.taken_at, "seen_at": now,
    }  # fmt: skip


def _settle(cluster: Cluster, told: Told, owners: Owners, now: datetime) -> None:
    """A row for each archive: the one that it has, the one of the job that made it, or a new one."""
    place, new, changed = told.place, list[Backup](), list[Backup]()
    known = {row.volume: row for row in _on(cluster, place).exclude(volume="")}
    awaited = {row.pk: row for row in _on(cluster, place).filter(volume="")}
    for archive in told.archives or ():
        whose = owners.describe(archive)
        row = known.get(archive.volume)
        if row is None and archive.number in awaited:
            _take_in(awaited[archive.number], archive, now)
        elif row is None:
            new.append(_new(cluster, place, archive, whose, now))
        else:
            changed += _again(row, archive, whose, now)
    Backup.objects.bulk_create(new, batch_size=200)
    Backup.objects.bulk_update(changed, _SEEN, batch_size=200)


def _on(cluster: Cluster, place: Place) -> Any:
    return Backup.objects.filter(cluster=cluster, node=place.owner, storage=place.name)


def _take_in(row: Backup, archive: ArchiveReading, now: datetime) -> None:
    """The archive of a job that ended without having seen it; while the job runs, it says so itself."""
    if row.state != Backup.State.RUNNING:
        row.move(Backup.State.COMPLETED, error="", **values_of(archive, now))


def _new(
    cluster: Cluster, place: Place, archive: ArchiveReading, whose: dict[str, Any], now: datetime
) -> Backup:  # fmt: skip
    return Backup(
        organization_id=cluster.organization_id, cluster=cluster, vmid=archive.vmid, guest_kind=archive.kind,
        node=place.owner, storage=place.name, state=Backup.State.COMPLETED, created_at=archive.taken_at, **whose,
        **values_of(archive, now),
    )  # fmt: skip


def _again(row: Backup, archive: ArchiveReading, whose: dict[str, Any], now: datetime) -> list[Backup]:
    """The row if it has to be written: most archives are what they were a minute ago."""
    if row.state == Backup.State.EXPIRED:
        row.move(Backup.State.COMPLETED)
    values = values_of(archive, now) | whose
    values["guest_name"] = values["guest_name"] or row.guest_name
    before = [getattr(row, name) for name in _COMPARED]
    for name, value in values.items():
        setattr(row, name, value)
    return [row] if before != [getattr(row, name) for name in _COMPARED] else []


def _miss(cluster: Cluster, told: Told, found: Found) -> list[int]:
    """What the storage no longer lists was pruned or deleted, unless it came meanwhile; the numbers of those that would not be
    listed to us, of which nothing is known."""
    there = {archive.volume for archive in told.archives or ()}
    hidden = []
    for row in _on(cluster, told.place).there().filter(seen_at__lt=told.began):
        if row.volume in there:
            continue
        if found.sees(told.place, row.vmid):
            row.move(Backup.State.EXPIRED)
        else:
            hidden.append(row.pk)
    return hidden


def _note_storages(cluster: Cluster, found: Found, now: datetime) -> None:
    for told in found.told:
        place = told.place
        values: dict[str, Any] = {"plugin": place.plugin[:32], "asked_at": now, "error": told.why[:400]}
        if told.archives is not None:
            values |= {"read_at": now}
        if found.encrypting is not None:
            values |= {"encrypts": found.encrypting.get(place.name)}
        BackupStorage.objects.update_or_create(cluster=cluster, node=place.owner, name=place.name, defaults=values)


def _note_jobs(cluster: Cluster, found: Found, now: datetime) -> None:
    """The jobs of the cluster, and when ours are due."""
    if found.jobs is None and found.unsaved is None:
        return
    listed = None if found.jobs is None else [
        {"id": one.id, "schedule": one.schedule, "storage": one.storage, "vmids": list(one.vmids), "is_enabled": one.is_enabled}
        for one in found.jobs
    ]  # fmt: skip
    BackupJobs.objects.update_or_create(
        cluster=cluster, defaults={"jobs": listed, "unsaved": found.unsaved, "read_at": now}
    )
    due = {one.id: one.next_run for one in found.jobs or ()}
    schedules: Iterable[BackupSchedule] = BackupSchedule.objects.filter(claim__cluster=cluster)
    for schedule in schedules:
        if schedule.job_id in due and schedule.next_run != due[schedule.job_id]:
            schedule.next_run = due[schedule.job_id]
            schedule.save(update_fields=["next_run"])
