"""How soon an event reaches a thousand sockets: `python -m tests.bench.live [sockets] [events] [per second]`.

The web role, a writer and the clients are three processes. An event carries the time just before it was written, on the
clock that all processes of a machine share, so the figure spans the transaction, the ring, the hub and the socket.
"""

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
import uvloop

from tests.bench.servers import ROOT
from tests.fixtures.ports import free_port

SOCKETS, EVENTS, PER_SECOND = 1_000, 100, 5
STREAM = "deployment:bench"
TEXT, PING, PONG = 1, 9, 10
HEALTH = "/api/v1/monitoring/health"
WRITER = """
import sys, time
import django
django.setup()
from alma.accounts.models import Organization
from alma.events.services import emit
count, pause, stream = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
organization, _ = Organization.objects.get_or_create(slug="default", defaults={"name": "Default"})
due = time.monotonic()
for _ in range(count):
    due += pause
    time.sleep(max(0.0, due - time.monotonic()))
    emit(stream, "deployment.log", organization_id=organization.pk, level="info", message=str(time.monotonic_ns()))
"""


@dataclass
class Client(asyncio.Protocol):
    """The least that a websocket client can be: it notes seq and delay of each frame."""

    port: int
    seqs: list[int] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    _rest: bytes = b""
    _is_open: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET /ws/deployments HTTP/1.1\r\nHost: localhost:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Frames of the server: unmasked, and ours are shorter than 64 KB."""
        now = time.monotonic_ns()
        self._rest += data
        if not self._is_open:
            head, _, self._rest = self._rest.partition(b"\r\n\r\n")
            if b" 101 " not in head:
                raise ConnectionError(head.decode(errors="replace"))
            self._is_open = True
        while (frame := self._frame()) is not None:
            self._take(*frame, now)

    def _take(self, opcode: int, content: bytes, now: int) -> None:
        if opcode == PING:
            self._transport.write(bytes([0x80 | PONG, 0x80 | len(content), 0, 0, 0, 0]) + content)  # masked with zeroes
        elif opcode == TEXT:
            told = json.loads(content)
            self.seqs.append(told["seq"])
            self.delays.append((now - int(told["message"])) / 1e6)

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._rest) < 2:
            return None
        length, start = self._rest[1], 2
        if length == 126:
            length, start = int.from_bytes(self._rest[2:4], "big"), 4
        if len(self._rest) < start + length:
            return None
        opcode, content = self._rest[0] & 0x0F, self._rest[start : start + length]
        self._rest = self._rest[start + length :]
        return opcode, content


@dataclass(frozen=True)
class Server:
    """The process that is measured."""

    pid: int
    env: dict[str, str]

    def cpu_seconds(self) -> float:
        """What it has used so far."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system


@dataclass(frozen=True)
class Outcome:
    """What all clients saw."""

    sockets: int
    events: int
    delays: Sequence[float]
    gaps: int
    cpu_seconds: float

    @property
    def p95(self) -> float:
        """Milliseconds within which 95 of 100 deliveries were made."""
        return statistics.quantiles(self.delays, n=20)[-1]

    def table(self) -> str:
        """For reading."""
        rows = [
            ("sockets", f"{self.sockets:,}"), ("events", f"{self.events:,}"), ("deliveries", f"{len(self.delays):,}"),
            ("p50", f"{statistics.median(self.delays):.1f} ms"), ("p95", f"{self.p95:.1f} ms"),
            ("server CPU", f"{self.cpu_seconds / max(1, len(self.delays)) * 1e6:.0f} us each"),
            ("slowest", f"{max(self.delays):.1f} ms"), ("gaps", str(self.gaps)),
        ]  # fmt: skip
        return "\n".join(f"| {name:<10} | {value:>12} |" for name, value in rows)


async def listen(port: int, sockets: int, events: int, writer: Sequence[str], server: Server) -> Outcome:
    """Open the sockets, start the writer, and wait until everybody has had everything or a minute too long has passed."""
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(sockets):
        _, client = await loop.create_connection(lambda: Client(port), "127.0.0.1", port)
        clients.append(client)
    await asyncio.sleep(2)  # sockets that just opened wait for a first word of their client
    before = server.cpu_seconds()
    process = await asyncio.create_subprocess_exec(*writer, env=server.env, cwd=ROOT)
    await process.wait()
    deadline = loop.time() + 60
    while any(len(client.seqs) < events for client in clients) and loop.time() < deadline:
        await asyncio.sleep(0.1)
    gaps = sum(client.seqs != list(range(1, events + 1)) for client in clients)
    return Outcome(
        sockets, events, [delay for client in clients for delay in client.delays], gaps, server.cpu_seconds() - before
    )


def measure(sockets: int = SOCKETS, events: int = EVENTS, per_second: float = PER_SECOND) -> Outcome:
    """One run on an installation of its own."""
    with tempfile.TemporaryDirectory(prefix="alma-") as folder:
        port = free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ALMA_")}
        env = {
            **inherited,
            "ALMA_DATA_DIR": folder,
            "ALMA_RATE_LIMITS": "0",
            "ALMA_HTTP_PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "alma.settings",
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        write = [sys.executable, "-c", WRITER]
        subprocess.run([*manage, "migrate", "--verbosity", "0"], env=env, check=True)
        subprocess.run([*write, "0", "0", STREAM], env=env, check=True, cwd=ROOT)  # the organization
        Path(folder, "static").mkdir()
        server = subprocess.Popen([*manage, "web"], env=env)
        try:
            _wait_for(port)
            writer = [*write, str(events), str(1 / per_second), STREAM]
            return uvloop.run(listen(port, sockets, events, writer, Server(server.pid, env)))
        finally:
            server.terminate()
            server.wait(10)


def _wait_for(port: int, seconds: float = 30.0) -> None:
    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {HEALTH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return await reader.read()

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if b" 200 " in asyncio.run(ask()):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"the web role did not answer on port {port} within {seconds:.0f} s")


def main(arguments: Sequence[str]) -> int:
    """Print a table; fail when an event was lost or came late."""
    sockets, events, per_second = (list(map(int, arguments)) + [SOCKETS, EVENTS, PER_SECOND][len(arguments) :])[:3]
    outcome = measure(sockets, events, per_second)
    sys.stdout.write(f"{outcome.table()}\n")
    return 0 if outcome.gaps == 0 and outcome.p95 <= 100 else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
