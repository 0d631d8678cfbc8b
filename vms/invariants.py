"""The ledger against the clusters: every guest of ours has one row, every row that lives has one guest.

That a resource has one row at most is the database's to say; a guest that was made twice shows as an orphan.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from django.db.models import Count, Q

from alma.errors import Unavailable
from alma.jobs.findings import Finding, Severity, breach
from alma.jobs.models import Job
from vms.models import MARKER, Backup, Cluster, GuestClaim, PlaceClaim, Stray
from vms.proxmox import guests
from vms.proxmox.client import connect, disconnect
from vms.proxmox.cluster import list_guests
from vms.proxmox.readings import GuestRow
from vms.services import READERS, clear_answers

TAG = "alma"
Markers = dict[int, str]


def guests_and_ledger() -> Iterator[Finding]:
    """One pass over every enabled cluster; one that gives no clear answer is unknown, whole."""
    for cluster in Cluster.objects.enabled():
        busy = set(Job.objects.active().values_list("public_id", flat=True))
        try:
            with clear_answers(cluster):
                listed = {row.vmid: row for row in list_guests(connect(cluster))}
                markers = read_markers(cluster, candidates(cluster, listed))
        except Unavailable as error:
            yield Finding(Severity.UNKNOWN, "CLUSTER_UNREADABLE", cluster.slug, error.message)
            continue
        busy |= set(Job.objects.active().values_list("public_id", flat=True))
        yield from _guests(cluster, markers, busy)
        yield from _rows(cluster, markers, busy)


def backups_and_jobs() -> Iterator[Finding]:
    """A backup is being made as long as its job is, and a guest of a restore test is there for its job alone."""
    active = set(Job.objects.active().values_list("public_id", flat=True))
    for row in Backup.objects.filter(state=Backup.State.RUNNING).exclude(job__in=active):
        if not Job.objects.active().filter(public_id=row.job).exists() and not _has_ended_since(row):
            yield breach(
                "BACKUP_WITHOUT_JOB", row.public_id, f"It is shown as running, and {row.job or 'no job'} does not."
            )
    scratch = GuestClaim.objects.active().filter(owner__startswith="scratch:").exclude(job__in=active)
    for claim in scratch:
        yield Finding(Severity.DRIFT, "SCRATCH_LEFT", str(claim.vmid), f"{claim.key} waits to be removed.")


def places_and_rows() -> Iterator[Finding]:
    """Each network and storage that lives in the ledger was seen, each that is being made has a job, and what was given up is
    shown nowhere as ours and has no secret left."""
    busy = set(Job.objects.active().values_list("public_id", flat=True))
    rows = PlaceClaim.objects.select_related("cluster").exclude(state=PlaceClaim.State.RELEASED)
    shown = rows.annotate(seen=Count("networks", distinct=True) + Count("storages", distinct=True)).exclude(
        job__in=busy
    )
    for claim in shown.filter(cluster__in=Cluster.objects.enabled().exclude(last_read_at=None)):
        if claim.state == PlaceClaim.State.RESERVED and not _is_at_work(claim):
            yield Finding(
                Severity.DRIFT,
                "PLACE_UNFINISHED",
                _place(claim),
                f"{claim.name} was neither made nor taken back whole.",
            )
        elif claim.state == PlaceClaim.State.LIVE and not claim.seen:
            yield Finding(
                Severity.DRIFT, "PLACE_MISSING", _place(claim), f"{claim.name} is in the ledger and was not seen."
            )
    gone = PlaceClaim.objects.select_related("cluster").filter(state=PlaceClaim.State.RELEASED)
    for lost in gone.filter(Q(networks__isnull=False) | Q(storages__isnull=False)).distinct():
        yield breach("PLACE_GIVEN_UP", _place(lost), f"{lost.name} was given up, and is shown as ours.")
    for kept in PlaceClaim.objects.select_related("cluster").exclude(state="reserved").exclude(secrets_sealed=""):
        yield breach(
            "PLACE_SECRET_KEPT", _place(kept), f"{kept.name} is {kept.state}, and its secrets are still there."
        )


def _place(claim: PlaceClaim) -> str:
    return f"{claim.cluster.slug}/{claim.handle}"


def _is_at_work(claim: PlaceClaim) -> bool:
    """Whether a job took it meanwhile, or has brought it to its end."""
    now = PlaceClaim.objects.get(pk=claim.pk)
    is_same = (now.state, now.job) == (claim.state, claim.job)
    return not is_same or Job.objects.active().filter(public_id=now.job).exists()


def _has_ended_since(row: Backup) -> bool:
    """Whether its job has said meanwhile what became of it."""
    return not Backup.objects.filter(pk=row.pk, state=Backup.State.RUNNING).exists()


def candidates(cluster: Cluster, listed: dict[int, GuestRow]) -> list[GuestRow]:
    """Guests that may be ours: those in the cluster's range, with our tag, or in the ledger."""
    known = set(GuestClaim.objects.filter(cluster=cluster).values_list("vmid", flat=True))
    return [
        row
        for row in listed.values()
        if cluster.vmid_first <= row.vmid <= cluster.vmid_last or TAG in row.tags.split(";") or row.vmid in known
    ]


def read_markers(cluster: Cluster, rows: list[GuestRow]) -> Markers:
    """The marker of each guest, empty without one; a guest that went meanwhile is left out. Raises Unknown, Refusal."""
    parts = [rows[number::READERS] for number in range(min(READERS, len(rows)))]
    with ThreadPoolExecutor(READERS, thread_name_prefix="doctor") as readers:
        found = readers.map(partial(_read_part, cluster), parts)
        return {vmid: marker for part in found for vmid, marker in part.items()}


def _read_part(cluster: Cluster, rows: list[GuestRow]) -> Markers:
    try:
        api = connect(cluster)
        return {row.vmid: marker for row in rows if (marker := guests.read_marker(api, row)) is not None}
    finally:
        disconnect()


def _guests(cluster: Cluster, markers: Markers, busy: set[str]) -> Iterator[Finding]:
    claims = _claims_by_marker(set(markers.values()))
    kept = set(Stray.objects.filter(cluster=cluster, state=Stray.State.KEPT).values_list("vmid", flat=True))
    for vmid, marker in markers.items():
        claim = claims.get(marker)
        subject = f"{cluster.slug}/{vmid}"
        if not marker:
            continue  # somebody else's
        if claim is None or (claim.cluster_id, claim.vmid) != (cluster.pk, vmid):
            yield Finding(Severity.DRIFT, "MARKER_UNKNOWN", subject, "It carries a marker that is not in this ledger.")
        elif not claim.is_active and vmid in kept:
            yield Finding(
                Severity.DRIFT, "ORPHAN_KEPT", subject, f"{claim.key} was given up, and somebody keeps its guest."
            )
        elif not claim.is_active and claim.job not in busy:
            yield breach("ORPHAN", subject, f"{claim.key} was given up, and its guest is still there.")


def _claims_by_marker(markers: set[str]) -> dict[str, GuestClaim]:
    ids = set()
    for marker in markers:
        try:
            ids.add(UUID(marker.removeprefix(MARKER)))
        except ValueError:
            continue
    return {claim.marker: claim for claim in GuestClaim.objects.filter(pk__in=ids)}


def _rows(cluster: Cluster, markers: Markers, busy: set[str]) -> Iterator[Finding]:
    live = GuestClaim.objects.filter(cluster=cluster, state=GuestClaim.State.LIVE).exclude(job__in=busy)
    for claim in live:
        subject = f"{cluster.slug}/{claim.vmid}"
        if claim.vmid not in markers:
            yield Finding(Severity.DRIFT, "GUEST_MISSING", subject, f"{claim.key} is in the ledger and has no guest.")
        elif markers[claim.vmid] != claim.marker:
            yield Finding(Severity.DRIFT, "MARKER_LOST", subject, f"{claim.key} does not carry its marker any more.")
