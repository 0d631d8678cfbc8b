"""Requests to models that a page makes for somebody whose session it knows: they stand in line, and are counted and logged as
those of keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from typing import Any

from alma.accounts.actors import Actor
from alma.asgi_types import Application, Scope

Message = Mapping[str, Any]
PLANE = "alma.data_plane"
"""Where the data plane stands in the scope of what it passes on."""
_CURRENT: ContextVar[Application | None] = ContextVar("alma_data_plane", default=None)
CALLER = "alma.caller"
"""Where a request says which actor calls, in place of headers; no client can write there."""
PATH = "/v1/chat/completions"
END: Message = {"type": "end"}
BEHIND = 64
"""Messages that may be on their way to a slow reader."""
LEAVE_SECONDS = 5.0


def current_plane() -> Application | None:
    """The data plane of the request that is being answered, for what asks models deep below a view."""
    return _CURRENT.get()


def within(plane: Application) -> None:
    """From now on, in this task and all that it calls, this is the data plane."""
    _CURRENT.set(plane)


async def asked(plane: Application, body: dict[str, Any], *, by: Actor, request_id: str) -> AsyncIterator[Message]:
    """The messages of the answer to a chat, as they come. Whoever closes this hangs up."""
    messages: asyncio.Queue[Message] = asyncio.Queue(BEHIND)
    given, gone = asyncio.Queue[Message](), asyncio.Event()
    given.put_nowait({"type": "http.request", "body": json.dumps(body).encode(), "more_body": False})

    async def receive() -> Message:
        if not given.empty():
            return given.get_nowait()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def answer() -> None:
        try:
            await plane(_scope(by, request_id), receive, messages.put)
        finally:
            if not gone.is_set():
                await messages.put(END)

    task = asyncio.create_task(answer())
    try:
        while (message := await messages.get()) is not END:
            yield message
        await task
    finally:
        gone.set()
        while not messages.empty():
            messages.get_nowait()
        await asyncio.wait({task}, timeout=LEAVE_SECONDS)


async def whole(plane: Application, body: dict[str, Any], *, by: Actor, request_id: str) -> tuple[int, bytes]:
    """Status and body of an answer in one piece."""
    status, pieces = 502, list[bytes]()
    async for message in asked(plane, body, by=by, request_id=request_id):
        status = message.get("status", status)
        pieces.append(message.get("body", b""))
    return status, b"".join(pieces)


async def streamed(plane: Application, body: dict[str, Any], *, by: Actor, request_id: str) -> AsyncIterator[bytes]:
    """The events of a stream as the model writes them; what is refused is an event of the name `error`."""
    status = 200
    async for message in asked(plane, body, by=by, request_id=request_id):
        status = message.get("status", status)
        if piece := message.get("body", b""):
            yield piece if status == 200 else b"event: error\ndata: " + b" ".join(piece.split(b"\n")) + b"\n\n"


def _scope(by: Actor, request_id: str) -> Scope:
    return {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "client": None,
        "headers": [(b"content-type", b"application/json"), (b"x-request-id", request_id.encode())],
        CALLER: by,
    }  # fmt: skip
