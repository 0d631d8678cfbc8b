"""Rings between processes, over UNIX sockets and over Redis."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from alma.events import doorbell
from tests.fixtures.ports import free_port
from tests.server.running import wait_for


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis server of our own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs a redis-server")
    port = free_port()
    command = [program, "--port", str(port), "--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        wait_for(
            lambda: (
                subprocess.run([program.replace("server", "cli"), "-p", str(port), "ping"], capture_output=True).stdout
            )
        )
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()


@pytest.fixture(params=["sockets", "redis"])
def topology(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Both kinds of doorbell."""
    settings.ALMA_REDIS_URL = "" if request.param == "sockets" else request.getfixturevalue("redis_url")
    return str(request.param)


def test_a_ring_wakes_a_listener(topology: str) -> None:
    listener = doorbell.Listener("kitchen")
    assert not listener.wait(0.1)
    doorbell.ring("kitchen", "soup")
    started = time.monotonic()
    assert listener.wait(5)
    assert time.monotonic() - started < 1
    listener.close()


def test_many_rings_are_one(topology: str) -> None:
    listener = doorbell.Listener("kitchen")
    listener.wait(0.05)
    for _ in range(5):
        doorbell.ring("kitchen")
    time.sleep(0.05)
    assert listener.wait(1)
    assert not listener.wait(0.05)
    listener.close()


def test_other_topics_are_not_heard(topology: str) -> None:
    listener = doorbell.Listener("kitchen")
    listener.wait(0.05)
    doorbell.ring("door")
    assert not listener.wait(0.1)
    listener.close()


async def test_an_asynchronous_listener_hears_each_payload(topology: str) -> None:
    heard: list[str] = []
    task = asyncio.create_task(doorbell.listen("kitchen", heard.append))
    await asyncio.sleep(0.2)
    for number in range(3):
        await asyncio.to_thread(doorbell.ring, "kitchen", f"run:a#{number}")
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [ring for ring in heard if ring] == ["run:a#0", "run:a#1", "run:a#2"]


def test_several_listeners_all_hear(topology: str) -> None:
    listeners = [doorbell.Listener("kitchen") for _ in range(3)]
    for listener in listeners:
        listener.wait(0.02)
    doorbell.ring("kitchen")
    assert all(listener.wait(1) for listener in listeners)
    for listener in listeners:
        listener.close()


def test_ringing_without_redis_neither_raises_nor_waits(settings: Settings) -> None:
    settings.ALMA_REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    started = time.monotonic()
    for _ in range(50):
        doorbell.ring("kitchen")
    assert time.monotonic() - started < 1


def test_listening_without_redis_waits_as_long_as_asked(settings: Settings) -> None:
    settings.ALMA_REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    listener = doorbell.Listener("kitchen")
    started = time.monotonic()
    assert not listener.wait(0.3)
    assert 0.25 < time.monotonic() - started < 2


def test_the_bell_of_a_dead_process_is_taken_down() -> None:
    dead = doorbell.bind("kitchen")
    address = Path(dead.getsockname())
    dead.close()  # as a kill does: the name stays
    doorbell.ring("kitchen")
    assert not address.exists()


def test_a_full_bell_does_not_hold_up_the_one_who_rings() -> None:
    listener = doorbell.Listener("kitchen")
    for _ in range(5_000):
        doorbell.ring("kitchen", "x" * 100)
    assert listener.wait(1)
    listener.close()


def test_bells_are_for_the_owner_alone() -> None:
    bell = doorbell.bind("kitchen")
    assert Path(bell.getsockname()).stat().st_mode & 0o077 == 0
    assert doorbell.folder().stat().st_mode & 0o077 == 0
    doorbell.unbind(bell)


def test_a_data_directory_with_a_long_name_has_its_bells_elsewhere(settings: Settings, tmp_path: Path) -> None:
    settings.ALMA_DATA_DIR = tmp_path / ("long" * 30)
    listener = doorbell.Listener("kitchen")
    doorbell.ring("kitchen")
    assert listener.wait(1)
    assert not settings.ALMA_DATA_DIR.exists()
    listener.close()
    doorbell.folder().rmdir()
