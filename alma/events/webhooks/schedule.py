"""When a delivery is tried again, and how long a receiver that asked for a pause is left alone."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MINUTE, HOUR = 60.0, 3600.0
SCHEDULE = (
    0.0, 5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""Seconds before each attempt, counted from the one before: 75 h 35 min in all."""
JITTER = 0.2
LONGEST_PAUSE = 24 * HOUR
THROTTLED = frozenset({429, 502, 504})
"""The receiver is overloaded, and not only with this delivery."""
LEAST_THROTTLE = 30.0


def pause_after(tries: int, asked: float, schedule: Sequence[float] = SCHEDULE) -> timedelta | None:
    """How long to wait after so many attempts, at least as long as the receiver asked; None when that was the last."""
    if tries >= len(schedule):
        return None
    planned = schedule[tries] * random.uniform(1, 1 + JITTER)
    return timedelta(seconds=max(planned, asked))


def throttle_of(status: int, asked: float) -> timedelta | None:
    """How long the whole webhook rests after this answer, if at all."""
    return timedelta(seconds=max(LEAST_THROTTLE, asked)) if status in THROTTLED else None


def seconds_of(retry_after: str, now: datetime) -> float:
    """What a Retry-After header asks for: seconds, or a date; anything else, and the past, is nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), LONGEST_PAUSE)


def bucket_of(seconds: float) -> str:
    """How long an attempt took, as coarsely as a tenant may know it."""
    return "under 1 s" if seconds < 1 else "1–5 s" if seconds < 5 else "over 5 s"
