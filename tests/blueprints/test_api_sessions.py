"""Sessions over the API: begun, spoken in, archived, deleted, and never seen by another tenant."""

import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.scopes import READ, SERVICE
from alma.errors import WrongState
from alma.events.models import Event
from blueprints.assistants import conversations
from blueprints.models import Blueprint, Conversation, Message
from tests.concurrency import together
from tests.factories.accounts import make_actor, make_key, make_organization
from tests.factories.assistants import make_assistant, make_conversation

pytestmark = pytest.mark.django_db
LIST = "/api/v1/sessions"
FIELDS = {"id", "agentId", "title", "status", "messageCount", "metadata", "createdBy", "createdAt", "updatedAt"}
MESSAGE = {"id", "number", "role", "author", "content", "blueprint", "createdAt"}
WISH = "3 web servers behind a load balancer"


def ask(client: Client, method: str, path: str, body: Any = None) -> Any:
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(path, **more)


def keyed(scopes: frozenset[str] = SERVICE, **key: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(scopes, **key)[1]}"})


def path_of(row: Conversation, rest: str = "") -> str:
    return f"{LIST}/{row.uid}{rest}"


def say(client: Client, row: Conversation, words: str) -> Any:
    answer = ask(client, "post", path_of(row, "/messages"), {"content": words})
    assert answer.status_code == 201
    return answer.json()["data"]["reply"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_whole_session(slash: str) -> None:
    client, agent = keyed(name="ci"), make_assistant()
    answer = ask(client, "post", LIST + slash, {"agentId": str(agent.uid)})
    data = answer.json()["data"]
    assert (answer.status_code, answer["Location"], data.keys()) == (201, f"{LIST}/{data['id']}", FIELDS)
    assert uuid.UUID(data["id"]).version == 4
    assert (data["agentId"], data["title"], data["status"], data["messageCount"]) == (str(agent.uid), "", "open", 0)
    said = ask(client, "post", f"{LIST}/{data['id']}/messages{slash}", {"content": WISH})
    message, reply = said.json()["data"]["message"], said.json()["data"]["reply"]
    assert (said.status_code, message.keys(), reply.keys()) == (201, MESSAGE, MESSAGE)
    assert (message["number"], message["role"], message["author"], message["content"]) == (1, "user", "ci", WISH)
    assert (reply["number"], reply["role"], message["blueprint"]) == (2, "assistant", None)
    assert len(reply["blueprint"]["resources"]) == 4
    assert "web" in reply["content"]
    shown = ask(client, "get", f"{LIST}/{data['id']}{slash}").json()["data"]
    assert shown.keys() == {*FIELDS, "messages"}
    assert (shown["title"], shown["messageCount"], shown["messages"]) == (WISH, 2, [message, reply])
    listed = ask(client, "get", f"{LIST}/{data['id']}/messages{slash}").json()["data"]
    assert (listed["items"], listed["hasMore"]) == ([message, reply], False)
    kept = ask(client, "post", "/api/v1/blueprints", reply["blueprint"])
    assert kept.status_code == 201


def test_a_session_needs_no_body_and_no_agent() -> None:
    data = keyed().post(LIST, b"", content_type="application/json").json()["data"]
    assert (data["agentId"], data["title"], data["status"]) == (None, "", "open")


def test_what_is_no_infrastructure_is_answered_in_words() -> None:
    client, row = keyed(), make_conversation()
    reply = say(client, row, "delete everything")
    assert reply["blueprint"] is None
    assert "does not delete" in reply["content"]
    assert not Blueprint.objects.exists()


def test_an_answer_to_a_question_is_read_with_what_it_answers() -> None:
    client, row = keyed(), make_conversation()
    first = say(client, row, "something for our shop please")
    assert first["blueprint"]["metadata"]["questions"]
    second = say(client, row, "2 web servers with 4 cores")
    assert [one["specs"]["cpu"] for one in second["blueprint"]["resources"]] == [4, 4]
    third = say(client, row, "a PostgreSQL database")
    assert {one["specs"].get("role") for one in third["blueprint"]["resources"]} == {"web", "database"}


def test_what_was_said_is_in_no_event() -> None:
    client, row = keyed(), make_conversation()
    say(client, row, "2 web servers for the canary project")
    assert "canary" not in str(list(Event.objects.values()))
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["session.answered"]


WRONG = [
    ("", {"agentId": "x"}, 400), ("", {"agentId": 5}, 400), ("", {"title": "x" * 201}, 422), ("", [], 400),
    ("", {"status": "archived"}, 400), ("/messages", {}, 400), ("/messages", {"content": " "}, 422),
    ("/messages", {"content": "x" * 8001}, 422), ("/messages", {"content": 5}, 400),
    ("/messages", {"content": "x", "role": "assistant"}, 400),
]  # fmt: skip


@pytest.mark.parametrize(("rest", "body", "status"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_bodies(rest: str, body: Any, status: int) -> None:
    path = path_of(make_conversation(), rest) if rest else LIST
    answer = ask(keyed(), "post", path, body)
    said = {400: "BAD_REQUEST", 422: "VALIDATION_ERROR"}[status]
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, said)
    assert not Message.objects.exists()


def test_an_agent_of_another_tenant_answers_nobody_here() -> None:
    foreign = make_assistant(organization=make_organization("other"))
    client = keyed()
    for agent in (foreign.uid, uuid.uuid4()):
        assert ask(client, "post", LIST, {"agentId": str(agent)}).json()["error"]["code"] == "NOT_FOUND"
        assert ask(client, "get", f"{LIST}?agentId={agent}").status_code == 404


def test_a_patch_changes_what_it_names() -> None:
    client, row = keyed(), make_conversation(title="Old", metadata={"a": 1})
    data = ask(client, "patch", path_of(row), {"title": "New"}).json()["data"]
    assert (data["title"], data["metadata"]) == ("New", {"a": 1})
    for body, status in (({}, 400), ({"title": None}, 400), ({"status": "open"}, 400), ({"messageCount": 5}, 400)):
        assert ask(client, "patch", path_of(row), body).status_code == status


def test_archiving() -> None:
    client, row = keyed(), make_conversation()
    say(client, row, WISH)
    answer = ask(client, "post", path_of(row, "/archive"))
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "archived")
    for rest, body in (("/archive", None), ("/messages", {"content": WISH})):
        refused = ask(client, "post", path_of(row, rest), body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert len(ask(client, "get", path_of(row)).json()["data"]["messages"]) == 2


@pytest.mark.parametrize("was", Conversation.Status)
@pytest.mark.parametrize("to", Conversation.Status)
def test_every_pair_of_states(was: Conversation.Status, to: Conversation.Status) -> None:
    row = make_conversation(status=was)
    if (was, to) == ("open", "archived"):
        row.move(to)
        assert Conversation.objects.get().status == to
    else:
        with pytest.raises(WrongState):
            row.move(to)


def test_deleting_hides_and_can_be_repeated() -> None:
    client, row = keyed(), make_conversation()
    say(client, row, WISH)
    first, again = ask(client, "delete", path_of(row)), ask(client, "delete", path_of(row))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.json()["data"].keys() == {"id", "deletedAt"}
    for method, rest, body in ROUTES[:-1]:
        answer = ask(client, method, path_of(row, rest), body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert ask(client, "get", LIST).json()["data"]["items"] == []
    assert not Message.objects.visible_to(make_actor()).exists()


ROUTES = [
    ("get", "", None), ("patch", "", {"title": "x"}), ("get", "/messages", None), ("post", "/archive", None),
    ("post", "/messages", {"content": WISH}), ("delete", "", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "rest", "body"), ROUTES)
def test_what_is_anothers_does_not_exist(method: str, rest: str, body: Any) -> None:
    foreign = make_conversation(organization=make_organization("other"), title="Secret")
    client = keyed()
    answers = [ask(client, method, f"{LIST}/{who}{rest}", body) for who in (foreign.uid, uuid.uuid4(), "x")]
    assert {(row.status_code, row.json()["error"]["code"]) for row in answers} == {(404, "NOT_FOUND")}
    assert answers[0].json() == answers[1].json()
    foreign.refresh_from_db()
    assert (foreign.title, foreign.status, foreign.deleted_at, foreign.message_count) == ("Secret", "open", None, 0)


def test_who_may() -> None:
    row = make_conversation()
    calls = [("get", LIST, None), ("post", LIST, None), *((m, path_of(row, r), b) for m, r, b in ROUTES)]
    assert [ask(Client(), *call).status_code for call in calls] == [401] * 8
    assert [ask(keyed(READ), *call).status_code for call in calls] == [200, 403, 200, 403, 200, 403, 403, 403]


def test_filters_pages_and_what_they_cost(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client, agent = keyed(), make_assistant()
    rows = [make_conversation(title=letter, assistant=agent) for letter in "abc"]
    make_conversation(title="planner")
    rows[0].move(Conversation.Status.ARCHIVED)
    ask(client, "get", f"{LIST}?limit=1")
    with django_assert_num_queries(2):  # the key, the rows with their agents
        page = ask(client, "get", f"{LIST}?limit=3").json()["data"]
    assert ([row["title"] for row in page["items"]], page["hasMore"]) == (["planner", "c", "b"], True)
    rest = ask(client, "get", f"{LIST}?limit=3&cursor={page['nextCursor']}").json()["data"]
    assert [row["title"] for row in rest["items"]] == ["a"]
    for query, titles in (("status=open", ["planner", "c", "b"]), (f"agentId={agent.uid}&status=archived", ["a"])):
        assert [row["title"] for row in ask(client, "get", f"{LIST}?{query}").json()["data"]["items"]] == titles
    for query in ("status=closed", "agentId=x", "limit=0"):
        assert ask(client, "get", f"{LIST}?{query}").status_code == 400


def test_a_session_is_full_at_some_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MOST_MESSAGES", 2)
    client, row = keyed(), make_conversation()
    say(client, row, WISH)
    assert ask(client, "post", path_of(row, "/messages"), {"content": WISH}).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_eight_speak_at_once_and_nothing_is_lost() -> None:
    row, by = make_conversation(), make_actor()

    def speak(number: int) -> None:
        conversations.say(Conversation.objects.get(pk=row.pk), f"{number + 1} web servers", by=by)

    together(8, speak)
    said = list(row.messages.order_by("number").values_list("number", "role"))
    assert said == [(number, "assistant" if number % 2 == 0 else "user") for number in range(1, 17)]
