"""Answers to clients: what an instance said, what is refused, and what a stream is told while it waits."""

import re
from dataclasses import dataclass, field

from alma.api.dialects import ANTHROPIC, dialect_of
from alma.api.renderers import dumps
from alma.api.wire import BROWSER, error_response, given_id
from alma.asgi_types import Scope, Send
from alma.errors import DomainError
from instances.router.backends import Headers

STREAM = b"text/event-stream"
_LINES = re.compile(r"[\r\n]+")


@dataclass
class Reply:
    """The answer to one request. A stream that waits is begun early; from then on errors are events of it."""

    scope: Scope
    send_: Send
    request_id: str
    extra: Headers = field(default_factory=list)
    code: int | None = None
    """Of the answer, once it has begun."""
    is_over: bool = False

    @classmethod
    def to(cls, scope: Scope, send: Send) -> "Reply":
        """An answer that has not begun."""
        return cls(scope, send, given_id(scope["headers"]))

    @property
    def has_begun(self) -> bool:
        """Whether the client has a status already."""
        return self.code is not None

    async def begin(self, status: int, headers: Headers) -> None:
        """The head."""
        self.code = status
        told = [*headers, *BROWSER, *self.extra, (b"x-request-id", self.request_id.encode())]
        await self.send_({"type": "http.response.start", "status": status, "headers": told})

    async def begin_stream(self) -> None:
        """The head of a stream of events, unless it has gone out."""
        if not self.has_begun:
            await self.begin(200, [(b"content-type", STREAM), *STREAM_HEADERS])

    async def piece(self, body: bytes, *, is_last: bool = False) -> None:
        """A part of the body."""
        self.is_over = is_last
        await self.send_({"type": "http.response.body", "body": body, "more_body": not is_last})

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """An answer in one piece."""
        await self.begin(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self.piece(body if self.scope["method"] != "HEAD" else b"", is_last=True)

    async def json(self, value: object) -> None:
        """A value in one piece."""
        await self.whole(200, [(b"content-type", b"application/json")], dumps(value))

    async def comment(self, words: str) -> None:
        """A line of a stream that clients pass over."""
        await self.begin_stream()
        await self.piece(f": {_LINES.sub(' ', words)}\n\n".encode())

    async def refuse(self, error: DomainError) -> None:
        """Why there is no answer, in the words of the path's dialect; within a stream as an event."""
        status, headers, body = error_response(self.scope["path"], error, self.request_id)
        if not self.has_begun:
            self.code = status
            await self.send_({"type": "http.response.start", "status": status, "headers": [*headers, *self.extra]})
            await self.piece(body, is_last=True)
        else:
            await self.error_event(body)

    async def error_event(self, body: bytes) -> None:
        """The end of a stream that failed; the body is JSON."""
        line = b" ".join(body.split(b"\n"))
        if dialect_of(self.scope["path"]) is ANTHROPIC:
            await self.piece(b"event: error\ndata: " + line + b"\n\n", is_last=True)
        else:
            await self.piece(b"data: " + line + b"\n\ndata: [DONE]\n\n", is_last=True)


STREAM_HEADERS: Headers = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
