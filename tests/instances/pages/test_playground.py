"""The playground: who may use it, what it sends, and what it says when that makes no sense."""

import asyncio
import json
from typing import Any

import pytest
from django.test import Client

from alma.accounts.models import Organization
from instances.forms.playground import AskForm
from instances.pages.playground import choices
from instances.router.inside import CALLER, asked, streamed, whole
from tests.factories.accounts import make_actor, make_organization, make_user
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
SAID = {"model": "one", "message": "Hello", "max_tokens": "8"}
STREAM = {"Accept": "text/event-stream"}
HISTORY = json.dumps([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])


def test_page_offers_instances_and_their_other_names(site: Client, organization: Organization) -> None:
    running = {"wanted": "running", "status": "running", "run": 1, "wanted_run": 1}
    make_instance("b", organization=organization, aliases=["gpt-4o-mini"], last_starts=[2.0, 4.2, 90.0])
    make_instance("z", organization=organization, **running)
    make_instance("theirs", organization=make_organization("theirs"))
    names = [(choice.name, choice.words) for choice in choices(make_actor("viewer", organization=organization))]
    soon = "starts on demand, in about 4 s"
    assert names == [("z", "running"), ("b", soon), ("gpt-4o-mini", soon)]
    page = site.get("/playground/?model=b").content.decode()
    assert '<option value="b" selected>' in page and "theirs" not in page


def test_page_without_instances_leads_to_them(site: Client) -> None:
    assert "Nobody to talk to yet" in site.get("/playground/").content.decode()


def test_body_is_what_was_filled_in() -> None:
    form = AskForm({**SAID, "system": "Be kind.", "history": HISTORY, "temperature": "0"})
    assert form.is_valid()
    body = form.body(streams=True)
    assert [turn["content"] for turn in body["messages"]] == ["Be kind.", "a", "b", "Hello"]
    assert (body["temperature"], body["max_tokens"], body["stream"]) == (0, 8, True)
    plain = AskForm(SAID)
    assert plain.is_valid() and "temperature" not in plain.body(streams=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": ""},
        {"model": ""},
        {"temperature": "hot"},
        {"temperature": "nan"},
        {"max_tokens": "0"},
        {"history": "{"},
        {"history": '[{"role": "system", "content": "x"}]'},
        {"history": '[{"role": "user"}]'},
        {"history": "7"},
        {"message": "a\0b"},
    ],
)
def test_what_makes_no_sense_is_refused(site: Client, organization: Organization, wrong: dict[str, str]) -> None:
    make_instance("one", organization=organization)
    assert site.post("/playground/ask/", SAID | wrong).status_code == 422
    assert site.post("/playground/ask/", SAID | wrong, headers=STREAM).status_code == 422


def test_server_that_routes_nothing_says_so(site: Client, organization: Organization) -> None:
    make_instance("one", organization=organization)
    assert site.post("/playground/ask/", SAID).status_code == 502


def test_who_may_talk(client: Client, organization: Organization) -> None:
    client.force_login(make_user("viewer", organization=organization))
    assert client.get("/playground/").status_code == client.post("/playground/ask/", SAID).status_code == 403
    assert client.get("/playground/ask/").status_code == client.post("/playground/").status_code == 405
    client.logout()
    assert client.get("/playground/").status_code == client.post("/playground/ask/", SAID).status_code == 302


def answering(status: int, *pieces: bytes) -> Any:
    """A data plane that answers so, and keeps what it was asked."""

    async def plane(scope: Any, receive: Any, send: Any) -> None:
        plane.asked = (scope, json.loads((await receive())["body"]))  # type: ignore[attr-defined]
        await send({"type": "http.response.start", "status": status, "headers": []})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return plane


def test_answers_come_as_the_data_plane_gives_them(organization: Organization) -> None:
    actor, plane = make_actor("operator", organization=organization), answering(200, b"data: 1\n\n", b"data: 2\n\n")

    async def collected() -> list[bytes]:
        return [piece async for piece in streamed(plane, {"model": "one"}, by=actor, request_id="r1")]

    assert asyncio.run(collected()) == [b"data: 1\n\n", b"data: 2\n\n"]
    scope, body = plane.asked
    assert scope[CALLER] is actor and body == {"model": "one"} and scope["path"] == "/v1/chat/completions"
    assert asyncio.run(whole(answering(404, b"{}"), {}, by=actor, request_id="")) == (404, b"{}")
    plane = answering(503, b'{"error":\n1}')
    assert asyncio.run(collected()) == [b'event: error\ndata: {"error": 1}\n\n']


def test_whoever_stops_reading_hangs_up(organization: Organization) -> None:
    """The data plane is told at once, although it has much more to say."""
    actor, ended = make_actor("operator", organization=organization), list[str]()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        listening = asyncio.ensure_future(receive())
        while not listening.done():
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0)
        ended.append(listening.result()["type"])

    async def leave() -> None:
        answer = asked(endless, {}, by=actor, request_id="")
        await anext(answer)
        await asyncio.wait_for(answer.aclose(), 1)  # type: ignore[attr-defined]

    asyncio.run(leave())
    assert ended == ["http.disconnect"]


def test_fault_of_the_data_plane_is_not_swallowed(organization: Organization) -> None:
    actor = make_actor("operator", organization=organization)

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(whole(broken, {}, by=actor, request_id=""))
