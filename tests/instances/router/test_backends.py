"""The connections of a process to its instances, against a server that closes them as llama.cpp does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from alma.errors import Unavailable
from instances.router.backends import Backends, NotReached
from instances.router.board import Target
from tests.instances.router.test_line import TINY

CLIENTS = 6
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Forgetful:
    """Answers once on each connection, and hangs up when it is asked again: what is kept is always dead."""

    def __init__(self, *, answers: bool = True) -> None:
        self.connections = self.requests = 0
        self._answer = ANSWER if answers else b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        if self._answer:
            writer.write(self._answer)
            await asyncio.sleep(0.05)  # so that all clients of a test have a connection of their own
            await reader.read(1)
        writer.close()


@asynccontextmanager
async def serving(server: Forgetful) -> AsyncIterator[tuple[Backends, Target]]:
    listening, backends = await asyncio.start_server(server, "127.0.0.1", 0), Backends()
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        try:
            yield backends, replace(TINY, url=f"http://127.0.0.1:{port}")
        finally:
            await backends.close()


async def ask(backends: Backends, target: Target, *, is_stream: bool = False) -> bytes:
    answer = await backends.ask(target, "POST", "/completion", headers=[], body=b"", is_stream=is_stream)
    async with answer:
        return await answer.read()


async def test_however_many_kept_connections_are_dead_each_request_is_answered() -> None:
    server = Forgetful()
    async with serving(server) as (backends, target):
        for _ in range(2):
            assert await asyncio.gather(*(ask(backends, target) for _ in range(CLIENTS))) == [b"ok"] * CLIENTS
        assert server.requests == 2 * CLIENTS
        assert await ask(backends, target) == b"ok"  # the first round's are gone, the second round kept none


async def test_a_stream_has_a_connection_of_its_own() -> None:
    server = Forgetful()
    async with serving(server) as (backends, target):
        for _ in range(3):
            assert await ask(backends, target, is_stream=True) == b"ok"
        assert (server.connections, server.requests) == (3, 3)


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_new_connection_that_breaks_is_not_tried_again(is_stream: bool) -> None:
    server = Forgetful(answers=False)
    async with serving(server) as (backends, target):
        with pytest.raises(Unavailable) as refused:
            await ask(backends, target, is_stream=is_stream)
        assert refused.value.code == "BACKEND_FAILED"
        assert server.requests == 1


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with serving(Forgetful()) as (backends, target):
        gone = target
    backends = Backends()
    with pytest.raises(NotReached):
        await ask(backends, gone)
    await backends.close()
