"""The job of a scan: reading what guests stand on, then the guests one by one. It changes nothing on a cluster."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone

from alma.accounts.models import Environment
from alma.jobs.context import StepContext
from alma.jobs.kinds import JobKind, Place, StepFailed, StepKind
from alma.jobs.models import Job, Step
from vms.models import Cluster, ScanFinding, ScanSubject, SecurityScan
from vms.proxmox.answers import Refusal
from vms.proxmox.client import connect, disconnect
from vms.scans import scoring, surroundings
from vms.scans.asking import SILENT, Questions
from vms.scans.facts import Facts, GuestFacts, Missing
from vms.scans.findings import Severity
from vms.scans.guests import GuestReader, cluster_facts, node_facts
from vms.scans.judging import Verdict, judge

LAST_TRY = 3
"""So often a question without a clear answer is asked; after that, nothing is known."""
MOST_SILENT = 3
"""Guests in a row that stay silent before it is the cluster that does not answer."""


def _cluster(context: StepContext) -> Cluster:
    """Raises StepFailed when it may not be read any more."""
    rows = Cluster.objects.enabled().filter(organization_id=context.job.organization_id)
    cluster = rows.filter(pk=context.params["cluster"]).first()
    if cluster is None:
        raise StepFailed("CLUSTER_GONE", "The cluster was removed or switched off while it was scanned.")
    return cluster


def _scan(job: Job) -> SecurityScan:
    return SecurityScan.objects.get(job=job)


def write(subject: ScanSubject, facts: Facts) -> None:
    """Keep the verdicts of a subject, in the caller's transaction; what was kept of it before is replaced."""
    verdicts = judge(facts)
    ScanFinding.objects.filter(subject=subject).delete()
    ScanFinding.objects.bulk_create(_finding(subject, one) for one in verdicts if one.finding or one.unassessed)
    tally = {one.rule.id: {_outcome(one): 1} for one in verdicts}
    figures = figures_of(tally)
    ScanSubject.objects.filter(pk=subject.pk).update(assessed_at=facts.now, tally=tally, **figures)


def _finding(subject: ScanSubject, verdict: Verdict) -> ScanFinding:
    told, severity = verdict.finding.plain() if verdict.finding else {}, verdict.rule.severity
    return ScanFinding(
        subject=subject, rule=verdict.rule.id, severity=severity.value, rank=list(Severity).index(severity),
        unassessed=verdict.unassessed, **told,
    )  # fmt: skip


def _outcome(verdict: Verdict) -> str:
    return "unassessed" if verdict.unassessed else "failed" if verdict.finding else "passed"


def figures_of(tally: scoring.Tally) -> dict[str, Any]:
    """Score, findings by severity and what was not assessed, as the models keep them."""
    return {"score": scoring.score(tally), **scoring.counts(tally)}


class ReadSurroundings(StepKind):
    """Reads a cluster, its nodes, storages and backups once, keeps that in its journal, and judges cluster and nodes.

    Parameters: `cluster`, `vmids` of the guests that are scanned there."""

    patience = 120.0

    def run(self, context: StepContext) -> None:
        """One turn. Raises Unknown, StepFailed."""
        cluster, scan = _cluster(context), _scan(context.job)
        tries = context.journal.get("tries", 0) + 1
        context.note(tries=tries)
        api = connect(cluster)

        def pulse() -> None:
            context.renew()
            api.begin()

        try:
            questions = Questions(api, is_last=tries >= LAST_TRY)
            kept = surroundings.read(questions, cluster, context.params["vmids"], is_deep=scan.is_deep, pulse=pulse)
        except Refusal as error:
            raise StepFailed("PVE_REFUSED", f"{cluster.name} refused to list what it has: {error.text}") from error
        with context.fenced():
            if scan.has_surroundings:
                self._judge(scan, cluster, kept)
            context.note(facts=kept)
            context.succeed(status="read", nodes=len(kept["nodes"]), guests=len(kept["guests"]))

    def leave(self) -> None:
        """Close the connections to clusters."""
        disconnect()

    @staticmethod
    def _judge(scan: SecurityScan, cluster: Cluster, kept: Mapping[str, Any]) -> None:
        now = timezone.now()
        kinds = ScanSubject.Kind
        place: dict[str, Any] = {"scan": scan, "cluster": cluster, "vmid": 0}
        whole, _ = ScanSubject.objects.get_or_create(**place, node="", kind=kinds.CLUSTER, name=cluster.name)
        write(whole, cluster_facts(kept, now))
        for node in kept["nodes"]:
            subject, _ = ScanSubject.objects.get_or_create(**place, node=node, kind=kinds.NODE, name=node)
            write(subject, node_facts(kept, node, now))


class ScanGuests(StepKind):
    """Reads and judges a few guests, one each turn; a guest that stays silent is not assessed, and holds up nobody.

    Parameters: `cluster`, `vmids`."""

    patience = 120.0

    def run(self, context: StepContext) -> None:
        """One guest. Raises Unknown, StepFailed."""
        cluster, scan = _cluster(context), _scan(context.job)
        done = context.journal.get("done", 0)
        if done >= len(context.params["vmids"]):
            context.succeed(status="scanned", guests=done)
            return
        tries = context.journal.get("tries", 0) + 1
        context.note(tries=tries)
        vmid = context.params["vmids"][done]
        rows = ScanSubject.objects.select_related("guest__environment")
        subject = rows.get(scan=scan, cluster=cluster, vmid=vmid, kind=ScanSubject.Kind.GUEST)
        facts = self._read(context, cluster, scan, subject, is_last=tries >= LAST_TRY)
        is_silent = isinstance(facts.config, Missing) and facts.config.why == SILENT
        silent = context.journal.get("silent", 0) + 1 if is_silent else 0
        if silent >= MOST_SILENT:
            context.note(silent=0, tries=0)  # a retry asks anew
            raise StepFailed(
                "CLUSTER_UNREACHABLE", f"{cluster.name} stopped answering; {subject.name} was not looked at."
            )
        with context.fenced():
            write(subject, facts)
            context.note(done=done + 1, tries=0, silent=silent)

    def leave(self) -> None:
        """Close the connections to clusters."""
        disconnect()

    @staticmethod
    def _read(
        context: StepContext, cluster: Cluster, scan: SecurityScan, subject: ScanSubject, *, is_last: bool
    ) -> GuestFacts:
        places = {row.slug: row for row in Environment.objects.filter(organization_id=scan.organization_id)}
        questions = Questions(connect(cluster), is_last=is_last)
        reader = GuestReader(questions, _kept(context), is_deep=scan.is_deep, places=places)
        guest = subject.guest
        kind, declared = (guest.kind, guest.environment) if guest else ("vm", None)
        return reader.read(subject.vmid, kind, subject.node, now=timezone.now(), declared=declared)


def _kept(context: StepContext) -> Mapping[str, Any]:
    """What the step before has read; once for the steps of a pass."""
    rows = context.batch.rows if context.batch else {}
    key = ("surroundings", context.params["cluster"])
    if key not in rows:
        steps = Step.objects.filter(
            job=context.job, kind="scan.surroundings", params__cluster=context.params["cluster"]
        )
        rows[key] = steps.get().journal["facts"]
    kept: Mapping[str, Any] = rows[key]
    return kept


class ScanKind(JobKind):
    """A scan: its figures are written with the end of the job, and told with it."""

    prefix = "job_scan"
    told_as = {
        "queued": "security.scan_queued", "started": "security.scan_started", "completed": "security.scan_completed", "failed": "security.scan_failed",
        "cancelled": "security.scan_cancelled",
    }  # fmt: skip

    stopping = (
        "The guests that it looks at now are finished, no others begin. What was judged stays; there is no score."
    )

    def places(self, job: Job) -> list[Place]:
        """The scan."""
        return [Place("Scan", reverse("vms:scan", args=[job.params["scan"]]), "shield")] if "scan" in job.params else []

    def started(self, job: Job) -> None:
        """Begun, or taken up again."""
        scan = _scan(job)
        if scan.state != SecurityScan.State.RUNNING:
            scan.move(SecurityScan.State.RUNNING)

    def completed(self, job: Job) -> dict[str, object]:
        """Everything was looked at: add it up."""
        scan = _scan(job)
        tally = scoring.add(scan.subjects.values_list("tally", flat=True))
        scan.move(SecurityScan.State.COMPLETED, tally=tally, **figures_of(tally))
        return {**_facts(scan), "score": scan.score, "findings": scan.counts, "not_assessed": scan.unassessed}

    def failed(self, job: Job) -> dict[str, object]:
        """What was judged before stays; there is no score of the whole."""
        return self._stop(job, SecurityScan.State.FAILED)

    def cancelled(self, job: Job) -> dict[str, object]:
        """The same."""
        return self._stop(job, SecurityScan.State.CANCELLED)

    @staticmethod
    def _stop(job: Job, state: SecurityScan.State) -> dict[str, object]:
        scan = _scan(job)
        if scan.state == SecurityScan.State.RUNNING:
            scan.move(state)
        return _facts(scan)


def _facts(scan: SecurityScan) -> dict[str, object]:
    guests = scan.subjects.filter(kind=ScanSubject.Kind.GUEST).count()
    return {"id": scan.public_id, "type": scan.kind, "status": scan.state, "guests": guests}
