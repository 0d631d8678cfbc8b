"""A token bucket is one number: the moment from which its next request may come.

This is the generic cell rate algorithm turned by one step. A bucket of `depth` microseconds that nobody has used for
that long is full; each request moves the moment on by `interval`, and a request before the moment is refused. Taking
is one step that cannot be divided, whatever keeps the number, and on one clock: that of whatever keeps it.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from alma.api.limits.classes import HOUR, RateClass

Moment = Callable[[], int | None]
"""Microseconds since 1970, or None for the clock of whatever keeps the buckets."""
Known = Mapping[str, Mapping[str, int]]
"""By class and client, when the next request may come."""
FORGOTTEN_AFTER = 2 * HOUR * 1_000_000
"""After which a bucket has been full for as long as statistics look back."""
MOST_IN_MEMORY = 10_000


@dataclass(frozen=True)
class Reading:
    """What became of one request, and the bucket after it."""

    is_allowed: bool
    ready_at: int
    now: int

    def remaining(self, allowance: RateClass) -> int:
        """How many requests would be allowed at once."""
        left = (self.now - self.ready_at) // allowance.interval + 1
        return max(0, min(left, allowance.burst))

    @property
    def wait(self) -> int:
        """Microseconds until a request is allowed."""
        return max(0, self.ready_at - self.now)

    @property
    def retry_after(self) -> int:
        """The same in whole seconds, of which a refusal has at least one."""
        return max(1, -(-self.wait // 1_000_000))

    def reset(self, allowance: RateClass) -> int:
        """When the bucket is full again, in seconds since 1970."""
        return -(-max(self.now, self.ready_at + allowance.depth - allowance.interval) // 1_000_000)


class Buckets(Protocol):
    """Whatever keeps buckets."""

    faults: tuple[type[Exception], ...]
    """What it raises while it is out of reach."""

    def take(self, allowance: RateClass, client: str, now: int | None) -> Reading:
        """One request of a client. Raises one of `faults`."""

    def known(self, now: int | None) -> tuple[Known, int]:
        """All there are, and the time now. Raises one of `faults`."""

    def sweep(self, now: int | None) -> None:
        """Forget what has long been full. Raises one of `faults`."""


class MemoryBuckets:
    """In this process alone: for probes, and when nothing else is in reach."""

    faults: tuple[type[Exception], ...] = ()

    def __init__(self) -> None:
        self._ready: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def take(self, allowance: RateClass, client: str, now: int | None) -> Reading:
        """Under the lock of the process."""
        key = allowance.name, client
        with self._lock:
            moment = _clock(now)
            ready = self._ready.get(key, 0)
            if ready > moment:
                return Reading(False, ready, moment)
            if len(self._ready) >= MOST_IN_MEMORY:
                self._drop(moment)
            ready = max(ready, moment - allowance.depth + allowance.interval) + allowance.interval
            self._ready[key] = ready
            return Reading(True, ready, moment)

    def known(self, now: int | None) -> tuple[Known, int]:
        """A copy."""
        with self._lock:
            return by_class((*key, ready) for key, ready in self._ready.items()), _clock(now)

    def sweep(self, now: int | None) -> None:
        """Nothing: what is too many is dropped when more comes."""

    def _drop(self, moment: int) -> None:
        """What has been full for longest goes first; those that are refused stay."""
        kept = sorted(self._ready.items(), key=lambda item: item[1], reverse=True)[: MOST_IN_MEMORY // 2]
        self._ready = dict(kept)


def by_class(rows: Iterable[tuple[str, str, int]]) -> Known:
    """Rows of class, client and moment, sorted out."""
    found: dict[str, dict[str, int]] = {}
    for name, client, ready in rows:
        found.setdefault(name, {})[client] = ready
    return found


def _clock(now: int | None) -> int:
    return time.time_ns() // 1_000 if now is None else now
