"""The Infrastructure Pull Request: a proposal to make reality equal to one blueprint in one environment, or to carry out one
operation on one machine."""

from collections.abc import Mapping
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from alma.accounts.models import Environment, Organization, OwnedQuerySet
from alma.errors import WrongState
from alma.events.services import emit
from alma.jobs.models import Job
from blueprints.models import Blueprint


class IPRQuerySet(OwnedQuerySet):
    """Requests by what they wait for."""

    def waiting(self) -> Self:
        """Those that somebody should look at."""
        return self.filter(status__in=[IPR.Status.PENDING, IPR.Status.APPROVED])

    def for_page(self) -> Self:
        """With what a row of a list shows, in one query."""
        return self.select_related("environment", "blueprint", "operation", "current_plan")


class IPR(models.Model):
    """Its stored status is what lists filter by; whether it may run is asked of the gates each time.

    It is made from a blueprint, or from an operation: a job that waits until its steps are agreed to."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PENDING = "pending"
        CHANGES_REQUESTED = "changes_requested"
        APPROVED = "approved"
        REJECTED = "rejected"
        DEPLOYING = "deploying"
        DEPLOYED = "deployed"
        FAILED = "failed"
        ROLLED_BACK = "rolled_back"
        CANCELLED = "cancelled"

    MOVES: Mapping[Status, frozenset[Status]] = {
        Status.DRAFT: frozenset({Status.PENDING, Status.CANCELLED}),
        Status.PENDING: frozenset({Status.APPROVED, Status.CHANGES_REQUESTED, Status.REJECTED, Status.CANCELLED}),
        Status.CHANGES_REQUESTED: frozenset({Status.PENDING, Status.CANCELLED}),
        Status.APPROVED: frozenset(
            {Status.PENDING, Status.CHANGES_REQUESTED, Status.REJECTED, Status.DEPLOYING, Status.CANCELLED}
        ),
        Status.REJECTED: frozenset({Status.DRAFT, Status.PENDING}),
        Status.DEPLOYING: frozenset({Status.DEPLOYED, Status.FAILED}),
        Status.DEPLOYED: frozenset({Status.ROLLED_BACK}),
        Status.FAILED: frozenset({Status.DEPLOYING, Status.PENDING, Status.ROLLED_BACK}),
        Status.ROLLED_BACK: frozenset(),
        Status.CANCELLED: frozenset({Status.DRAFT, Status.PENDING}),
    }
    REVIEWABLE = frozenset({Status.PENDING, Status.APPROVED, Status.CHANGES_REQUESTED})

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="iprs")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="iprs")
    blueprint = models.ForeignKey(Blueprint, models.PROTECT, null=True, blank=True, related_name="iprs")
    operation = models.OneToOneField(
        Job, models.CASCADE, null=True, blank=True, editable=False, related_name="ipr",
        help_text="The job that waits for it, where it is made from no blueprint.",
    )  # fmt: skip
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=20_000)
    changes_summary = models.JSONField(default=dict, help_text="What the author says it changes; never trusted.")
    has_safety_snapshots = models.BooleanField(
        default=False, help_text="A snapshot is taken of each guest before it is changed."
    )
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING, editable=False)
    current_plan = models.ForeignKey(
        "iprs.Plan", models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="iprs")
    author_identity = models.CharField(max_length=170, editable=False, help_text="user:7, key:3 or name:jane")
    created_by = models.CharField(max_length=150)
    claimed_author = models.CharField(max_length=150, blank=True, help_text="Who a caller without a key says they are.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = IPRQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["organization", "status", "-id"], name="ipr_queue")]
        constraints = [
            models.CheckConstraint(
                condition=Q(blueprint__isnull=True) ^ Q(operation__isnull=True), name="ipr_has_one_source"
            )
        ]
        verbose_name = "IPR"

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("iprs:detail", args=[self.pk])

    @property
    def author_name(self) -> str:
        """Who is shown as its author. Nothing is decided by it: that goes by `author_identity`."""
        return self.claimed_author or self.created_by

    @property
    def safety_snapshot(self) -> str:
        """What its safety snapshots are called; empty when none are taken. All its plans call them the same."""
        return f"alma-ipr{self.pk}" if self.has_safety_snapshots else ""

    @property
    def stream(self) -> str:
        """Where its events are told."""
        return f"ipr:{self.pk}"

    @property
    def owner(self) -> str:
        """Under which name guests of this blueprint in this environment are claimed; an operation claims none of its own."""
        source = f"blueprint:{self.blueprint_id}" if self.operation_id is None else f"operation:{self.operation_id}"
        return f"env:{self.environment_id}/{source}"

    @property
    def source_name(self) -> str:
        """What it is made from, for people: the blueprint, or the job that waits."""
        if self.blueprint is not None:
            return self.blueprint.name
        return self.operation.public_id if self.operation is not None else ""

    @property
    def lock_key(self) -> str:
        """At most one job that has not ended has this key."""
        return f"deploy:{self.owner}"

    @transaction.atomic
    def move(self, to: "IPR.Status", *, by: str, **why: Any) -> None:
        """Change the status, from the one that was read and along MOVES only, and tell it. Raises WrongState."""
        was = IPR.Status(self.status)
        if to not in self.MOVES[was]:
            raise WrongState(f"An IPR that is {was.label.lower()} cannot become {to.label.lower()}.")
        if not IPR.objects.filter(pk=self.pk, status=was).update(status=to):
            raise WrongState("Somebody else changed this IPR; reload it.")
        self.status = to
        self.tell(f"ipr.{to}", by=by, was=was, **why)

    def tell(self, kind: str, *, by: str = "", **data: Any) -> None:
        """An event of this IPR, which is a change of it."""
        self.updated_at = timezone.now()
        IPR.objects.filter(pk=self.pk).update(updated_at=self.updated_at)
        emit(self.stream, kind, organization_id=self.organization_id, actor=by, ipr=self.pk, title=self.title, **data)
