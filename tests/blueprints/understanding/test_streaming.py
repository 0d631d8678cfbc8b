"""Streams with a model: the first byte at once, news while it writes, and a hang-up that reaches it."""

import asyncio
import json
from typing import Any

import pytest
from django.test import AsyncClient

from alma.api import streaming
from tests.blueprints.understanding.scripted import Slow, part, proposal, says
from tests.fixtures.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
GENERATE = ("/api/v1/blueprints/generate-blueprint-stream", {"description": "2 web servers"})
CHAT = ("/api/v1/conversation/chat-stream", {"message": "2 web servers"})


async def opened(url: str, body: dict[str, Any]) -> Any:
    response = await AsyncClient().post(url, json.dumps(body), content_type="application/json")
    assert response.status_code == 200
    return aiter(response.streaming_content)


@pytest.mark.parametrize(("url", "body"), [GENERATE, CHAT])
async def test_the_first_byte_comes_before_the_model_answers(
    scripted: Receiver, url: str, body: dict[str, Any]
) -> None:
    scripted.respond = slow = Slow()
    stream = await opened(url, body)
    first = await asyncio.wait_for(anext(stream), 2)
    assert first == streaming.HEARTBEAT or json.loads(first.removeprefix(b"data: "))["type"] == "thinking"
    await stream.aclose()
    assert not slow.left.is_set()


@pytest.mark.parametrize(("url", "body"), [GENERATE, CHAT])
async def test_a_reader_that_leaves_ends_the_asking(
    scripted: Receiver, monkeypatch: pytest.MonkeyPatch, url: str, body: dict[str, Any]
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.05)
    scripted.respond = slow = Slow()
    stream = await opened(url, body)

    async def read() -> None:
        async for _ in stream:
            pass

    reader = asyncio.ensure_future(read())
    assert await asyncio.to_thread(slow.began.wait, 5)
    reader.cancel()
    await asyncio.wait({reader})
    assert await asyncio.to_thread(slow.left.wait, 5), "the model was left writing"


async def test_news_come_while_the_model_writes_and_the_end_is_documented(scripted: Receiver) -> None:
    text = proposal(part("web-server", count=2, memory_gb=6), summary="Two of them " * 9)
    scripted.respond = says(text)
    stream = await opened(*GENERATE)
    events = [json.loads(line.removeprefix(b"data: ")) async for line in stream]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "thinking"
    assert kinds[-1] == "complete"
    assert any("has written" in str(event.get("content")) for event in events)
    told = [event["content"]["specs"]["memory"] for event in events if event["type"] == "resource"]
    assert told == ["6GB", "6GB"]
    assert events[-1]["blueprint"]["metadata"]["model"]["status"] == "used"


async def test_a_chat_that_is_streamed_ends_as_documented(scripted: Receiver) -> None:
    scripted.respond = says(proposal(part("web-server", count=2, memory_gb=6)))
    lines = [line async for line in await opened(*CHAT)]
    events = [json.loads(line.removeprefix(b"data: ")) for line in lines if line != streaming.HEARTBEAT]
    assert {event["type"] for event in events} == {"token", "complete"}
    assert events[-1]["model"]["status"] == "used"
