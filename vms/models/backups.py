"""Backups of guests: those that jobs of ours make, and those that lie on storages, whoever made them."""

from collections.abc import Mapping
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState
from vms.models.clusters import Cluster
from vms.models.guests import Guest, GuestKind
from vms.models.ledger import GuestClaim


class BackupQuerySet(OwnedQuerySet):
    """Backups by what they are good for."""

    def there(self) -> Self:
        """Those that lie on a storage."""
        return self.filter(state__in=Backup.THERE)


class Backup(models.Model):
    """An archive on a storage, or one that a job is about to make, which has no `volume` and no `taken_at` yet.

    `evidence` is what the last restore test showed: {is_good, at, seconds, checks: [{what, expected, found, is_good}], why}.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        COMPLETED = "completed"
        VERIFIED = "verified"
        EXPIRED = "expired"
        FAILED = "failed"
        CANCELLED = "cancelled"

    THERE = (State.COMPLETED, State.VERIFIED)
    MOVES: Mapping[State, frozenset[State]] = {
        State.RUNNING: frozenset({State.COMPLETED, State.FAILED, State.CANCELLED}),
        State.COMPLETED: frozenset({State.VERIFIED, State.EXPIRED}),
        State.VERIFIED: frozenset({State.COMPLETED, State.EXPIRED}),
        State.EXPIRED: frozenset({State.COMPLETED}),
        State.FAILED: frozenset({State.COMPLETED}),
        State.CANCELLED: frozenset({State.COMPLETED}),
    }

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="backups", help_text="Its cluster's.")
    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="backups")
    guest = models.ForeignKey(Guest, models.SET_NULL, null=True, blank=True, related_name="backups")
    claim = models.ForeignKey(
        GuestClaim, models.SET_NULL, null=True, blank=True, related_name="backups", help_text="Whose machine it holds."
    )
    vmid = models.PositiveIntegerField("VMID")
    guest_kind = models.CharField(max_length=3, choices=GuestKind)
    guest_name = models.CharField(max_length=128, blank=True)
    node = models.CharField(max_length=64, blank=True, help_text="Empty on a storage that all nodes share.")
    storage = models.CharField(max_length=100)
    volume = models.CharField(max_length=300, blank=True, help_text="As Proxmox names it, once it is there.")
    compression = models.CharField(max_length=8, blank=True)
    is_encrypted = models.BooleanField(null=True, blank=True)
    is_protected = models.BooleanField(default=False, help_text="Proxmox neither deletes nor prunes it.")
    is_incremental = models.BooleanField(default=False, help_text="Only what changed was sent; it restores as a whole.")
    description = models.CharField(max_length=1000, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING, editable=False)
    error = models.CharField(max_length=500, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    tested_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last restored to see whether it can be."
    )
    job = models.CharField(max_length=40, blank=True, help_text="The job that made it, if one of ours did.")
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now, help_text="When it was asked for, or was taken.")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="The reading of its storage that showed it last.")

    objects = BackupQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="backup_recent"),
            models.Index(fields=["guest", "-taken_at"], name="backup_of_guest"),
            models.Index(fields=["cluster", "vmid"], name="backup_of_number"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "node", "volume"], condition=~Q(volume=""), name="backup_volume"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["completed", "verified", "expired"])
                | (~Q(volume="") & Q(taken_at__isnull=False)),
                name="backup_there_has_volume",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.state})"

    @property
    def public_id(self) -> str:
        """As people and clients name it: `backup-001`."""
        return f"backup-{self.pk:03d}"

    @property
    def is_there(self) -> bool:
        """Whether it lies on a storage, as far as is known."""
        return self.state in self.THERE

    def move(self, to: "Backup.State", **values: Any) -> None:
        """Change the state along MOVES, with what else is known then. Raises WrongState."""
        if to not in self.MOVES[Backup.State(self.state)]:
            raise WrongState(f"A backup that is {self.state} cannot become {to}.")
        if not Backup.objects.filter(pk=self.pk, state=self.state).update(state=to, **values):
            raise WrongState("This backup has changed meanwhile; look again.")
        self.state = to
        for name, value in values.items():
            setattr(self, name, value)


class BackupStorage(models.Model):
    """A storage that takes backups, and what the last reading of its archives showed. One that all nodes share is there once,
    with an empty node."""

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="backup_storages")
    node = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=100)
    plugin = models.CharField(max_length=32)
    encrypts = models.BooleanField(null=True, help_text="A Proxmox Backup Server with a key; None where nobody told.")
    asked_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=400, blank=True, help_text="Why it could not be read last.")

    class Meta:
        ordering = ["cluster_id", "name", "node"]
        constraints = [models.UniqueConstraint(fields=["cluster", "node", "name"], name="backup_storage_name")]

    def __str__(self) -> str:
        return f"{self.name} on {self.node}" if self.node else self.name


class BackupSchedule(models.Model):
    """How a machine of ours is backed up by a job of Proxmox that is for it alone. `applied_at` is None until it is read back."""

    claim = models.OneToOneField(GuestClaim, models.CASCADE, related_name="backup_schedule")
    is_enabled = models.BooleanField(default=True)
    schedule = models.CharField(max_length=128, help_text="daily, weekly, hourly, or a calendar event of Proxmox.")
    retention_days = models.PositiveIntegerField(null=True, blank=True, help_text="None keeps everything.")
    storage = models.CharField(max_length=100, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    next_run = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.schedule} for {self.claim_id}"

    @property
    def job_id(self) -> str:
        """What Proxmox calls the job."""
        return f"alma-{self.claim_id.hex}"


class BackupJobs(models.Model):
    """What the backup jobs of a cluster save, as it was last read; None where the cluster did not tell.

    `jobs` are {id, schedule, storage, vmids, is_enabled}, `unsaved` the numbers of guests that no job saves."""

    cluster = models.OneToOneField(Cluster, models.CASCADE, related_name="backup_jobs")
    jobs = models.JSONField(null=True)
    unsaved = models.JSONField(null=True)
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["cluster_id"]
        verbose_name_plural = "backup jobs"

    def __str__(self) -> str:
        return f"backup jobs of {self.cluster_id}"

    def schedule_of(self, vmid: int) -> str:
        """The schedule of the first enabled job that names a guest, empty where none does."""
        names = (job["schedule"] for job in self.jobs or () if job["is_enabled"] and str(vmid) in job["vmids"])
        return next(names, "")

    def saves(self, vmid: int) -> bool | None:
        """Whether some job saves a guest; None where nobody told."""
        return None if self.unsaved is None else vmid not in self.unsaved
