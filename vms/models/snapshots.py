"""Snapshots of guests as they were last read."""

from typing import TYPE_CHECKING, Self

from django.db import models

from vms.models.guests import Guest

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class SnapshotQuerySet(models.QuerySet):
    """Snapshots by whose they are."""

    def visible_to(self, actor: "Actor") -> Self:
        """Those of guests of the actor's own organization."""
        if not actor.organization_id:
            return self.none()
        return self.filter(guest__organization_id=actor.organization_id)


class GuestSnapshot(models.Model):
    """A snapshot: one that was read, or one that a job is about to take, which has no `taken_at` yet."""

    guest = models.ForeignKey(Guest, models.CASCADE, related_name="snapshots")
    name = models.CharField(max_length=40)
    description = models.TextField(blank=True)
    has_memory = models.BooleanField(default=False)
    parent = models.CharField(max_length=40, blank=True, help_text="Name of the one before it.")
    taken_at = models.DateTimeField(null=True, blank=True)
    is_ours = models.BooleanField(default=False, help_text="A job of ALMA took it, and not somebody in Proxmox itself.")
    is_current = models.BooleanField(default=False, help_text="The guest goes on from it now.")

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["guest_id", "pk"]
        constraints = [models.UniqueConstraint(fields=["guest", "name"], name="guest_snapshot_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.guest_id}"
