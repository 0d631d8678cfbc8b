"""Taking inquiries, so many and no more."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from alma.errors import RateLimited
from alma.reception.models import EnterpriseInquiry

if TYPE_CHECKING:
    from django.db.models import QuerySet

WINDOW = timedelta(hours=1)
MOST_OF_ALL, MOST_OF_ONE = 60, 3
"""Inquiries kept in an hour: from everybody, and from one address."""


@transaction.atomic
def inquire(*, email: str, **said: Any) -> EnterpriseInquiry:
    """Keep an inquiry for the operators. No mail is sent. Raises RateLimited."""
    recent = EnterpriseInquiry.objects.filter(created_at__gt=timezone.now() - WINDOW)
    _check(recent.filter(email__iexact=email), MOST_OF_ONE)
    _check(recent, MOST_OF_ALL)
    return EnterpriseInquiry.objects.create(email=email, **said)


def _check(rows: "QuerySet[EnterpriseInquiry]", most: int) -> None:
    """Room comes back when the oldest of them leaves the window."""
    times = list(rows.order_by("-created_at").values_list("created_at", flat=True)[:most])
    if len(times) == most:
        seconds = (times[-1] + WINDOW - timezone.now()).total_seconds()
        raise RateLimited("Too many inquiries; try again later.", retry_after=max(1, int(seconds) + 1))


def mark_answered(rows: "QuerySet[EnterpriseInquiry]", *, by: str) -> int:
    """Note who took care of them; those that somebody has answered stay as they are. Returns how many."""
    return rows.filter(answered_at=None).update(answered_at=timezone.now(), answered_by=by)
