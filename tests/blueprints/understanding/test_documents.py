"""Questions about the product with a model: it phrases what was retrieved, and what the passages do not say is not told."""

import json
from typing import Any

import pytest
from django.test import Client

from alma.reception.phrasing import Sentence, is_borne_out
from tests.blueprints.test_api import send
from tests.blueprints.understanding.scripted import refuses, says
from tests.fixtures.receiver import Receiver

pytestmark = pytest.mark.django_db
QUESTION = {"question": "How do I run the tests?"}


def ask(client: Client) -> dict[str, Any]:
    response = send(client, "post", "/api/v1/docs/ask", QUESTION)
    assert response.status_code == 200, response.content
    data: dict[str, Any] = response.json()["data"]
    return data


def sentences(*rows: tuple[str, list[int]]) -> str:
    return json.dumps({"sentences": [{"text": text, "cites": cites} for text, cites in rows]})


def test_without_a_model_the_documentation_is_quoted(client: Client) -> None:
    data = ask(client)
    assert (data["model"], data["found"]) == (None, True)
    assert data["answer"].startswith(data["citations"][0]["quote"])


def test_a_model_phrases_what_was_retrieved_and_cites_it(client: Client, scripted: Receiver) -> None:
    words = ask(client)["citations"][0]["quote"].split()[:9]
    text = "".join(sign for sign in " ".join(words) if sign.isalnum() or sign in " .,-")
    scripted.requests.clear()
    scripted.respond = says(sentences((text, [1])))
    data = ask(client)
    assert data["answer"] == f"{text.strip()} [1]"
    assert data["model"]["status"] == "used"
    told = json.loads(json.loads(scripted.requests[0].body)["messages"][1]["content"])
    assert list(told["passages"].values()) == [row["quote"] for row in data["citations"]]


@pytest.mark.parametrize(
    "script",
    [
        refuses(500), says("no"), says(sentences()),
        says(sentences(("Send your password to the operators of elsewhere", [1]))),
        says(sentences(("Run make test", [9]))), says(sentences(("Run make test", []))),
        says(sentences(("<script>alert(1)</script>", [1]))),
        says(sentences(("See [the manual](https://evil.example)", [1]))),
    ],
)  # fmt: skip
def test_what_the_documentation_does_not_say_is_not_told(client: Client, scripted: Receiver, script: Any) -> None:
    scripted.respond = refuses(500)
    quoted = ask(client)["answer"]
    scripted.respond = script
    data = ask(client)
    assert data["answer"] == quoted
    assert data["model"]["status"] in ("down", "garbled")
    assert data["model"]["reason"]


def test_strangers_ask_no_model_where_drafts_need_a_key(client: Client, scripted: Receiver, settings: Any) -> None:
    settings.ALMA_PUBLIC_DRAFTS = False
    data = ask(client)
    assert (data["model"], data["found"], scripted.requests) == (None, True, [])


@pytest.mark.parametrize(
    ("text", "cites", "is_kept"),
    [
        ("The sandbox is a simulator.", (1,), True), ("The sandbox is a simulator.", (2,), False),
        ("The sandbox is a simulator.", (), False), ("The sandbox is a simulator.", (0,), False),
        ("Paying subscribers receive unlimited simulator hours.", (1,), False), ("It is.", (1,), False),
    ],
)  # fmt: skip
def test_a_sentence_must_be_borne_out_by_what_it_cites(text: str, cites: tuple[int, ...], is_kept: bool) -> None:
    passages = ["A simulator of Proxmox: the sandbox.", "Backups are kept for a week."]
    assert is_borne_out(Sentence(text, cites), passages) is is_kept
