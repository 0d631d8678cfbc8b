"""Machines over `/v1` as clients drive them, with real processes and real signals."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes.alma import Alma, wait_until

pytestmark = pytest.mark.processes
WISH: dict[str, Any] = {"name": "test-vm", "template": "ubuntu-24.04", "cpu_cores": 2, "memory_mb": 4096}
SNAPSHOT = {"name": "pre-deployment-snapshot", "description": "Before the deployment", "include_memory": True}


@pytest.fixture(scope="module")
def alma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alma]:
    running = Alma(tmp_path_factory.mktemp("machines"))
    running.start()
    yield running
    running.end()


def ask(alma: Alma, method: str, path: str, body: Any = None) -> Any:
    with alma.client() as client:
        answer = client.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()["data"]


def followed(alma: Alma, job_id: str) -> dict[str, Any]:
    """The loop of the documented client."""
    ends_at = time.monotonic() + 90
    job = ask(alma, "GET", f"/v1/jobs/{job_id}")["job"]
    while job["status"] == "running":
        assert time.monotonic() < ends_at, alma.log.read_text()[-3000:]
        time.sleep(0.2)
        job = ask(alma, "GET", f"/v1/jobs/{job_id}")["job"]
    return dict(job)


def test_a_machine_is_made_and_a_worker_dies_in_its_snapshot(alma: Alma) -> None:
    wait_until(lambda: is_taken(alma), 30, alma.log)
    made = next(row for row in ask(alma, "GET", "/v1/vms?name=test-vm")["vms"] if row["name"] == "test-vm")
    job = followed(alma, f"job_create_{made['id'].replace('-', '_')}")
    assert (job["status"], job["progress"]) == ("completed", 100), job
    assert alma.guests()["test-vm"]["status"] == "running"

    path = f"/v1/vms/{made['id']}/snapshots"
    begun = ask(alma, "POST", path, SNAPSHOT)["snapshot"]
    vmid = alma.guests()["test-vm"]["vmid"]
    node = alma.cluster().nodes(alma.guests()["test-vm"]["node"])
    wait_until(lambda: bool(node.tasks.get(vmid=vmid, source="all", typefilter="qmsnapshot")), 30, alma.log, pause=0.02)
    assert alma.kill("worker") >= 2
    assert followed(alma, begun["job_id"])["status"] == "completed"
    assert [row["name"] for row in node.qemu(vmid).snapshot.get()] == [SNAPSHOT["name"], "current"]
    assert len(node.tasks.get(vmid=vmid, source="all", typefilter="qmsnapshot")) == 1, "taken once"
    (row,) = ask(alma, "GET", path)["snapshots"]
    assert (row["id"], row["status"], row["include_memory"]) == (begun["id"], "available", True)


def is_taken(alma: Alma, name: str = WISH["name"]) -> bool:
    """Whether the request for the machine was accepted; until the cluster was read once, no template is known."""
    with alma.client() as client:
        return client.post("/v1/vms", json={**WISH, "name": name}).status_code == 201


def test_a_worker_dies_in_a_copy_and_in_a_move(alma: Alma) -> None:
    wait_until(lambda: is_taken(alma, "mover"), 30, alma.log)
    made = next(row for row in ask(alma, "GET", "/v1/vms?name=mover")["vms"])
    assert followed(alma, f"job_create_{made['id'].replace('-', '_')}")["status"] == "completed"
    source = alma.guests()["mover"]
    node = alma.cluster().nodes(source["node"])

    begun = ask(alma, "POST", f"/v1/vms/{made['id']}/clone", {"name": "copied"})["vm"]
    wait_until(lambda: bool(tasks(node, source, "qmclone")), 30, alma.log, pause=0.02)
    assert alma.kill("worker") >= 2
    assert followed(alma, begun["job_id"])["status"] == "completed"
    assert len(tasks(node, source, "qmclone")) == 1, "copied once"
    assert (alma.guests()["copied"]["status"], alma.guests()["mover"]["status"]) == ("stopped", "running")
    assert ask(alma, "GET", f"/v1/vms/{begun['id']}")["vm"]["status"] == "stopped"

    target = next(name for name in ("pve2", "pve3") if name != source["node"])
    moved = {"target_node": target, "local_disks": True}
    begun = ask(alma, "POST", f"/v1/vms/{made['id']}/migrate", moved)["vm"]
    wait_until(lambda: bool(tasks(node, source, "qmigrate")), 30, alma.log, pause=0.02)
    assert alma.kill("worker") >= 2
    assert followed(alma, begun["job_id"])["status"] == "completed"
    assert len(tasks(node, source, "qmigrate")) == 1, "moved once"
    assert (alma.guests()["mover"]["node"], alma.guests()["mover"]["status"]) == (target, "running")


def tasks(node: Any, guest: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Tasks of a kind about a guest on a node, as an independent client sees them."""
    return list(node.tasks.get(vmid=guest["vmid"], source="all", typefilter=kind))
