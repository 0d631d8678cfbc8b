"""Images that machines are made from, as the last reading of their storage showed them; pages read them."""

from django.db import models

from vms.models.clusters import Cluster
from vms.models.sightings import SightingQuerySet


class ClusterImage(models.Model):
    """A file that a storage holds to make guests from. One on a storage that all nodes share is there once, with an empty node."""

    class Kind(models.TextChoices):
        IMPORT = "import", "Disk image"
        ISO = "iso", "ISO image"
        VZTMPL = "vztmpl", "Archive of a container"

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="images")
    node = models.CharField(max_length=64, blank=True)
    storage = models.CharField(max_length=100)
    volume = models.CharField(max_length=300, help_text="What Proxmox calls it: `local:iso/debian.iso`.")
    kind = models.CharField(max_length=6, choices=Kind)
    size_bytes = models.PositiveBigIntegerField(default=0, help_text="Of the file.")
    seen_at = models.DateTimeField(help_text="The reading that this comes from.")

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "volume", "node"]
        constraints = [models.UniqueConstraint(fields=["cluster", "node", "volume"], name="cluster_image_volume")]

    def __str__(self) -> str:
        return self.volume

    @property
    def name(self) -> str:
        """Of the file."""
        return self.volume.partition("/")[2]
