"""Scans for tests, as their jobs leave them."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from alma.jobs.models import Job
from alma.jobs.services import create_job
from vms.models import Cluster, Guest, ScanFinding, ScanSubject, SecurityScan
from vms.scans.findings import REGISTER, Severity
from vms.scans.running import figures_of

BROKEN, UNKNOWN, PASSED = "GUEST-NET-001", "GUEST-OS-001", "GUEST-AGENT-001"


def make_scan(
    cluster: Cluster, *, name: str = "web", evidence: str = "0 (default)", guest: Guest | None = None,
    state: str = "completed", at: datetime | None = None, tally: dict[str, dict[str, int]] | None = None, **overrides: Any,
) -> SecurityScan:  # fmt: skip
    """A scan of one guest with a rule that is broken, one that could not be judged, and one that passed."""
    now = at or timezone.now()
    told = tally or {BROKEN: {"failed": 1}, UNKNOWN: {"unassessed": 1}, PASSED: {"passed": 1}}
    job = create_job("scan", [], organization_id=cluster.organization_id, title=f"Security scan of {name}")
    if state != "running":
        Job.objects.filter(pk=job.pk).update(state=state)
    scan = SecurityScan.objects.create(
        organization=cluster.organization, job=job, state=state, started_at=now, expected_until=now,
        finished_at=None if state == "running" else now, tally=told, **(figures_of(told) | overrides),
    )  # fmt: skip
    subject = ScanSubject.objects.create(
        scan=scan, kind="guest", cluster=cluster, guest=guest, vmid=101, node="pve1", name=name, assessed_at=now, tally=told,
        **figures_of(told),
    )  # fmt: skip
    for rule, outcomes in told.items():
        if "passed" not in outcomes:
            make_finding(subject, rule, evidence=evidence, is_broken="failed" in outcomes)
    return scan


def make_finding(subject: ScanSubject, rule: str, *, evidence: str = "0", is_broken: bool = True) -> ScanFinding:
    """One finding."""
    severity = REGISTER[rule].severity
    return ScanFinding.objects.create(
        subject=subject, rule=rule, severity=severity, rank=list(Severity).index(severity),
        unassessed="" if is_broken else evidence, evidence=[{"setting": "enable", "value": evidence}] if is_broken else [],
    )  # fmt: skip
