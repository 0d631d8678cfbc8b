"""Security scans: what was looked at, what was found, and what could not be assessed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState
from alma.jobs.models import Job
from vms.models.clusters import Cluster
from vms.models.guests import Guest

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class ScanQuerySet(OwnedQuerySet):
    """Scans by how they ended."""

    def completed(self) -> Self:
        """Those that have figures."""
        return self.filter(state=SecurityScan.State.COMPLETED)


class Figures(models.Model):
    """A score and how many findings of each severity; the score is None while nothing was assessed."""

    score = models.PositiveSmallIntegerField(null=True, blank=True)
    critical = models.PositiveIntegerField(default=0)
    high = models.PositiveIntegerField(default=0)
    medium = models.PositiveIntegerField(default=0)
    low = models.PositiveIntegerField(default=0)
    info = models.PositiveIntegerField(default=0)
    unassessed = models.PositiveIntegerField(default=0, help_text="Rules that could not be judged.")
    tally = models.JSONField(default=dict, help_text="By rule how often it passed, failed, and was not assessed.")

    class Meta:
        abstract = True

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity, the worst first."""
        return {name: getattr(self, name) for name in ("critical", "high", "medium", "low", "info")}


class SecurityScan(Figures):
    """One look at the settings of guests and of what they stand on, carried out by a durable job."""

    class State(models.TextChoices):
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Kind(models.TextChoices):
        VULNERABILITY = "vulnerability", "Vulnerability"
        CONFIGURATION = "configuration", "Configuration"
        COMPLIANCE = "compliance", "Compliance"

    MOVES: Mapping[State, frozenset[State]] = {
        State.RUNNING: frozenset({State.COMPLETED, State.FAILED, State.CANCELLED}),
        State.COMPLETED: frozenset(),
        State.FAILED: frozenset({State.RUNNING}),
        State.CANCELLED: frozenset({State.RUNNING}),
    }

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="scans")
    job = models.OneToOneField(Job, models.CASCADE, related_name="scan")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.VULNERABILITY)
    is_deep = models.BooleanField(default=True, help_text="Agents, snapshots and backups are read as well.")
    has_surroundings = models.BooleanField(
        default=True, help_text="Nodes and clusters of the guests are judged as well."
    )
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING, editable=False)
    created_by = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    expected_until = models.DateTimeField(help_text="When it should have ended, by the number of guests.")

    objects = ScanQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["organization", "-started_at"], name="scan_recent")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None) | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="scan_ended_has_end",
            )
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.state})"

    def get_absolute_url(self) -> str:
        """The page of its findings."""
        return reverse("vms:scan", args=[self.pk])

    @property
    def public_id(self) -> str:
        """As people and clients name it: `scan-001`."""
        return f"scan-{self.pk:03d}"

    def move(self, to: "SecurityScan.State", **values: Any) -> None:
        """Change the state along MOVES, with what else is known then. Raises WrongState."""
        if to not in self.MOVES[SecurityScan.State(self.state)]:
            raise WrongState(f"A scan that is {self.state} cannot become {to}.")
        ended = None if to == SecurityScan.State.RUNNING else timezone.now()
        rows = SecurityScan.objects.filter(pk=self.pk, state=self.state)
        if not rows.update(state=to, finished_at=ended, **values):
            raise WrongState("This scan has changed meanwhile; reload it.")
        self.refresh_from_db()


class SubjectQuerySet(models.QuerySet):
    """What was looked at."""

    def visible_to(self, actor: "Actor") -> Self:
        """That of scans of the actor's own organization."""
        if not actor.organization_id:
            return self.none()
        return self.filter(scan__organization_id=actor.organization_id)


class ScanSubject(Figures):
    """A guest, a node or a cluster within a scan. `assessed_at` is None until it was judged."""

    class Kind(models.TextChoices):
        GUEST = "guest"
        NODE = "node"
        CLUSTER = "cluster"

    scan = models.ForeignKey(SecurityScan, models.CASCADE, related_name="subjects")
    kind = models.CharField(max_length=8, choices=Kind)
    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="scanned")
    guest = models.ForeignKey(Guest, models.SET_NULL, null=True, blank=True, related_name="scanned")
    vmid = models.PositiveIntegerField("VMID", default=0, help_text="0 where it is no guest.")
    node = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=128)
    assessed_at = models.DateTimeField(null=True, blank=True)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        ordering = ["scan_id", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["scan", "cluster", "vmid", "node"], condition=~Q(kind="guest"), name="scan_subject_place"
            ),
            models.UniqueConstraint(fields=["scan", "guest"], name="scan_subject_guest"),
        ]
        indexes = [
            models.Index(
                "guest", F("assessed_at").desc(), name="scan_subject_last", condition=Q(assessed_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.scan_id}"


class FindingQuerySet(models.QuerySet):
    """Findings by what came of the rule."""

    def visible_to(self, actor: "Actor") -> Self:
        """Those of scans of the actor's own organization."""
        if not actor.organization_id:
            return self.none()
        return self.filter(subject__scan__organization_id=actor.organization_id)

    def broken(self) -> Self:
        """Rules that are broken."""
        return self.filter(unassessed="")

    def not_assessed(self) -> Self:
        """Rules that could not be judged."""
        return self.exclude(unassessed="")


class ScanFinding(models.Model):
    """A rule that a subject breaks, or that could not be judged there: then `unassessed` says why."""

    subject = models.ForeignKey(ScanSubject, models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=40)
    severity = models.CharField(max_length=8)
    rank = models.PositiveSmallIntegerField(default=0, help_text="0 is the worst severity; lists begin with it.")
    unassessed = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=list, help_text="Pairs of setting and value.")
    fix = models.JSONField(null=True, blank=True, help_text="One call of the Proxmox VE API.")

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["rank", "rule", "pk"]
        constraints = [models.UniqueConstraint(fields=["subject", "rule"], name="scan_finding_rule")]

    def __str__(self) -> str:
        return f"{self.rule} at {self.subject_id}"
