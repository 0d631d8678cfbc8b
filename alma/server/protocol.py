"""uvicorn's protocols: bounds on what comes before a body, bytes of the head and time to send it; quiet refusals."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from alma.api.wire import BROWSER
from alma.http import request_id

MAX_HEAD = 64 * 1024
HEAD_SECONDS = 15.0


def _plain(status: bytes, words: bytes) -> bytes:
    """A whole answer to what is no request yet."""
    told = b"".join(b"%s: %s\r\n" % header for header in BROWSER)
    return (
        b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
        b"%sx-request-id: %s\r\nconnection: close\r\n\r\n%s"
    ) % (status, len(words), told, request_id("").encode(), words)


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections whose request head is too large or does not come to its end in time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._is_in_head = True
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._close_with(b"431 Request Header Fields Too Large", b"The head of the request is too large")

    def send_400_response(self, msg: str) -> None:
        """To what the parser cannot read."""
        self._close_with(b"400 Bad Request", msg.encode())

    def _close_with(self, status: bytes, words: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(_plain(status, words))
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._end_head()
        self._is_in_head = True
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _end_head(self) -> None:
        self._is_in_head, self._head_bytes = False, 0
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None


class QuietSocketProtocol(WebSocketsSansIOProtocol):
    """Takes an HTTP answer for the end of a handshake, where uvicorn would log each refused one as an error of ours."""

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True
