"""Agents over the API: made, changed, deleted, listed, and never seen by another tenant."""

import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.scopes import REQUESTER, SERVICE, VIEWER
from alma.events.models import Event
from blueprints.models import Assistant
from blueprints.tools import NAMES as TOOLS
from tests.factories.accounts import make_key, make_organization, make_user, sign_in
from tests.factories.assistants import make_assistant, make_conversation

pytestmark = pytest.mark.django_db
LIST = "/api/v1/agents"
FIELDS = {
    "id", "name", "description", "model", "endpoint", "allowedTools", "instructions", "metadata", "createdBy",
    "createdAt", "updatedAt",
}  # fmt: skip


def ask(client: Client, method: str, path: str, body: Any = None) -> Any:
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(path, **more)


def keyed(scopes: frozenset[str] = SERVICE, **key: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(scopes, **key)[1]}"})


def path_of(row: Assistant) -> str:
    return f"{LIST}/{row.uid}"


@pytest.mark.parametrize("slash", ["", "/"])
def test_create_and_read(slash: str) -> None:
    client = keyed()
    given = {
        "name": " Architect ", "description": "Draws plans", "model": "llama-3.1-8b", "allowedTools": list(TOOLS),
        "instructions": "Prefer Debian.", "metadata": {"team": "shop"},
    }  # fmt: skip
    answer = ask(client, "post", LIST + slash, given)
    data = answer.json()["data"]
    assert (answer.status_code, answer["Location"]) == (201, f"{LIST}/{data['id']}")
    assert data.keys() == FIELDS
    assert uuid.UUID(data["id"]).version == 4
    assert {name: data[name] for name in given} == {**given, "name": "Architect"}
    assert data["endpoint"] is None
    assert len(data["createdAt"]) == len("2026-07-29T12:00:00Z")
    assert ask(client, "get", f"{LIST}/{data['id']}{slash}").json() == {"success": True, "data": data}
    assert ask(client, "get", LIST).json()["data"] == {
        "items": [data], "page": 1, "limit": 50, "nextCursor": None, "hasMore": False,
    }  # fmt: skip


def test_the_least_that_an_agent_needs_is_a_name() -> None:
    data = ask(keyed(), "post", LIST, {"name": "A"}).json()["data"]
    assert (data["allowedTools"], data["model"], data["endpoint"], data["instructions"]) == ([], None, None, "")


WRONG = [
    ({}, 400, "BAD_REQUEST"),
    ([], 400, "BAD_REQUEST"),
    ("{", 400, "BAD_REQUEST"),
    ({"name": 7}, 400, "BAD_REQUEST"),
    ({"name": "x", "organizationId": 2}, 400, "BAD_REQUEST"),
    ({"name": "x", "id": "5"}, 400, "BAD_REQUEST"),
    ({"name": "x", "allowedTools": "create_blueprint"}, 400, "BAD_REQUEST"),
    ({"name": " "}, 422, "VALIDATION_ERROR"),
    ({"name": "x" * 101}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "allowedTools": ["exec_shell_command"]}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "model": "../../etc/passwd"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "model": "-x"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "endpoint": "http://169.254.169.254/"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "endpoint": "https://127.0.0.1/v1"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "endpoint": "file:///etc/passwd"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "endpoint": "https://llm.example.org/v1", "model": "m"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "instructions": "y" * 8001}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "metadata": {"x": "y" * 33_000}}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "metadata": {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {}}}}}}}}}}, 422, "VALIDATION_ERROR"),
]


@pytest.mark.parametrize(("body", "status", "code"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_bodies(body: Any, status: int, code: str) -> None:
    answer = ask(keyed(), "post", LIST, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not Assistant.objects.exists()


def test_a_patch_changes_what_it_names() -> None:
    client, row = keyed(), make_assistant(instructions="Be brief.", tools=["create_blueprint"])
    data = ask(client, "patch", path_of(row), {"name": "Planner", "model": "m1"}).json()["data"]
    assert (data["name"], data["model"], data["instructions"], data["allowedTools"]) == (
        "Planner",
        "m1",
        "Be brief.",
        ["create_blueprint"],
    )
    assert ask(client, "patch", path_of(row), {"model": None}).json()["data"]["model"] is None
    kinds = Event.objects.filter(stream__name=row.stream).order_by("seq").values_list("kind", "data__fields")
    assert list(kinds) == [("agent.updated", ["model", "name"]), ("agent.updated", ["model"])]
    for body, status in (({}, 400), ({"name": None}, 400), ({"name": ""}, 422), ({"metadata": None}, 400)):
        assert ask(client, "patch", path_of(row), body).status_code == status


@pytest.mark.parametrize("change", [{"allowedTools": list(TOOLS)}, {"endpoint": "https://llm.example.org/v1"}])
def test_what_an_agent_may_do_is_changed_in_person(change: dict[str, Any], client: Client) -> None:
    """The document: agent patches that touch restrictions of tools and connectors take no key."""
    row = make_assistant()
    refused = [
        ask(keyed(), "patch", path_of(row), {**change, "name": "x"}),
        ask(sign_in(client, make_user(), is_recent=False), "patch", path_of(row), {**change, "name": "x"}),
    ]
    assert [(one.status_code, one.json()["error"]["code"]) for one in refused] == [(403, "FORBIDDEN")] * 2
    row.refresh_from_db()
    assert (row.name, row.tools, row.endpoint) == ("Architect", [], "")
    answer = ask(sign_in(client, make_user()), "patch", path_of(row), change)
    assert (answer.status_code, answer.json()["data"].items() >= change.items()) == (200, True)


def test_deleting_hides_and_can_be_repeated() -> None:
    client, row = keyed(), make_assistant()
    talk = make_conversation(assistant=row)
    first, again = ask(client, "delete", path_of(row)), ask(client, "delete", path_of(row))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.json()["data"].keys() == {"id", "deletedAt"}
    for method, body in (("get", None), ("patch", {"name": "x"})):
        answer = ask(client, method, path_of(row), body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert ask(client, "get", LIST).json()["data"]["items"] == []
    assert Event.objects.filter(kind="agent.deleted").count() == 1
    assert ask(client, "get", f"/api/v1/sessions/{talk.uid}").json()["data"]["agentId"] == str(row.uid)
    said = ask(client, "post", f"/api/v1/sessions/{talk.uid}/messages", {"content": "A web server"})
    assert (said.status_code, said.json()["error"]["code"]) == (409, "CONFLICT")


ROUTES = [("get", None), ("patch", {"name": "x"}), ("delete", None)]


@pytest.mark.parametrize(("method", "body"), ROUTES)
def test_what_is_anothers_does_not_exist(method: str, body: Any) -> None:
    foreign = make_assistant("Secret", organization=make_organization("other"))
    client = keyed()
    answers = [ask(client, method, f"{LIST}/{who}", body) for who in (foreign.uid, uuid.uuid4(), "x")]
    assert {(row.status_code, row.json()["error"]["code"]) for row in answers} == {(404, "NOT_FOUND")}
    assert answers[0].json() == answers[1].json()
    foreign.refresh_from_db()
    assert (foreign.name, foreign.deleted_at) == ("Secret", None)
    assert ask(client, "get", LIST).json()["data"]["items"] == []


def test_who_may() -> None:
    row = make_assistant()
    calls = [("get", LIST, None), ("post", LIST, {"name": "x"}), *((m, path_of(row), b) for m, b in ROUTES)]
    said = {
        scopes: [ask(client, *call).status_code for call in calls]
        for scopes, client in (("none", Client()), ("viewer", keyed(VIEWER)), ("requester", keyed(REQUESTER)))
    }
    assert said == {
        "none": [401] * 5,
        "viewer": [200, 403, 200, 403, 403],
        "requester": [200, 201, 200, 200, 200],
    }


def test_pages_and_what_they_cost(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = keyed()
    for letter in "abc":
        make_assistant(letter)
    first = ask(client, "get", f"{LIST}?limit=2").json()["data"]
    assert ([row["name"] for row in first["items"]], first["hasMore"]) == (["a", "b"], True)
    with django_assert_num_queries(2):  # the key, the rows
        last = ask(client, "get", f"{LIST}?limit=2&cursor={first['nextCursor']}").json()["data"]
    assert ([row["name"] for row in last["items"]], last["hasMore"], last["nextCursor"]) == (["c"], False, None)
    for query in ("limit=0", "limit=201", "page=0", "cursor=forged"):
        assert ask(client, "get", f"{LIST}?{query}").status_code == 400


def test_the_dashboard_and_mission_control_know_agents() -> None:
    client, busy = keyed(), make_assistant("busy", model="m1")
    make_assistant("idle")
    make_assistant("foreign", organization=make_organization("other"))
    session = ask(client, "post", "/api/v1/sessions", {"agentId": str(busy.uid)}).json()["data"]
    ask(client, "post", f"/api/v1/sessions/{session['id']}/messages", {"content": "the canary sentence"})
    for path in ("/api/v1/dashboard/overview", "/api/v1/mission-control"):
        agents = ask(client, "get", path).json()["data"]["agents"]
        assert (agents["total"], agents["active"]) == (2, 1)
        assert [(row["name"], row["model"], row["openSessions"]) for row in agents["items"]] == [
            ("busy", "m1", 1),
            ("idle", None, 0),
        ]
        assert "canary" not in ask(client, "get", path).content.decode()
    feed = ask(client, "get", f"/api/v1/mission-control?agentId={busy.uid}&kind=session").json()["data"]["items"]
    assert [row["kind"] for row in feed] == ["session.answered", "session.opened"]
