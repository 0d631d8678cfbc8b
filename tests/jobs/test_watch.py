"""The watch over a group of workers: each way in which django-q2 comes to a stand, and none in which it only works hard."""

import os
from collections.abc import Callable

import pytest

from alma.jobs.gauge import Gauge, Mark
from alma.jobs.watch import STANDING, UNGUARDED, UNSETTLED, Watch

GROUP = [101, 102, 103, 104, 105, 106]
"""Four workers, monitor and pusher."""


class Group:
    """A group under watch on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.gauge = Gauge()
        self.watch = Watch(self.gauge, workers=4)
        self.now = 1000.0
        self.pids = list(GROUP)
        self.marks(Mark.ASKING, Mark.ASKED)

    def marks(self, *marks: Mark) -> None:
        for mark in marks:
            self.gauge.mark(mark, self.now)

    def busy(self, *pids: int) -> None:
        for pid in pids:
            self.gauge._at[len(Mark) + pid % 4096] = 1.0

    def told_within(self, seconds: float, each: Callable[[], object] = lambda: None) -> str | None:
        """What is told first, looking twice a second, with something that happens before each look."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.5
            each()
            found = self.watch.look(self.pids, self.now)
            if found:
                return found
        return None

    def polls(self) -> None:
        self.marks(Mark.ASKING, Mark.ASKED)


def test_a_quiet_group_is_left_alone() -> None:
    group = Group()
    assert group.told_within(300, group.polls) is None


def test_a_group_that_works_is_left_alone() -> None:
    group = Group()

    def works() -> None:
        group.polls()
        group.marks(Mark.HANDED)
        group.now += 0.1
        group.marks(Mark.BEGUN, Mark.ENDED, Mark.SETTLED)

    assert group.told_within(300, works) is None


def test_a_killed_idle_worker_takes_the_lock_of_the_queue_with_it() -> None:
    group = Group()
    group.marks(Mark.HANDED)
    assert group.told_within(STANDING - 1, group.polls) is None
    assert group.told_within(2, group.polls) == "a task lies before idle workers, and none takes it"


def test_a_pusher_that_cannot_hand_on_is_noticed() -> None:
    group = Group()
    assert group.told_within(STANDING + 5) == "nobody asks the queue for tasks"


def test_a_pusher_that_waits_for_the_database_is_left_alone() -> None:
    group = Group()
    group.now += 1
    group.marks(Mark.ASKING)
    assert group.told_within(300) is None


def test_tasks_may_lie_while_every_worker_has_one() -> None:
    group = Group()
    group.busy(*GROUP[:4])
    group.marks(Mark.HANDED)
    assert group.told_within(60) is None
    group.busy(*GROUP[:4])
    group.gauge._at[len(Mark) + GROUP[0] % 4096] = 0.0
    assert group.told_within(STANDING + 1) is not None


def test_a_worker_that_died_at_its_task_is_not_taken_for_busy() -> None:
    group = Group()
    group.busy(*GROUP[:4])
    group.pids = [*GROUP[1:], 107]
    group.marks(Mark.HANDED)
    assert group.told_within(STANDING + 1, group.polls) is not None


def test_one_task_that_was_lost_is_no_stand() -> None:
    """A worker may die with a task that it has taken but not begun; the next canary is begun."""
    group = Group()
    group.marks(Mark.HANDED)
    assert group.told_within(5, group.polls) is None
    group.marks(Mark.HANDED, Mark.BEGUN)
    group.marks(Mark.BEGUN)
    assert group.told_within(60, group.polls) is None


def test_a_sentinel_that_hangs_replaces_nobody() -> None:
    group = Group()
    group.pids = GROUP[1:]
    assert group.told_within(UNGUARDED - 1, group.polls) is None
    assert group.told_within(2, group.polls) == "processes that ended are not replaced"


def test_processes_that_are_replaced_are_not_missed() -> None:
    group = Group()
    for pids in (GROUP[1:], GROUP) * 20:
        group.pids = list(pids)
        assert group.told_within(UNGUARDED / 2, group.polls) is None


def test_a_killed_monitor_takes_the_lock_of_the_results_with_it() -> None:
    group = Group()
    group.now += 1
    group.marks(Mark.ENDED)
    assert group.told_within(UNSETTLED - 1, group.polls) is None
    assert group.told_within(2, group.polls) == "results are not taken off the queue"


def test_a_result_that_was_lost_with_its_worker_is_no_stand() -> None:
    group = Group()
    group.now += 1
    group.marks(Mark.ENDED)
    assert group.told_within(10, group.polls) is None
    group.marks(Mark.SETTLED)
    assert group.told_within(60, group.polls) is None


@pytest.mark.parametrize(("call", "mark"), [("begin", Mark.BEGUN), ("end", Mark.ENDED), ("settle", Mark.SETTLED)])
def test_the_gauge_hears_of_tasks(call: str, mark: Mark) -> None:
    gauge = Gauge()
    assert gauge.at(mark) == 0
    getattr(gauge, call)(sender="django_q")
    assert gauge.at(mark) > 0
    assert gauge.is_busy(os.getpid()) is (call == "begin")
