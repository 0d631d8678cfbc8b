"""Counting things of which nothing else is kept: cheap in memory, added to the database every ten seconds.

A process that dies loses the last ten seconds of its counts. A total is the stored sum and what this process has counted
since, so that with one web process it is exact at any moment.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from django.db import DatabaseError, close_old_connections, connections, transaction
from django.db.models import F

from alma.api.limits import limiter
from alma.monitoring.models import Tally
from alma.monitoring.requests import counted_requests

logger = logging.getLogger(__name__)

Meter = Callable[[], Mapping[str, int]]
"""Gives sums that something else keeps for this process anyway; they only grow."""

KEEP_SECONDS = 10.0
STOP_SECONDS = 2.0


class Tallies:
    """What one process counts."""

    def __init__(self, *meters: Meter) -> None:
        self._meters = meters
        self._counted: Counter[str] = Counter()
        self._stored: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._storing = threading.Lock()

    def add(self, amounts: Mapping[str, int]) -> None:
        """Count. Takes no time and touches no database."""
        with self._counting:
            self._counted.update(amounts)

    def store(self) -> None:
        """Add what is new to the database. What cannot be written now is written the next time."""
        with self._storing:
            amounts = self._unstored()
            if not amounts:
                return
            try:
                _write(amounts)
            except DatabaseError:
                logger.warning("what was counted could not be stored, trying again", exc_info=True)
            else:
                self._stored.update(amounts)

    def totals(self, *names: str) -> dict[str, int]:
        """The sums of these names over all processes, this one to the last count."""
        with self._storing:
            stored = dict(Tally.objects.filter(name__in=names).values_list("name", "value"))
            unstored = self._unstored()
        return {name: stored.get(name, 0) + unstored.get(name, 0) for name in names}

    def _unstored(self) -> dict[str, int]:
        with self._counting:
            counted = dict(self._counted)
        for meter in self._meters:
            counted.update(meter())
        return {name: amount - self._stored[name] for name, amount in counted.items() if amount > self._stored[name]}


@transaction.atomic
def _write(amounts: Mapping[str, int]) -> None:
    """In the order of the names: two processes that write at once wait for each other and do not lock each other out."""
    names = sorted(amounts)
    Tally.objects.bulk_create([Tally(name=name) for name in names], ignore_conflicts=True)
    for name in names:
        Tally.objects.filter(name=name).update(value=F("value") + amounts[name])


class Keeper(threading.Thread):
    """Stores the tallies of a process until it ends, and once more then."""

    def __init__(self, counted: Tallies, seconds: float = KEEP_SECONDS) -> None:
        super().__init__(name="tallies", daemon=True)
        self.counted = counted
        self.seconds = seconds
        self._stopping = threading.Event()

    def run(self) -> None:
        """In a thread with a database connection of its own."""
        is_last = False
        while not is_last:
            is_last = self._stopping.wait(self.seconds)
            close_old_connections()
            self.counted.store()
        connections.close_all()

    def stop(self) -> None:
        """Store the rest and end; not for long, for a process that is asked to end has to."""
        self._stopping.set()
        self.join(STOP_SECONDS)


tallies = Tallies(counted_requests, limiter.counted)
"""Those of this process."""
