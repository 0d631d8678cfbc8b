"""Notices when a group of workers has come to a stand although its processes live."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from alma.jobs.gauge import Gauge, Mark

LOOK = 0.5
"""Seconds between two looks."""
STANDING = 8.0
"""Seconds for which a task may lie before an idle worker, or the pusher say nothing. A canary lies there every few seconds."""
SILENT = 3.0
"""Seconds after which a pusher that waits for nothing should have asked for tasks again: it does so each second."""
UNGUARDED = 10.0
"""Seconds within which the sentinel replaces a process; it looks twice a second."""
UNSETTLED = 30.0
"""Seconds for which results may lie: the monitor writes each to the database, which may be busy."""


def living(sentinel: int) -> list[int]:
    """The processes that a sentinel looks after and that live."""
    try:
        children = psutil.Process(sentinel).children()
        return [child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE]
    except psutil.NoSuchProcess:  # one of them ended while it was looked at: the next look knows
        return []


@dataclass
class Watch:
    """Looks at a group of so many workers; a condition that lasts too long is told in words."""

    gauge: Gauge
    workers: int
    _since: dict[str, tuple[float, float]] = field(default_factory=dict)

    def look(self, pids: list[int], now: float | None = None) -> str | None:
        """What is wrong for too long by now, or None."""
        now = time.monotonic() if now is None else now
        for what, seconds, mark, holds in self._conditions(pids, now):
            if self._lasts(what, mark, now, holds) > seconds:
                return what
        return None

    def _conditions(self, pids: list[int], now: float) -> list[tuple[str, float, Mark | None, bool]]:
        """Each with its words, its patience, the mark that shows progress, and whether it holds now."""
        at: Callable[[Mark], float] = self.gauge.at
        is_idle = sum(self.gauge.is_busy(pid) for pid in pids) < self.workers
        waits = at(Mark.HANDED) > at(Mark.BEGUN)
        is_silent = at(Mark.ASKING) <= at(Mark.ASKED) < now - SILENT
        return [
            ("a task lies before idle workers, and none takes it", STANDING, Mark.BEGUN, is_idle and waits),
            ("nobody asks the queue for tasks", STANDING, Mark.ASKED, is_idle and is_silent and at(Mark.ASKED) > 0),
            ("processes that ended are not replaced", UNGUARDED, None, len(pids) < self.workers + 2),
            ("results are not taken off the queue", UNSETTLED, Mark.SETTLED, at(Mark.ENDED) > at(Mark.SETTLED)),
        ]

    def _lasts(self, what: str, mark: Mark | None, now: float, holds: bool) -> float:
        """For how many seconds it has held without any progress."""
        progress = 0.0 if mark is None else self.gauge.at(mark)
        since, seen = self._since.get(what, (now, progress))
        if not holds or seen != progress:
            since = now
        self._since[what] = (since, progress)
        return now - since
