"""Keeps the rows of guests like the clusters show them. Pages read the rows; nothing is decided from them."""

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from alma.accounts.models import Environment
from alma.errors import Unavailable
from alma.events.services import emit
from vms import rates, sightings
from vms.machines import public_id
from vms.models import Cluster, Guest, GuestClaim
from vms.models.ledger import environment_of
from vms.proxmox.client import connect, disconnect
from vms.proxmox.readings import GuestRow, Sighting
from vms.proxmox.sighting import look
from vms.services import clear_answers
from vms.upserts import write_over

logger = logging.getLogger(__name__)

MAX_PARALLEL = 8
SECOND_LOOK = 2.0
"""Seconds before a cluster that gave no clear answer is asked again; a sandbox that just starts is up by then."""
MAX_EVENTS = 20
QUIET = ("memory_used", "cpu_load", "uptime", "disk_used", "net_in", "net_out")
LOUD = (
    "kind", "node", "name", "status", "is_template", "cores", "memory_bytes", "disk_bytes", "tags", "lock", "claim_id",
    "environment_id",
)  # fmt: skip
_NOBODYS = {"claim_id": None, "environment_id": None}
_OURS = frozenset(_NOBODYS)
"""What the ledger says, and not the cluster."""
WRITTEN = (
    *(name.removesuffix("_id") for name in LOUD), *QUIET, *rates.NOTHING, "seen_at", "changed_at", "missing_since",
)  # fmt: skip
QUIET_AFTER = timedelta(seconds=15)
"""Figures that change all the time are written this often at most."""
FORGET_AFTER = timedelta(days=7)
BEING_MADE = "creating"
"""Of a row that stands for a machine which a job is making; at its end the job says what has become of it."""
Told = tuple[str, Guest, dict[str, Any]]
"""What an event is called, the guest that it is about, and what it says beside the usual facts."""


@dataclass
class Changes:
    """What one reading of a cluster means for its rows."""

    new: list[Guest] = field(default_factory=list)
    changed: list[Guest] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


def refresh_all() -> None:
    """Read every enabled cluster once, all at the same time. One that gives no clear answer is skipped whole."""
    clusters = list(Cluster.objects.enabled())
    if not clusters:
        return
    known = [sightings.whole_logs(cluster) for cluster in clusters]
    with ThreadPoolExecutor(min(MAX_PARALLEL, len(clusters)), thread_name_prefix="inventory") as pool:
        for cluster, seen in zip(clusters, pool.map(_read, clusters, known), strict=True):
            if isinstance(seen, Unavailable):
                note_failure(cluster, seen)
            else:
                store(cluster, seen.guests, seen)


def _read(cluster: Cluster, known: frozenset[str]) -> Sighting | Unavailable:
    """The network half, in a thread of its own: no database. A single lost reading is no news, so it is tried again."""
    first = _try(cluster, known)
    if not isinstance(first, Unavailable):
        return first
    time.sleep(SECOND_LOOK)
    return _try(cluster, known)


def _try(cluster: Cluster, known: frozenset[str]) -> Sighting | Unavailable:
    try:
        with clear_answers(cluster):
            return look(connect(cluster), known)
    except Unavailable as error:
        return error
    finally:
        disconnect()


@transaction.atomic
def note_failure(cluster: Cluster, error: Unavailable) -> None:
    """Remember why a cluster could not be read and tell it once per outage; its guests stay as they were last seen."""
    row = Cluster.objects.select_for_update().get(pk=cluster.pk)
    if not row.last_error:
        _emit(row, "cluster.unreachable", reason=error.message)
        logger.warning("cluster %s cannot be read", row.slug, extra={"reason": error.message})
    since = row.unreachable_since or timezone.now()
    Cluster.objects.filter(pk=row.pk).update(last_error=error.message[:500], unreachable_since=since)


@transaction.atomic
def store(cluster: Cluster, rows: Iterable[GuestRow], seen: Sighting | None = None) -> None:
    """Write what differs and tell what is new, in one transaction; of nodes, storages and tasks when they were seen."""
    row = Cluster.objects.select_for_update().get(pk=cluster.pk)
    now = timezone.now()
    changes = _compare(row, {one.vmid: one for one in rows}, now)
    Guest.objects.bulk_create(changes.new, batch_size=200)
    write_over(changes.changed, ["cluster", "vmid"], WRITTEN)
    Guest.objects.filter(cluster=row, missing_since__lt=now - FORGET_AFTER).delete()
    if row.last_error:
        _emit(row, "cluster.reachable")
    _tell(row, changes)
    for kind, data in sightings.store(row, seen, now) if seen else ():
        _emit(row, kind, **data)
    Cluster.objects.filter(pk=row.pk).update(last_read_at=now, last_error="", unreachable_since=None)


def _compare(cluster: Cluster, rows: dict[int, GuestRow], now: datetime) -> Changes:
    changes = Changes()
    known = {guest.vmid: guest for guest in Guest.objects.filter(cluster=cluster)}
    claims = _claims(cluster)
    for vmid, row in rows.items():
        values = {name: getattr(row, name) for name in (*LOUD, *QUIET) if name not in _OURS} | claims.get(
            vmid, _NOBODYS
        )
        guest = known.pop(vmid, None)
        if guest is None:
            fresh = Guest(cluster=cluster, organization_id=cluster.organization_id, vmid=vmid, **values)
            fresh.seen_at = fresh.changed_at = now
            changes.new.append(fresh)
            changes.told.append(("vm.created", fresh, {}))
        elif guest.status != BEING_MADE:
            _update(changes, guest, values, now)
    for guest in known.values():
        if guest.status != BEING_MADE:
            _miss(changes, guest, now)
    return changes


def _claims(cluster: Cluster) -> dict[int, dict[str, Any]]:
    """What the ledger says of each number: the claim, and the environment that it names if there is one."""
    live = GuestClaim.objects.filter(cluster=cluster, state=GuestClaim.State.LIVE)
    claims = list(live.values_list("vmid", "pk", "owner"))
    known = set(Environment.objects.filter(organization_id=cluster.organization_id).values_list("pk", flat=True))
    places = {owner: environment_of(owner) for _, _, owner in claims}
    return {
        vmid: {"claim_id": pk, "environment_id": places[owner] if places[owner] in known else None}
        for vmid, pk, owner in claims
    }


def _update(changes: Changes, guest: Guest, values: dict[str, Any], now: datetime) -> None:
    if not _is_worth_writing(guest, values, now):
        return
    was = "missing" if guest.missing_since else guest.status
    if was == "missing" or _differs(guest, values, LOUD):
        guest.changed_at = now
    for name, value in (values | rates.rates(guest, values)).items():
        setattr(guest, name, value)
    guest.seen_at, guest.missing_since = now, None
    changes.changed.append(guest)
    if was == "missing":
        changes.told.append(("vm.created", guest, {}))
    elif was != guest.status and "unknown" not in {was, guest.status}:
        changes.told.append(("vm.status_changed", guest, {"was": was}))


def _is_worth_writing(guest: Guest, values: dict[str, Any], now: datetime) -> bool:
    """What people look for counts at once, figures that never rest only now and then."""
    if guest.missing_since is not None or _differs(guest, values, LOUD):
        return True
    return now - guest.seen_at >= QUIET_AFTER and _differs(guest, values, QUIET)


def _differs(guest: Guest, values: dict[str, Any], names: Iterable[str]) -> bool:
    return any(getattr(guest, name) != values[name] for name in names)


def _miss(changes: Changes, guest: Guest, now: datetime) -> None:
    if guest.missing_since is None:
        guest.missing_since, guest.changed_at, guest.claim_id, guest.pk = now, now, None, None
        changes.changed.append(guest)
        changes.told.append(("vm.deleted", guest, {}))


def _facts(guest: Guest) -> dict[str, Any]:
    return {
        "id": public_id(guest), "vmid": guest.vmid, "kind": guest.kind, "name": guest.name, "node": guest.node,
        "status": guest.status,
    }  # fmt: skip


def _tell(cluster: Cluster, changes: Changes) -> None:
    """An event per guest when there are few, one for all of them when there are many or the cluster is new."""
    if cluster.last_read_at is None or len(changes.told) > MAX_EVENTS:
        counts: dict[str, int] = {}
        for kind, *_ in changes.told:
            counts[kind] = counts.get(kind, 0) + 1
        _emit(cluster, "cluster.read", counts=counts)
        return
    for kind, guest, more in changes.told:
        _emit(cluster, kind, **_facts(guest), **more)


def _emit(cluster: Cluster, kind: str, /, **data: Any) -> None:
    emit(cluster.stream, kind, organization_id=cluster.organization_id, cluster=cluster.slug, **data)
