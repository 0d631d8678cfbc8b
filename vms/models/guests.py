"""Guests as they were last seen."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef

from vms.models.clusters import Cluster

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class GuestKind(models.TextChoices):
    VM = "vm", "VM"
    LXC = "lxc", "Container"


class GuestQuerySet(models.QuerySet):
    """Guests as they were last seen."""

    def visible_to(self, actor: "Actor") -> Self:
        """Those on clusters of the actor's own organization."""
        if not actor.organization_id:
            return self.none()
        return self.filter(cluster__organization_id=actor.organization_id)

    def with_drift(self) -> Self:
        """With `is_drifted`, whether it is not as ALMA left it."""
        return self.annotate(is_drifted=Exists(Guest.objects.filter(pk=OuterRef("pk"), claim__drifts__state="open")))

    def present(self) -> Self:
        """Not missing at the last reading."""
        return self.filter(missing_since=None)


class Guest(models.Model):
    """A guest as the last reading of its cluster showed it; nothing is decided from this, pages read it."""

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="guests")
    vmid = models.PositiveIntegerField("VMID")
    kind = models.CharField(max_length=3, choices=GuestKind)
    node = models.CharField(max_length=64)
    name = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=16)
    is_template = models.BooleanField(default=False)
    cores = models.PositiveIntegerField(default=0)
    memory_bytes = models.PositiveBigIntegerField(default=0)
    memory_used = models.PositiveBigIntegerField(default=0)
    disk_bytes = models.PositiveBigIntegerField(default=0)
    cpu_load = models.FloatField(default=0)
    uptime = models.PositiveBigIntegerField(default=0)
    tags = models.CharField(max_length=500, blank=True)
    lock = models.CharField(max_length=32, blank=True)
    claim = models.ForeignKey("GuestClaim", models.SET_NULL, null=True, blank=True, related_name="guests")
    seen_at = models.DateTimeField(help_text="The reading that these figures come from.")
    missing_since = models.DateTimeField(null=True, blank=True)

    objects = GuestQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "vmid"]
        constraints = [models.UniqueConstraint(fields=["cluster", "vmid"], name="guest_vmid")]
        indexes = [
            models.Index(fields=["status"], name="guest_status"),
            models.Index(fields=["name"], name="guest_name"),
        ]

    def __str__(self) -> str:
        return f"{self.vmid} {self.name}".strip()

    @property
    def tag_list(self) -> list[str]:
        """The tags one by one."""
        return [tag for tag in self.tags.split(";") if tag]
