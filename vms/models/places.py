"""The ledger of networks and storages that ALMA made."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState
from alma.sealing import Seal
from vms.models.clusters import Cluster

SECRETS = Seal(
    b"alma vms: secrets of a storage",
    "The secret of this storage was sealed under another secret key; give it again.",
    "SECRET_UNREADABLE",
)


class PlaceQuerySet(OwnedQuerySet):
    """Rows of the ledger by what they stand for."""

    def active(self) -> Self:
        """Those that may stand for something of ours."""
        return self.filter(state__in=PlaceClaim.ACTIVE)


class PlaceClaim(models.Model):
    """The ledger of places: one row per network or storage that ALMA made, or is about to make.

    `wish` is what was asked for. A virtual network bears the row's marker in its alias and an interface in its comment; a
    storage can bear none, so it is ours while it is defined as the row says."""

    class Kind(models.TextChoices):
        VLAN = "vlan", "VLAN"
        VNET = "vnet", "Virtual network"
        BRIDGE = "bridge", "Bridge"
        STORAGE = "storage", "Storage"

    class State(models.TextChoices):
        RESERVED = "reserved"
        LIVE = "live"
        RELEASED = "released"

    ACTIVE = (State.RESERVED, State.LIVE)
    MOVES = {
        State.RESERVED: {State.LIVE, State.RELEASED},
        State.LIVE: {State.RELEASED},
        State.RELEASED: set(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="places")
    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="places")
    kind = models.CharField(max_length=8, choices=Kind)
    node = models.CharField(max_length=64, blank=True, help_text="Empty for what belongs to the whole cluster.")
    handle = models.CharField(max_length=100, help_text="What Proxmox calls it.")
    name = models.CharField(max_length=100)
    wish = models.JSONField(default=dict)
    secrets_sealed = models.TextField(blank=True, editable=False, help_text="Only until it is made.")
    job = models.CharField(max_length=40, blank=True, help_text="The run that took it last.")
    state = models.CharField(max_length=16, choices=State, default=State.RESERVED, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "node", "handle"], name="place_one_active",
                condition=Q(state__in=["reserved", "live"]) & ~Q(kind="storage"),
            ),
            models.UniqueConstraint(
                fields=["cluster", "handle"], name="place_one_active_storage",
                condition=Q(state__in=["reserved", "live"], kind="storage"),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"

    @property
    def marker(self) -> str:
        """What it bears in Proxmox, in signs that an alias may have."""
        return f"alma-{self.pk.hex[:12]}"

    def move(self, to: "PlaceClaim.State") -> None:
        """Change the state, from the one that was read and along MOVES only. Raises WrongState."""
        if to not in self.MOVES[PlaceClaim.State(self.state)]:
            raise WrongState(f"{self.name} is {self.state} in the ledger and cannot become {to}.")
        now = timezone.now()
        gone = {"secrets_sealed": ""}
        if not PlaceClaim.objects.filter(pk=self.pk, state=self.state).update(state=to, updated_at=now, **gone):
            raise WrongState("This row of the ledger has changed meanwhile; look again.")
        self.state, self.updated_at, self.secrets_sealed = to, now, ""
