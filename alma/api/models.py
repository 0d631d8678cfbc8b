"""What the API remembers: answers, for those who did not get them, and how much of an allowance is used."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

KEEP = timedelta(hours=24)
HOLD = timedelta(seconds=60)
"""After this long without an answer the process that was to give it is taken for dead."""


class KeptAnswerQuerySet(models.QuerySet):
    """By age, measured by the database's clock."""

    def outdated(self) -> Self:
        """Kept for long enough."""
        return self.filter(claimed_at__lt=Now() - KEEP)

    def free(self) -> Self:
        """Those that count as never asked: outdated, or without an answer for too long."""
        return self.filter(Q(claimed_at__lt=Now() - KEEP) | Q(http_status=None, claimed_at__lt=Now() - HOLD))


class KeptAnswer(models.Model):
    """The answer to one POST under an Idempotency-Key, sealed; without a status while the request still runs."""

    digest = models.CharField(max_length=64, unique=True, help_text="Of actor, route and key.")
    fingerprint = models.CharField(max_length=64, help_text="Of the query and the body.")
    holder = models.CharField(max_length=32, help_text="The request that answers.")
    claimed_at = models.DateTimeField(db_default=Now(), db_index=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(default="", help_text="Sealed, for it may hold a secret that is shown once.")

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        ordering = ["-claimed_at"]

    def __str__(self) -> str:
        return f"{self.digest[:12]}: {self.http_status or 'running'}"


class RateBucket(models.Model):
    """How much of an allowance a client has used, in one number. In use on PostgreSQL, where alma.api.limits writes it."""

    key = models.CharField(max_length=160, primary_key=True)
    rate_class = models.CharField(max_length=40)
    client = models.CharField(max_length=110)
    ready_at = models.BigIntegerField(help_text="When its next request may come, in microseconds since 1970.")

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key
