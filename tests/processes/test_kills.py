"""Real processes, real signals: a deployment finishes by itself whatever dies, and each guest is made once."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes.alma import Alma, wait_until

pytestmark = pytest.mark.processes

RESOURCES = [
    {"name": "db", "type": "vm", "specs": {"cpu": 1, "memory": "1GB", "disk": "10GB", "os": "debian-12"}},
    {
        "name": "web-1", "type": "vm", "dependencies": ["db"],
        "specs": {"cpu": 1, "memory": "1GB", "disk": "10GB", "os": "debian-12"},
    },
    {
        "name": "web-2", "type": "vm", "dependencies": ["db"],
        "specs": {"cpu": 1, "memory": "1GB", "disk": "10GB", "os": "debian-12"},
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def alma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alma]:
    running = Alma(tmp_path_factory.mktemp("alma"))
    running.start()
    yield running
    running.end()


def begin(alma: Alma, prefix: str) -> str:
    """Create, propose and deploy; the deployment's id while it is at work."""
    resources = [
        {
            **row,
            "name": f"{prefix}-{row['name']}",
            "dependencies": [f"{prefix}-{d}" for d in row.get("dependencies", [])],
        }
        for row in RESOURCES
    ]
    with alma.client() as client:
        body = {"version": "1.0", "name": prefix, "resources": resources}
        blueprint = client.post("/api/v1/blueprints/", json=body).raise_for_status().json()
        ipr = (
            client.post("/api/v1/ipr/", json={"title": prefix, "blueprint_id": blueprint["id"]})
            .raise_for_status()
            .json()
        )
        assert ipr["status"] == "approved", ipr
        started = client.post(f"/api/v1/ipr/{ipr['id']}/deploy", json={"engine": "proxmox"}).raise_for_status().json()
        deployment_id: str = started["deployment_id"]
    wait_until(lambda: "log" in {event["type"] for event in told(alma, deployment_id)}, 20, alma.log)
    return deployment_id


def told(alma: Alma, deployment_id: str) -> list[dict[str, Any]]:
    with alma.client() as client:
        events: list[dict[str, Any]] = (
            client.get(f"/api/v1/deployments/{deployment_id}/events").raise_for_status().json()
        )
        return events


def assert_finishes(alma: Alma, deployment_id: str, prefix: str) -> None:
    """Completed, three running guests, each made by exactly one clone, and a story without gaps."""

    def is_done() -> bool:
        with alma.client() as client:
            row = client.get(f"/api/v1/deployments/{deployment_id}").json()
            assert row["status"] not in {"failed", "cancelled"}, row
            return bool(row["status"] == "completed")

    wait_until(is_done, 90, alma.log)
    guests = {name: row["status"] for name, row in alma.guests().items() if name.startswith(f"{prefix}-")}
    assert guests == dict.fromkeys((f"{prefix}-db", f"{prefix}-web-1", f"{prefix}-web-2"), "running")
    events = told(alma, deployment_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["event"] for event in events].count("DeploymentCompleted") == 1
    assert events[-1]["event"] == "DeploymentCompleted"


def test_the_worker_is_killed(alma: Alma) -> None:
    deployment_id = begin(alma, "killed-worker")
    assert alma.kill("worker") >= 2
    assert_finishes(alma, deployment_id, "killed-worker")


def test_only_the_main_process_of_the_worker_is_killed(alma: Alma) -> None:
    deployment_id = begin(alma, "killed-main")
    supervisor = alma.processes("up")[0]
    main = next(process for process in alma.processes("worker") if process.ppid() == supervisor.pid)
    main.kill()
    assert_finishes(alma, deployment_id, "killed-main")


def test_the_web_process_is_killed(alma: Alma) -> None:
    deployment_id = begin(alma, "killed-web")
    assert alma.kill("web") == 1
    wait_until(lambda: len(alma.processes("web")) == 1, 20, alma.log)
    wait_until(lambda: answers(alma), 20, alma.log)
    assert_finishes(alma, deployment_id, "killed-web")


def answers(alma: Alma) -> bool:
    try:
        with alma.client() as client:
            return client.get("/api/v1/monitoring/health").status_code == 200
    except OSError:
        return False
    except Exception as error:  # noqa: BLE001 - httpx wraps what the socket says
        return not str(error)


def test_everything_is_killed_and_started_again(alma: Alma) -> None:
    deployment_id = begin(alma, "killed-all")
    assert alma.kill() >= 6
    wait_until(lambda: not alma.processes(), 10)
    alma.start()
    assert_finishes(alma, deployment_id, "killed-all")


def test_ctrl_c_ends_everything_and_a_warm_start_is_quick(alma: Alma) -> None:
    assert alma.stop(signal.SIGINT) == 0
    assert alma.processes() == []
    assert alma.start() < 15
    began = time.monotonic()
    assert alma.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 10
    wait_until(lambda: not alma.processes(), 5)
    alma.start()


def test_nothing_survives_a_killed_supervisor(alma: Alma) -> None:
    assert alma.kill("up") == 1
    wait_until(lambda: not alma.processes(), 15)
    alma.start()
