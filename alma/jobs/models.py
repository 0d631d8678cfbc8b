"""Durable work: a Job is a list of Steps, and the Steps are a journal of what was meant and what was seen."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.urls import reverse
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState


class JobQuerySet(OwnedQuerySet):
    """Jobs by what they wait for."""

    def active(self) -> "JobQuerySet":
        """Begun or about to begin, and not ended yet."""
        return self.filter(state__in=Job.ACTIVE)

    def waiting(self) -> "JobQuerySet":
        """Those that people have to agree to first."""
        return self.filter(state=Job.State.WAITING)


def new_public_id(prefix: str = "job") -> str:
    """An id for clients: `deploy-4f6c1b0a9d3e`."""
    return f"{prefix}-{secrets.token_hex(6)}"


class Job(models.Model):
    """Work that is finished whatever dies. One process at a time holds its lease; the token fences off all others."""

    class State(models.TextChoices):
        WAITING = "waiting"
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING)
    OPEN = (State.WAITING, *ACTIVE)
    """Not ended: one that waits for people holds nothing, and nobody works on it."""
    MOVES = {
        State.WAITING: {State.QUEUED, State.CANCELLED},
        State.QUEUED: {State.RUNNING, State.CANCELLED, State.FAILED},
        State.RUNNING: {State.COMPLETED, State.FAILED, State.CANCELLED},
        State.FAILED: {State.QUEUED},
        State.COMPLETED: set(),
        State.CANCELLED: {State.QUEUED},
    }

    public_id = models.CharField(max_length=40, unique=True, default=new_public_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200, blank=True)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED, editable=False)
    error = models.JSONField(null=True, blank=True, help_text="code and message of what ended it")
    stream = models.CharField(max_length=80, editable=False, help_text="Where its events are told.")
    exclusive_key = models.CharField(max_length=120, blank=True, help_text="At most one active job has it.")
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_token = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    kicked_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="Not before then; set while something is out of reach."
    )
    deaths = models.PositiveIntegerField(default=0, help_text="Leases in a row that were never given back.")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["state", "lease_until"], name="job_due"),
            models.Index(fields=["organization", "state", "finished_at"], name="job_listed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["exclusive_key"],
                condition=Q(state__in=["queued", "running"]) & ~Q(exclusive_key=""),
                name="one_active_job",
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    def get_absolute_url(self) -> str:
        """The page of its steps and its log."""
        return reverse("jobs:page", args=[self.public_id])

    @property
    def is_active(self) -> bool:
        """Whether there is work left that may be done."""
        return self.state in self.ACTIVE

    @property
    def is_open(self) -> bool:
        """Whether it has not ended, be it that people have to agree first."""
        return self.state in self.OPEN

    @property
    def shown_state(self) -> str:
        """The state as people see it: one that was asked to stop and has not ended is being cancelled."""
        if self.state == self.State.WAITING:
            return "waiting_approval"
        return "cancelling" if self.is_active and self.cancel_requested_at else str(self.state)

    def move(self, to: "Job.State") -> None:
        """Change the state, from the one that was read and along MOVES only. Raises WrongState."""
        if to not in self.MOVES[Job.State(self.state)]:
            raise WrongState(f"A job that is {self.state} cannot become {to}.")
        now = timezone.now()
        stamps: dict[str, Any] = {"started_at": self.started_at or now} if to == Job.State.RUNNING else {}
        if to not in self.OPEN:
            stamps |= {"finished_at": now, "lease_until": None, "lease_owner": ""}
        if to == Job.State.QUEUED:
            stamps |= {"finished_at": None, "error": None, "kicked_at": None, "due_at": None}
        if not Job.objects.filter(pk=self.pk, state=self.state).update(state=to, **stamps):
            raise WrongState("This job has changed meanwhile; reload it.")
        self.refresh_from_db()

    def progress(self) -> int:
        """Share of the work that is done, 0 to 100, by the weight of the steps."""
        done = Sum("weight", filter=Q(state__in=Step.DONE), default=0)
        totals = self.steps.aggregate(all=Sum("weight", default=0), done=done)
        return int(100 * totals["done"] / totals["all"]) if totals["all"] else 0


class Step(models.Model):
    """One entry of the journal. `journal` is written before an effect (what is meant), `evidence` after (what is)."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        WARNED = "succeeded_with_warnings"
        FAILED = "failed"
        SKIPPED = "skipped"
        CANCELLED = "cancelled"

    DONE = (State.SUCCEEDED, State.WARNED, State.SKIPPED)
    OPEN = (State.PENDING, State.RUNNING)
    ENDED = frozenset({State.SUCCEEDED, State.WARNED, State.FAILED, State.SKIPPED, State.CANCELLED})
    MOVES: Mapping[State, frozenset[State]] = {
        State.PENDING: ENDED | {State.RUNNING},
        State.RUNNING: ENDED,
        State.FAILED: frozenset({State.PENDING}),
        State.SUCCEEDED: frozenset(),
        State.WARNED: frozenset(),
        State.SKIPPED: frozenset(),
        State.CANCELLED: frozenset({State.PENDING}),
    }

    job = models.ForeignKey(Job, models.CASCADE, related_name="steps")
    ordinal = models.PositiveIntegerField()
    level = models.PositiveIntegerField(default=0, help_text="Steps of a level run side by side, levels in turn.")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120, blank=True, help_text="The resource that the step is about, if any.")
    title = models.CharField(max_length=200)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=24, choices=State, default=State.PENDING, editable=False)
    journal = models.JSONField(default=dict)
    evidence = models.JSONField(default=dict)
    error = models.JSONField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)  # how often it was begun: once, and once more per retry
    weight = models.PositiveSmallIntegerField(default=1, help_text="Share of the progress bar.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job_id", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["job", "ordinal"], name="step_ordinal")]

    def __str__(self) -> str:
        return f"{self.job_id}.{self.ordinal} {self.kind} {self.key}"

    def move(self, to: "Step.State", *, is_kept: bool = False) -> None:
        """Change the state along MOVES and save what else was written, unless it is kept to be saved with more.

        Called under the job's lease. Raises WrongState."""
        was = Step.State(self.state)
        if to not in self.MOVES[was]:
            raise WrongState(f"A step that is {was} cannot become {to}.")
        now = timezone.now()
        if was == Step.State.PENDING:
            self.attempts += 1
            self.started_at = self.started_at or now
        if to in self.ENDED:
            self.finished_at = now
        self.state = to
        if not is_kept:
            self.save(update_fields=["state", "journal", "evidence", "error", "attempts", "started_at", "finished_at"])

    def describe(self) -> dict[str, Any]:
        """What an event says of the step."""
        return {"step": self.ordinal, "kind": self.kind, "key": self.key, "title": self.title, "state": self.state}


class Dismissal(models.Model):
    """That a person has read of a failure. A later failure of the same job is another one."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="dismissals")
    job = models.ForeignKey(Job, models.CASCADE, related_name="dismissals")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["user", "job"], name="one_dismissal")]

    def __str__(self) -> str:
        return f"{self.job_id} by {self.user_id}"


class Beat(models.Model):
    """When a role last showed that it works."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
