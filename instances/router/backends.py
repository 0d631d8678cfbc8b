"""Asking an instance over HTTP: pooled connections, bytes as they come, and never the client's own credential."""

from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace

import aiohttp
from aiohttp import ClientResponse, ClientSession, TraceConfig
from yarl import URL

from alma.errors import DomainError, Unavailable
from instances.router.board import Target

CONNECT_SECONDS = 3.0
KEPT_SECONDS = 15.0
Headers = list[tuple[bytes, bytes]]
_ASKED = frozenset(
    {b"accept", b"content-type", b"user-agent", b"anthropic-version", b"anthropic-beta", b"range", b"x-request-id"}
)
_TOLD = frozenset({b"content-type", b"content-length", b"cache-control", b"content-disposition", b"content-range",
                   b"accept-ranges", b"retry-after", b"etag", b"last-modified"})  # fmt: skip
"""Of the headers of a request and of an answer these go on. What names a connection, a credential or another origin is
not among them."""


class NotReached(DomainError):
    """Nobody listens where the instance should: nothing was sent, so the request may be asked elsewhere or later."""


class _Stale(Exception):
    """A connection that was kept was closed at the other end before anything came back."""


class Backends:
    """The connections of a process to its instances: kept ones for answers in one piece, and one for each stream, because
    llama.cpp closes after a stream without saying so."""

    def __init__(self) -> None:
        self._sessions: tuple[ClientSession, ClientSession] | None = None

    async def ask(
        self, target: Target, method: str, path: str, *, headers: Headers, body: bytes, is_stream: bool = False
    ) -> ClientResponse:
        """The answer, of which the head has come. In place of a kept connection that died a new one is made at once: the
        others that were kept may be as dead. Raises NotReached, Unavailable."""
        kept, fresh = self._open()
        asked = (target, method, path, _request_headers(headers, target.key), body)
        if not is_stream:
            with suppress(_Stale):
                return await _ask(kept, *asked)
        return await _ask(fresh, *asked)

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions or ():
            await session.close()

    def _open(self) -> tuple[ClientSession, ClientSession]:
        if self._sessions is None:
            kept = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS)
            self._sessions = _session(kept), _session(aiohttp.TCPConnector(limit=0, force_close=True))
        return self._sessions


def _session(connector: aiohttp.TCPConnector) -> ClientSession:
    trace = TraceConfig()
    trace.on_connection_reuseconn.append(_note_reuse)
    return ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[trace],
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )  # fmt: skip


async def _note_reuse(session: ClientSession, trace: SimpleNamespace, params: object) -> None:
    trace.trace_request_ctx.is_reused = True


async def _ask(
    session: ClientSession, target: Target, method: str, path: str, headers: list[tuple[str, str]], body: bytes
) -> ClientResponse:
    """Once. Raises _Stale, NotReached, Unavailable."""
    url, used = URL(target.url + path, encoded=True), SimpleNamespace(is_reused=False)
    try:
        return await session.request(
            method, url, headers=headers, data=body or None, allow_redirects=False, trace_request_ctx=used
        )
    except aiohttp.ClientConnectorError as error:
        raise NotReached(f"{target.name} is not reached.") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        if used.is_reused:
            raise _Stale from error
        raise Unavailable(f"{target.name} ended the connection before it answered.", code="BACKEND_FAILED") from error


def _request_headers(headers: Headers, key: str) -> list[tuple[str, str]]:
    sent = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name.lower() in _ASKED]
    return [*sent, ("Authorization", f"Bearer {key}")] if key else sent


def answer_headers(raw: Sequence[tuple[bytes, bytes]], *, is_changed: bool) -> Headers:
    """Those that go on to the client; not the length when the body does not go on as it is."""
    kept = [(name.lower(), value) for name, value in raw if name.lower() in _TOLD]
    return [row for row in kept if not (is_changed and row[0] == b"content-length")]
