"""Answers as they come: the events of a conversation's page, what they show, and what is kept when something is wrong."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from alma.api import streaming
from blueprints.models import Conversation
from tests.blueprints.understanding.conftest import scripted
from tests.blueprints.understanding.scripted import Slow, part, proposal, refuses, says
from tests.factories.accounts import make_user
from tests.factories.assistants import make_conversation
from tests.fixtures.receiver import Receiver

__all__ = ["scripted"]
pytestmark = pytest.mark.django_db(transaction=True)
STREAM = {"accept": "text/event-stream"}
WANTED = "2 web servers with 4 GB and a PostgreSQL database"


async def signed_in(role: str = "admin") -> tuple[AsyncClient, Conversation]:
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(make_user)(role, username="ana"))
    return client, await sync_to_async(make_conversation)()


async def said(client: AsyncClient, row: Conversation, words: str) -> list[dict[str, Any]]:
    response = await client.post(f"/conversations/{row.uid}/", {"words": words}, headers=STREAM)
    assert response["Content-Type"].startswith("text/event-stream"), response.content
    frames = b"".join([part async for part in response.streaming_content]).split(b"\n\n")
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames if frame.startswith(b"data: ")]


async def test_the_draft_fills_resource_by_resource_and_then_the_words_come() -> None:
    client, row = await signed_in()
    events = await said(client, row, WANTED)
    assert [event["type"] for event in events[:4]] == ["thinking", "draft", "draft", "draft"]
    drawn = [event["html"] for event in events if event["type"] == "draft"]
    assert [html.count('class="item" id="resource-') for html in drawn] == [1, 2, 2]  # of the last there are two alike
    assert "web-server-1 and web-server-2" in drawn[-1]
    words = "".join(event["content"] for event in events if event["type"] == "token")
    assert events[-1] == {"type": "complete", "full_response": words}
    assert (await row.messages.alatest("number")).content == words


async def test_a_change_shows_what_was_there_at_once() -> None:
    client, row = await signed_in()
    await said(client, row, WANTED)
    drafts = [event["html"] for event in await said(client, row, "add a redis cache") if event["type"] == "draft"]
    assert len(drafts) == 1
    assert 'id="resource-redis"' in drafts[0] and 'id="resource-web-server-1"' in drafts[0]


async def test_words_without_a_draft_are_only_words() -> None:
    client, row = await signed_in()
    events = await said(client, row, "delete all virtual machines")
    assert {event["type"] for event in events} == {"thinking", "token", "complete"}
    assert "IPR" in events[-1]["full_response"]


async def test_what_cannot_be_said_is_an_event_or_a_refusal_and_keeps_nothing() -> None:
    client, row = await signed_in()
    assert (await client.post(f"/conversations/{row.uid}/", {"words": " "}, headers=STREAM)).status_code == 422
    await Conversation.objects.aupdate(status=Conversation.Status.ARCHIVED)
    events = await said(client, row, "one web server")
    assert (events[-1]["type"], "archived" in events[-1]["content"]) == ("error", True)
    assert not await row.messages.aexists()


async def test_who_only_reads_says_nothing() -> None:
    client, row = await signed_in("viewer")
    answer = await client.post(f"/conversations/{row.uid}/", {"words": "one web server"}, headers=STREAM)
    assert answer.status_code == 403
    assert not await row.messages.aexists()


async def test_a_script_begins_a_conversation_and_says_the_words_there() -> None:
    client, _ = await signed_in()
    answer = await client.post("/conversations/", {"words": "one web server"}, headers=STREAM)
    row = await Conversation.objects.alatest("pk")
    assert (answer.status_code, answer["Location"], row.message_count) == (201, f"/conversations/{row.uid}/", 0)


async def test_whoever_stops_ends_the_asking_and_nothing_is_kept(scripted: Receiver) -> None:
    client, row = await signed_in()
    scripted.respond = slow = Slow()
    response = await client.post(f"/conversations/{row.uid}/", {"words": WANTED}, headers=STREAM)
    parts = aiter(response.streaming_content)
    assert "Asking scripted" in (await asyncio.wait_for(anext(parts), 2)).decode()
    reading = asyncio.ensure_future(anext(parts))
    assert await asyncio.to_thread(slow.began.wait, 5)
    reading.cancel()
    await asyncio.wait({reading})
    assert await asyncio.to_thread(slow.left.wait, 5), "the model was left writing"
    await row.arefresh_from_db()
    assert row.message_count == 0


@pytest.mark.parametrize(
    ("respond", "badge"),
    [
        (says(proposal(part("web-server", count=2, memory_gb=6))), "Model <bdi>scripted</bdi>"),
        (refuses(500), "Offline planner"),
        (says("I would rather <b>talk</b>"), "Offline planner"),
    ],
)
async def test_the_badge_says_who_made_the_draft(scripted: Receiver, respond: Any, badge: str) -> None:
    client, row = await signed_in()
    scripted.respond = respond
    drafts = [event["html"] for event in await said(client, row, WANTED) if event["type"] == "draft"]
    page = (await client.get(f"/conversations/{row.uid}/")).content.decode()
    for shown in (drafts[-1], page):
        assert badge in shown
        assert ("Offline planner" in shown) is (badge == "Offline planner")
        assert "<b>talk" not in shown


async def test_a_sign_of_life_comes_every_fifteen_seconds_while_a_model_thinks(
    scripted: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert streaming.HEARTBEAT_SECONDS == 15
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.05)
    client, row = await signed_in()
    scripted.respond = Slow()
    response = await client.post(f"/conversations/{row.uid}/", {"words": WANTED}, headers=STREAM)
    stream = aiter(response.streaming_content)
    assert b'"type":"thinking"' in await asyncio.wait_for(anext(stream), 5)
    assert [await asyncio.wait_for(anext(stream), 5) for _ in range(3)] == [streaming.HEARTBEAT] * 3
    await stream.aclose()
    assert not await row.messages.aexists()
