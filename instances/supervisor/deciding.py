"""Who starts, who makes room and who rests: functions of what is known, without a database and without a clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from instances.limits import Limits


@dataclass(frozen=True)
class Seat:
    """One instance as it is decided about."""

    pk: int
    group: str = ""
    is_wanted: bool = False
    """Whether it shall run, and has not failed at that."""
    has_process: bool = False
    may_come: bool = False
    """Whether a request may start it, here."""
    may_go: bool = False
    """Whether it serves and nothing keeps it: it is neither pinned nor kept."""
    is_busy: bool = False
    used_at: datetime = datetime.min
    """When its last request ended; when it became ready where there was none."""
    waits_since: datetime | None = None
    """Since when the first in its line waits."""
    idle_seconds: int = 0
    """0 for never."""
    ends_when_quiet: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether it has a place now."""
        return self.is_wanted or self.has_process


@dataclass
class Decision:
    """Whom to start, and whom to let go, by number."""

    starts: list[int] = field(default_factory=list)
    goes: list[int] = field(default_factory=list)


def decide(seats: Sequence[Seat], limits: Limits) -> Decision:
    """Who waits longest comes first. One that has no room waits for the place of one that leaves; where nobody leaves yet,
    somebody is let go for it. Its place is not given to those behind it."""
    now = [seat for seat in seats if seat.is_taken]
    then = [seat for seat in seats if seat.is_wanted]
    """Who has a place when all that leave have left and all that were let in have come."""
    decision = Decision()
    for seat in _contenders(seats):
        while not _fits(then, seat, limits) and (victim := _victim(seat, then, limits)):
            decision.goes.append(victim.pk)
            then.remove(victim)
        if _fits(then, seat, limits):
            if _fits(now, seat, limits):
                decision.starts.append(seat.pk)
                now.append(seat)
            then.append(seat)
    return decision


def admitted(seats: Sequence[Seat], limits: Limits) -> set[int]:
    """Who of those that shall run may be started now: there are never more processes than the limits say."""
    running = [seat.group for seat in seats if seat.has_process]
    found = set[int]()
    for seat in seats:
        if seat.is_wanted and not seat.has_process and limits.fits(running, seat.group):
            running.append(seat.group)
            found.add(seat.pk)
    return found


def idle(seats: Iterable[Seat], now: datetime) -> list[int]:
    """Who has served for long enough since the end of its last request."""
    return [seat.pk for seat in seats if seat.is_wanted and seat.may_go and _is_idle(seat, now)]


def has_let_go(since: datetime, routers: Iterable[tuple[datetime | None, int]]) -> bool:
    """Whether every living router knows that nobody new is sent there, and has nothing under way there any more. Each
    is given by when it last read, and how many requests it has."""
    return all(read_at is not None and read_at >= since and not outstanding for read_at, outstanding in routers)


def _contenders(seats: Sequence[Seat]) -> list[Seat]:
    waiting = [seat for seat in seats if seat.waits_since and seat.may_come and not seat.is_taken]
    return sorted(waiting, key=lambda seat: (seat.waits_since, seat.pk))


def _fits(seats: Iterable[Seat], seat: Seat, limits: Limits) -> bool:
    return limits.fits((other.group for other in seats), seat.group)


def _victim(seat: Seat, then: Sequence[Seat], limits: Limits) -> Seat | None:
    """Of its own group before others, at rest before busy, least lately used. Not one whose own line is older: it has
    come for those, and serves them first."""
    if not limits.evicts:
        return None
    is_group_full = limits.is_group_full((other.group for other in then), seat.group)
    found = [
        other for other in then
        if other.may_go and not _is_before(other, seat) and (other.group == seat.group or not is_group_full)
    ]  # fmt: skip
    return min(
        found, key=lambda other: (other.group != seat.group, other.is_busy, other.used_at, other.pk), default=None
    )


def _is_before(one: Seat, other: Seat) -> bool:
    return one.waits_since is not None and other.waits_since is not None and one.waits_since <= other.waits_since


def _is_idle(seat: Seat, now: datetime) -> bool:
    if seat.is_busy or seat.waits_since is not None:
        return False
    is_over = bool(seat.idle_seconds) and now - seat.used_at > timedelta(seconds=seat.idle_seconds)
    return seat.ends_when_quiet or is_over
