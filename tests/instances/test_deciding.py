"""Who starts, who makes room, who rests: each case is a row of a table, by name and time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from instances.limits import Limits
from instances.supervisor.deciding import Seat, admitted, decide, has_let_go, idle

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A, B, C, D = 1, 2, 3, 4


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def cold(pk: int, since: float | None = None, group: str = "", **more: object) -> Seat:
    """One that does not run; since when the first in its line waits."""
    waits = None if since is None else at(since)
    return replace(Seat(pk, group, may_come=True, waits_since=waits, used_at=NOON), **more)


def warm(pk: int, used: float = 0, group: str = "", **more: object) -> Seat:
    """One that serves."""
    return replace(Seat(pk, group, is_wanted=True, has_process=True, may_go=True, used_at=at(used)), **more)


def leaving(pk: int, group: str = "", **more: object) -> Seat:
    """One that serves to the end, and that nobody wants."""
    return replace(warm(pk, group=group), is_wanted=False, **more)


ONE, TWO, NONE_EVICTED = Limits(1, {}), Limits(2, {}), Limits(1, {}, evicts=False)
BIG = Limits(3, {"big": 1})
CASES: list[tuple[str, list[Seat], Limits, list[int], list[int]]] = [
    # what, who there is, limits, who starts, who goes
    ("nobody waits", [cold(A), warm(B)], TWO, [], []),
    ("there is room", [cold(A, 1), warm(B)], TWO, [A], []),
    ("one is enough for all who wait", [cold(A, 1)], ONE, [A], []),
    ("who waits longest is first", [cold(A, 2), cold(B, 1)], ONE, [B], []),
    ("two that wait have room for two", [cold(A, 2), cold(B, 1)], TWO, [B, A], []),
    ("it may not be started by a request", [cold(A, 1, may_come=False)], ONE, [], []),
    ("it starts already", [cold(A, 1, is_wanted=True, has_process=True)], ONE, [], []),
    ("it ends, and then begins", [leaving(A, waits_since=at(1))], ONE, [], []),
    ("who rests makes room", [cold(A, 1), warm(B)], ONE, [], [B]),
    ("the least lately used makes room", [cold(A, 1), warm(B, 2), warm(C, 1)], TWO, [], [C]),
    ("who is busy is spared", [cold(A, 1), warm(B, 2), warm(C, 1, is_busy=True)], TWO, [], [B]),
    ("all are busy", [cold(A, 1), warm(B, 2, is_busy=True), warm(C, 1, is_busy=True)], TWO, [], [C]),
    ("who is pinned or kept stays", [cold(A, 1), warm(B, 2), warm(C, 1, may_go=False)], TWO, [], [B]),
    ("all are pinned", [cold(A, 1), warm(B, may_go=False)], ONE, [], []),
    ("somebody leaves already", [cold(A, 1), leaving(B)], ONE, [], []),
    ("for two, two leave", [cold(A, 1), cold(B, 2), leaving(C), warm(D)], TWO, [], [D]),
    ("the place of who leaves is taken", [cold(A, 1), cold(B, 2), leaving(C), warm(D, may_go=False)], TWO, [], []),
    ("it serves those first who waited before", [cold(A, 2), warm(B, waits_since=at(1))], ONE, [], []),
    ("its newer line does not save it", [cold(A, 1), warm(B, waits_since=at(2))], ONE, [], [B]),
    ("nobody is stopped for another", [cold(A, 1), warm(B)], NONE_EVICTED, [], []),
    ("without that, what has room starts", [cold(A, 1)], NONE_EVICTED, [A], []),
    ("a group competes within itself", [cold(A, 1, "big"), warm(B, 1), warm(C, 2, "big")], BIG, [], [C]),
    ("first, though others have rested longer", [cold(A, 1, "g"), warm(B, 1), warm(C, 2, "g")], TWO, [], [C]),
    ("and then with all", [cold(A, 1, "g"), warm(B, 1), warm(C, 2)], TWO, [], [B]),
    ("a full group is full with room elsewhere", [cold(A, 1, "big"), warm(B, group="big", may_go=False)], BIG, [], []),
    ("who has room passes who has none", [cold(A, 1, "big"), warm(B, group="big", may_go=False), cold(C, 2)], BIG, [C], []),
    ("the limit was lowered", [cold(A, 1), warm(B, 1), warm(C, 2), warm(D, 3)], TWO, [], [B, C]),
    ("a reserved place is not given away", [cold(A, 1, "big"), leaving(B, "big"), warm(C), cold(D, 2)], TWO, [], [C]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("seats", "limits", "starts", "goes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_decision(seats: list[Seat], limits: Limits, starts: list[int], goes: list[int]) -> None:
    decision = decide(seats, limits)
    assert (decision.starts, decision.goes) == (starts, goes)


@pytest.mark.parametrize(
    ("seats", "limits", "expected"),
    [
        ([cold(A, is_wanted=True)], ONE, {A}),
        ([cold(A)], ONE, set()),
        ([warm(A)], ONE, set()),
        ([cold(A, is_wanted=True), leaving(B)], ONE, set()),
        ([cold(A, is_wanted=True), cold(B, is_wanted=True)], ONE, {A}),
        ([cold(A, is_wanted=True, group="big"), leaving(B, "big"), cold(C, is_wanted=True)], BIG, {C}),
    ],
)
def test_never_more_processes_than_the_limit(seats: list[Seat], limits: Limits, expected: set[int]) -> None:
    assert admitted(seats, limits) == expected


@pytest.mark.parametrize(
    ("seat", "is_idle"),
    [
        (warm(A, idle_seconds=60), True),
        (warm(A, idle_seconds=0), False),
        (warm(A, idle_seconds=600), False),
        (warm(A, 1.5, idle_seconds=60), False),
        (warm(A, idle_seconds=60, is_busy=True), False),
        (warm(A, idle_seconds=60, waits_since=NOON), False),
        (warm(A, idle_seconds=60, may_go=False), False),
        (leaving(A, idle_seconds=60), False),
        (cold(A, idle_seconds=60), False),
        (warm(A, ends_when_quiet=True), True),
        (warm(A, ends_when_quiet=True, is_busy=True), False),
    ],
)
def test_idle_counts_from_the_end_of_the_last_request(seat: Seat, is_idle: bool) -> None:
    assert idle([seat], at(2)) == ([A] if is_idle else [])


@pytest.mark.parametrize(
    ("routers", "expected"),
    [
        ([], True),
        ([(at(1), 0)], True),
        ([(at(0), 0)], True),
        ([(at(-1), 0)], False),
        ([(None, 0)], False),
        ([(at(1), 1)], False),
        ([(at(1), 0), (at(1), 2)], False),
        ([(at(1), 0), (at(-1), 0)], False),
    ],
)
def test_drained_is_what_every_router_has_let_go(routers: list[tuple[datetime | None, int]], expected: bool) -> None:
    assert has_let_go(NOON, routers) is expected
