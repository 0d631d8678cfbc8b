"""The line of one process, without a database: who goes on, who waits, who is told no."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from django.utils import timezone

from alma.errors import DomainError
from instances.router.board import Board, Target
from instances.router.line import Line, Register, Ticket
from instances.router.threads import Threads

TINY = Target(
    1, 1, "tiny", ("any",), "llama_cpp", "http://127.0.0.1:1", "", "a", "running", "", serves=True, may_serve=True,
    is_well=True, has_room=True, is_unlisted=False, concurrency=None, defaults={}, ready_in=None, created_at=timezone.now(),
)  # fmt: skip
TWIN = replace(TINY, pk=2, name="twin")
COLD = replace(TINY, serves=False, shown_status="stopped", ready_in=4.2)


class Notes(Register):
    """Who is written down."""

    def __init__(self) -> None:
        self.waiting: list[Ticket] = []

    def wait(self, ticket: Ticket) -> None:
        self.waiting.append(ticket)

    def leave(self, ticket: Ticket) -> None:
        self.waiting = [one for one in self.waiting if one is not ticket]


class Table(Board):
    """A board that a test writes on."""

    def show(self, *targets: Target) -> None:
        self._models = {
            (1, name): [one for one in targets if name in (one.name, *one.aliases)]
            for target in targets
            for name in (target.name, *target.aliases)
        }


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def board() -> Iterator[Table]:
    yield Table(Threads())


@pytest.fixture
def line(board: Table, notes: Notes) -> Line:
    return Line(board, notes)


def join(line: Line, name: str = "tiny") -> Ticket:
    return line.join(uuid4(), (1, name), "key")


async def test_replicas_are_asked_by_what_they_have_to_do(board: Table, line: Line) -> None:
    board.show(TINY, TWIN)
    taken = [line.take((1, "any")) for _ in range(4)]
    assert [one.pk for one in taken if one] == [1, 2, 1, 2]
    line.release(TWIN)
    line.release(TWIN)
    assert line.take((1, "any")) is TWIN
    board.show(TINY, replace(TWIN, is_well=False))
    assert line.take((1, "any")) is TINY, "one that does not answer is asked only when there is no other"
    assert line.take((1, "tiny")) is TINY, "by its name one is asked in any case"


async def test_beyond_its_concurrency_requests_wait_in_their_order(board: Table, line: Line, notes: Notes) -> None:
    one = replace(TINY, concurrency=1)
    board.show(one)
    assert line.take((1, "tiny")) is one
    assert line.take((1, "tiny")) is None
    first, second = join(line), join(line, "any")
    assert [line.position(first), line.position(second)] == [1, 2]
    assert notes.waiting == [], "a short wait is not written down"
    await asyncio.sleep(0.25)
    assert notes.waiting == [first, second]
    line.release(one)
    assert first.future.result() is one
    assert not second.future.done()
    line.leave(first)
    assert line.position(second) == 1
    line.release(one)
    assert second.future.result() is one


async def test_all_go_on_when_a_cold_model_serves(board: Table, line: Line, notes: Notes) -> None:
    board.show(COLD)
    assert line.take((1, "tiny")) is None
    tickets = [join(line) for _ in range(5)]
    assert notes.waiting == tickets
    assert line.estimate(tickets[0]) == 5
    line.review()
    assert not any(ticket.future.done() for ticket in tickets)
    board.show(TINY)
    line.review()
    assert [ticket.future.result() for ticket in tickets] == [TINY] * 5
    assert line.outstanding[1] == 5
    assert not line.has_waiting


async def test_a_deadline_and_a_full_line(board: Table, line: Line, settings) -> None:
    settings.ALMA_QUEUE_SECONDS, settings.ALMA_QUEUE_LIMIT = 0.05, 2
    board.show(COLD)
    tickets = [join(line), join(line)]
    with pytest.raises(DomainError, match="2 requests wait for tiny already") as full:
        join(line)
    assert (full.value.code, full.value.retry_after) == ("QUEUE_FULL", 5)
    await asyncio.sleep(0.1)
    for ticket in tickets:
        error = ticket.future.exception()
        assert isinstance(error, DomainError)
        assert (error.code, error.retry_after) == ("QUEUE_TIMEOUT", 5)
    assert not line.has_waiting


async def test_a_deadline_without_any_room_is_a_conflict(board: Table, line: Line, settings) -> None:
    settings.ALMA_QUEUE_SECONDS = 0.05
    board.show(replace(COLD, has_room=False))
    ticket = join(line)
    await asyncio.sleep(0.1)
    error = ticket.future.exception()
    assert isinstance(error, DomainError)
    assert (type(error).__name__, error.code, error.retry_after) == ("WrongState", "MAX_INSTANCES_REACHED", 5)


async def test_others_have_filled_the_line_meanwhile(board: Table, line: Line) -> None:
    board.show(COLD)
    ticket = join(line)
    line.turn_away({ticket.marker})
    assert getattr(ticket.future.exception(), "code", "") == "QUEUE_FULL"
    assert not line.has_waiting


HOPELESS = {
    "failed": (replace(COLD, may_serve=False, shown_status="failed", reason="out of memory"), "out of memory"),
    "by hand": (replace(COLD, may_serve=False), "tiny is stopped and is not started on demand"),
    "gone": (None, "no such model any more"),
}


@pytest.mark.parametrize("name", HOPELESS)
async def test_who_waits_for_what_will_not_come_is_told(board: Table, line: Line, name: str) -> None:
    target, words = HOPELESS[name]
    board.show(COLD)
    ticket = join(line)
    board.show(*([target] if target else []))
    line.review()
    assert words in str(ticket.future.exception())
    assert not line.has_waiting


async def test_an_instance_that_was_not_reached_is_left_alone_until_it_is_another(board: Table, line: Line) -> None:
    board.show(TINY)
    board.doubt(TINY)
    assert line.take((1, "tiny")) is None
    board.show(replace(TINY, marker="b"))
    assert line.take((1, "tiny")) is not None


async def test_who_moves_to_another_replica_is_written_down_there(board: Table, line: Line, notes: Notes) -> None:
    board.show(COLD, replace(COLD, pk=2, name="twin"))
    ticket = join(line, "any")
    assert ticket.target.pk == 1
    board.show(replace(COLD, may_serve=False), replace(COLD, pk=2, name="twin"))
    line.review()
    assert (ticket.target.pk, notes.waiting) == (2, [ticket])
    line.leave(ticket)
    assert notes.waiting == []


async def test_who_was_struck_off_stands_in_the_line_again(board: Table, line: Line, notes: Notes) -> None:
    board.show(COLD)
    ticket = join(line)
    notes.waiting.clear()
    line.note_places({}, {})
    assert notes.waiting == [], "it may be on its way to the database"
    ticket.since = ticket.since.replace(year=2000)
    line.note_places({}, {})
    assert notes.waiting == [ticket]
