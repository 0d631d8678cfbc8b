"""Reasons as a page shows them: read from whatever metadata holds, and found again in what was said."""

from typing import Any

import pytest

from blueprints.generation import generate
from blueprints.models import Message
from blueprints.pages.causes import Place, causes_of, pieces, read_cause, values_of
from blueprints.schema import parse_document


def message(content: str, number: int = 1) -> Message:
    return Message(number=number, role=Message.Role.USER, content=content)


@pytest.mark.parametrize(
    ("noted", "sentence", "kind"),
    [
        ({"words": "4 GB", "span": [3, 7]}, "From “4 GB”", "words"),
        ({"rule": "several means at least two"}, "By a rule: several means at least two", "rule"),
        ({"default": "the usual for web"}, "Not said, so the usual for web", "default"),
        ({"model": "qwen"}, "Proposed by the model qwen", "model"),
        ('"make it bigger"', "From “make it bigger”", "words"),
        ("the parameter size is large", "the parameter size is large", ""),
        ({}, "", ""),
        (None, "None", ""),
        ({"words": ["<b>"]}, "From “['<b>']”", "words"),
    ],
)
def test_reasons_in_words(noted: Any, sentence: str, kind: str) -> None:
    cause = read_cause(noted, ())
    assert (cause.sentence, cause.kind) == (sentence, kind)


@pytest.mark.parametrize(
    ("noted", "place"),
    [
        ({"words": "two", "span": [8, 11]}, Place(2, 8, 11)),
        ({"words": "two", "span": [0, 3]}, Place(2, 0, 3)),
        ({"words": "two", "span": [3, 6]}, Place(2, 0, 3)),  # not these words there: found by looking
        ({"words": "TWO", "span": "x"}, Place(2, 0, 3)),
        ({"words": "one", "span": [-5, 1]}, Place(1, 0, 3)),
        ({"words": "three"}, None),
        ('"two or"', Place(2, 0, 6)),
    ],
)
def test_where_the_words_stand(noted: Any, place: Place | None) -> None:
    said = [message("two or, two", 2), message("one")]
    assert read_cause(noted, said).place == place


def test_pieces_are_the_whole_text_and_overlaps_are_cut() -> None:
    text = "3 web servers with 4 GB"
    found = pieces(text, [Place(1, 0, 13), Place(1, 0, 1), Place(1, 19, 23), Place(1, 19, 99)])
    assert "".join(piece.text for piece in found) == text
    assert [(piece.text, piece.is_quoted) for piece in found] == [
        ("3", True), (" web servers", True), (" with ", False), ("4 GB", True),
    ]  # fmt: skip
    assert pieces("", []) == []


@pytest.mark.parametrize("causes", [None, [], "x", {"web": 7}, {"web": ["x"]}, {"web-1": None}])
def test_metadata_is_free_form(causes: Any) -> None:
    assert causes_of({"causes": causes}, "web-1") == {}


def test_what_is_noted_of_one_counts_more_than_what_holds_for_all() -> None:
    noted = {"web": {"cpu": {"default": "x"}, "memory": {"default": "y"}}, "web-1": {"cpu": {"words": "4 cores"}}}
    assert causes_of({"causes": noted}, "web-1") == {"cpu": {"words": "4 cores"}, "memory": {"default": "y"}}


def test_every_value_of_a_draft_says_why() -> None:
    words = "3 web servers with 4 GB on VLAN 20 and a highly available PostgreSQL database, daily backups kept 14 days"
    document = parse_document(generate(words))
    for resource in document.resources:
        values = values_of(resource, causes_of(document.metadata, resource.name), [message(words)])
        assert [
            value.text for value in values if value.cause is None and value.key not in {"role", "anti_affinity"}
        ] == []
        for value in values:
            if value.cause and value.cause.kind == "words":
                assert value.cause.place is not None
                assert words[value.cause.place.start : value.cause.place.end] == value.cause.text
