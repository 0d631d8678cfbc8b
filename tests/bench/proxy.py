"""What the router adds to a request: `python -m tests.bench.proxy [--requests 400] [--seconds 5]`.

The instance is asked directly and through the router in turns, within one run, by the least client there can be: bytes that
were made before, over connections that are kept where the server keeps them.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.instances.router.installation import Installation, chat

PLAIN_MS, FIRST_MS, PLAIN_RATE, STREAM_RATE, HANG_UP_MS = 2.0, 2.0, 300, 150, 50.0
CLIENTS = 12
STREAM_TOKENS = 8
HANG_UPS = 15
WARM = 30
SLOT = b"llamacpp:requests_processing "


@dataclass
class Connection:
    """One client of one server."""

    port: int
    key: str
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    def request(self, body: bytes, path: str = "/v1/chat/completions") -> bytes:
        """The bytes of a request."""
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    async def send(self, request: bytes) -> asyncio.StreamReader:
        """Send, over a new connection where the last one was closed."""
        if self._reader is None or self._writer is None or self._reader.at_eof() or self._writer.is_closing():
            self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writer.write(request)
        return self._reader

    async def plain(self, request: bytes) -> bytes:
        """A whole answer; the body."""
        head, reader = await self._head(request)
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
        if b"connection: close" in head:
            self.close()
        return body

    async def stream(self, request: bytes) -> float:
        """A whole stream; when its first event came."""
        _, reader = await self._head(request)
        await reader.readuntil(b"data: ")
        first = time.perf_counter()
        await reader.readuntil(b"\r\n0\r\n\r\n")
        return first

    async def _head(self, request: bytes) -> tuple[bytes, asyncio.StreamReader]:
        """The head of an answer; over a new connection where a kept one turns out to be closed."""
        is_new = self._reader is None
        reader = await self.send(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            if is_new:
                raise
            return await self._head(request)
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(head.decode())
        return head.lower(), reader

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


@dataclass(frozen=True)
class Sides:
    """The same instance on both ways."""

    model: str
    direct: Connection
    routed: Connection

    def bodies(self, **more: object) -> tuple[bytes, bytes]:
        """A chat for either way."""
        body = json.dumps(chat(self.model, **more)).encode()
        return self.direct.request(body), self.routed.request(body)


Times = list[float]


async def in_turns(sides: Sides, count: int) -> dict[tuple[bool, bool], Times]:
    """Milliseconds of requests one after the other, by whether they are streams (then to the first event) and go through
    the router. All four kinds take turns, so that whatever else the machine does meets all of them."""
    found: dict[tuple[bool, bool], Times] = {
        (stream, routed): [] for stream in (False, True) for routed in (False, True)
    }
    plain, streamed = sides.bodies(max_tokens=1), sides.bodies(max_tokens=STREAM_TOKENS, stream=True)
    streams = [Connection(side.port, side.key) for side in (sides.direct, sides.routed)]
    for number in range(count + WARM):
        for is_routed, side in enumerate((sides.direct, sides.routed)):
            began = time.perf_counter()
            await side.plain(plain[is_routed])
            end = time.perf_counter()
            streams[is_routed].close()  # the instance closes after each stream; so both begin with a new connection
            asked = time.perf_counter()
            first = await streams[is_routed].stream(streamed[is_routed])
            if number >= WARM:
                found[False, bool(is_routed)].append((end - began) * 1000)
                found[True, bool(is_routed)].append((first - asked) * 1000)
    return found


async def rate(side: Connection, request: bytes, seconds: float, *, is_stream: bool) -> float:
    """How many a second when a dozen clients ask as fast as they are answered."""
    done, until = 0, time.perf_counter() + seconds

    async def ask() -> None:
        nonlocal done
        own = Connection(side.port, side.key)
        while time.perf_counter() < until:
            await (own.stream(request) if is_stream else own.plain(request))
            done += 1
        own.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


async def hang_ups(sides: Sides) -> tuple[Times, Times]:
    """Milliseconds from a hang-up within a stream until the instance has nothing to do any more."""
    watch = Connection(sides.direct.port, sides.direct.key)
    asked = watch.request(b"", "/metrics")

    async def until(sign: bytes) -> None:
        while SLOT + sign not in await watch.plain(asked):
            await asyncio.sleep(0.001)

    found: tuple[Times, Times] = ([], [])
    for _ in range(HANG_UPS):
        bodies = sides.bodies(max_tokens=20_000, stream=True, ignore_eos=True)
        for side, request, times in zip((sides.direct, sides.routed), bodies, found, strict=True):
            one = Connection(side.port, side.key)
            reader = await one.send(request)
            await reader.readuntil(b"data: ")
            await until(b"1")
            began = time.perf_counter()
            one.close()
            await until(b"0")
            times.append((time.perf_counter() - began) * 1000)
    return found


def p95(times: Sequence[float]) -> float:
    """Milliseconds within which 95 of 100 were done."""
    return statistics.quantiles(times, n=20)[-1]


@dataclass(frozen=True)
class Row:
    """One line of the table. `limit` is None for what only explains the others."""

    name: str
    direct: float
    routed: float
    unit: str
    limit: float | None = None
    is_least: bool = False

    @property
    def found(self) -> float:
        """What the limit is about: a rate, or what the router adds."""
        return self.routed if self.is_least else self.routed - self.direct

    @property
    def is_met(self) -> bool:
        """Whether it is within its limit."""
        return self.limit is None or (self.found >= self.limit if self.is_least else self.found <= self.limit)

    def __str__(self) -> str:
        sign = "≥" if self.is_least else "≤"
        limit = "" if self.limit is None else f"{sign} {self.limit:g} {'met' if self.is_met else 'MISSED'}"
        added = "" if self.is_least else f"{self.found:+.2f}"
        return f"| {self.name:<34} | {self.direct:>9.2f} | {self.routed:>9.2f} | {added:>7} | {self.unit:<4} | {limit:<13} |"


async def measure(sides: Sides, slow: Sides, requests: int, seconds: float) -> list[Row]:
    """All lines."""
    turns = await in_turns(sides, requests)
    plain, first = ((turns[is_stream, False], turns[is_stream, True]) for is_stream in (False, True))
    rates = {}
    for is_stream in (False, True):
        more = {"max_tokens": STREAM_TOKENS, "stream": True} if is_stream else {"max_tokens": 1}
        for side, body in zip((sides.direct, sides.routed), sides.bodies(**more), strict=True):
            rates[is_stream, side is sides.routed] = await rate(side, body, seconds, is_stream=is_stream)
    ends = await hang_ups(slow)
    return [
        Row("plain, one at a time, p50", *map(statistics.median, plain), "ms", PLAIN_MS),
        Row("plain, one at a time, p95", *map(p95, plain), "ms"),
        Row("first token, one at a time, p50", *map(statistics.median, first), "ms", FIRST_MS),
        Row("first token, one at a time, p95", *map(p95, first), "ms"),
        Row(f"plain requests, {CLIENTS} clients", rates[False, False], rates[False, True], "/s", PLAIN_RATE, True),
        Row(f"streams of {STREAM_TOKENS} tokens, {CLIENTS} clients", rates[True, False], rates[True, True], "/s", STREAM_RATE, True),
        Row("slot free after a hang-up, p50", *map(statistics.median, ends), "ms", HANG_UP_MS),
        Row("slot free after a hang-up, p95", *map(p95, ends), "ms"),
    ]  # fmt: skip


def sides_of(one: Installation, name: str) -> Sides:
    """The instance on both ways."""
    code = f"from instances.models import Instance\nrow = Instance.objects.get(name={name!r})\nprint(row.port, row.key)"
    port, key = one.shell(code).split()[-2:]
    return Sides(name, Connection(int(port), key), Connection(one.http_port, one.secrets["inference_key"]))


def main() -> int:
    """Measure and print; 1 when a limit was missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=5.0)
    words = parser.parse_args()
    run: Callable[[Awaitable[list[Row]]], list[Row]] = uvloop.run  # type: ignore[assignment]
    with tempfile.TemporaryDirectory(prefix="alma-bench-") as folder:
        one = Installation(Path(folder))
        try:
            one.start()
            sides = sides_of(one, one.create("bench", parallel=8, ctx_size=16384, threads=1))
            slow = sides_of(one, one.create("slow", parallel=1, ctx_size=32768, threads=1))
            rows = run(measure(sides, slow, words.requests, words.seconds))
        finally:
            one.end()
    sys.stdout.write(f"| {'':<34} | {'direct':>9} | {'routed':>9} | {'added':>7} | {'':<4} | {'limit':<13} |\n")
    sys.stdout.write("\n".join(map(str, rows)) + "\n")
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
