"""Who may ask which instance now, and who waits: requests under way are counted, and those for a model that does not serve
or has enough to do stand in a line, first come, first served."""

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from alma.errors import DomainError, NotFound, RateLimited, Unavailable, WrongState
from instances.router.board import Board, Model, Target

FAIR_SECONDS = 0.2
"""A wait for a place that is shorter than this is not written down."""
RETRY_SECONDS = 5
LOST_SECONDS = 5


@dataclass(eq=False)
class Ticket:
    """A request that waits. The future has the instance that may be asked, or why none will be."""

    marker: UUID
    model: Model
    label: str
    target: Target
    since: datetime
    deadline: datetime
    future: "asyncio.Future[Target]"
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class Register:
    """Where waiting requests are written down for the supervisor and for people."""

    def wait(self, ticket: Ticket) -> None:
        """Somebody waits."""

    def leave(self, ticket: Ticket) -> None:
        """Nobody waits there any more."""


class Line:
    """The requests of one process."""

    def __init__(self, board: Board, register: Register) -> None:
        self.outstanding: Counter[int] = Counter()
        self.ended: dict[int, datetime] = {}
        self.ranks: Mapping[UUID, int] = {}
        """The places of all that wait, those of other processes included, as they were last read."""
        self.others: Mapping[int, int] = {}
        """By instance how many wait in other processes."""
        self._board = board
        self._register = register
        self._waiting: dict[Model, deque[Ticket]] = {}

    # -- going on at once ----------------------------------------------------------------------------
    def take(self, model: Model) -> Target | None:
        """An instance that can be asked now, counted as asked; None when the request has to wait."""
        target = None if self._waiting.get(model) else self._choose(model)
        if target is not None:
            self.outstanding[target.pk] += 1
        return target

    def take_named(self, model: Model) -> Target:
        """An instance that can be asked now, whatever it has to do; counted as asked. Raises Unavailable."""
        targets = self._board.find(model)
        target = next((one for one in targets if self._board.is_open(one)), None)
        if target is None:
            raise Unavailable(f"{model[1]} is not running.", code="INSTANCE_NOT_RUNNING")
        self.outstanding[target.pk] += 1
        return target

    def release(self, target: Target) -> None:
        """A request has ended."""
        self.outstanding[target.pk] -= 1
        self.ended[target.pk] = timezone.now()
        if self._waiting:
            self._admit()

    def _choose(self, model: Model) -> Target | None:
        """Of the replicas that have room the one with the least to do; a silent one only when there is no other."""
        free = [one for one in self._board.find(model) if self._board.is_open(one) and self._has_room(one)]
        return min(free, key=lambda one: (not one.is_well, self.outstanding[one.pk]), default=None)

    def _has_room(self, target: Target) -> bool:
        """Routers share what an instance does at a time."""
        if target.concurrency is None:
            return True
        return self.outstanding[target.pk] < max(1, target.concurrency // self._board.routers)

    # -- waiting -------------------------------------------------------------------------------------
    def join(self, marker: UUID, model: Model, label: str) -> Ticket:
        """Stand in the line. Raises NotFound, Unavailable, RateLimited."""
        target = _worth_waiting(self._board.find(model))
        if self.waiting_for(target.pk) + self.others.get(target.pk, 0) >= settings.ALMA_QUEUE_LIMIT:
            raise _full(target)
        now, loop = timezone.now(), asyncio.get_running_loop()
        deadline = now + timedelta(seconds=settings.ALMA_QUEUE_SECONDS)
        ticket = Ticket(marker, model, label, target, now, deadline, loop.create_future())
        self._waiting.setdefault(model, deque()).append(ticket)
        ticket.timers.append(loop.call_later(settings.ALMA_QUEUE_SECONDS, self._give_up, ticket))
        if self._board.is_open(target):
            ticket.timers.append(loop.call_later(FAIR_SECONDS, self._register.wait, ticket))
        else:
            self._register.wait(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """The request goes on or has ended; an instance that it was given and did not take is free again."""
        for timer in ticket.timers:
            timer.cancel()
        line = self._waiting.get(ticket.model)
        if line is not None and ticket in line:
            line.remove(ticket)
            self._tidy(ticket.model)
        self._register.leave(ticket)

    def position(self, ticket: Ticket) -> int:
        """Its place in the line for its instance, from 1."""
        own = 1
        for model in self._models_of(ticket.target):
            own += sum(1 for one in self._waiting.get(model, ()) if one.since < ticket.since)
        return max(own, self.ranks.get(ticket.marker, 1))

    def estimate(self, ticket: Ticket) -> int | None:
        """Seconds until its instance should be ready; None while that is unknown, and when others are served first."""
        usual = ticket.target.ready_in
        return None if usual is None else max(1, ceil(usual))

    def waiting_for(self, pk: int) -> int:
        """How many wait here for an instance."""
        return sum(1 for line in self._waiting.values() for ticket in line if ticket.target.pk == pk)

    def note_places(self, ranks: Mapping[UUID, int], others: Mapping[int, int]) -> None:
        """The line as it is written down. Who was struck off while this process seemed dead stands in it again."""
        self.ranks, self.others = ranks, others
        lost = timezone.now() - timedelta(seconds=LOST_SECONDS)
        for line in self._waiting.values():
            for ticket in line:
                if ticket.since < lost and ticket.marker not in ranks:
                    self._register.wait(ticket)

    def turn_away(self, markers: Collection[UUID]) -> None:
        """The line was full when they were to be written down."""
        for line in list(self._waiting.values()) if markers else []:
            for ticket in [one for one in line if one.marker in markers]:
                self._end(ticket, _full(ticket.target))

    @property
    def has_waiting(self) -> bool:
        """Whether anybody waits here."""
        return bool(self._waiting)

    def review(self) -> None:
        """The board has changed: who can go on goes on, who waits for what will not come is told so."""
        for model, line in list(self._waiting.items()):
            for ticket in list(line):
                try:
                    self._move(ticket, _worth_waiting(self._board.find(model)))
                except DomainError as error:
                    self._end(ticket, error)
        self._admit()

    def _move(self, ticket: Ticket, target: Target) -> None:
        if target.pk == ticket.target.pk:
            ticket.target = target
            return
        self._register.leave(ticket)
        ticket.target = target
        self._register.wait(ticket)

    def _admit(self) -> None:
        for model in sorted(self._waiting, key=lambda model: self._waiting[model][0].since):
            line = self._waiting[model]
            while line and (target := self._choose(model)) is not None:
                ticket = line.popleft()
                if not ticket.future.done():
                    self.outstanding[target.pk] += 1
                    ticket.future.set_result(target)
            self._tidy(model)

    def _give_up(self, ticket: Ticket) -> None:
        self._end(ticket, _too_late(ticket.target))

    def _end(self, ticket: Ticket, error: DomainError) -> None:
        if not ticket.future.done():
            ticket.future.set_exception(error)
        self._waiting[ticket.model].remove(ticket)
        self._tidy(ticket.model)

    def _tidy(self, model: Model) -> None:
        if not self._waiting.get(model):
            self._waiting.pop(model, None)

    def _models_of(self, target: Target) -> list[Model]:
        return [(target.organization_id, name) for name in (target.name, *target.aliases)]


def _full(target: Target) -> RateLimited:
    said = f"{settings.ALMA_QUEUE_LIMIT} requests wait for {target.name} already."
    return RateLimited(said, retry_after=RETRY_SECONDS, code="QUEUE_FULL")


def _too_late(target: Target) -> DomainError:
    """Why nothing came of a wait: no room for the instance in all that time, or anything else."""
    said = f"{target.name} could not be asked within {settings.ALMA_QUEUE_SECONDS} seconds"
    error: DomainError
    if not target.serves and not target.has_room:
        error = WrongState(f"{said}: as many instances run as may, and none made room.", code="MAX_INSTANCES_REACHED")
    else:
        error = Unavailable(f"{said}.", code="QUEUE_TIMEOUT")
    error.retry_after = RETRY_SECONDS
    return error


def _worth_waiting(targets: Sequence[Target]) -> Target:
    """The instance to wait for: one that comes up before one that has to be started. Raises NotFound, Unavailable."""
    if not targets:
        raise NotFound("There is no such model any more.", code="MODEL_NOT_FOUND")
    hopeful = [one for one in targets if one.may_serve]
    if not hopeful:
        said = targets[0].reason or f"{targets[0].name} is {targets[0].shown_status} and is not started on demand."
        raise Unavailable(said, code="INSTANCE_NOT_RUNNING")
    return min(hopeful, key=lambda one: (not one.serves, one.shown_status in {"stopped", "stopping", "failed"}))
