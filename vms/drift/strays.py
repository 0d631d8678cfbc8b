"""Guests that no living row of the ledger stands for: those with a mark of ours wait in quarantine and are removed then."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.events.services import Told, emit
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job
from vms.models import MARKER, Cluster, Guest, GuestClaim, Stray

TAG = "alma"
SETTLED = timedelta(seconds=15)
"""When a stray was last seen is written this often at most."""
_EVENTS = {
    Stray.Kind.ORPHAN: "vm.orphan_found", Stray.Kind.UNKNOWN: "vm.orphan_found",
    Stray.Kind.COPY: "vm.stray_found", Stray.Kind.STRANGER: "vm.stray_found",
}  # fmt: skip


def suspects(cluster: Cluster, rows: Mapping[int, Guest], *, is_whole: bool) -> list[Guest]:
    """Guests whose mark is to be read: in our range, with our tag, or with a number that was ours once.

    Between whole rounds only those that are new, and orphans whose grace is over."""
    claimed = dict(GuestClaim.objects.filter(cluster=cluster).values_list("vmid", "state"))
    known = {stray.vmid: stray for stray in Stray.objects.open().filter(cluster=cluster)}
    now = timezone.now()
    return [
        row
        for vmid, row in rows.items()
        if claimed.get(vmid) not in GuestClaim.ACTIVE
        and (cluster.vmid_first <= vmid <= cluster.vmid_last or TAG in row.tag_list or vmid in claimed)
        and (is_whole or vmid not in known or _is_due(known[vmid], now))
    ]


def _is_due(stray: Stray, now: datetime) -> bool:
    return stray.state == Stray.State.QUARANTINED and stray.due_at is not None and stray.due_at <= now


def store(cluster: Cluster, rows: Iterable[Guest], markers: Mapping[int, str], now: datetime) -> list[Told]:
    """Write what the marks say, inside the caller's transaction; returns what to tell of it."""
    known = {stray.vmid: stray for stray in Stray.objects.open().filter(cluster=cluster)}
    told = _missed(cluster, known)
    claims = _by_marker(cluster, set(markers.values()))
    claimed = dict(GuestClaim.objects.filter(cluster=cluster).values_list("vmid", "state"))
    for row in rows:
        if row.vmid in markers and claimed.get(row.vmid) not in GuestClaim.ACTIVE:
            marker = markers[row.vmid]
            told += _settle(cluster, row, marker, claims.get(marker), known.get(row.vmid), now)
    return told


def _by_marker(cluster: Cluster, markers: set[str]) -> dict[str, GuestClaim]:
    """Rows of this cluster that the marks name."""
    ids = set()
    for marker in markers:
        try:
            ids.add(UUID(marker.removeprefix(MARKER)))
        except ValueError:
            continue
    return {claim.marker: claim for claim in GuestClaim.objects.filter(pk__in=ids, cluster=cluster)}


def _kind(row: Guest, marker: str, claim: GuestClaim | None) -> Stray.Kind | None:
    """What a guest is that no living row has the number of; None when it is nobody's business here."""
    if not marker:
        return None if row.is_template or not _is_in_range(row) else Stray.Kind.STRANGER
    if claim is None:
        return Stray.Kind.UNKNOWN
    return Stray.Kind.ORPHAN if claim.vmid == row.vmid else Stray.Kind.COPY


def _is_in_range(row: Guest) -> bool:
    return row.cluster.vmid_first <= row.vmid <= row.cluster.vmid_last


def _settle(
    cluster: Cluster, row: Guest, marker: str, claim: GuestClaim | None, stray: Stray | None, now: datetime
) -> list[Told]:
    row.cluster = cluster
    kind = _kind(row, marker, claim)
    if stray is not None and stray.state == Stray.State.REMOVING:
        return []
    if stray is not None and (stray.kind, stray.marker) == (kind, marker):
        return _go_on(stray, row, now)
    told = [_leave(stray, "its mark has changed")] if stray is not None else []
    is_busy = claim is not None and Job.objects.active().filter(public_id=claim.job).exists()
    if kind is None or is_busy:
        return told
    return [*told, _find(cluster, row, marker, claim, kind, now)]


def _find(cluster: Cluster, row: Guest, marker: str, claim: GuestClaim | None, kind: Stray.Kind, now: datetime) -> Told:
    """A new one. Only an orphan gets a day on which it is removed: of no other it is proven that we made it."""
    is_marked = kind in {Stray.Kind.ORPHAN, Stray.Kind.UNKNOWN}
    stray = Stray.objects.create(
        organization_id=cluster.organization_id, cluster=cluster, vmid=row.vmid, guest_kind=row.kind, name=row.name,
        node=row.node, kind=kind, marker=marker[:100], claim=claim, found_at=now, seen_at=now,
        state=Stray.State.QUARANTINED if is_marked else Stray.State.REPORTED,
        due_at=now + grace() if kind == Stray.Kind.ORPHAN else None,
    )  # fmt: skip
    return _EVENTS[kind], facts(stray)


def grace() -> timedelta:
    """How long an orphan waits."""
    return timedelta(seconds=settings.ALMA_ORPHAN_GRACE_SECONDS)


def _go_on(stray: Stray, row: Guest, now: datetime) -> list[Told]:
    """It is still there, with the same mark; an orphan whose grace is over is removed by a run of its own."""
    if now - stray.seen_at >= SETTLED or (stray.name, stray.node) != (row.name, row.node):
        stray.seen_at, stray.name, stray.node = now, row.name, row.node
        stray.save(update_fields=["seen_at", "name", "node"])
    if stray.kind != Stray.Kind.ORPHAN or not _is_due(stray, now):
        return []
    job = _removal(stray)
    stray.move(Stray.State.REMOVING, job=job.public_id)
    return [("vm.orphan_removing", facts(stray, job=job.public_id))]


def _removal(stray: Stray) -> Job:
    assert stray.claim is not None
    claim, noun = stray.claim, "container" if stray.guest_kind == "lxc" else "VM"
    params = {
        "cluster": stray.cluster_id, "owner": claim.owner, "node": stray.node, "kind": stray.guest_kind,
        "claim": str(claim.pk), "stray": stray.pk,
    }  # fmt: skip
    step = StepSpec(
        "guest.remove_orphan", claim.key, f"Remove the orphan {noun} {stray.name or stray.vmid}", 0, 1, params
    )
    title = f"Remove the orphan with VMID {stray.vmid}"
    return create_job(
        "cleanup", [step], organization_id=stray.organization_id, title=title, params={"stray": stray.pk},
        exclusive_key=f"stray:{stray.pk}",
    )  # fmt: skip


def _missed(cluster: Cluster, known: dict[int, Stray]) -> list[Told]:
    """Strays that the inventory no longer shows, or that the ledger has taken in."""
    present = set(Guest.objects.present().filter(cluster=cluster, vmid__in=list(known)).values_list("vmid", flat=True))
    ours = GuestClaim.objects.active().filter(cluster=cluster, vmid__in=list(known)).values_list("vmid", flat=True)
    gone = (set(known) - present) | set(ours)
    left = [known.pop(vmid) for vmid in sorted(gone) if known[vmid].state != Stray.State.REMOVING]
    return [_leave(stray, "it is no longer there") for stray in left]


def _leave(stray: Stray, why: str) -> Told:
    stray.move(Stray.State.GONE, note=why)
    return "vm.stray_left", facts(stray, why=why)


def facts(stray: Stray, **more: Any) -> dict[str, Any]:
    """What an event says of one."""
    return {
        "vmid": stray.vmid, "kind": stray.guest_kind, "name": stray.name, "node": stray.node, "stray": stray.kind,
        "due_at": stray.due_at.isoformat() if stray.due_at else None, **more,
    }  # fmt: skip


# -- what people decide ---------------------------------------------------------------------------
@transaction.atomic
def keep(stray: Stray, *, by: Actor) -> None:
    """Never remove this one. Raises Refused, WrongState."""
    by.require("vm:write")
    row = Stray.objects.select_for_update().select_related("cluster").get(pk=stray.pk)
    if row.kind != Stray.Kind.ORPHAN:
        raise WrongState(f"VMID {row.vmid} is not going to be removed.")
    row.move(Stray.State.KEPT, note=f"kept by {by.label}", due_at=None)
    _say(row, "vm.orphan_kept", by)


@transaction.atomic
def put_back(stray: Stray, *, by: Actor) -> None:
    """Let one that was kept wait in quarantine again, for the whole grace. Raises Refused, WrongState."""
    by.require("vm:write")
    row = Stray.objects.select_for_update().select_related("cluster").get(pk=stray.pk)
    row.move(Stray.State.QUARANTINED, note=f"put back by {by.label}", due_at=timezone.now() + grace())
    _say(row, "vm.orphan_found", by)


def _say(stray: Stray, kind: str, by: Actor) -> None:
    cluster = stray.cluster
    emit(
        cluster.stream,
        kind,
        organization_id=stray.organization_id,
        actor=by.label,
        cluster=cluster.slug,
        **facts(stray),
    )
