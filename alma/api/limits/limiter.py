"""Asking the buckets, whichever of them answer: those in Redis where it is configured, else those with the database.

What is out of reach is left alone for a few seconds and the next in line counts meanwhile, at last this process alone:
limits are never off because something is down, and never the reason why nothing answers.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.db import connection

from alma.api.limits.buckets import Buckets, Known, MemoryBuckets, Moment, Reading
from alma.api.limits.classes import CLASSES, RateClass
from alma.api.limits.cluster import RedisBuckets
from alma.api.limits.stored import FileBuckets, TableBuckets

logger = logging.getLogger(__name__)

FILE = "limits.sqlite3"
REST_SECONDS = 5.0
MOST_REFUSED = 10_000
ALLOWED, REFUSED = "allowed", "refused"
_PREFIX = "limits."
T = TypeVar("T")


class Limiter:
    """The buckets of this process and the line in which they are asked."""

    def __init__(self, *line: Buckets, now: Moment = lambda: None) -> None:
        self.now = now
        self.counted: Counter[str] = Counter()
        self._local = MemoryBuckets()
        self._line = (*line, self._local)
        self._rests: dict[Buckets, float] = {}
        self._refused: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def charge(self, allowance: RateClass, client: str) -> Reading:
        """Count one request of a client against its allowance."""
        reading = self._remembered(allowance, client) or self._take(allowance, client)
        with self._lock:
            self.counted[tally_of(allowance, REFUSED if not reading.is_allowed else ALLOWED)] += 1
        return reading

    def known(self) -> tuple[Known, int]:
        """Who draws on which class, those that only this process counts included, and the time now."""
        local, _ = self._local.known(self.now())
        shared, now = self._ask(lambda buckets: buckets.known(self.now()))
        return {**local, **shared}, now

    def sweep(self) -> None:
        """Forget what has long been full, wherever it lies."""
        for buckets in self._line:
            if not self._is_resting(buckets):
                self._tried(buckets, lambda one: one.sweep(self.now()))

    def is_whole(self) -> bool:
        """Whether the first in line, which ought to keep the buckets, answers now."""
        return bool(self._tried(self._line[0], lambda one: one.known(self.now())))

    def _take(self, allowance: RateClass, client: str) -> Reading:
        if allowance.is_local:
            return self._local.take(allowance, client, self.now())
        reading = self._ask(lambda buckets: buckets.take(allowance, client, self.now()))
        if reading.wait and not reading.is_allowed:
            self._remember(allowance, client, reading)
        return reading

    def _remembered(self, allowance: RateClass, client: str) -> Reading | None:
        """A refusal that still holds: nothing that others do makes a bucket full sooner, so nobody need be asked."""
        found = self._refused.get((allowance.name, client))
        if found is None:
            return None
        until, ready_at = found
        left = until - self._clock()
        if left > 0:
            return Reading(False, ready_at, ready_at - left)
        self._refused.pop((allowance.name, client), None)
        return None

    def _remember(self, allowance: RateClass, client: str, reading: Reading) -> None:
        with self._lock:
            if len(self._refused) >= MOST_REFUSED:
                clock = self._clock()
                self._refused = {key: value for key, value in self._refused.items() if value[0] > clock}
            if len(self._refused) < MOST_REFUSED:
                self._refused[allowance.name, client] = self._clock() + reading.wait, reading.ready_at

    def _clock(self) -> int:
        """For what this process remembers; it only goes forward."""
        now = self.now()
        return time.monotonic_ns() // 1_000 if now is None else now

    def _ask(self, question: Callable[[Buckets], T]) -> T:
        """Of the first in line that answers; the last always does."""
        for buckets in self._line[:-1]:
            if not self._is_resting(buckets):
                for answer in self._tried(buckets, question):
                    return answer
        return question(self._local)

    def _tried(self, buckets: Buckets, question: Callable[[Buckets], T]) -> Sequence[T]:
        """The answer, or nothing from what is out of reach."""
        try:
            answer = question(buckets)
        except buckets.faults as error:
            if buckets not in self._rests:
                name = type(buckets).__name__
                logger.warning("%s is out of reach; limits are kept by the next in line: %s", name, error)
            self._rests[buckets] = time.monotonic() + REST_SECONDS
            return ()
        if self._rests.pop(buckets, None):
            logger.warning("%s is back and keeps the limits again", type(buckets).__name__)
        return (answer,)

    def _is_resting(self, buckets: Buckets) -> bool:
        return self._rests.get(buckets, 0.0) > time.monotonic()


def tally_of(rate_class: RateClass, outcome: str) -> str:
    """Under which name requests of a class are counted."""
    return f"{_PREFIX}{rate_class.name}.{outcome}"


@cache
def current() -> Limiter:
    """The limiter of this process."""
    return Limiter(*_configured())


def _configured() -> Iterator[Buckets]:
    if settings.ALMA_REDIS_URL:
        yield RedisBuckets()
    if connection.vendor == "sqlite":
        yield FileBuckets(settings.ALMA_DATA_DIR / FILE)
    else:
        yield TableBuckets()


def counted() -> Mapping[str, int]:
    """What this process allowed and refused since it began."""
    return dict(current().counted)


def tallies() -> list[str]:
    """The names of all that is counted."""
    return [tally_of(rate_class, outcome) for rate_class in CLASSES for outcome in (ALLOWED, REFUSED)]


def sweep() -> None:
    """A chore: forget what has long been full."""
    current().sweep()
