"""The carrying out of a plan."""

from collections.abc import Mapping
from typing import Self

from django.db import models
from django.urls import reverse

from alma.accounts.models import OwnedQuerySet
from alma.errors import WrongState
from alma.jobs.models import Job
from iprs.models.ipr import IPR
from iprs.models.plan import Plan


class DeploymentQuerySet(OwnedQuerySet):
    """Deployments by where they stand."""

    def running(self) -> Self:
        """Those that have not ended."""
        return self.filter(status__in=Deployment.ACTIVE)


class Deployment(models.Model):
    """One run of one plan: the job does the work, this says what it means."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        IN_PROGRESS = "in_progress"
        CANCELLING = "cancelling"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"
        ROLLING_BACK = "rolling_back"
        ROLLED_BACK = "rolled_back"
        ROLLBACK_FAILED = "rollback_failed"

    ACTIVE = (Status.QUEUED, Status.IN_PROGRESS, Status.CANCELLING)
    LIVE = (*ACTIVE, Status.ROLLING_BACK)
    """Something happens to its guests: forwards, or back."""
    MOVES: Mapping[Status, frozenset[Status]] = {
        Status.QUEUED: frozenset({Status.IN_PROGRESS, Status.CANCELLING, Status.CANCELLED, Status.FAILED}),
        Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLING}),
        Status.CANCELLING: frozenset({Status.CANCELLED, Status.COMPLETED, Status.FAILED}),
        Status.FAILED: frozenset({Status.QUEUED, Status.ROLLING_BACK}),
        Status.CANCELLED: frozenset({Status.QUEUED, Status.ROLLING_BACK}),
        Status.ROLLING_BACK: frozenset({Status.ROLLED_BACK, Status.ROLLBACK_FAILED}),
        Status.ROLLBACK_FAILED: frozenset({Status.ROLLING_BACK}),
        Status.ROLLED_BACK: frozenset(),
        Status.COMPLETED: frozenset(),
    }

    organization = models.ForeignKey("accounts.Organization", models.CASCADE, related_name="deployments")
    job = models.OneToOneField(Job, models.CASCADE, related_name="deployment")
    rollback = models.OneToOneField(
        Job, models.SET_NULL, null=True, blank=True, editable=False, related_name="rolled_back",
        help_text="The last job that undid it, or tries to.",
    )  # fmt: skip
    ipr = models.ForeignKey(IPR, models.CASCADE, related_name="deployments")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="deployments")
    engine = models.CharField(max_length=40, default="proxmox")
    is_dry_run = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED, editable=False)
    leftovers = models.JSONField(default=list, help_text="Guests that a failed run leaves behind.")
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["organization", "-id"], name="deployment_list")]

    def __str__(self) -> str:
        return self.job.public_id

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("iprs:deployment", args=[self.job.public_id])

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.status in self.ACTIVE

    @property
    def is_live(self) -> bool:
        """Whether it runs or is being rolled back."""
        return self.status in self.LIVE

    def move(self, to: "Deployment.Status") -> None:
        """Change the status along MOVES; called in the transaction in which its job changes. Raises WrongState."""
        if to not in self.MOVES[Deployment.Status(self.status)]:
            raise WrongState(f"A deployment that is {self.status} cannot become {to}.")
        if not Deployment.objects.filter(pk=self.pk, status=self.status).update(status=to):
            raise WrongState("This deployment has changed meanwhile; reload it.")
        self.status = to
