"""Networks as the last reading of their cluster showed them; pages read them, nothing is decided from them."""

from django.db import models

from vms.models.clusters import Cluster
from vms.models.places import PlaceClaim
from vms.models.sightings import SightingQuerySet


class ClusterNetwork(models.Model):
    """A bridge or VLAN of a node, or a virtual network of the whole cluster. What nobody tells is None or empty.

    `firewall_rules` are {id, action, protocol, port, source, destination, enabled}."""

    class Kind(models.TextChoices):
        BRIDGE = "bridge", "Bridge"
        VLAN = "vlan", "VLAN"
        VNET = "vnet", "Virtual network"

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="networks")
    node = models.CharField(max_length=64, blank=True, help_text="Empty for a virtual network.")
    bridge = models.CharField(max_length=64, help_text="What network cards of guests name.")
    name = models.CharField(max_length=256)
    kind = models.CharField(max_length=6, choices=Kind)
    description = models.CharField(max_length=256, blank=True)
    is_active = models.BooleanField(default=False)
    zone = models.CharField(max_length=64, blank=True)
    zone_kind = models.CharField(max_length=32, blank=True)
    nodes = models.JSONField(default=list, help_text="Nodes that its zone spans; empty for all.")
    vlan_id = models.PositiveIntegerField("VLAN", null=True)
    subnets = models.JSONField(null=True)
    gateway = models.CharField(max_length=45, blank=True)
    dns_servers = models.JSONField(null=True)
    dhcp_enabled = models.BooleanField("gives out addresses", null=True)
    firewall_rules = models.JSONField(null=True)
    claim = models.ForeignKey(
        PlaceClaim, models.SET_NULL, null=True, blank=True, related_name="networks", help_text="When ALMA made it."
    )
    seen_at = models.DateTimeField(help_text="The reading that this comes from.")

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["cluster_id", "name", "node"]
        constraints = [models.UniqueConstraint(fields=["cluster", "node", "bridge"], name="cluster_network_bridge")]

    def __str__(self) -> str:
        return f"{self.name} on {self.node}" if self.node else self.name
