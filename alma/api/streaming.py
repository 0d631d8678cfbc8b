"""Server-sent events: one JSON object per `data:` line, a sign of life while nothing comes, an end when the client left."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import partial
from itertools import chain
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse

from alma.api.negotiation import AnyNegotiation
from alma.api.renderers import dumps
from alma.errors import DomainError

HEARTBEAT_SECONDS = 15.0
RECHECK_SECONDS = 10.0
HEARTBEAT = b": still working\n\n"
Events = Iterator[dict[str, Any]] | AsyncGenerator[dict[str, Any], None]
Fetch = Callable[[], Awaitable[dict[str, Any]]]
_END: dict[str, Any] = {}
ALIVE: dict[str, Any] = {"type": "alive"}
"""An event that is told as a sign of life, for the first byte before there is anything to tell."""
_RIGHT_ENDED = {"type": "error", "content": "Your access has changed; ask again.", "error_code": "RIGHT_ENDED"}


def event_stream(events: Events) -> StreamingHttpResponse:
    """The events as a response. Of those that a thread makes the first is fetched now, so that what is refused is refused
    with a status; whoever makes them on the loop refuses before."""
    if not isinstance(events, AsyncGenerator):
        events = chain([next(events, _END)], events)
    response = StreamingHttpResponse(frames(events), content_type="text/event-stream; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def frames(events: Events) -> AsyncIterator[bytes]:
    """The lines on the wire. Events are fetched in a thread, unless they are made on the loop: it stays free while one is
    thought out. When the client has left, whatever is waited for is cancelled."""
    made = events if isinstance(events, AsyncGenerator) else None
    fetch: Fetch = partial(_awaited, made) if made else partial(sync_to_async(_fetch, thread_sensitive=False), events)
    pending: asyncio.Future[dict[str, Any]] | None = None
    try:
        while True:
            pending = asyncio.ensure_future(fetch())
            try:
                while not (await asyncio.wait({pending}, timeout=HEARTBEAT_SECONDS))[0]:
                    yield HEARTBEAT
            finally:
                pending.cancel()
            event = pending.result()
            if event is _END:
                return
            yield HEARTBEAT if event is ALIVE else frame(event)
    finally:
        if made and pending:
            await asyncio.wait({pending})
            await made.aclose()


async def while_allowed(parts: AsyncIterator[bytes], is_allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The parts of a stream until the caller's right ends, which is asked again before the first part that comes some
    seconds after the last time; a heartbeat is a part too, so that is never long."""
    asked_at = time.monotonic()
    async with aclosing(parts) as open_parts:  # type: ignore[type-var]
        async for part in open_parts:
            if time.monotonic() - asked_at >= RECHECK_SECONDS:
                asked_at = time.monotonic()
                if not await sync_to_async(is_allowed)():
                    yield frame(_RIGHT_ENDED)
                    return
            yield part


def frame(event: dict[str, Any]) -> bytes:
    """`data: {…}` and the empty line after it."""
    return b"data: " + dumps(event) + b"\n\n"


async def _awaited(events: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    """The next event; what the domain refuses halfway becomes the last one."""
    try:
        return await anext(events, _END)
    except DomainError as error:
        return _refused(error)


def _fetch(events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The next event; what the domain refuses halfway becomes the last one. The thread belongs to nobody and no request
    ends in it: it keeps no connection to the database, which would stay open for good and fail for good once it broke."""
    try:
        return next(events, _END)
    except DomainError as error:
        return _refused(error)
    finally:
        connections.close_all()


def _refused(error: DomainError) -> dict[str, Any]:
    return {"type": "error", "content": error.message, "error_code": error.code}


class StreamNegotiation(AnyNegotiation):
    """`Accept: text/event-stream` is what a stream answers with; an answer under an Idempotency-Key is never kept."""
