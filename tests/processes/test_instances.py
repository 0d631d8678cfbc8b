"""The supervisor of instances is killed again and again while ten of them serve: nothing orphaned, nothing doubled, no wrong
process signalled, requests served again within three seconds. `make kills` does it twenty times and prints a table."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from alma.server.roles import STEADY_SECONDS
from instances.supervisor.processes import MARKER, OWNER, left_behind, marks, spawn
from tests.processes.alma import Alma, wait_until

KILLS = int(os.environ.get("KILLS", "5"))
pytestmark = [pytest.mark.processes, pytest.mark.timeout(180 + 30 * KILLS)]
INSTANCES = 10
SERVED_AGAIN = 3.0
"""Seconds, with all that happens to run on the machine."""
PATIENCE = 120.0
NAMES = [f"model-{number}" for number in range(INSTANCES)]


@pytest.fixture(scope="module")
def alma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alma]:
    running = Alma(tmp_path_factory.mktemp("alma"), settings={"ALMA_ROLES": "web,instances"})
    running.settings["ALMA_INSTANCE_PORTS"] = f"{running.http_port + 10}-{running.http_port + 60}"
    try:
        running.start(timeout=PATIENCE)
        yield running
    finally:
        running.end()
        for leader in living(running).values():
            os.killpg(leader, signal.SIGKILL)


@pytest.fixture(scope="module")
def client(alma: Alma) -> Iterator[httpx.Client]:
    """With ten instances that run."""
    with alma.client() as client:
        for name in NAMES:
            body = {
                "model": "tiny.gguf",
                "threads": 1,
                "ctx_size": 512,
                "idle_seconds": 0,
                "restart_delay": 0,
                "max_restarts": 100,
            }
            client.post(f"/api/v1/instances/{name}", json=body).raise_for_status()
        wait_until(lambda: all_run(client), PATIENCE, alma.log)
        yield client


@pytest.fixture(scope="module")
def routed(alma: Alma) -> Iterator[httpx.Client]:
    """With the key for inference."""
    headers = {"Authorization": f"Bearer {alma.secrets['inference_key']}"}
    with httpx.Client(base_url=alma.url, headers=headers) as one:
        yield one


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of another installation that looks much like one of ours."""
    environment = {"PATH": os.environ["PATH"], OWNER: "/another/installation", MARKER: "alma-1-x"}
    sleeper = [sys.executable, "-c", "import time; time.sleep(3600)"]
    process = spawn(sleeper, environment, subprocess.DEVNULL, Path("/"))
    yield process
    process.kill()
    process.wait()


def living(alma: Alma) -> dict[str, int]:
    """By marker, the leaders of the instances that live."""
    return left_behind(str(alma.folder / "data"))


def processes(alma: Alma) -> list[int]:
    """Every process that bears our mark."""
    return [pid for pid in psutil.pids() if marks(pid).get(OWNER) == str(alma.folder / "data")]


def rows(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in client.get("/api/v1/instances").raise_for_status().json()}


def all_run(client: httpx.Client) -> bool:
    return {row["status"] for row in rows(client).values()} == {"running"}


def pid_of(client: httpx.Client, name: str) -> int | None:
    pid: int | None = client.get(f"/api/instances/{name}").raise_for_status().json()["pid"]
    return pid


def is_served(routed: httpx.Client, name: str) -> bool:
    """Whether a request of OpenAI's kind for this model is answered with a token, through the router."""
    body = {"model": name, "max_tokens": 1, "messages": [{"role": "user", "content": "hello"}]}
    try:
        answer = routed.post("/v1/chat/completions", json=body, timeout=PATIENCE)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200 and bool(answer.json()["choices"])


def seconds_until_served(routed: httpx.Client, names: list[str]) -> float:
    """Until each was asked for and has answered once."""
    began, missing = time.monotonic(), list(names)
    while missing:
        assert time.monotonic() - began < PATIENCE, f"{missing} are not served"
        missing = [name for name in missing if not is_served(routed, name)]
    return time.monotonic() - began


def test_supervisor_and_one_of_its_instances_are_killed_at_once(
    alma: Alma, client: httpx.Client, routed: httpx.Client
) -> None:
    """What died with it is started again, and is the only one. A supervisor that has been at work for a while is back at
    once; one that dies again and again is started after ever longer pauses."""
    before, served = living(alma), []
    for number in range(max(1, KILLS // 5)):
        time.sleep(STEADY_SECONDS if number else 0)
        pid = pid_of(client, "model-0")
        os.killpg(pid or 0, signal.SIGKILL)
        alma.kill("instances")
        served.append(seconds_until_served(routed, ["model-0"]))
        wait_until(lambda pid=pid: pid_of(client, "model-0") not in (None, pid), PATIENCE, alma.log)
        wait_until(lambda: all_run(client), PATIENCE, alma.log)
        assert len(processes(alma)) == INSTANCES
    assert len(set(before.items()) & set(living(alma).items())) == INSTANCES - 1
    _tell("the killed one served again", served)


def test_supervisor_is_killed_again_and_again(
    alma: Alma, client: httpx.Client, routed: httpx.Client, bystander: subprocess.Popen[bytes]
) -> None:
    before = living(alma)
    assert len(before) == len(processes(alma)) == INSTANCES
    assert seconds_until_served(routed, NAMES) < PATIENCE
    served, back = [], []
    for _ in range(KILLS):
        began, seen = time.monotonic(), client.get("/api/v1/nodes/main").json()["last_seen"]
        assert alma.kill("instances") == 1
        served.append(seconds_until_served(routed, NAMES))
        wait_until(lambda seen=seen: client.get("/api/v1/nodes/main").json()["last_seen"] > seen, PATIENCE, alma.log)
        back.append(time.monotonic() - began)
        assert (living(alma), len(processes(alma))) == (before, INSTANCES)
    assert all_run(client)
    assert bystander.poll() is None
    _tell("requests served again", served)
    _tell("supervisor at work again", back)
    assert max(served) <= SERVED_AGAIN


def test_end_leaves_nothing(alma: Alma) -> None:
    alma.stop()
    wait_until(lambda: not processes(alma), 10)


def _tell(what: str, seconds: list[float]) -> None:
    middle, most = statistics.median(seconds), max(seconds)
    sys.stdout.write(f"{what}: {len(seconds)} times, median {middle:.2f} s, most {most:.2f} s\n")
