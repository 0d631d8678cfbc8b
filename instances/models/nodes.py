"""Machines that run instances. Each has one supervisor, which alone writes its row while it lives."""

from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from alma.accounts.actors import Actor

LOST_AFTER = timedelta(seconds=10)
"""A supervisor that was not seen for this long is lost, and with it what is known of its instances."""
NAME = r"^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?\Z"


class NodeQuerySet(models.QuerySet):
    """Nodes by whether they live. A node that was never seen is not lost: nothing was said of it yet."""

    def visible_to(self, actor: "Actor") -> Self:
        """All: machines belong to the installation, and whoever has an organization here places instances on them."""
        return self.all() if actor.organization_id else self.none()

    def lost(self) -> Self:
        """Those whose supervisor was seen once, and not lately."""
        return self.filter(seen_at__lt=timezone.now() - LOST_AFTER)

    def answering(self) -> Self:
        """Those that other machines can ask now."""
        return self.filter(seen_at__gte=timezone.now() - LOST_AFTER).exclude(ask_port=None)


class Node(models.Model):
    """A machine, by the name that its supervisor is given."""

    name = models.CharField(
        max_length=64, unique=True, validators=[RegexValidator(NAME, "Letters, digits, dots, hyphens and underscores.")]
    )
    address = models.GenericIPAddressField(
        default="127.0.0.1", help_text="Where routers reach its instances; they listen there and nowhere else."
    )
    ask_port = models.PositiveIntegerField(
        null=True, editable=False, help_text="Where its supervisor answers to other machines, while it does."
    )
    token_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of the token that its supervisor has to show."
    )
    holder = models.CharField(
        max_length=300, blank=True, editable=False, help_text="Host and data directory of the supervisor that has it."
    )
    version = models.CharField(max_length=50, blank=True, editable=False, help_text="Of the supervisor.")
    seen_at = models.DateTimeField(null=True, editable=False)
    cpu_count = models.PositiveIntegerField(null=True, editable=False)
    cpu_percent = models.FloatField(null=True, editable=False, help_text="Of all cores together, up to 100.")
    memory_bytes = models.BigIntegerField(null=True, editable=False)
    memory_free_bytes = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = NodeQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but the machine itself reaches its instances."""
        return ip_address(self.address).is_loopback

    @property
    def is_lost(self) -> bool:
        """Whether its supervisor was seen once, and not lately."""
        return self.seen_at is not None and self.seen_at < timezone.now() - LOST_AFTER
