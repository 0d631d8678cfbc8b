"""Backups as they were last read: which ones an actor sees, in what order, and which machines have none. No cluster is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, F, Max, Q, QuerySet
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import NotFound
from alma.jobs.models import Job
from vms.inventory import BEING_MADE
from vms.models import Backup, BackupJobs, BackupQuerySet, BackupSchedule, BackupStorage, Cluster, Guest

OLD = timedelta(days=7)
"""A machine whose last backup is older is shown among the gaps."""
ON_IT = {
    "backup_restore": "restoring", "backup_unpacking": "restoring", "backup_verification": "verifying",
    "backup_deletion": "deleting",
}  # fmt: skip
"""How a backup is shown while a job of a kind works on it."""


TOPICS = " ".join(f"{kind}:*" for kind in ("backup", *ON_IT))
"""Streams of jobs about backups, whose events redraw pages."""


@dataclass(frozen=True)
class Wish:
    """Which backups are wanted; what is empty or None does not narrow."""

    guest: int | None = None
    state: str = ""
    cluster: str = ""
    is_verified: bool | None = None


def listed(actor: Actor, wish: Wish) -> BackupQuerySet:
    """Those that are wanted and the actor sees."""
    rows = Backup.objects.visible_to(actor)
    if wish.guest is not None:
        rows = rows.filter(guest=wish.guest)
    if wish.state:
        rows = rows.filter(state=wish.state)
    if wish.cluster:
        rows = rows.filter(cluster__slug=wish.cluster)
    if wish.is_verified is not None:
        verified = Q(state=Backup.State.VERIFIED)
        rows = rows.filter(verified if wish.is_verified else ~verified)
    return rows


def whole(pks: Iterable[int]) -> dict[int, Backup]:
    """Backups by number, with what they are shown with."""
    rows = Backup.objects.select_related("cluster", "guest", "claim")
    return rows.defer("cluster__ca_pem", "cluster__token_secret_sealed").in_bulk(list(pks))


def find(pk: int, *, by: Actor) -> Backup:
    """A backup of the actor's organization. Raises NotFound."""
    rows = Backup.objects.visible_to(by).select_related("cluster", "guest", "claim", "guest__cluster")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(f"Backup backup-{pk:03d} not found", code="BACKUP_NOT_FOUND")
    return row


def busy(backups: Iterable[Backup]) -> dict[int, str]:
    """By number how those are shown that a job works on."""
    wanted = [row.pk for row in backups]
    jobs = Job.objects.active().filter(kind__in=ON_IT, params__backup__in=wanted)
    return {params["backup"]: ON_IT[kind] for kind, params in jobs.values_list("kind", "params")}


@dataclass(frozen=True)
class Saved:
    """How a machine is backed up. What nobody knows is None."""

    is_enabled: bool | None
    schedule: str
    retention_days: int | None
    last_at: datetime | None
    size_bytes: int | None


def saved(guest: Guest) -> Saved:
    """What is known of the backups of one machine, in three queries."""
    last = newest(guest)
    own = BackupSchedule.objects.filter(claim=guest.claim_id).first() if guest.claim_id else None
    facts = (last.taken_at, last.size_bytes) if last else (None, None)
    if own is not None:
        return Saved(own.is_enabled, own.schedule, own.retention_days, *facts)
    jobs = BackupJobs.objects.filter(cluster=guest.cluster_id).first()
    return Saved(jobs.saves(guest.vmid) if jobs else None, jobs.schedule_of(guest.vmid) if jobs else "", None, *facts)


def newest(guest: Guest) -> Backup | None:
    """The last backup of a machine that is there."""
    return Backup.objects.there().filter(guest=guest).order_by("-taken_at", "-pk").first()


def gaps(actor: Actor, *, now: datetime | None = None) -> QuerySet[Guest]:
    """Machines without a backup or with an old one: those that ALMA made first, for it can back them up, and of these the ones
    without any. Only where the storages have been read, and of machines that are there already."""
    now = now or timezone.now()
    read = BackupStorage.objects.exclude(read_at=None).values("cluster")
    rows = (
        Guest.objects.visible_to(actor).machines().filter(cluster__in=read)
        .exclude(status=BEING_MADE).exclude(claim__owner__startswith="scratch:")
    )  # fmt: skip
    there = Q(backups__state__in=Backup.THERE)
    aged = rows.annotate(last_backup=Max("backups__taken_at", filter=there))
    late = aged.filter(Q(last_backup=None) | Q(last_backup__lt=now - OLD))
    is_foreign = ExpressionWrapper(Q(claim=None), BooleanField())
    return late.order_by(is_foreign, F("last_backup").asc(nulls_first=True), "name", "pk")


def narrowed(
    rows: QuerySet[Any], *, words: str = "", origin: str = "", age: str = "", cluster: str = ""
) -> QuerySet[Any]:
    """Those of the gaps that are asked for; what is empty does not narrow. `age` is none or old, `origin` declared or foreign."""
    for word in words.split():
        match = Q(name__icontains=word) | Q(node__icontains=word)
        rows = rows.filter(match | Q(vmid=int(word)) if word.isascii() and word.isdigit() and len(word) < 10 else match)
    if origin:
        rows = rows.filter(claim__isnull=origin == "foreign")
    if age:
        rows = rows.filter(last_backup__isnull=age == "none")
    return rows.filter(cluster__slug=cluster) if cluster else rows


def age_of(clusters: Iterable[Cluster]) -> dict[str, Any]:
    """For `meta`: how old the oldest reading of a storage is, and which storages could not be read."""
    rows = list(
        BackupStorage.objects.filter(cluster__in=[cluster.pk for cluster in clusters]).select_related("cluster")
    )
    oldest = min((row.read_at for row in rows if row.read_at), default=None)
    return {
        "last_read_at": oldest, "age_seconds": int((timezone.now() - oldest).total_seconds()) if oldest else None,
        "unread_storages": sorted(f"{row.cluster.slug}/{row}" for row in rows if row.error or row.read_at is None),
    }  # fmt: skip
