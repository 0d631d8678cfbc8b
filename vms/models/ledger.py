"""The ledger of guests that ALMA made."""

import re
import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState
from vms.models.clusters import Cluster
from vms.models.guests import GuestKind

MARKER = "alma:"
DIRECT = "/direct"
"""How the owner of a guest ends that somebody asked for directly, and no blueprint declares."""
_ENVIRONMENT = re.compile(r"env:(\d{1,18})(?:/|\Z)", re.ASCII)


def environment_of(owner: str) -> int | None:
    """The number of the environment that an owner of guests names, as in `env:3/blueprint:7`."""
    match = _ENVIRONMENT.match(owner)
    return int(match[1]) if match else None


class ClaimQuerySet(OwnedQuerySet):
    """Ledger rows by what they stand for."""

    def active(self) -> Self:
        """Those that may stand for a guest of ours."""
        return self.filter(state__in=GuestClaim.ACTIVE)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused: a forgotten number could be used twice."""
        raise WrongState("Rows of the ledger are never deleted.")


class GuestClaim(models.Model):
    """The ledger: one row per number ever used. Never deleted, and a number is never used twice.

    The id is the marker in the guest's description. A guest is ours when row and marker agree, and only then touched.
    """

    class State(models.TextChoices):
        RESERVED = "reserved"
        LIVE = "live"
        RELEASED = "released"
        FOREIGN = "foreign"

    ACTIVE = (State.RESERVED, State.LIVE)
    MOVES = {
        State.RESERVED: {State.LIVE, State.RELEASED, State.FOREIGN},
        State.LIVE: {State.RELEASED},
        State.RELEASED: set(),
        State.FOREIGN: set(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="guest_claims")
    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="claims")
    vmid = models.PositiveIntegerField("VMID")
    owner = models.CharField(max_length=200, help_text="Who declared it, in the words of the app above.")
    key = models.CharField(max_length=120, help_text="The resource that it stands for.")
    kind = models.CharField(max_length=3, choices=GuestKind)
    node = models.CharField(max_length=64)
    job = models.CharField(max_length=40, help_text="The run that took it last.")
    state = models.CharField(max_length=16, choices=State, default=State.RESERVED, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "vmid"]
        constraints = [
            models.UniqueConstraint(fields=["cluster", "vmid"], name="claim_vmid"),
            models.UniqueConstraint(
                fields=["cluster", "owner", "key"], condition=Q(state__in=["reserved", "live"]), name="claim_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vmid} {self.key} ({self.state})"

    @property
    def marker(self) -> str:
        """What the guest's description begins with."""
        return f"{MARKER}{self.pk}"

    @property
    def environment_id(self) -> int | None:
        """The environment for which it was declared: an owner that has one begins with `env:` and its number."""
        return environment_of(self.owner)

    @property
    def is_direct(self) -> bool:
        """Whether somebody asked for it directly: then no blueprint declares it."""
        return self.owner.endswith(DIRECT)

    @property
    def is_active(self) -> bool:
        """Whether it may stand for a guest of ours."""
        return self.state in self.ACTIVE

    def move(self, to: "GuestClaim.State") -> None:
        """Change the state, from the one that was read and along MOVES only. Raises WrongState."""
        if to not in self.MOVES[GuestClaim.State(self.state)]:
            raise WrongState(f"VMID {self.vmid} is {self.state} in the ledger and cannot become {to}.")
        now = timezone.now()
        if not GuestClaim.objects.filter(pk=self.pk, state=self.state).update(state=to, updated_at=now):
            raise WrongState("This ledger row has changed meanwhile; look again.")
        self.state, self.updated_at = to, now

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused: a forgotten number could be used twice."""
        raise WrongState("Rows of the ledger are never deleted.")
