"""Answers are given again only while nothing was written, by whomever."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from alma.accounts.models import Organization
from alma.remembering import MOST, remembered
from tests.factories.accounts import make_organization

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases are always asked"),
]


def counted(calls: list[int]) -> Callable[[], list[str]]:
    def read() -> list[str]:
        calls.append(1)
        return list(Organization.objects.order_by("slug").values_list("slug", flat=True))

    return read


def elsewhere(work: Callable[[], object]) -> None:
    """In another thread, over another connection."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_an_answer_is_read_once_while_nothing_is_written() -> None:
    make_organization("a")
    calls: list[int] = []
    assert [remembered("x", counted(calls)) for _ in range(3)] == [["a"]] * 3
    assert len(calls) == 1
    assert remembered("y", counted(calls)) == ["a"]
    assert len(calls) == 2


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_every_write_is_seen(where: str) -> None:
    """Created, changed in place, deleted, in bulk: over the own connection and over another."""
    run = elsewhere if where == "elsewhere" else lambda work: work()
    make_organization("a")
    steps: list[tuple[Callable[[], object], list[str]]] = [
        (lambda: make_organization("b"), ["a", "b"]),
        (lambda: Organization.objects.filter(slug="b").update(slug="c"), ["a", "c"]),
        (
            lambda: Organization.objects.bulk_create([Organization(slug="d"), Organization(slug="e")]),
            ["a", "c", "d", "e"],
        ),
        (lambda: Organization.objects.exclude(slug="a").delete(), ["a"]),
    ]
    assert remembered("x", counted([])) == ["a"]
    for write, slugs in steps:
        run(write)
        assert remembered("x", counted([])) == slugs


def test_nothing_is_kept_of_what_is_rolled_back() -> None:
    calls: list[int] = []
    with pytest.raises(RuntimeError), transaction.atomic():
        make_organization("gone")
        assert remembered("x", counted(calls)) == ["gone"]
        raise RuntimeError
    assert remembered("x", counted(calls)) == []


def test_a_new_connection_knows_nothing() -> None:
    calls: list[int] = []
    remembered("x", counted(calls))
    connection.close()
    remembered("x", counted(calls))
    assert len(calls) == 2


def test_few_answers_are_kept() -> None:
    calls: list[int] = []
    for key in range(MOST + 1):
        remembered(key, counted(calls))
    remembered(MOST, counted(calls))
    assert len(calls) == MOST + 1, "the last is kept"
    remembered(0, counted(calls))
    assert len(calls) == MOST + 2, "the first made room"
