"""The chore that reads guests closely, a few at a time: pages and API show what it found and never wait for a cluster."""

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from alma.errors import Unavailable
from alma.jobs.kinds import StepFailed
from vms import snapshots
from vms.models import Cluster, ClusterTask, Guest, GuestDetails
from vms.proxmox.answers import Refusal
from vms.proxmox.client import Api, connect, disconnect
from vms.proxmox.closely import Closely, cluster_firewall, read_closely
from vms.services import clear_answers

logger = logging.getLogger(__name__)

MAX_PARALLEL = 8
MOST = 40
"""Guests of a cluster that one pass reads at most, in at most so many seconds."""
SECONDS = 4.0
AGAIN = timedelta(minutes=10)
"""A config can change without the list of the cluster showing it, so each is read again after a while."""
PATIENCE = 60.0
"""Seconds before one that could not be read is tried again: it must not keep the others from being read."""
TASKS = ("qmsnapshot", "qmdelsnapshot", "qmrollback", "vzsnapshot", "vzdelsnapshot", "vzrollback")
"""Of which the list of a cluster shows nothing once they have ended."""
SLACK = timedelta(seconds=5)
"""By which the clock of a cluster may be behind ours; the ends of tasks are whole seconds besides."""
_KEPT = (
    "description", "sockets", "os_type", "ip_address", "firewall_enabled", "has_ssh_keys", "disks", "cards", "file_systems",
)  # fmt: skip
Found = list[tuple[Guest, Closely]]
_TRIED: dict[int, float] = {}
"""When guests that could not be read were last tried, by the clock of this process."""


def read_due() -> None:
    """Read what was never read, what has changed since, and what was read long ago, of all clusters at the same time."""
    _forget()
    clusters = list(Cluster.objects.enabled().filter(unreachable_since=None).exclude(last_read_at=None))
    work = [(cluster, guests) for cluster in clusters if (guests := due(cluster))]
    if not work:
        return
    since = timezone.now()
    with ThreadPoolExecutor(min(MAX_PARALLEL, len(work)), thread_name_prefix="details") as pool:
        for found in pool.map(_read, *zip(*work, strict=True)):
            store(found, timezone.now(), since=since)


def _forget() -> None:
    """What is due again need not be remembered."""
    for pk, at in list(_TRIED.items()):
        if time.monotonic() - at >= PATIENCE:
            del _TRIED[pk]


def due(cluster: Cluster) -> list[Guest]:
    """The guests of a cluster that should be read now; those that have changed go before those that only grew old."""
    rows = Guest.objects.machines().filter(cluster=cluster).exclude(status="unknown").exclude(pk__in=list(_TRIED))
    rows = rows.select_related("details", "claim")
    unread = rows.filter(details=None)[:MOST]
    changed = rows.filter(Q(details__read_at__lt=F("changed_at")) | _snapshotted(cluster)).order_by("details__read_at")
    aged = rows.filter(details__read_at__lt=timezone.now() - AGAIN).order_by("details__read_at")
    return list({guest.pk: guest for part in (unread, changed[:MOST], aged[:MOST]) for guest in part}.values())[:MOST]


def _snapshotted(cluster: Cluster) -> Q:
    """Those whose snapshots somebody has changed since they were read."""
    lately = timezone.now() - AGAIN
    tasks = ClusterTask.objects.filter(cluster=cluster, kind__in=TASKS, ended_at__gt=lately).order_by("ended_at")
    ended = {int(task.subject): task.ended_at for task in tasks if task.subject.isdecimal()}
    since = (Q(vmid=vmid, details__read_at__lt=at + SLACK) for vmid, at in ended.items() if at is not None)
    return reduce(or_, since, Q(pk__in=[]))


def _read(cluster: Cluster, guests: Iterable[Guest]) -> Found:
    """The network half, in a thread of its own: no database. What cannot be read now is read another time."""
    found: Found = []
    ends_at = time.monotonic() + SECONDS
    try:
        with clear_answers(cluster):
            api = connect(cluster)
            has_firewall = cluster_firewall(api)
            for guest in guests:
                if time.monotonic() > ends_at:
                    break
                closely = _try(connect(cluster), guest, has_firewall)
                if closely is not None:
                    found.append((guest, closely))
    except Unavailable as error:
        logger.info("guests were not read closely", extra={"cluster": cluster.slug, "reason": error.message})
    finally:
        disconnect()
    return found


def _try(api: Api, guest: Guest, has_firewall: bool | None) -> Closely | None:
    """One guest. A refusal is about this guest alone: the next is read all the same. Raises Unknown."""
    _TRIED[guest.pk] = time.monotonic()
    try:
        found = read_closely(api, guest, has_firewall=has_firewall)
    except (Refusal, StepFailed):
        return None
    if found is not None:
        del _TRIED[guest.pk]
    return found


@transaction.atomic
def store(found: Found, now: datetime, *, since: datetime | None = None) -> None:
    """Write what was read of guests that are still there, by a look that began at `since`."""
    there = set(Guest.objects.filter(pk__in=[guest.pk for guest, _ in found]).values_list("pk", flat=True))
    present = [(guest, closely) for guest, closely in found if guest.pk in there]
    GuestDetails.objects.bulk_create(
        [_row(guest, closely, now) for guest, closely in present], update_conflicts=True, unique_fields=["guest"],
        update_fields=[*_KEPT, "file_systems_read_at", "read_at"],
    )  # fmt: skip
    _date(present)
    for cluster_id in {guest.cluster_id for guest, _ in present}:
        seen = {
            guest.pk: [one.as_json() for one in closely.snapshots] for guest, closely in present
            if guest.cluster_id == cluster_id and closely.snapshots is not None
        }  # fmt: skip
        snapshots.store_seen(cluster_id, seen, since=since or now)


def _row(guest: Guest, closely: Closely, now: datetime) -> GuestDetails:
    """A machine whose system does not answer now is what it was, and its disks hold what they held, as old as that is."""
    row = GuestDetails(guest_id=guest.pk, read_at=now, **{name: getattr(closely, name) for name in _KEPT})
    row.file_systems_read_at = None if closely.file_systems is None else now
    was = getattr(guest, "details", None)
    if was is not None and guest.kind == "vm":
        if was.os_type and not closely.is_os_measured:
            row.os_type = was.os_type
        if closely.file_systems is None:
            row.file_systems, row.file_systems_read_at = was.file_systems, was.file_systems_read_at
    return row


def _date(present: Found) -> None:
    """When each was made, as its config says, or the ledger."""
    dated = []
    for guest, closely in present:
        created_at = guest.claim.created_at if guest.claim else closely.created_at  # a copy keeps its template's
        if created_at != guest.created_at:
            guest.created_at = created_at
            dated.append(guest)
    Guest.objects.bulk_update(dated, ["created_at"])
