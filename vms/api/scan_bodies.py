"""Scans as the Proxmox AI document begins to write them; what it leaves open is written in its manner."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count
from pydantic import BaseModel

from alma.accounts.actors import Actor
from alma.api.dialects import PROXMOX
from alma.api.dialects.pages import Pagination
from vms.models import ScanFinding, ScanSubject, SecurityScan
from vms.scans import mending, scoring, services
from vms.scans.controls import CONTROLS
from vms.scans.lifetimes import AS_OF
from vms.scans.rules import REGISTER

MOST_REASONS = 100


class Counts(BaseModel):
    """Findings by severity."""

    critical: int
    high: int
    medium: int
    low: int
    info: int


class ScanRow(BaseModel):
    """A scan. `compliance_score` is null until it has ended, and where nothing could be assessed."""

    id: str
    type: str
    status: str
    started_at: datetime
    estimated_completion: datetime
    completed_at: datetime | None
    created_by: str
    job_id: str
    deep_scan: bool
    include_dependencies: bool
    compliance_score: int | None
    vulnerabilities: Counts
    not_assessed: int


class OneScan(BaseModel):
    """A scan."""

    scan: ScanRow


class EvidenceRow(BaseModel):
    """Which setting had which value."""

    setting: str
    value: str


class FixRow(BaseModel):
    """The remedy as one call of the Proxmox VE API, and as a command for a shell on a node."""

    method: str
    path: str
    values: dict[str, str | int]
    command: str


class MendRow(BaseModel):
    """Whether ALMA can mend it by an IPR: if not, `reason` says why. `ipr_id` and `ipr_url` name one that is open for it."""

    possible: bool
    reason: str | None
    ipr_id: int | None
    ipr_url: str | None


class ControlName(BaseModel):
    """A control of a framework."""

    id: str
    framework: str
    title: str


class FindingRow(BaseModel):
    """A rule that is broken, or that could not be judged: then `not_assessed` says why, and there is no evidence."""

    id: str
    rule: str
    title: str
    severity: str
    outcome: str
    subject: str
    vm_id: str | None
    name: str
    node: str
    evidence: list[EvidenceRow]
    not_assessed: str | None
    remedy: str
    fix: FixRow | None
    mend: MendRow
    controls: list[ControlName]


class ControlRow(ControlName):
    """What became of a control: passed only when all of its rules were assessed and passed."""

    status: str
    passed: int
    failed: int
    unassessed: int
    rules: list[str]


class FrameworkRow(BaseModel):
    """Controls of a framework by what became of them."""

    name: str
    passed: int
    failed: int
    not_assessed: int


class ReasonRow(BaseModel):
    """Why a rule could not be judged, and of how many subjects."""

    rule: str
    title: str
    reason: str
    count: int


class PointRow(BaseModel):
    """The score of one scan."""

    id: str
    completed_at: datetime
    compliance_score: int


class ReportRow(ScanRow):
    """A scan with what follows from its findings."""

    progress: int
    targets: int
    assessed: int
    error: str | None
    frameworks: list[FrameworkRow]
    controls: list[ControlRow]
    not_assessed_rules: list[ReasonRow]
    trend: list[PointRow]
    lifetimes_as_of: str


class ScanReport(BaseModel):
    """A scan, and a page of its findings."""

    scan: ReportRow
    findings: list[FindingRow]
    pagination: Pagination


def scan_of(scan: SecurityScan) -> dict[str, Any]:
    """A scan in a list."""
    return {
        "id": scan.public_id, "type": scan.kind, "status": scan.state, "started_at": scan.started_at,
        "estimated_completion": scan.expected_until, "completed_at": scan.finished_at, "created_by": scan.created_by,
        "job_id": scan.job.public_id, "deep_scan": scan.is_deep, "include_dependencies": scan.has_surroundings,
        "compliance_score": scan.score, "vulnerabilities": scan.counts, "not_assessed": scan.unassessed,
    }  # fmt: skip


def report_of(scan: SecurityScan) -> dict[str, Any]:
    """A scan with what follows from its findings."""
    controls = scoring.controls(scan.tally)
    done, targets = services.progress(scan)
    trend = [
        {"id": one.public_id, "completed_at": one.finished_at, "compliance_score": one.score}
        for one in services.trend(scan)
    ]
    return {
        **scan_of(scan), "progress": 100 * done // targets if targets else 0, "targets": targets, "assessed": done,
        "error": (scan.job.error or {}).get("message"), "frameworks": services.frameworks(controls), "controls": controls,
        "not_assessed_rules": reasons(scan), "trend": trend, "lifetimes_as_of": AS_OF.isoformat(),
    }  # fmt: skip


def reasons(scan: SecurityScan) -> list[dict[str, Any]]:
    """Why rules could not be judged, the most frequent first."""
    rows = ScanFinding.objects.filter(subject__scan=scan).not_assessed().order_by()
    counted = (
        rows.values_list("rule", "unassessed").annotate(number=Count("pk")).order_by("-number", "rule", "unassessed")
    )
    return [
        {"rule": rule, "title": title_of(rule), "reason": reason, "count": number}
        for rule, reason, number in counted[:MOST_REASONS]
    ]


def title_of(rule: str) -> str:
    """The title of a rule, which may have been taken out of the register since."""
    return REGISTER[rule].title if rule in REGISTER else rule


def findings_of(rows: Iterable[ScanFinding], *, by: Actor) -> list[dict[str, Any]]:
    """Findings, each with whether this actor can have it mended."""
    found = list(rows)
    known = mending.chances(found, by=by)
    return [finding_of(row, known[row.pk]) for row in found]


def finding_of(row: ScanFinding, chance: mending.Chance) -> dict[str, Any]:
    """A finding."""
    rule, subject = REGISTER.get(row.rule), row.subject
    controls = [CONTROLS[key] for key in rule.controls] if rule else []
    return {
        "id": PROXMOX.ids.write("finding", row.pk), "rule": row.rule, "title": title_of(row.rule), "severity": row.severity,
        "outcome": "not_assessed" if row.unassessed else "failed", "subject": subject.kind, "vm_id": _vm_id(subject),
        "name": subject.name, "node": subject.node, "evidence": row.evidence, "not_assessed": row.unassessed or None,
        "remedy": rule.remedy if rule else "", "fix": row.fix,
        "mend": {
            "possible": chance.is_possible, "reason": chance.reason or None, "ipr_id": chance.ipr_id,
            "ipr_url": chance.ipr_url,
        },
        "controls": [{"id": one.number, "framework": one.framework, "title": one.title} for one in controls],
    }  # fmt: skip


def _vm_id(subject: ScanSubject) -> str | None:
    """The id of a guest that is still known."""
    return f"vm-{subject.guest_id:03d}" if subject.guest_id else None
