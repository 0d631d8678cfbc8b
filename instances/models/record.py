"""The log of requests to models: who asked what, what became of it, and how many tokens it took."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from django.db import models
from django.db.models import Case, Q, Sum, When
from django.utils import timezone

from alma.accounts.models import ApiKey, Organization, OwnedQuerySet
from instances.models.instance import Instance

if TYPE_CHECKING:
    from alma.accounts.actors import Actor

LATELY = timedelta(minutes=10)
LONGEST_ERROR = 300
LONGEST_MODEL = 200
LONGEST_PATH = 200


class RequestRecordQuerySet(OwnedQuerySet):
    """Requests by what became of them."""

    def visible_to(self, actor: "Actor") -> Self:
        """Those of the actor's organization; a credential that may only use models sees its own."""
        rows = super().visible_to(actor)
        return rows if actor.has("instance:read") else rows.filter(key_id=actor.key_id or 0)

    def in_flight(self) -> Self:
        """Those that wait or are being answered."""
        return self.filter(state=RequestRecord.State.IN_FLIGHT)

    def speeds(self, instances: Iterable[int]) -> dict[int, float]:
        """Tokens a second that a request got lately, by instance; none of one without a request."""
        rows = self.filter(
            began_at__gte=timezone.now() - LATELY, state=RequestRecord.State.DONE, completion_tokens__gt=0,
            instance__in=list(instances), duration_seconds__isnull=False,
        )  # fmt: skip
        before = Case(When(is_streamed=True, then="first_token_seconds"), default="queue_seconds")
        sums = (
            rows.order_by()
            .values("instance")
            .annotate(tokens=Sum("completion_tokens"), whole=Sum("duration_seconds"), early=Sum(before, default=0.0))
        )
        spans = {row["instance"]: (row["tokens"], row["whole"] - row["early"]) for row in sums}
        return {pk: tokens / seconds for pk, (tokens, seconds) in spans.items() if seconds > 0}

    def move(self, to: "RequestRecord.State", **values: Any) -> int:
        """End those that are under way still. How many there were."""
        return self.in_flight().update(state=to, **values)


class RequestRecord(models.Model):
    """One request. Rows are written by the process that routes it, many at once: a second after it began, and at its end.

    Nothing of what was asked or answered is kept. Rows refer to others without a constraint: what they name may be deleted
    while a hundred of them are on their way."""

    class State(models.TextChoices):
        IN_FLIGHT = "in_flight"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"
        REFUSED = "refused"

    marker = models.UUIDField(unique=True, default=uuid4, editable=False)
    router = models.UUIDField(help_text="The process that routes it.")
    request_id = models.CharField(max_length=64, blank=True)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="requests", db_constraint=False, db_index=False
    )
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="requests", db_constraint=False)
    label = models.CharField(max_length=150, help_text="Of the credential.")
    instance = models.ForeignKey(Instance, models.SET_NULL, null=True, related_name="requests", db_constraint=False)
    model = models.CharField(max_length=LONGEST_MODEL, help_text="As the request named it.")
    path = models.CharField(max_length=LONGEST_PATH)
    is_streamed = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=State, default=State.IN_FLIGHT)
    http_status = models.PositiveSmallIntegerField(null=True)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    queue_seconds = models.FloatField(default=0)
    first_token_seconds = models.FloatField(null=True, help_text="From its arrival, the time in the line included.")
    duration_seconds = models.FloatField(null=True)
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=LONGEST_ERROR, blank=True)

    objects = RequestRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at", "-pk"]
        indexes = [
            models.Index(fields=["organization", "-began_at", "-id"], name="request_newest"),
            models.Index(fields=["began_at"], name="request_age"),
            models.Index(fields=["router"], condition=Q(state="in_flight"), name="request_in_flight"),
        ]

    def __str__(self) -> str:
        return str(self.marker)

    @property
    def tokens_per_second(self) -> float | None:
        """Of the completion, since the first one came; of an answer in one piece since it was asked for."""
        if self.duration_seconds is None or not self.completion_tokens:
            return None
        before = (self.first_token_seconds or 0.0) if self.is_streamed else self.queue_seconds
        seconds = self.duration_seconds - before
        return self.completion_tokens / seconds if seconds > 0 else None


class TokenUse(models.Model):
    """How many tokens a key has used on one day, in UTC."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="token_uses")
    day = models.DateField()
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)

    objects = models.Manager()

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="token_use_once")]

    def __str__(self) -> str:
        return f"{self.key_id} on {self.day}"

    @classmethod
    def of(cls, key_id: int) -> tuple[int, int]:
        """Tokens of today and of this month."""
        today = timezone.now().date()
        total = Sum("prompt_tokens", default=0) + Sum("completion_tokens", default=0)
        rows = cls.objects.filter(key_id=key_id)
        found = rows.filter(day__gte=today.replace(day=1), day__lte=today).aggregate(
            month=total,
            day=Sum("prompt_tokens", default=0, filter=Q(day=today))
            + Sum("completion_tokens", default=0, filter=Q(day=today)),
        )
        return found["day"], found["month"]


def until_tomorrow() -> int:
    """Seconds until the day of the quotas ends."""
    now = timezone.now()
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, int((tomorrow - now).total_seconds()))


def until_next_month() -> int:
    """Seconds until the month of the quotas ends."""
    now = timezone.now()
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return max(1, int((first - now).total_seconds()))
