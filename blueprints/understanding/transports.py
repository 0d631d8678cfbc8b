"""How requests to models travel: to an endpoint, at an address that was checked when a tenant named it, or to an instance of
this installation by way of its own data plane. No answer is larger than what a blueprint needs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx2
from django.conf import settings

from alma.outbound import look_up, parse, resolve, tls_context
from blueprints.understanding.sources import Source
from instances.router.inside import asked, current_plane

CONNECT_SECONDS = 5.0
LARGEST = 2 * 1024 * 1024
MOST_ADDRESSES = 4


class Broken(httpx2.TransportError):
    """The answer cannot be read, or is not worth reading."""


class Bounded(httpx2.AsyncByteStream):
    """The bytes of an answer, up to a limit."""

    def __init__(self, parts: AsyncIterator[bytes], owner: Any = None) -> None:
        self._parts = parts
        self._owner = owner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        room = LARGEST
        async for part in self._parts:
            room -= len(part)
            if room < 0:
                raise Broken(f"The answer is larger than {LARGEST} bytes.")
            yield part

    async def aclose(self) -> None:
        """Hang up."""
        if self._owner is not None:
            await self._owner.aclose()


class Endpoint(httpx2.AsyncHTTPTransport):
    """To an endpoint. Only addresses that may be connected to are, and the name is not looked up again."""

    def __init__(self, source: Source) -> None:
        super().__init__(verify=tls_context(settings.ALMA_OUTBOUND_CA), trust_env=False)
        self._is_trusted = source.is_trusted

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the first address that is reached. Raises Invalid, Unreached, and what httpx2 raises."""
        url, host = request.url, request.url.host
        request.headers["Accept-Encoding"] = "identity"
        request.extensions = {**request.extensions, "sni_hostname": host}
        failed: httpx2.ConnectError | None = None
        for address in (await asyncio.to_thread(self._addresses, url))[:MOST_ADDRESSES]:
            request.url = url.copy_with(host=address)
            try:
                return _bounded(await super().handle_async_request(request))
            except httpx2.ConnectError as error:
                failed = error
        raise failed or httpx2.ConnectError(f"{host} has no address.")

    def _addresses(self, url: httpx2.URL) -> list[str]:
        if self._is_trusted:
            return look_up(url.host, url.port or (443 if url.scheme == "https" else 80), CONNECT_SECONDS)
        return resolve(parse(str(url)), CONNECT_SECONDS)


def _bounded(answer: httpx2.Response) -> httpx2.Response:
    """What is packed could be a thousand times as large; we ask for plain text. Raises Broken."""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Broken("The answer is packed, although plain text was asked for.")
    stream: Any = answer.stream
    return httpx2.Response(answer.status_code, headers=answer.headers.raw, stream=Bounded(aiter(stream), stream))


class Inside(httpx2.AsyncBaseTransport):
    """To an instance, as if its own caller had asked: in line, counted and logged."""

    def __init__(self, source: Source) -> None:
        self._by = source.by

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the data plane. Raises ConnectError where none runs."""
        plane = current_plane()
        if plane is None:
            raise httpx2.ConnectError("This process does not route requests to models.")
        messages = asked(plane, json.loads(await request.aread()), by=self._by, request_id="")
        start = await anext(messages, None)
        if start is None:
            raise Broken("The answer ended before it began.")
        parts = _bodies(messages)
        return httpx2.Response(start["status"], headers=start["headers"], stream=Bounded(parts, parts))


async def _bodies(messages: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async with aclosing(messages) as open_messages:  # type: ignore[type-var]
        async for message in open_messages:
            yield message.get("body", b"")
