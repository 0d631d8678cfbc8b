"""Sums that outlive processes."""

import threading

import pytest
from django.db import DatabaseError, connection
from pytest_django import DjangoAssertNumQueries

from alma.monitoring.models import Tally
from alma.monitoring.tallies import Keeper, Tallies
from tests.concurrency import together

pytestmark = pytest.mark.django_db


def stored() -> dict[str, int]:
    return dict(Tally.objects.values_list("name", "value"))


def test_a_total_is_exact_before_and_after_it_is_stored() -> None:
    mine = Tallies()
    mine.add({"a": 2, "b": 1})
    assert mine.totals("a", "b", "c") == {"a": 2, "b": 1, "c": 0}
    assert stored() == {}
    mine.store()
    assert stored() == {"a": 2, "b": 1}
    mine.add({"a": 3})
    assert mine.totals("a") == {"a": 5}


def test_processes_add_up_and_a_new_one_knows_the_sum() -> None:
    first, second = Tallies(), Tallies()
    for number, process in enumerate((first, second), start=1):
        process.add({"a": number})
        process.store()
    assert first.totals("a") == second.totals("a") == Tallies().totals("a") == {"a": 3}


def test_nothing_new_writes_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    mine = Tallies()
    mine.add({"a": 1, "zero": 0})
    mine.store()
    with django_assert_num_queries(0):
        mine.store()
    assert stored() == {"a": 1}


def test_what_a_meter_counts_is_stored_once() -> None:
    counted = {"a": 4}
    mine = Tallies(lambda: counted)
    mine.store()
    mine.store()
    counted["a"] = 6
    assert mine.totals("a") == {"a": 6}
    mine.store()
    assert stored() == {"a": 6}


def test_what_could_not_be_stored_is_stored_later(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Tallies()
    mine.add({"a": 1})
    with monkeypatch.context() as away:
        away.setattr(connection, "cursor", _no_database)
        mine.store()
    mine.add({"a": 1})
    mine.store()
    assert stored() == {"a": 2}


def _no_database() -> None:
    raise DatabaseError("away")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_between_processes_and_threads() -> None:
    processes = [Tallies() for _ in range(4)]

    def work(number: int) -> None:
        for _ in range(20):
            processes[number % 4].add({"a": 1, "b": 2})
            processes[number % 4].store()

    together(8, work)
    for process in processes:
        process.store()
    assert stored() == {"a": 160, "b": 320}


@pytest.mark.django_db(transaction=True)
def test_the_keeper_stores_as_it_goes_and_at_its_end() -> None:
    mine, has_stored = Tallies(), threading.Event()
    store = mine.store
    mine.store = lambda: (store(), has_stored.set())[0]  # type: ignore[func-returns-value, method-assign, misc]
    keeper = Keeper(mine, seconds=0.05)
    mine.add({"a": 1})
    keeper.start()
    assert has_stored.wait(5)
    mine.add({"a": 1})
    keeper.stop()
    assert not keeper.is_alive()
    assert stored() == {"a": 2}
