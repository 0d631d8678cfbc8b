"""Both servers that ALMA supports, started for real: uvicorn for the web role, daphne as an alternative."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.fixtures.ports import free_port
from tests.server.running import MANAGE, answers, environment, get, manage, running, wait_for

pytestmark = pytest.mark.processes
WRITE = """
from alma.accounts.models import Organization
from alma.events.services import emit
organization, _ = Organization.objects.get_or_create(slug="default", defaults={"name": "Default"})
for _ in range(%d):
    emit("deployment:x", "deployment.log", organization_id=organization.pk, message="hello", level="info", step=1, key="x")
"""


def test_uvicorn_serves(web_port: int) -> None:
    status, body = get(web_port)
    assert (status, json.loads(body)["status"]) == (200, "healthy")


def test_daphne_serves(installation: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "alma.asgi:application"]
    with running(command, environment(installation)):
        wait_for(lambda: answers(port), what="daphne")
        assert get(port, "/login/")[0] == 200
        asyncio.run(nobody_opens_pages(port))
        asyncio.run(hears_what_another_process_writes(port, environment(installation)))  # daphne knows no lifespan


def test_runserver_is_daphne(installation: Path) -> None:
    port = free_port()
    command = [*MANAGE, "runserver", "--noreload", f"127.0.0.1:{port}"]
    with running(command, environment(installation)):
        wait_for(lambda: answers(port), what="runserver")
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b"server: daphne" in connection.recv(65536).lower()


def test_a_slow_reader_costs_no_memory(tmp_path: Path) -> None:
    size, port = 60_000_000, free_port()
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "large.bin").write_bytes(b"z" * size)
    with running([*MANAGE, "web"], environment(tmp_path, ALMA_HTTP_PORT=port)) as server:
        wait_for(lambda: answers(port), what="the web role")
        memory = psutil.Process(server.pid).memory_info
        before = memory().rss
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /static/large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            time.sleep(1.5)
            assert memory().rss - before < 10_000_000
            assert answers(port)  # and holds up nobody
            received = sum(map(len, iter(lambda: connection.recv(1 << 20), b"")))
    assert received > size


def test_the_server_does_not_say_what_it_is(web_port: int) -> None:
    with socket.create_connection(("127.0.0.1", web_port), timeout=5) as connection:
        connection.sendall(b"GET /login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"\r\nserver:" not in connection.recv(65536).lower()


async def hears_what_another_process_writes(port: int, env: dict[str, str]) -> None:
    """Events reach a socket in order and without gaps."""
    await asyncio.to_thread(manage, "shell", "--no-imports", "-c", WRITE % 1, env=env)  # the organization must exist
    async with websockets.connect(f"ws://localhost:{port}/ws/deployments") as client:
        await asyncio.to_thread(manage, "shell", "--no-imports", "-c", WRITE % 3, env=env)
        frames = [json.loads(await asyncio.wait_for(client.recv(), 5)) for _ in range(3)]
    assert [frame["seq"] for frame in frames] == [frames[0]["seq"] + offset for offset in range(3)]


async def nobody_opens_pages(port: int) -> None:
    """A socket for pages without a session is refused in the handshake."""
    with pytest.raises(InvalidStatus) as refused:
        await websockets.connect(f"ws://localhost:{port}/ws/pages", origin=f"http://localhost:{port}")
    assert refused.value.response.status_code == 403


async def test_unknown_sockets_are_refused(web_port: int) -> None:
    await nobody_opens_pages(web_port)
    with pytest.raises(InvalidStatus) as refused:
        await websockets.connect(f"ws://localhost:{web_port}/ws/nothing")
    assert refused.value.response.status_code == 404


async def test_a_socket_hears_what_another_process_writes(web_port: int, installation: Path) -> None:
    await hears_what_another_process_writes(web_port, environment(installation))


async def test_a_giant_frame_closes_the_socket(web_port: int, installation: Path) -> None:
    await asyncio.to_thread(manage, "shell", "--no-imports", "-c", WRITE % 1, env=environment(installation))
    async with websockets.connect(f"ws://localhost:{web_port}/ws/deployments") as client:
        await client.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_web_role_ends_quickly_with_sockets_and_requests_open(installation: Path, number: signal.Signals) -> None:
    port = free_port()
    with running([*MANAGE, "web"], environment(installation, ALMA_HTTP_PORT=port)) as server:
        wait_for(lambda: answers(port), what="the web role")
        with socket.create_connection(("127.0.0.1", port)) as half_a_request:
            half_a_request.sendall(b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
            time.sleep(0.2)
            server.send_signal(number)
            server.wait(8)
    assert server.returncode in {0, -number}


def test_a_taken_port_is_said(web_port: int, installation: Path) -> None:
    env = environment(installation, ALMA_HTTP_PORT=web_port)
    done = subprocess.run([*MANAGE, "web"], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert f"Cannot serve on 127.0.0.1:{web_port}" in done.stderr
