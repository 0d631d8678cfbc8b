"""What was measured over time: of clusters for good, of machines what was last read of their clusters' own past."""

from django.db import models

from vms.models.clusters import Cluster
from vms.models.guests import Guest
from vms.models.sightings import SightingQuerySet


class ClusterMoment(models.Model):
    """Figures of a cluster over `step` seconds that began at `at`; a moment that nobody saw has no row.

    Loads are cores in use, rates bytes a second; None is what nobody told."""

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="moments")
    step = models.PositiveSmallIntegerField(help_text="Seconds that it stands for.")
    at = models.DateTimeField()
    cores = models.FloatField()
    cpu_load = models.FloatField()
    memory_bytes = models.FloatField()
    memory_used = models.FloatField()
    storage_bytes = models.FloatField()
    storage_used = models.FloatField()
    rx_rate = models.FloatField(null=True)
    tx_rate = models.FloatField(null=True)

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "step", "at"]
        constraints = [models.UniqueConstraint(fields=["cluster", "step", "at"], name="cluster_moment_once")]
        indexes = [models.Index(fields=["step", "at"], name="cluster_moment_age")]

    def __str__(self) -> str:
        return f"{self.cluster_id} at {self.at:%Y-%m-%d %H:%M}"


class KeptSeries(models.Model):
    """The past of a machine as its cluster last told it: `moments` are [unix seconds, figure, …] in a fixed order."""

    guest = models.ForeignKey(Guest, models.CASCADE, related_name="series")
    period = models.CharField(max_length=3)
    moments = models.JSONField(default=list)
    read_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["guest_id", "period"]
        verbose_name_plural = "kept series"
        constraints = [models.UniqueConstraint(fields=["guest", "period"], name="kept_series_once")]

    def __str__(self) -> str:
        return f"{self.period} of {self.guest_id}"
