"""Guests as they were last seen."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from alma.accounts.models import Environment, Organization, OwnedQuerySet
from vms.models.clusters import Cluster


class GuestKind(models.TextChoices):
    VM = "vm", "VM"
    LXC = "lxc", "Container"


SORTED = {
    "guest_by_name": ("name", "id", "status", "environment", "lock", "cluster"),
    "guest_by_created": ("created_at", "id", "status", "environment", "lock", "cluster"),
    "guest_by_status": ("status", "id", "environment", "lock", "cluster"),
}
"""Each order in which machines are listed has an index that holds what they are filtered by as well: a page far into the
list is found without looking at a row."""


class GuestQuerySet(OwnedQuerySet):
    """Guests as they were last seen."""

    def with_drift(self) -> Self:
        """With `is_drifted`, whether it is not as ALMA left it."""
        return self.annotate(is_drifted=Exists(Guest.objects.filter(pk=OuterRef("pk"), claim__drifts__state="open")))

    def present(self) -> Self:
        """Not missing at the last reading."""
        return self.filter(missing_since=None)

    def machines(self) -> Self:
        """What runs or can run: present, and no template."""
        return self.present().filter(is_template=False)


class Guest(models.Model):
    """A guest as the last reading of its cluster showed it; nothing is decided from this, pages read it."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="guests", help_text="Its cluster's.")
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
    disk_used = models.PositiveBigIntegerField(null=True, help_text="Bytes; Proxmox knows it of containers alone.")
    cpu_load = models.FloatField(default=0)
    uptime = models.PositiveBigIntegerField(default=0)
    net_in = models.PositiveBigIntegerField(null=True, help_text="Bytes received since its start.")
    net_out = models.PositiveBigIntegerField(null=True, help_text="Bytes sent since its start.")
    rx_rate = models.FloatField(null=True, help_text="Bytes a second between the last two readings.")
    tx_rate = models.FloatField(null=True, help_text="Bytes a second between the last two readings.")
    tags = models.CharField(max_length=500, blank=True)
    lock = models.CharField(max_length=32, blank=True)
    claim = models.ForeignKey("GuestClaim", models.SET_NULL, null=True, blank=True, related_name="guests")
    environment = models.ForeignKey(
        Environment, models.SET_NULL, null=True, blank=True, related_name="guests",
        help_text="Where it was declared, as the ledger says.",
    )  # fmt: skip
    created_at = models.DateTimeField(null=True, blank=True, help_text="As its config or the ledger tells it.")
    changed_at = models.DateTimeField(
        default=timezone.now, help_text="The reading in which something but figures last differed."
    )
    seen_at = models.DateTimeField(help_text="The reading that these figures come from.")
    missing_since = models.DateTimeField(null=True, blank=True)

    objects = GuestQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "vmid"]
        constraints = [models.UniqueConstraint(fields=["cluster", "vmid"], name="guest_vmid")]
        indexes = [
            models.Index(fields=["status"], name="guest_status"),
            models.Index(fields=["name"], name="guest_name"),
            *(
                models.Index(
                    fields=["organization", *fields], name=name,
                    condition=Q(missing_since=None, is_template=False),
                )
                for name, fields in SORTED.items()
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.vmid} {self.name}".strip()

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("vms:guest", args=[self.pk])

    @property
    def tag_list(self) -> list[str]:
        """The tags one by one."""
        return [tag for tag in self.tags.split(";") if tag]
