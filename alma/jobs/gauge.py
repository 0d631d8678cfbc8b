"""What the processes of one worker group did last, in memory that they share: no lock, no database, nothing to be killed in.

django-q2 hands tasks from its pusher over a pipe to its workers, and results over another to its monitor. Each of these
processes may be killed while it holds the lock of such a pipe; then the others wait for ever, and none of them says so.
Here every one of them leaves the time of what it did, and `alma.jobs.watch` judges from that.
"""

import mmap
import os
import time
from enum import IntEnum
from typing import Any

from django_q.signals import post_execute, post_execute_in_worker, pre_execute

_PLACES = 4096
"""Processes of a group whose ids differ by a multiple of this would share a place; a group has a few dozen."""


class Mark(IntEnum):
    """What happened last, each as seconds of the machine's monotonic clock, 0 for never."""

    ASKING = 0
    """The pusher began to ask the database for a task."""
    ASKED = 1
    """The pusher has its answer."""
    HANDED = 2
    """The pusher had a task to hand to the workers."""
    BEGUN = 3
    """A worker began a task."""
    ENDED = 4
    """A worker ended a task."""
    SETTLED = 5
    """The monitor took a result off the queue."""


class Gauge:
    """Made before the group is forked. Every process writes; nobody waits."""

    def __init__(self) -> None:
        self._at = memoryview(mmap.mmap(-1, 8 * (len(Mark) + _PLACES))).cast("d")

    def mark(self, what: Mark, now: float | None = None) -> None:
        """It happens now."""
        self._at[what] = time.monotonic() if now is None else now

    def at(self, what: Mark) -> float:
        """When it happened last."""
        return self._at[what]

    def is_busy(self, pid: int) -> bool:
        """Whether that worker has a task."""
        return bool(self._at[_place(pid)])

    def connect(self) -> None:
        """Hear of tasks in this process and in those that it forks."""
        pre_execute.connect(self.begin, weak=False, dispatch_uid="gauge.begin")
        post_execute_in_worker.connect(self.end, weak=False, dispatch_uid="gauge.end")
        post_execute.connect(self.settle, weak=False, dispatch_uid="gauge.settle")

    def begin(self, **_: Any) -> None:
        """In a worker, before a task."""
        self._at[_place(os.getpid())] = 1.0
        self.mark(Mark.BEGUN)

    def end(self, **_: Any) -> None:
        """In a worker, after a task."""
        self._at[_place(os.getpid())] = 0.0
        self.mark(Mark.ENDED)

    def settle(self, **_: Any) -> None:
        """In the monitor, after a result."""
        self.mark(Mark.SETTLED)


def _place(pid: int) -> int:
    return len(Mark) + pid % _PLACES


gauge = Gauge()
"""Of this process and those that it forks."""
