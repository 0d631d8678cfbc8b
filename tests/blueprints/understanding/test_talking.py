"""Conversation, tools and code with a model: it proposes operations, tools and values of closed lists, and nothing else."""

import json
from typing import Any

import pytest
from django.test import Client

from blueprints.models import Assistant, Blueprint, Conversation
from tests.blueprints.test_api import send
from tests.blueprints.understanding.scripted import part, proposal, refuses, says
from tests.factories.accounts import make_key, make_organization, make_user
from tests.fixtures.receiver import Receiver

pytestmark = pytest.mark.django_db
WISH = "2 web servers with a PostgreSQL database"
VAGUE = "please something beefier for the people in accounting"


@pytest.fixture
def key() -> str:
    make_organization()
    return make_key()[1]


def post(client: Client, key: str, url: str, body: dict[str, Any]) -> Any:
    response = send(client, "post", url, body, **{"X-API-Key": key})
    assert response.status_code in (200, 201), response.content
    return response.json()


def say(client: Client, key: str, words: str) -> dict[str, Any]:
    body = {"message": words, "context": {"conversation_id": "c"}}
    answer: dict[str, Any] = post(client, key, "/api/v1/conversation/chat", body)
    return answer


def operation(do: str, target: str, **values: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("count", "cpu", "memory_gb", "disk_gb", "os"))
    return {"do": do, "target": target, **nothing, **values}


def operations(*rows: dict[str, Any]) -> str:
    return json.dumps({"operations": list(rows)})


def specs(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row["specs"] for row in answer["blueprint"]["resources"] if row["name"] == name)
    return found


def test_a_wish_in_a_conversation_is_drafted_with_the_model(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = says(proposal(part("web-server", count=2, memory_gb=6), part("postgresql", role="database")))
    answer = say(client, key, WISH)
    assert specs(answer, "web-server-1")["memory"] == "6GB"
    assert answer["model"]["status"] == "used"


def test_words_that_the_planner_makes_nothing_of_become_operations(
    client: Client, key: str, scripted: Receiver
) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.respond = says(
        operations(operation("resize", "postgresql", memory_gb=16), operation("count", "web-server", count=3))
    )
    answer = say(client, key, VAGUE)
    assert specs(answer, "postgresql")["memory"] == "16GB"
    assert "web-server-3" in {row["name"] for row in answer["blueprint"]["resources"]}
    assert answer["changes"] == ["postgresql: memory 8GB → 16GB.", "web-server-3 is new, like web-server-2."]
    assert answer["blueprint"]["metadata"]["causes"]["postgresql"]["memory"] == {"model": "scripted"}
    assert json.loads(json.loads(scripted.requests[-1].body)["messages"][1]["content"])["words"] == VAGUE


def test_what_the_planner_understands_is_not_asked_of_the_model(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.requests.clear()
    scripted.respond = says(operations(operation("remove", "postgresql")))
    answer = say(client, key, "make the database bigger")
    assert answer["changes"][0].startswith("postgresql: ")
    assert scripted.requests == []


@pytest.mark.parametrize(
    "rows",
    [
        [operation("remove", "web-server"), operation("remove", "postgresql")],
        [operation("count", "web-server", count=50)] * 6,
        [operation("resize", "nobody", cpu=4)],
        [operation("resize", "postgresql")],
        [{"do": "deploy", "target": "postgresql"}],
        [operation("system", "postgresql", os="<script>")],
        [operation("resize", "../../etc/passwd", cpu=10**30)],
    ],
)
def test_operations_of_the_worst_kind_leave_a_draft_that_holds(
    client: Client, key: str, scripted: Receiver, rows: list[dict[str, Any]]
) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.respond = says(operations(*rows))
    answer = say(client, key, VAGUE)
    left = answer["blueprint"]["resources"] if answer["blueprint"] else True
    assert left
    assert not Blueprint.objects.exists()
    assert Conversation.objects.get().message_count == 4


def test_figures_of_the_words_win_over_operations(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.respond = says(operations(operation("resize", "postgresql", memory_gb=64)))
    answer = say(client, key, "our accountants would be happier with 32 GB of memory")
    assert specs(answer, "postgresql")["memory"] == "32GB"
    (row,) = answer["blueprint"]["metadata"]["differences"]
    assert (row["kept"], row["proposed"]) == ("32GB", "64GB")


@pytest.mark.parametrize(
    "rows",
    [
        [operation("remove", "postgresql")],
        [operation("remove", "web-server-2")],
        [operation("count", "web-server", count=1)],
        [operation("remove", "web-server")],
    ],
)
@pytest.mark.parametrize(
    ("words", "asks"),
    [
        (VAGUE, "Do you want to remove "),
        ("irgendwie schlanker für die Buchhaltung", "Soll "),
        ("quelque chose de plus simple", "Voulez-vous enlever "),
        ("algo más sencillo", "¿Quiere quitar "),
        ("qualcosa di più semplice", "Vuole togliere "),
    ],
)
def test_a_removal_that_no_word_says_is_asked(
    client: Client, key: str, scripted: Receiver, words: str, asks: str, rows: list[dict[str, Any]]
) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.respond = says(operations(*rows))
    asked = say(client, key, words)
    assert asked["blueprint"] is None
    assert asked["response"].startswith(asks)
    assert all("is gone." in change for change in say(client, key, "yes")["changes"])


def test_a_removal_that_no_word_says_is_left_out_of_what_is_done(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.respond = says(operations(operation("resize", "postgresql", cpu=8), operation("remove", "web-server-2")))
    answer = say(client, key, VAGUE)
    assert answer["changes"] == ["postgresql: cores 2 → 8."]
    assert "Not done, for your words do not say it: remove web-server-2." in answer["response"]


@pytest.mark.parametrize(
    ("words", "done"),
    [
        ("please get rid of what nobody there would miss", "web-server-2 is gone."),
        ("weg mit dem, was keiner vermisst", "web-server-2 ist weg."),
    ],
)
def test_a_removal_that_the_words_say_is_done(
    client: Client, key: str, scripted: Receiver, words: str, done: str
) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.respond = says(operations(operation("remove", "web-server-2")))
    assert say(client, key, words)["changes"] == [done]


def test_a_question_is_not_a_model_s_leave_to_change_anything(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = says(proposal())
    say(client, key, WISH)
    scripted.respond = says(operations(operation("resize", "postgresql", cpu=8)))
    assert say(client, key, "is accounting happy with that?")["blueprint"] is None


def test_a_model_that_fails_in_a_conversation_is_said_to(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = refuses(500)
    assert say(client, key, WISH)["model"]["status"] == "down"
    assert "did not help: The endpoint answered 500" in say(client, key, "remove the flux compensator")["response"]


def test_the_model_of_an_agent_is_asked_in_its_sessions(
    client: Client, key: str, scripted: Receiver, settings: Any
) -> None:
    settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{scripted.port}"]
    url, settings.ALMA_MODEL, settings.ALMA_MODEL_URL = settings.ALMA_MODEL_URL, "", ""
    scripted.respond = says(proposal(part("web-server", memory_gb=6)))
    agent = Assistant.objects.create(
        organization=make_organization(), name="a", endpoint=url, model="", instructions="Be generous.", created_by="x"
    )
    session = post(client, key, "/api/v1/sessions", {"agentId": str(agent.uid)})["data"]
    said = post(client, key, f"/api/v1/sessions/{session['id']}/messages", {"content": "a web server"})["data"]
    assert said["reply"]["blueprint"]["metadata"]["model"]["name"] == "scripted", "the first of those it serves"
    settings.ALMA_OUTBOUND_ALLOW = []
    said = post(client, key, f"/api/v1/sessions/{session['id']}/messages", {"content": "create a mail server"})["data"]
    assert "not allowed" in said["reply"]["blueprint"]["metadata"]["model"]["reason"]


def ask_tool(client: Client, key: str, query: str, **more: Any) -> Any:
    return post(client, key, "/api/v1/tools/execute", {"query": query, **more})


def picked(tool: str, **values: Any) -> str:
    nothing = dict.fromkeys(("peak_users", "requests_per_second", "days", "usage_pattern", "metric", "framework"))
    return json.dumps({"tool": tool, **nothing, **values})


def test_a_model_picks_the_tool_where_the_words_are_unsure(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = says(picked("suggest_architecture"))
    body = ask_tool(client, key, "how would an expert go about a shop on the web")
    assert (body["tool"], body["model"]["status"]) == ("suggest_architecture", "used")
    assert "as scripted reads the question" in body["reasons"][0]


def test_a_tool_that_is_named_stays_and_figures_must_stand_in_the_question(
    client: Client, key: str, scripted: Receiver
) -> None:
    scripted.respond = says(picked("estimate_resources", peak_users=10_000, requests_per_second=777))
    body = ask_tool(client, key, "estimate_resources for ten thousand people")
    assert (body["tool"], body["arguments"]["peak_users"]) == ("estimate_resources", 10_000)
    assert "requests_per_second" not in body["arguments"]
    scripted.respond = says(picked("troubleshoot_issue"))
    assert ask_tool(client, key, "estimate_resources for 200 users")["tool"] == "estimate_resources"


def test_a_model_that_is_down_leaves_the_choice_to_the_words(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = refuses(503)
    body = ask_tool(client, key, "Estimate resources for 500 users")
    assert (body["tool"], body["model"]["status"]) == ("estimate_resources", "down")


def test_code_says_which_model_helped(client: Client, key: str, scripted: Receiver) -> None:
    scripted.respond = says(proposal(part("web-server", memory_gb=6)), tokens=50)
    body = post(client, key, "/v1/ai/generate", {"prompt": "one web server"})
    assert body["meta"]["ai_model"] == "ALMA-planner with scripted"
    assert (body["meta"]["tokens_used"], body["meta"]["model"]["status"]) == (50, "used")
    assert "6144" in body["data"]["generated_code"]["code"]


def test_the_page_drafts_with_the_model_and_a_link_does_not(client: Client, scripted: Receiver) -> None:
    client.force_login(make_user(username="ana"))
    scripted.respond = says(proposal(part("web-server", memory_gb=6, count=4)))
    page = client.post("/blueprints/new/", {"description": "a web server", "action": "generate"}).content.decode()
    assert "6GB" in page
    assert "Model <bdi>scripted</bdi>" in page
    assert "The model wanted 1 value otherwise" in page
    scripted.requests.clear()
    assert "2GB" in client.get("/blueprints/new/", {"description": "a web server"}).content.decode()
    assert scripted.requests == []
