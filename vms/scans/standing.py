"""How one cluster stands: the part of the last scan of it that is about this cluster, its nodes and its guests."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q

from vms.models import Cluster, ScanFinding, ScanSubject, SecurityScan
from vms.scans import scoring
from vms.scans.rules import REGISTER

MOST_RULES, MOST_SUBJECTS = 8, 8


@dataclass(frozen=True)
class Broken:
    """A rule that is broken there, and how often."""

    rule: str
    title: str
    severity: str
    number: int


@dataclass(frozen=True)
class Standing:
    """The last completed scan that looked at a cluster, added up for this cluster alone."""

    scan: SecurityScan
    score: int | None
    counts: dict[str, int]
    unassessed: int
    guests: int
    rules: list[Broken]
    subjects: list[ScanSubject]


def standing_of(cluster: Cluster) -> Standing | None:
    """None until a scan of it was completed. Four queries, whatever the number of guests."""
    scans = SecurityScan.objects.completed().filter(organization_id=cluster.organization_id)
    scan = scans.filter(pk__in=_of(cluster).values("scan")).defer("tally").order_by("-pk").first()
    if scan is None:
        return None
    here = _of(cluster).filter(scan=scan)
    rows = list(here.values_list("kind", "tally"))
    tally = scoring.add(part for _, part in rows)
    found = scoring.counts(tally)
    return Standing(
        scan, scoring.score(tally), {name: number for name, number in found.items() if name != "unassessed"},
        found["unassessed"], sum(kind == ScanSubject.Kind.GUEST for kind, _ in rows), _rules(scan, cluster),
        list(here.defer("tally").order_by(F("score").asc(nulls_last=True), "name")[:MOST_SUBJECTS]),
    )  # fmt: skip


def latest(cluster: Cluster, most: int) -> list[SecurityScan]:
    """The last scans that look or looked at it, each with how many subjects of all clusters it has and has assessed."""
    rows = SecurityScan.objects.filter(organization_id=cluster.organization_id, pk__in=_of(cluster).values("scan"))
    counted = rows.defer("tally").annotate(
        targets=Count("subjects"), assessed=Count("subjects", filter=Q(subjects__assessed_at__isnull=False))
    )
    return list(counted.order_by("-pk")[:most])


def _of(cluster: Cluster) -> Any:
    return ScanSubject.objects.filter(cluster=cluster).order_by()


def _rules(scan: SecurityScan, cluster: Cluster) -> list[Broken]:
    """The rules that are broken there, the worst and most frequent first."""
    findings = ScanFinding.objects.broken().filter(subject__scan=scan, subject__cluster=cluster)
    rows = findings.order_by().values_list("rule", "severity", "rank").annotate(number=Count("pk"))
    return [
        Broken(rule, REGISTER[rule].title if rule in REGISTER else rule, severity, number)
        for rule, severity, _, number in rows.order_by("rank", "-number", "rule")[:MOST_RULES]
    ]
