"""Bounds on the head of a request: its size is tested over the web role in test_guard, its time here."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn
from uvicorn.server import ServerState

from alma.asgi_types import Receive, Scope, Send
from alma.server import protocol
from alma.server.protocol import BoundedHttpProtocol


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.4)  # longer than a head may take
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest_asyncio.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    config = uvicorn.Config(app, http=BoundedHttpProtocol, lifespan="off", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: BoundedHttpProtocol(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def closed_after(reader: asyncio.StreamReader) -> float:
    started = asyncio.get_running_loop().time()
    assert await asyncio.wait_for(reader.read(), 2) == b""
    return asyncio.get_running_loop().time() - started


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost: lo"])
async def test_a_head_that_never_ends_is_given_up(port: int, beginning: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    assert 0.1 < await closed_after(reader) < 1
    writer.close()


async def test_a_complete_head_may_wait_for_its_answer_and_for_the_next(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        await asyncio.sleep(0.3)  # idle between requests: uvicorn's own keep-alive time counts here
    writer.write(b"GET / HT")
    assert 0.1 < await closed_after(reader) < 1
    writer.close()
