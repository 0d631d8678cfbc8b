"""The chore that reads guests closely, a few at a time: pages and API show what it found and never wait for a cluster."""

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from alma.errors import Unavailable
from alma.jobs.kinds import StepFailed
from vms.models import Cluster, Guest, GuestDetails
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
_KEPT = ("description", "sockets", "os_type", "ip_address", "firewall_enabled", "has_ssh_keys", "disks", "cards")
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
    with ThreadPoolExecutor(min(MAX_PARALLEL, len(work)), thread_name_prefix="details") as pool:
        for found in pool.map(_read, *zip(*work, strict=True)):
            store(found, timezone.now())


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
    changed = rows.filter(Q(details__read_at__lt=F("changed_at"))).order_by("details__read_at")[:MOST]
    old = rows.filter(details__read_at__lt=timezone.now() - AGAIN).order_by("details__read_at")[:MOST]
    found = {guest.pk: guest for part in (unread, changed, old) for guest in part}
    return list(found.values())[:MOST]


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
def store(found: Found, now: datetime) -> None:
    """Write what was read of guests that are still there; a system that does not answer now is what it was."""
    there = set(Guest.objects.filter(pk__in=[guest.pk for guest, _ in found]).values_list("pk", flat=True))
    rows: list[GuestDetails] = []
    dated: list[Guest] = []
    for guest, closely in found:
        if guest.pk not in there:
            continue
        values = {name: getattr(closely, name) for name in _KEPT}
        was = getattr(guest, "details", None)
        if was is not None and was.os_type and guest.kind == "vm" and not closely.is_os_measured:
            values["os_type"] = was.os_type
        rows.append(GuestDetails(guest_id=guest.pk, read_at=now, **values))
        created_at = closely.created_at or (guest.claim.created_at if guest.claim else None)
        if created_at != guest.created_at:
            guest.created_at = created_at
            dated.append(guest)
    GuestDetails.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["guest"], update_fields=[*_KEPT, "read_at"]
    )  # fmt: skip
    Guest.objects.bulk_update(dated, ["created_at"])
