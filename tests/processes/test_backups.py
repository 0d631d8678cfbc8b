"""Backups over `/v1` with real processes: a worker that dies in the middle makes nothing twice and leaves nothing over."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes.alma import Alma, wait_until
from tests.processes.test_machines import ask, followed, is_taken, tasks

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def alma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alma]:
    running = Alma(tmp_path_factory.mktemp("backups"))
    running.start()
    yield running
    running.end()


def killed_in(alma: Alma, node: Any, guest: dict[str, Any], kind: str) -> None:
    """All workers die while a task of a kind runs, or right after it."""
    wait_until(lambda: bool(tasks(node, guest, kind)), 30, alma.log, pause=0.02)
    assert alma.kill("worker") >= 2


def is_begun(alma: Alma, vm_id: str) -> bool:
    """Whether a backup was accepted; until the storages were read once, none is known to encrypt."""
    wish = {"vm_id": vm_id, "backup_type": "full", "compression": "gzip", "encryption": True, "description": "Monthly"}
    with alma.client() as client:
        return client.post("/v1/backups", json=wish).status_code == 201


def test_a_worker_dies_in_a_backup_in_a_restore_and_in_its_proof(alma: Alma) -> None:
    wait_until(lambda: is_taken(alma, "saved"), 30, alma.log)
    made = next(iter(ask(alma, "GET", "/v1/vms?name=saved")["vms"]))
    assert followed(alma, f"job_create_{made['id'].replace('-', '_')}")["status"] == "completed"
    guest = alma.guests()["saved"]
    node = alma.cluster().nodes(guest["node"])

    wait_until(lambda: is_begun(alma, made["id"]), 60, alma.log)
    killed_in(alma, node, guest, "vzdump")
    (row,) = ask(alma, "GET", f"/v1/backups?vm_id={made['id']}")["backups"]
    assert followed(alma, row["job_id"])["status"] == "completed"
    (archive,) = node.storage("pbs").content.get(content="backup", vmid=guest["vmid"])
    assert len(tasks(node, guest, "vzdump")) == 1, "made once"
    (row,) = ask(alma, "GET", f"/v1/backups?vm_id={made['id']}")["backups"]
    assert (row["status"], row["volume"], row["encryption"]) == ("completed", archive["volid"], True)

    begun = ask(alma, "POST", f"/v1/backups/{row['id']}/restore", {"in_place": True, "force": True})["vm"]
    killed_in(alma, node, guest, "qmrestore")
    assert followed(alma, begun["job_id"])["status"] == "completed"
    assert alma.guests()["saved"]["status"] == "running"

    before = set(alma.guests())
    begun = ask(alma, "POST", f"/v1/backups/{row['id']}/verify")["backup"]
    name = f"alma-test-{int(row['id'].removeprefix('backup-'))}"
    wait_until(lambda: name in alma.guests(), 60, alma.log, pause=0.02)
    assert alma.kill("worker") >= 2
    job = followed(alma, begun["job_id"])
    assert job["status"] == "completed", job
    told = ask(alma, "GET", f"/v1/backups/{row['id']}")["backup"]
    assert (told["status"], told["verification"]["passed"]) == ("verified", True)
    assert set(alma.guests()) == before, "nothing of the test is left"
