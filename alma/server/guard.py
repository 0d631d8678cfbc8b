"""Refuses request bodies that are too large, too slow or dishonest while their bytes arrive, before anything keeps them."""

import asyncio
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connections

from alma.accounts.signing_in import network_of
from alma.api.dialects import Dialect, ProtocolError, dialect_of
from alma.api.limits.charging import Charge, charge_client
from alma.api.wire import error_response, given_id
from alma.asgi_types import Application, Message, Receive, Scope, Send
from alma.errors import BadRequest, DomainError, LengthRequired, TooLarge
from alma.http import status_of
from alma.server.limits import BODY_SECONDS, limit_of

LINGER_SECONDS = 1.0
LINGER_BYTES = 2 * 1024 * 1024


class Refusal(Exception):
    """Why a body is not taken."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message)
        self.error = error


def too_large(limit: int) -> Refusal:
    """413."""
    return Refusal(TooLarge(f"The request body is larger than the {limit:,} bytes that are allowed here."))


def check_head(headers: list[tuple[bytes, bytes]], limit: int) -> None:
    """Refuse what the headers alone give away. Raises Refusal."""
    named: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        named.setdefault(name.lower(), []).append(value.strip())
    if any(encoding.lower() not in {b"", b"identity"} for encoding in named.get(b"content-encoding", [])):
        raise Refusal(ProtocolError("Compressed request bodies are not accepted.", "UNSUPPORTED_ENCODING", 415))
    lengths = named.get(b"content-length", [])
    if lengths and named.get(b"transfer-encoding"):
        raise Refusal(BadRequest("Send Content-Length or Transfer-Encoding, not both.", code="AMBIGUOUS_LENGTH"))
    if _length(lengths) > limit:
        raise too_large(limit)


def check_length_is_announced(scope: Scope) -> None:
    """Where a family's document asks for Content-Length, refuse a POST without one. Raises Refusal."""
    dialect = dialect_of(scope["path"])
    if scope["method"] != "POST" or not settings.ALMA_REQUIRE_LENGTH or dialect is None or not dialect.requires_length:
        return
    if not any(name.lower() == b"content-length" for name, _ in scope["headers"]):
        raise Refusal(LengthRequired("Say in Content-Length how long the body is."))


def _length(lengths: list[bytes]) -> int:
    """The announced length, 0 when none is. Raises Refusal for anything but one whole number."""
    if len(lengths) > 1 or not all(length.isdigit() and len(length) <= 18 for length in lengths):
        raise Refusal(BadRequest("Content-Length must be one whole number.", code="INVALID_CONTENT_LENGTH"))
    return int(lengths[0]) if lengths else 0


@dataclass
class Meter:
    """Counts a body on its way in, remembers whether the answer has begun, and sees to it that it bears an id."""

    scope: Scope
    receive_: Receive
    send_: Send
    limit: int
    deadline: float
    taken: int = 0
    is_complete: bool = False
    has_answered: bool = False

    async def receive(self) -> Message:
        """The next piece of the body. Raises Refusal when it is one too many or too late."""
        if self.is_complete:
            return await self.receive_()
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self.receive_()
        except TimeoutError as error:
            raise Refusal(ProtocolError("The request body took too long.", "REQUEST_TIMEOUT", 408)) from error
        self.taken += len(message.get("body", b""))
        if self.taken > self.limit:
            raise too_large(self.limit)
        self.is_complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on, with the id of the request where what answered has not given it."""
        if not self.has_answered:
            self.has_answered = True
            message = _identified(self.scope, message)
        await self.send_(message)


class BodyGuard:
    """Pure ASGI, around everything that reads a body."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        meter = Meter(scope, receive, send, limit, asyncio.get_running_loop().time() + BODY_SECONDS)
        try:
            check_head(scope["headers"], limit)
            check_length_is_announced(scope)
            await self.app(scope, meter.receive, meter.send)
        except Refusal as refusal:
            if meter.has_answered:
                raise
            await _refuse(scope, receive, send, refusal.error, given_id(scope["headers"]))


def _identified(scope: Scope, start: Message) -> Message:
    headers = start.get("headers", ())
    if any(name.lower() == b"x-request-id" for name, _ in headers):
        return start
    return {**start, "headers": [*headers, (b"x-request-id", given_id(scope["headers"]).encode())]}


async def _refuse(scope: Scope, receive: Receive, send: Send, error: DomainError, request_id: str) -> None:
    """Answer in the words of the path's dialect, then close the connection: what is still on its way is not read."""
    dialect, told = dialect_of(scope["path"]), {}
    if dialect is not None and settings.ALMA_RATE_LIMITS:
        charge = await asyncio.to_thread(_charge, scope, dialect)
        if charge is not None:
            told = charge.headers(dialect)
            error = error if charge.reading.is_allowed else charge.refusal()
    usual = error.status if isinstance(error, ProtocolError) else status_of(error)
    status, headers, body = error_response(scope["path"], error, request_id, usual)
    headers += [(name.lower().encode(), value.encode()) for name, value in told.items()]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _linger(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _charge(scope: Scope, dialect: Dialect) -> Charge | None:
    """Who sends what is not taken has asked all the same; a credential was not looked at, so the address counts."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        return charge_client(dialect, scope["path"], scope["method"], network_of(host))
    finally:
        connections.close_all()  # of this thread, which has no request to end it


async def _linger(receive: Receive) -> None:
    """Swallow a little of the rest: closing at once would reset the connection before the answer is read."""
    swallowed, end = 0, time.monotonic() + LINGER_SECONDS
    while swallowed < LINGER_BYTES:
        try:
            async with asyncio.timeout(end - time.monotonic()):
                message = await receive()
        except TimeoutError:
            return
        swallowed += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
