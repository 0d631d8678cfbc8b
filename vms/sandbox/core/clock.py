"""Where the simulated cluster reads the time: the wall in the server, by hand in tests and rehearsals."""

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""


class WallClock:
    def now(self) -> float:
        return time.time()


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, start: float = 1_795_219_200.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def move_to(self, moment: float) -> None:
        self._now = max(self._now, moment)

    def advance(self, seconds: float) -> None:
        self._now += seconds
