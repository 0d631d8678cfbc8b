"""Has instances start for requests that wait, make room and rest; the decisions themselves are in `deciding`."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from instances import demand, queueing
from instances.limits import limits_of
from instances.models import Instance, Node
from instances.supervisor import traffic
from instances.supervisor.deciding import Seat, admitted, decide, idle
from instances.supervisor.traffic import NEVER, Traffic

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
WRITE_SECONDS = 5.0
Wish = Instance.Wish


@dataclass(frozen=True)
class Word:
    """By number, who may be started now, and who is drained."""

    may_start: frozenset[int]
    is_drained: frozenset[int]


@dataclass
class Arbiter:
    """Looks at all instances in each turn, and writes what is wanted of those of this node."""

    node: str
    _sweep_at: float = 0.0
    _write_at: float = 0.0
    _lost: frozenset[str] = frozenset()

    def turn(self, rows: Sequence[Instance]) -> Word:
        """Decide, and have it done."""
        self._tidy(rows)
        living = [row for row in rows if row.node not in self._lost]
        now, seen = timezone.now(), traffic.read(self.node)
        may_start = set[int]()
        for organization_id, theirs in _by_organization(living).items():
            may_start |= self._decide(organization_id, theirs, seen, now)
        return Word(frozenset(may_start), frozenset(row.pk for row in living if seen.has_let_go(row)))

    def _tidy(self, rows: Sequence[Instance]) -> None:
        if time.monotonic() >= self._write_at:
            self._write_at = time.monotonic() + WRITE_SECONDS
            traffic.write_down(row for row in rows if row.node == self.node)
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
            self._lost = frozenset(Node.objects.lost().values_list("name", flat=True)) - {self.node}
            queueing.sweep()

    def _decide(self, organization_id: int, rows: Sequence[Instance], seen: Traffic, now: datetime) -> set[int]:
        seats = [seat_of(row, seen, now, is_ours=row.node == self.node) for row in rows]
        known = {row.pk: row for row in rows}
        for pk in idle([seat for seat in seats if known[seat.pk].node == self.node], now):
            demand.let_go(known[pk], why="idle")
        if not any(seat.waits_since or (seat.is_wanted and not seat.has_process) for seat in seats):
            return set()
        limits = limits_of(organization_id)
        decision = decide(seats, limits)
        for pk in decision.goes:
            demand.let_go(known[pk], why="room for another")
        started = {pk for pk in decision.starts if demand.start(known[pk], why="requests wait")}
        return admitted(seats, limits) | started


def preload(rows: Iterable[Instance]) -> None:
    """Have those run that shall be there from the beginning, as far as there is room."""
    for row in rows:
        if row.is_preloaded and row.wanted == Wish.STOPPED and not demand.start(row, why="preloaded"):
            logger.warning("there is no room to preload an instance", extra={"instance": row.pk})


def seat_of(row: Instance, seen: Traffic, now: datetime, *, is_ours: bool) -> Seat:
    """An instance as it is decided about."""
    is_kept = row.is_pinned or (row.kept_until is not None and row.kept_until > now)
    return Seat(
        row.pk, group=row.group, is_wanted=row.wanted == Wish.RUNNING and not row.has_failed,
        has_process=row.status in Instance.ALIVE,
        may_come=row.starts_on_demand and row.wanted == Wish.STOPPED and is_ours,
        may_go=row.status in Instance.SERVING and row.is_up_to_date and not is_kept,
        is_busy=seen.outstanding(row.pk) > 0, used_at=_used_at(row, seen), waits_since=seen.lines.get(row.pk),
        idle_seconds=row.idle_seconds, ends_when_quiet=row.ends_when_quiet,
    )  # fmt: skip


def _used_at(row: Instance, seen: Traffic) -> datetime:
    return max(seen.used_at(row.pk), row.last_used_at or NEVER, row.ready_at or NEVER)


def _by_organization(rows: Iterable[Instance]) -> Mapping[int, list[Instance]]:
    found: dict[int, list[Instance]] = defaultdict(list)
    for row in rows:
        found[row.organization_id].append(row)
    return found
