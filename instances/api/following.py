"""A log that is followed: what stands in it, then what comes, as server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from django.db import connections
from django.http import StreamingHttpResponse

from alma.api.streaming import HEARTBEAT, HEARTBEAT_SECONDS, frame
from alma.errors import Unavailable
from instances.logs import LogLine, Parser, Piece
from instances.models import Instance
from instances.remote import logs

LOOK_SECONDS = 0.5


def entry(line: LogLine) -> dict[str, Any]:
    """A line as the older document has it."""
    return {"timestamp": line.at, "level": line.level, "message": line.text}


def followed(instance: Instance, level: str, most: int | None) -> StreamingHttpResponse:
    """The last lines and all that come, one event for each, until the client leaves, its right ends, or the log goes.
    Raises Unavailable when its machine does not answer; one that falls silent later is waited for."""
    answer = StreamingHttpResponse(
        _frames(instance, logs.read_on(instance), level, most), content_type="text/event-stream; charset=utf-8"
    )
    answer["Cache-Control"] = "no-cache"
    answer["X-Accel-Buffering"] = "no"
    return answer


async def _frames(instance: Instance, piece: Piece, level: str, most: int | None) -> AsyncIterator[bytes]:
    parser = Parser()
    lines = _fitting(piece, parser, level)
    yield b": the log begins\n\n"  # the first byte, however quiet the log is
    for line in lines if most is None else lines[len(lines) - min(most, len(lines)) :]:
        yield frame(entry(line))
    said_at, end, has_begun = time.monotonic(), piece.end, not piece.is_gone
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        piece = await asyncio.to_thread(_more, instance, end)
        if has_begun and piece.is_gone:
            return
        has_begun, end = has_begun or not piece.is_gone, piece.end
        for line in _fitting(piece, parser, level):
            said_at = time.monotonic()
            yield frame(entry(line))
        if time.monotonic() - said_at > HEARTBEAT_SECONDS:
            said_at = time.monotonic()
            yield HEARTBEAT


def _more(instance: Instance, end: int) -> Piece:
    try:
        return logs.read_on(instance, end)
    except Unavailable:
        return Piece(end=end)
    finally:
        connections.close_all()  # of this thread, which has no request to end it


def _fitting(piece: Piece, parser: Parser, level: str) -> list[LogLine]:
    return [line for _, text in piece.lines if (line := parser.read(text)).level == level or not level]
