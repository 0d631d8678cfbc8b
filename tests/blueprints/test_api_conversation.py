"""The documented conversation: its body, its stream, what it remembers and for whom."""

from typing import Any

import pytest
from django.test import Client

from blueprints.assistants.answering import answer
from blueprints.assistants.talk import Talk
from blueprints.drafts import draft_of
from blueprints.models import Blueprint, Conversation
from blueprints.pricing import default_list
from tests.blueprints.test_api import assert_error, send
from tests.blueprints.test_api_generation import events_of
from tests.factories.accounts import make_actor, make_key, make_organization
from tests.factories.blueprints import make_blueprint, make_resource

pytestmark = pytest.mark.django_db
URL = "/api/v1/conversation/chat"
DOCUMENTED = {
    "message": "Create a Kubernetes cluster with 3 nodes",
    "context": {"conversation_id": "conv-123", "previous_blueprints": [1, 2, 3]},
}


@pytest.fixture
def key() -> str:
    make_organization()
    return make_key()[1]


def say(client: Client, key: str, words: str, conversation: str = "conv-1", **context: Any) -> dict[str, Any]:
    body = {"message": words, "context": {"conversation_id": conversation, **context}}
    response = send(client, "post", URL, body, **{"X-API-Key": key})
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def names(answer: dict[str, Any]) -> set[str]:
    return {row["name"] for row in answer["blueprint"]["resources"]}


@pytest.mark.parametrize("suffix", ["", "/"])
def test_the_documented_body_is_answered_as_documented(client: Client, suffix: str) -> None:
    make_organization()
    body = send(client, "post", URL + suffix, DOCUMENTED).json()
    assert set(body) >= {"response", "blueprint", "suggested_actions"}
    assert body["suggested_actions"] == ["Review blueprint", "Estimate costs", "Deploy infrastructure"]
    assert sum(row["specs"].get("count", 1) for row in body["blueprint"]["resources"]) == 3
    assert not Blueprint.objects.exists()


def test_a_conversation_goes_on_where_it_was(client: Client, key: str) -> None:
    first = say(client, key, "2 web servers with a PostgreSQL database")
    assert first["conversation_id"] == "conv-1"
    second = say(client, key, "add a redis cache")
    assert len(names(second)) == len(names(first)) + 1
    third = say(client, key, "what would it cost?")
    assert third["blueprint"] is None
    assert f"{second['blueprint']['metadata']['estimated_cost']:.2f}" in third["response"]
    fourth = say(client, key, "drop the cache")
    assert names(fourth) == names(first)
    assert fourth["changes"] == ["redis is gone."]
    assert names(say(client, key, "undo that")) == names(second)
    other = say(client, key, "drop the cache", conversation="conv-2")
    assert other["blueprint"] is None or not other["blueprint"]["resources"], "another conversation knows nothing of it"
    assert Conversation.objects.get(reference="conv-1").message_count == 10


def test_a_blueprint_that_is_there_can_be_talked_about(client: Client, key: str) -> None:
    actor = make_actor()
    blueprint = make_blueprint(by=actor, resources=[make_resource("web"), make_resource("mail")])
    answer = say(client, key, "remove mail", previous_blueprints=[999_999, -1, 2**63 - 1, blueprint.pk])
    assert names(answer) == {"web"}
    assert blueprint.current_revision().parsed().by_name.keys() == {"web", "mail"}


def test_nothing_is_remembered_for_strangers(client: Client) -> None:
    make_organization()
    assert send(client, "post", URL, DOCUMENTED).json()["conversation_id"] is None
    assert not Conversation.objects.exists()


def test_two_organizations_with_one_name_for_a_conversation_do_not_meet(client: Client, key: str) -> None:
    say(client, key, "3 web servers")
    theirs = make_key(organization=make_organization("other"))[1]
    answer = say(client, theirs, "remove the cache")
    assert answer["blueprint"] is None or not answer["blueprint"]["resources"]


def test_deploying_is_left_to_an_ipr(client: Client, key: str) -> None:
    say(client, key, "3 web servers")
    answer = say(client, key, "deploy it")
    assert "IPR" in answer["response"]
    assert answer["blueprint"] is None


@pytest.mark.django_db(transaction=True)
async def test_the_stream_says_the_same_word_by_word() -> None:
    response, events = await events_of(f"{URL}-stream", DOCUMENTED)
    assert response["Content-Type"].startswith("text/event-stream")
    assert {event["type"] for event in events} == {"token", "complete"}
    assert events[-1]["type"] == "complete"
    assert "".join(event["content"] for event in events[:-1]) == events[-1]["full_response"]
    assert events[-1]["blueprint"]["resources"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MISSING_FIELD"),
        ({"message": "  "}, "VALIDATION_ERROR"),
        ({"message": 5}, "INVALID_TYPE"),
        ({"message": "x" * 8001}, "VALIDATION_ERROR"),
        ({"message": "a web server", "context": {"conversation_id": "a b"}}, "VALIDATION_ERROR"),
        ({"message": "a web server", "context": {"previous_blueprints": ["x"]}}, "INVALID_TYPE"),
        ({"message": "a web server", "context": {"previous_blueprints": [True]}}, "INVALID_TYPE"),
        ({"message": "a web server", "contxt": {}}, "VALIDATION_ERROR"),
    ],
)
@pytest.mark.parametrize("suffix", ["", "-stream"])
def test_a_message_that_makes_no_sense_is_refused(client: Client, body: Any, code: str, suffix: str) -> None:
    make_organization()
    response = send(client, "post", URL + suffix, body)
    assert response.status_code == 400, response.content
    assert_error(response, 400, response.json()["error_code"])


def test_a_nul_is_refused(client: Client, key: str) -> None:
    response = send(client, "post", URL, {"message": "a\0b"}, **{"X-API-Key": key})
    assert_error(response, 400, "INVALID_CHARACTER")
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    "words", ["Drop the database. What would it cost?", "What would it cost?\nAnd drop the database"]
)
def test_a_change_is_made_before_the_question_after_it_is_answered(words: str) -> None:
    draft = draft_of("2 web servers with 4 GB and a PostgreSQL database", prices=default_list())
    said = answer(words, Talk(drafts=[draft], turn=3))
    assert said.draft is not None
    assert [row["name"] for row in said.draft["resources"]] == ["web-server-1", "web-server-2"]
    assert said.content.startswith("- postgresql is gone.\n2 machines, about ")
    assert "2 × web-server: 40.80" in said.content, "2 x (2 + 2 x 4 + 4 x 2 + 40 x 0.06)"


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("jazz it up a bit please", "I did not understand what to change, so the draft stays as it is."),
        ("I do not like the database", "I did not understand what to change, so the draft stays as it is."),
        ("aus der Datenbank mach ein Datenkarussell", "Ich habe nicht verstanden, was zu ändern ist"),
    ],
)
def test_what_is_not_understood_leaves_the_draft_as_it_is(words: str, reply: str) -> None:
    draft = draft_of("2 web servers with 4 GB and a PostgreSQL database", prices=default_list())
    said = answer(words, Talk(drafts=[draft], turn=3))
    assert said.draft is None
    assert said.content.startswith(reply)
