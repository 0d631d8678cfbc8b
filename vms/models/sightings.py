"""Nodes, storages and tasks as the last reading of their cluster showed them; pages read them, nothing is decided from them."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models

from vms.models.clusters import Cluster
from vms.models.places import PlaceClaim

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class SightingQuerySet(models.QuerySet):
    """What was seen on clusters."""

    def visible_to(self, actor: "Actor") -> Self:
        """That of clusters of the actor's own organization."""
        if not actor.organization_id:
            return self.none()
        return self.filter(cluster__organization_id=actor.organization_id)


class ClusterNode(models.Model):
    """A machine of a cluster. Figures of an offline node are those of its last sign of life."""

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="nodes")
    name = models.CharField(max_length=64)
    is_online = models.BooleanField(default=False)
    cores = models.PositiveIntegerField(default=0)
    cpu_load = models.FloatField(default=0, help_text="Share of all cores that is in use, 0 to 1.")
    memory_bytes = models.PositiveBigIntegerField(default=0)
    memory_used = models.PositiveBigIntegerField(default=0)
    uptime = models.PositiveBigIntegerField(default=0)
    seen_at = models.DateTimeField(help_text="When it was last seen online.")
    networks_asked_at = models.DateTimeField(null=True, editable=False)

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "name"]
        constraints = [models.UniqueConstraint(fields=["cluster", "name"], name="cluster_node_name")]

    def __str__(self) -> str:
        return self.name


class ClusterStorage(models.Model):
    """A storage as one node sees it."""

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="storages")
    node = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    plugin = models.CharField(max_length=32)
    content = models.CharField(max_length=200, blank=True)
    is_shared = models.BooleanField(default=False)
    is_active = models.BooleanField(default=False)
    total_bytes = models.PositiveBigIntegerField(default=0)
    used_bytes = models.PositiveBigIntegerField(default=0)
    claim = models.ForeignKey(
        PlaceClaim, models.SET_NULL, null=True, blank=True, related_name="storages", help_text="When ALMA made it."
    )
    images_asked_at = models.DateTimeField(null=True, editable=False)

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "name", "node"]
        constraints = [models.UniqueConstraint(fields=["cluster", "node", "name"], name="cluster_storage_name")]

    def __str__(self) -> str:
        return f"{self.name} on {self.node}"


class ClusterTask(models.Model):
    """A task of the cluster's own list, whoever began it. `status` is empty while it runs."""

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="tasks")
    upid = models.CharField(max_length=500)
    node = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=128, blank=True, help_text="A VMID, or what else the task is about.")
    user = models.CharField(max_length=256, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=400, blank=True)
    log = models.TextField(blank=True, help_text="Its last lines, as they were last read.")
    is_log_whole = models.BooleanField(default=False, help_text="The log was read after the task's end.")

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["cluster", "upid"], name="cluster_task_upid")]
        indexes = [models.Index(fields=["cluster", "-started_at"], name="cluster_task_recent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} on {self.node}".replace("  ", " ")

    @property
    def state(self) -> str:
        """One word of how it stands, as badges show it."""
        if self.ended_at is None:
            return "running"
        if self.status == "OK":
            return "succeeded"
        return "succeeded_with_warnings" if self.status.startswith("WARNINGS: ") else "failed"

    @property
    def took(self) -> timedelta | None:
        """From its begin to its end."""
        return self.ended_at - self.started_at if self.ended_at else None
