"""The event log: append-only, gap-free per stream, written in the transaction of the change that it tells of."""

from typing import TYPE_CHECKING, Self

from django.db import models

from alma.accounts.models import Organization, OwnedQuerySet

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


MEMBERS = "admin:read"
"""The right to know who belongs to an organization."""


class Stream(models.Model):
    """What events are about, such as `ipr:12`. Its row is locked while an event is added: seq order is commit order."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="streams")
    name = models.CharField(max_length=80, unique=True)
    last_seq = models.PositiveBigIntegerField(default=0)
    touched_at = models.DateTimeField(db_index=True, auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class EventQuerySet(models.QuerySet):
    """Events in the order in which they happened."""

    def visible_to(self, actor: "Actor") -> Self:
        """The events of the actor's own organization; who joins and leaves it is told to those who may know its members."""
        if not actor.organization_id:
            return self.none()
        rows = self.filter(stream__organization_id=actor.organization_id)
        return rows if actor.has(MEMBERS) else rows.exclude(kind__startswith="member.")

    def of(self, stream: str) -> Self:
        """The events of one stream, oldest first."""
        return self.filter(stream__name=stream).order_by("seq")


class Event(models.Model):
    """One thing that happened."""

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="events")
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    actor = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(db_index=True)
    about = models.CharField(  # noqa: DJ001  the index holds those alone that have one; SQLite knows them by NULL only
        max_length=80, null=True, editable=False, help_text="The `id` in its data: one thing of many on its stream."
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(
                fields=["stream", "about", "-at", "-id"], condition=models.Q(about__isnull=False), name="event_about"
            )
        ]
        constraints = [models.UniqueConstraint(fields=["stream", "seq"], name="event_seq")]

    def __str__(self) -> str:
        return f"{self.stream_id}/{self.seq} {self.kind}"
