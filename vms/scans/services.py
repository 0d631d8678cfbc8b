"""Starting scans, and their figures for others."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound, WrongState
from alma.jobs import services as jobs
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job
from vms import machines
from vms.inventory import BEING_MADE
from vms.lanes import check_lane, is_test
from vms.models import Guest, GuestQuerySet, ScanSubject, SecurityScan
from vms.operations.reaching import reach
from vms.operations.rights import check_answers
from vms.scans.controls import FRAMEWORKS

READ, WRITE = "security:read", "security:write"
KIND = "scan"
MOST_GUESTS = 1000
MOST_RUNNING = 3
"""Scans of an organization at the same time."""
BATCH = 10
"""Guests of one step."""
_ID = re.compile(r"vm-[0-9]{1,9}")
_AT_LEAST, _PER_GUEST = timedelta(seconds=10), timedelta(seconds=1)


class Security(NamedTuple):
    """The last judgement of a guest."""

    scanned_at: datetime
    score: int | None
    counts: dict[str, int]


def security_of(guests: Iterable[Guest]) -> dict[int, Security]:
    """The last judgement of each guest that has one, by its id: one query, whatever their number."""
    judged = ScanSubject.objects.filter(assessed_at__isnull=False)
    last = judged.filter(guest=OuterRef("guest")).order_by("-assessed_at", "-pk").values("pk")[:1]
    rows = judged.filter(guest__in=[guest.pk for guest in guests], pk=Subquery(last)).defer("tally")
    return {
        row.guest_id: Security(row.assessed_at, row.score, row.counts)
        for row in rows
        if row.guest_id and row.assessed_at
    }


def start(
    *,
    by: Actor,
    guests: Sequence[Guest] | None = None,
    kind: str = SecurityScan.Kind.VULNERABILITY,
    is_deep: bool = True,
    has_surroundings: bool = True,
) -> SecurityScan:
    """Begin a scan of these guests, or of all that the actor sees. Raises Refused, Invalid, NotFound, WrongState, Unavailable."""
    by.require(WRITE)
    rows = _scannable(guests, by)
    if by.organization_id is None:
        raise NotFound("You belong to no organization.")
    if SecurityScan.objects.visible_to(by).filter(state=SecurityScan.State.RUNNING).count() >= MOST_RUNNING:
        raise WrongState(f"{MOST_RUNNING} scans are running already; wait for one to end.", code="TOO_MANY_SCANS")
    with transaction.atomic():
        now = timezone.now()
        job = create_job(KIND, _steps(rows), organization_id=by.organization_id, title=_title(rows), by=by.label)
        scan = SecurityScan.objects.create(
            organization_id=by.organization_id, job=job, kind=kind, is_deep=is_deep, has_surroundings=has_surroundings,
            created_by=by.label, started_at=now, expected_until=now + _AT_LEAST + _PER_GUEST * len(rows),
        )  # fmt: skip
        ScanSubject.objects.bulk_create(_subjects(scan, rows))
        Job.objects.filter(pk=job.pk).update(params={"scan": scan.pk})
    return scan


def named(targets: Sequence[str], *, by: Actor) -> list[Guest]:
    """The guests of ids like `vm-012`, or of VMIDs that only one cluster has. Raises NotFound, WrongState, Invalid."""
    if len(targets) > MOST_GUESTS:
        raise Invalid(f"A scan looks at {MOST_GUESTS} guests at most.", code="TOO_MANY_TARGETS")
    numbers = {text: int(text[3:]) for text in targets if _ID.fullmatch(text)}
    rows = Guest.objects.visible_to(by).present().select_related("cluster").in_bulk(set(numbers.values()))
    return [rows.get(numbers.get(text, 0)) or machines.find(text, by=by) for text in targets]


def cancel(scan: SecurityScan, *, by: Actor) -> None:
    """Ask it to stop after the guests that it looks at now. Raises Refused, WrongState."""
    by.require(WRITE)
    jobs.cancel(scan.job, by=by.label)


def _scannable(guests: Sequence[Guest] | None, by: Actor) -> list[Guest]:
    """The guests to be looked at, each once. Raises Refused, Invalid, WrongState, Unavailable while a cluster is silent: its scan
    would fail minutes later."""
    rows = list({guest.pk: guest for guest in (_all(by) if guests is None else guests)}.values())
    if len(rows) > MOST_GUESTS:
        raise Invalid(f"A scan looks at {MOST_GUESTS} guests at most; name which.", code="TOO_MANY_TARGETS")
    if not rows:
        raise Invalid("There is no guest to scan: no cluster that is on has shown one yet.", code="NOTHING_TO_SCAN")
    for cluster in {guest.cluster_id: guest.cluster for guest in rows}.values():
        check_lane(cluster, by=by)
        if not cluster.is_enabled:
            raise WrongState(f"{cluster.name} is switched off; nothing is read from it.", code="CLUSTER_OFF")
        check_answers(cluster)
        reach(cluster)
    return rows


def _all(by: Actor) -> GuestQuerySet:
    """Everything that is there but templates and what is yet to be made, on clusters that are on; a test key's are those of sandboxes."""
    rows = Guest.objects.visible_to(by).machines().filter(cluster__is_enabled=True).exclude(status=BEING_MADE)
    rows = rows.filter(cluster__is_sandbox=True) if is_test(by) else rows
    return rows.select_related("cluster").order_by("cluster_id", "vmid")[: MOST_GUESTS + 1]


def _title(guests: list[Guest]) -> str:
    named = guests[0].name or str(guests[0].vmid)
    return f"Security scan of {named}" if len(guests) == 1 else f"Security scan of {len(guests)} guests"


def _subjects(scan: SecurityScan, guests: list[Guest]) -> list[ScanSubject]:
    return [
        ScanSubject(
            scan=scan,
            kind=ScanSubject.Kind.GUEST,
            cluster_id=guest.cluster_id,
            guest=guest,
            vmid=guest.vmid,
            node=guest.node,
            name=guest.name or str(guest.vmid),
        )  # fmt: skip
        for guest in guests
    ]


def _steps(guests: list[Guest]) -> list[StepSpec]:
    """Per cluster what its guests stand on; after that the guests, a few to a step."""
    clusters: dict[int, list[Guest]] = {}
    for guest in guests:
        clusters.setdefault(guest.cluster_id, []).append(guest)
    steps = []
    for pk, rows in clusters.items():
        title, params = (
            f"Read {rows[0].cluster.name} and its nodes",
            {"cluster": pk, "vmids": [row.vmid for row in rows]},
        )
        steps.append(StepSpec("scan.surroundings", f"cluster-{pk}", title[:200], 0, 2, params))
        for first in range(0, len(rows), BATCH):
            part = rows[first : first + BATCH]
            asked = {"cluster": pk, "vmids": [row.vmid for row in part]}
            title = f"Scan {', '.join(row.name or str(row.vmid) for row in part)}"
            steps.append(
                StepSpec("scan.guests", f"cluster-{pk}/{first // BATCH + 1}", title[:200], 1, len(part), asked)
            )
    return steps


def trend(scan: SecurityScan, most: int = 30) -> list[SecurityScan]:
    """The last completed scans up to this one that have a score, oldest first."""
    before = SecurityScan.objects.completed().filter(
        organization_id=scan.organization_id, pk__lte=scan.pk, score__isnull=False
    )
    return list(before.defer("tally").order_by("-pk")[:most])[::-1]


def progress(scan: SecurityScan) -> tuple[int, int]:
    """Guests that were judged, and all of the scan."""
    guests = scan.subjects.filter(kind=ScanSubject.Kind.GUEST)
    counted = guests.aggregate(done=Count("assessed_at"), all=Count("pk"))
    return counted["done"], counted["all"]


def frameworks(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per framework how many of its controls passed, failed, and were not assessed."""
    found = list(rows)
    return [
        {"name": name, **{status: _number(found, name, status) for status in ("passed", "failed", "not_assessed")}}
        for name in FRAMEWORKS
    ]


def _number(rows: list[Mapping[str, Any]], framework: str, status: str) -> int:
    return sum(row["framework"] == framework and row["status"] == status for row in rows)
