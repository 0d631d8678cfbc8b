"""The grammar of search boxes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alma.searching import LONGEST, Search, Term, parse

KEYS = ("status", "memory", "name")
ALIASES = {"ram": "memory"}


def read(text: str) -> Search:
    return parse(text, KEYS, ALIASES)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("web", [Term("", "web")]),
        ("web-1 -old", [Term("", "web-1"), Term("", "old", True)]),
        ("status:running", [Term("status", "running")]),
        ("STATUS:Running", [Term("status", "Running")]),
        ("-status:running", [Term("status", "running", True)]),
        ("memory:>=8GB", [Term("memory", "8GB", False, ">=")]),
        ("-ram:<512MB", [Term("memory", "512MB", True, "<")]),
        ('name:"two words" next', [Term("name", "two words"), Term("", "next")]),
        ('-"two words"', [Term("", "two words", True)]),
        ('"status:running"', [Term("", "status:running")]),
        ('name:"not closed', [Term("name", "not closed")]),
        ("status:", []),
        ("-", []),
        ("o'brien", [Term("", "o'brien")]),
        ("10.0.0.1:8006", [Term("", "10.0.0.1:8006")]),
        ("web\0", [Term("", "web")]),
        (">5", [Term("", ">5")]),
    ],
)
def test_terms(text: str, terms: list[Term]) -> None:
    assert list(read(text).terms) == terms
    assert read(text).problems == ()


def test_a_key_that_there_is_not_is_named_with_those_that_there_are() -> None:
    search = read("colour:red colour:blue web")
    assert search.terms == (Term("", "web"),)
    assert search.problems == (
        "There is no filter colour:. There are status:, memory:, name:. Put quotes around words that have a colon.",
    )


def test_chips_leave_one_condition_out_each() -> None:
    search = read('status:running -name:"two words" web')
    assert [(str(term), rest) for term, rest in search.chips] == [
        ("status:running", '-name:"two words" web'),
        ('-name:"two words"', "status:running web"),
        ("web", 'status:running -name:"two words"'),
    ]


def test_a_search_has_an_end() -> None:
    assert len(read("x" * 5_000).text) == LONGEST


@given(st.text(max_size=60))
def test_anything_is_read_and_what_is_read_can_be_typed(text: str) -> None:
    search = read(text)
    again = read(" ".join(map(str, search.terms)))
    assert again.terms == search.terms
    assert again.problems == ()
