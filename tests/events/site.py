"""A kind of streams, and sockets over it, for the tests of this folder."""

import asyncio
import json
from collections import Counter
from typing import Any

from channels.testing import WebsocketCommunicator
from django.db import connections

from alma.asgi_types import Application
from alma.errors import NotFound
from alma.events.consumers import PagesConsumer, Request, StreamConsumer
from alma.events.models import Stream
from alma.events.reading import EventRow
from alma.events.services import emit

RENDERED: Counter[tuple[str, int]] = Counter()


class RunsConsumer(StreamConsumer):
    """Rows of `run:…`, every word of them; those of kind `secret` are left out."""

    prefix = "run:"
    requires = ("deployment:read",)

    @staticmethod
    def render(row: EventRow) -> bytes | None:
        RENDERED[row.stream, row.seq] += 1
        if row.kind == "secret":
            return None
        if row.kind == "unspeakable":
            raise KeyError("no words for this")
        return json.dumps({"stream": row.stream, "seq": row.seq, "kind": row.kind, **row.data}).encode()

    def stream_of(self, request: Request) -> str:
        name = f"run:{request.get('run')}"
        if name.startswith("run:hidden") or Stream.objects.filter(name=name).exclude(
            organization_id=self.actor.organization_id
        ):
            raise NotFound("There is no such run.")
        return name


runs: Application = RunsConsumer.as_asgi()
pages: Application = PagesConsumer.as_asgi()


def headers(**more: str) -> list[tuple[bytes, bytes]]:
    named = {"host": "localhost", **{name.replace("_", "-"): value for name, value in more.items()}}
    return [(name.encode(), value.encode()) for name, value in named.items() if value]


def socket(app: Application = runs, path: str = "/ws/runs", **more: str) -> WebsocketCommunicator:
    return WebsocketCommunicator(app, path, headers=headers(**more))


async def opened(app: Application = runs, path: str = "/ws/runs", **more: str) -> WebsocketCommunicator:
    communicator = socket(app, path, **more)
    is_open, _ = await communicator.connect(5)
    assert is_open
    return communicator


async def settled(communicator: WebsocketCommunicator) -> None:
    """Until the socket has dealt with all that it was sent: it answers in order, and nothing else is on its way."""
    await communicator.send_json_to({"action": "nothing of the kind"})
    assert (await communicator.receive_json_from(5))["code"] == "UNKNOWN_ACTION"


async def seqs(communicator: WebsocketCommunicator, count: int) -> list[int]:
    """The seqs of the next frames."""
    return [(await communicator.receive_json_from(5))["seq"] for _ in range(count)]


async def write_soon(stream: str, organization_id: int, count: int = 1, kind: str = "tick", **data: Any) -> None:
    """Events, from another thread, one transaction each."""

    def write() -> None:
        for _ in range(count):
            emit(stream, kind, organization_id=organization_id, **data)
        connections.close_all()

    await asyncio.to_thread(write)
