"""Causes in one shape, and in words."""

from typing import Any

import pytest

from blueprints.assistants import conversations
from blueprints.causes import in_turn, in_words, quoted
from tests.factories.accounts import make_actor

KINDS = {"words", "rule", "default", "parameter", "template", "model"}


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ({"words": "4 cores", "span": [1, 8]}, '"4 cores"'),
        ({"rule": "several means at least two"}, "several means at least two"),
        ({"default": "one"}, "default: one"),
        ({"parameter": "vlan", "value": 30, "chosen": True}, "parameter vlan = 30"),
        ({"parameter": "vlan", "value": None, "chosen": False}, "parameter vlan = None, by default"),
        ({"template": "gitlab"}, "template gitlab"),
        ({"model": "tiny"}, "proposed by tiny"),
        ({"else": 1}, ""),
        ({}, ""),
        ("a sentence of old", "a sentence of old"),
        (None, "None"),
        ({"words": ["x"] * 500}, None),
    ],
)
def test_in_words(cause: Any, words: str | None) -> None:
    said = in_words(cause)
    assert len(said) <= 400
    assert words is None or said == words


def test_only_places_belong_to_a_turn() -> None:
    causes = {"cpu": quoted("4 cores", start=3), "disk": {"default": "the usual"}}
    assert in_turn(causes, 5) == {
        "cpu": {"words": "4 cores", "span": [3, 10], "turn": 5},
        "disk": {"default": "the usual"},
    }
    assert in_turn(causes, 0) == causes


@pytest.mark.django_db
def test_in_a_conversation_each_cause_names_the_message_that_says_it() -> None:
    by = make_actor()
    row = conversations.begin(by=by)
    for words in ("a web server with 4 cores", "give it 16 GB of RAM"):
        conversations.say(row, words, by=by)
        row.refresh_from_db()
    said = {message.number: message.content for message in row.messages.all()}
    draft = row.messages.order_by("-number")[0].draft
    causes = draft["metadata"]["causes"]["web-server"]
    assert (causes["cpu"]["turn"], causes["memory"]["turn"]) == (1, 3)
    for key in ("cpu", "memory"):
        start, end = causes[key]["span"]
        assert said[causes[key]["turn"]][start:end] == causes[key]["words"]
    assert all(KINDS & cause.keys() for cause in causes.values())
