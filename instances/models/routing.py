"""Where those who route requests and those who run instances meet: who routes, what is under way, and who waits."""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from alma.accounts.models import ApiKey, Organization, OwnedQuerySet
from instances.models.instance import Instance

if TYPE_CHECKING:
    from alma.accounts.actors import Actor

GONE_AFTER = timedelta(seconds=10)
"""A router that was not seen for this long is gone, and with it its requests."""


class RouterQuerySet(models.QuerySet):
    """Routers by whether they live."""

    def visible_to(self, actor: "Actor") -> Self:
        """None: they are processes of the installation, and no concern of anybody."""
        return self.none()

    def living(self) -> Self:
        """Those that were seen lately."""
        return self.filter(seen_at__gte=timezone.now() - GONE_AFTER)


class Router(models.Model):
    """A process that routes requests. It writes its row itself, each second."""

    marker = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    node = models.CharField(max_length=64, help_text="The machine whose clock it reads.")
    pid = models.PositiveIntegerField()
    seen_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(
        null=True, help_text="Before it last read what the instances are; its loads are at least as new."
    )

    objects = RouterQuerySet.as_manager()

    class Meta:
        ordering = ["marker"]

    def __str__(self) -> str:
        return f"{self.node}:{self.pid}"


class Load(models.Model):
    """How many requests a router has under way at an instance, and when the last one ended."""

    router = models.ForeignKey(Router, models.CASCADE, related_name="loads")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="loads")
    outstanding = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    objects = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["router", "instance"], name="load_once")]

    def __str__(self) -> str:
        return f"{self.outstanding} at {self.instance_id}"


class KeyLoad(models.Model):
    """How many requests of a key a router has let in and not yet ended; of keys that may have so many at once alone."""

    router = models.ForeignKey(
        Router, models.CASCADE, related_name="key_loads", db_constraint=False,
        help_text="Its row may come a moment later than its first request.",
    )  # fmt: skip
    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="loads")
    inside = models.PositiveIntegerField()

    objects = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["router", "key"], name="key_load_once")]

    def __str__(self) -> str:
        return f"{self.inside} of {self.key_id}"

    @classmethod
    def elsewhere(cls, key_id: int, router: uuid.UUID) -> int:
        """How many requests of a key are under way in the other processes that live."""
        others = cls.objects.filter(key_id=key_id, router__in=Router.objects.living()).exclude(router=router)
        found: int = others.aggregate(n=models.Sum("inside", default=0))["n"]
        return found

    @staticmethod
    def put(key_id: int, router: uuid.UUID, inside: int) -> None:
        """Write down what one process has."""
        row = KeyLoad(router_id=router, key_id=key_id, inside=inside)
        KeyLoad.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["router", "key"], update_fields=["inside"]
        )


class Waiter(models.Model):
    """A request that waits for an instance. The row goes when the request goes on or ends."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="waiters")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="waiters")
    router = models.ForeignKey(Router, models.CASCADE, related_name="waiters")
    request_id = models.CharField(max_length=100, blank=True)
    label = models.CharField(max_length=150, blank=True, help_text="Of the key that asks.")
    since = models.DateTimeField(default=timezone.now)
    deadline = models.DateTimeField(help_text="When it is told that it has waited for too long.")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["since", "pk"]
        indexes = [models.Index(fields=["instance", "since"], name="waiter_line")]

    def __str__(self) -> str:
        return self.request_id
