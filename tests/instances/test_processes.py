"""Processes are known by number, time of start and mark; signals reach the whole group and nobody else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from instances.supervisor.processes import MARKER, OWNER, Held, left_behind, marks, spawn, started_at
from tests.server.running import wait_for

FAMILY = "import os, time; os.fork(); time.sleep(600)"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    children: list[subprocess.Popen[bytes]] = []
    yield children
    for child in children:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        finally:
            child.wait()


def begin(started: list, marker: str = "alma-1-x", code: str = "import time; time.sleep(600)") -> Held:
    environment = {"PATH": os.environ["PATH"], OWNER: "here", MARKER: marker}
    child = spawn([sys.executable, "-c", code], environment, subprocess.DEVNULL, Path("/"))
    started.append(child)
    return Held.of(child, marker)


def test_process_is_known(started: list) -> None:
    held = begin(started)
    assert held.is_alive()
    assert held.started == started_at(held.pid)
    assert marks(held.pid) == {OWNER: "here", MARKER: "alma-1-x"}
    assert left_behind("here") == {"alma-1-x": held.pid}
    assert left_behind("elsewhere") == {}


def test_environment_is_what_was_given(started: list, monkeypatch) -> None:
    monkeypatch.setenv("ALMA_SECRET_KEY", "do-not-tell")
    held = begin(started)
    names = {part.partition(b"=")[0] for part in Path(f"/proc/{held.pid}/environ").read_bytes().split(b"\0") if part}
    assert names == {b"PATH", OWNER.encode(), MARKER.encode()}


def test_limits_and_group_of_its_own(started: list) -> None:
    held = begin(started)
    limits = Path(f"/proc/{held.pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits
    assert "Max open files            8192                 8192" in limits
    assert os.getsid(held.pid) == os.getpgid(held.pid) == held.pid != os.getpgid(0)


def test_whole_group_is_ended(started: list) -> None:
    held = begin(started, code=FAMILY)
    wait_for(lambda: len(list(held.members())) == 2)
    held.signal(signal.SIGTERM)
    wait_for(lambda: not list(held.members()))
    wait_for(lambda: not held.is_alive())
    assert held.exit_words() == "was ended by SIGTERM"


def test_what_the_main_process_left_is_found_and_ended(started: list) -> None:
    held = begin(started, code=FAMILY)
    wait_for(lambda: len(list(held.members())) == 2)
    os.kill(held.pid, signal.SIGKILL)
    wait_for(lambda: not held.is_alive())
    assert left_behind("here") == {"alma-1-x": held.pid}
    held.signal(signal.SIGKILL)
    wait_for(lambda: not left_behind("here"))


def test_stranger_under_the_same_number_is_left_alone(started: list) -> None:
    """The number of a process that has ended may be anybody's: neither its time of start nor its mark is ours."""
    stranger = begin(started, marker="alma-2-y")
    ours = Held(stranger.pid, stranger.started - 5, "alma-1-x")
    assert not ours.is_alive()
    ours.signal(signal.SIGKILL)
    time.sleep(0.1)
    assert stranger.is_alive()


def test_process_that_has_ended_is_no_zombie(started: list) -> None:
    held = begin(started, code="raise SystemExit(3)")
    wait_for(lambda: not held.is_alive())
    assert held.exit_words() == "ended with exit code 3"
    assert not Path(f"/proc/{held.pid}").exists()


def test_zombie_of_somebody_else_has_ended(started: list) -> None:
    held = begin(started)
    adopted = Held(held.pid, held.started, held.marker)
    os.kill(held.pid, signal.SIGKILL)
    wait_for(lambda: not adopted.is_alive())
    assert adopted.exit_words() == "has ended"


def test_who_listens(started: list) -> None:
    held = begin(started, code="import socket, time; s = socket.create_server(('127.0.0.1', 0)); time.sleep(600)")

    def port() -> int | None:
        rows = psutil.Process(held.pid).net_connections("tcp")
        return next((row.laddr.port for row in rows if row.status == psutil.CONN_LISTEN), None)

    wait_for(lambda: port() is not None)
    assert held.listens(port() or 0)
    assert not held.listens(1)


def test_usage_is_measured(started: list) -> None:
    held = begin(started, code="while True: pass")
    held.usage()
    time.sleep(0.2)
    usage = held.usage()
    assert usage.memory_bytes > 1_000_000
    assert usage.cpu_percent > 0


def test_program_that_is_not_there() -> None:
    with pytest.raises(OSError):
        spawn(["/nowhere/llama-server"], {}, subprocess.DEVNULL, Path("/"))
