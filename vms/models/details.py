"""What the config of a guest and its agent tell, beside what the list of its cluster shows."""

from django.db import models

from vms.models.guests import Guest


class GuestDetails(models.Model):
    """A guest read closely, now and then, by the reconciler. What nobody tells is None or empty; pages read it, nothing is
    decided from it.

    `disks` are {place, storage, bytes, is_ssd, mount_point}, `cards` {place, bridge, mac, ip, gateway, vlan, has_firewall, seen}
    with `ip` as the config gives it: `dhcp`, or an address with its prefix length, and `seen` such addresses as the guest itself
    tells them. `file_systems` are {mount_point, bytes, used_bytes, disk} as its agent told them at `file_systems_read_at`.
    """

    guest = models.OneToOneField(Guest, models.CASCADE, related_name="details")
    description = models.TextField(blank=True)
    sockets = models.PositiveIntegerField(null=True)
    os_type = models.CharField(max_length=64, blank=True)
    ip_address = models.CharField(max_length=45, blank=True)
    firewall_enabled = models.BooleanField(null=True)
    has_ssh_keys = models.BooleanField(null=True)
    disks = models.JSONField(default=list)
    cards = models.JSONField(default=list)
    file_systems = models.JSONField(null=True)
    file_systems_read_at = models.DateTimeField(null=True)
    snapshots_read_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["guest_id"]
        verbose_name_plural = "guest details"

    def __str__(self) -> str:
        return f"details of {self.guest_id}"
