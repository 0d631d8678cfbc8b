"""A small HTTP client that costs little, so that the server is what is measured: keep-alive, raw sockets, asyncio."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What to send, ready to write."""

    raw: bytes

    @classmethod
    def get(cls, path: str) -> "Request":
        """A GET."""
        return cls(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode())

    @classmethod
    def post(cls, path: str, body: bytes, key: str) -> "Request":
        """A POST of JSON with a key."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nX-API-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return cls(head.encode() + body)


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    seconds: float
    latencies: Sequence[float]
    statuses: Sequence[int]
    bodies: Sequence[bytes]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.statuses) / self.seconds

    @property
    def p95(self) -> float:
        """Milliseconds under which 95 of 100 stayed."""
        return statistics.quantiles(self.latencies, n=20)[-1] * 1000


async def run(port: int, requests: Sequence[Request], *, concurrency: int, keep_bodies: bool = False) -> Result:
    """Send all requests over a fixed number of connections, each taking the next when it is free."""
    waiting = iter(requests)
    latencies: list[float] = []
    statuses: list[int] = []
    bodies: list[bytes] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        for request in waiting:
            started = time.perf_counter()
            writer.write(request.raw)
            status, body = await _answer(reader)
            latencies.append(time.perf_counter() - started)
            statuses.append(status)
            if keep_bodies:
                bodies.append(body)
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(concurrency)))
    return Result(time.perf_counter() - started, latencies, statuses, bodies)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length)
