"""What is not as it was left: guests of ours that changed or went, and guests that no row of the ledger stands for."""

from collections.abc import Mapping
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState
from vms.models.clusters import Cluster
from vms.models.guests import GuestKind
from vms.models.ledger import GuestClaim


class Expectation(models.Model):
    """How the last run that has ended left a guest of ours: what it read back, and what it was told to set.

    `facts` has those of cores, memory, disk (bytes), power, name and tags that are known, of further disks the bytes at their
    places (`disks`), and of network cards at theirs what they are plugged into (`cards`).
    """

    claim = models.OneToOneField(GuestClaim, models.CASCADE, related_name="expectation")
    facts = models.JSONField(default=dict)
    job = models.CharField(max_length=40, help_text="The run that was read last.")
    job_ended_at = models.DateTimeField(null=True, help_text="Its end; a run that is taken up again is read again.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.claim_id} after {self.job}"


class DriftQuerySet(OwnedQuerySet):
    """Drifts by whether they still stand."""

    def open(self) -> Self:
        """Those that nobody has answered yet and that have not gone away."""
        return self.filter(state=Drift.State.OPEN)


class Drift(models.Model):
    """A guest of ours that is not as ALMA left it. It ends when it is so again, or when a run has dealt with it."""

    class State(models.TextChoices):
        OPEN = "open"
        SETTLED = "settled"

    class Kind(models.TextChoices):
        CHANGED = "changed"
        GONE = "gone"
        UNMARKED = "unmarked", "Without its mark"

    MOVES: Mapping[State, frozenset[State]] = {
        State.OPEN: frozenset({State.SETTLED}),
        State.SETTLED: frozenset(),
    }

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="drifts")
    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="drifts")
    claim = models.ForeignKey(GuestClaim, models.CASCADE, related_name="drifts")
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN, editable=False)
    changes = models.JSONField(default=list, help_text="Per attribute: field, before, after.")
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last seen to be so.")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_as = models.CharField(max_length=200, blank=True, help_text="Why it ended, in words.")

    objects = DriftQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["claim"], condition=Q(state="open"), name="drift_one_open"),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id} {self.kind} ({self.state})"

    def move(self, to: "Drift.State", *, why: str) -> None:
        """End it, and remember why. Raises WrongState."""
        if to not in self.MOVES[Drift.State(self.state)]:
            raise WrongState(f"A drift that is {self.state} cannot become {to}.")
        values: dict[str, Any] = {"state": to, "settled_at": timezone.now(), "settled_as": why[:200]}
        if not Drift.objects.filter(pk=self.pk, state=self.state).update(**values):
            raise WrongState("This drift has been settled meanwhile.")
        self.refresh_from_db()


class StrayQuerySet(OwnedQuerySet):
    """Strays by whether they are still there."""

    def open(self) -> Self:
        """Those that were there at the last look."""
        return self.filter(state__in=Stray.OPEN)


class Stray(models.Model):
    """A guest that no living row of the ledger stands for. Only an orphan is ever removed, and only after its grace."""

    class State(models.TextChoices):
        REPORTED = "reported"
        QUARANTINED = "quarantined"
        REMOVING = "removing"
        KEPT = "kept"
        REMOVED = "removed"
        GONE = "gone"

    class Kind(models.TextChoices):
        ORPHAN = "orphan"
        UNKNOWN = "unknown", "With a mark of another ledger"
        COPY = "copy"
        STRANGER = "stranger", "Somebody else's"

    OPEN = (State.REPORTED, State.QUARANTINED, State.REMOVING, State.KEPT)
    MOVES: Mapping[State, frozenset[State]] = {
        State.REPORTED: frozenset({State.GONE}),
        State.QUARANTINED: frozenset({State.REMOVING, State.KEPT, State.GONE}),
        State.REMOVING: frozenset({State.REMOVED, State.QUARANTINED, State.GONE}),
        State.KEPT: frozenset({State.QUARANTINED, State.GONE}),
        State.REMOVED: frozenset(),
        State.GONE: frozenset(),
    }

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="strays")
    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="strays")
    vmid = models.PositiveIntegerField("VMID")
    guest_kind = models.CharField(max_length=3, choices=GuestKind)
    name = models.CharField(max_length=128, blank=True)
    node = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.REPORTED, editable=False)
    marker = models.CharField(
        max_length=100, blank=True, help_text="What its description began with when it was found."
    )
    claim = models.ForeignKey(GuestClaim, models.CASCADE, null=True, blank=True, related_name="strays")
    due_at = models.DateTimeField(null=True, blank=True, help_text="An orphan is removed after that.")
    job = models.CharField(max_length=40, blank=True, help_text="The run that removes it, or tried last.")
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last seen there.")
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="Who kept it, or how it ended, in words.")

    objects = StrayQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "vmid"], name="stray_one_open",
                condition=Q(state__in=["reported", "quarantined", "removing", "kept"]),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.vmid} {self.kind} ({self.state})"

    def move(self, to: "Stray.State", *, note: str = "", **values: Any) -> None:
        """Change the state along MOVES, with what else changes then. Raises WrongState."""
        if to not in self.MOVES[Stray.State(self.state)]:
            raise WrongState(f"VMID {self.vmid} is {self.state} and cannot become {to}.")
        if to not in self.OPEN:
            values["ended_at"] = timezone.now()
        if not Stray.objects.filter(pk=self.pk, state=self.state).update(state=to, note=note[:200], **values):
            raise WrongState("This guest was dealt with meanwhile; look again.")
        self.refresh_from_db()
