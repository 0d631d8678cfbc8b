"""Noticing at once that a client has gone."""

import asyncio
from types import TracebackType
from typing import Self

from alma.asgi_types import Receive


class ClientGone(Exception):
    """The client hung up before its request was whole."""


async def read_body(receive: Receive) -> bytes:
    """The whole body; how large it may be and how slow was settled before. Raises ClientGone."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Listening:
    """Within it the task is cancelled as soon as the client hangs up, and `is_gone` says so; the block ends quietly then."""

    def __init__(self, receive: Receive) -> None:
        self.is_gone = False
        self._receive = receive

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        self._watch = asyncio.ensure_future(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._watch.cancel()
        if kind is not asyncio.CancelledError or not self.is_gone:
            return False
        return self._task is not None and self._task.uncancel() == 0

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self.is_gone = True
        if self._task is not None:
            self._task.cancel()
