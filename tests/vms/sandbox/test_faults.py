"""Things that go wrong on demand, the pace of the clock, and the beginning anew."""

import pytest

from tests.vms.sandbox.driving import Cluster, make_cluster
from vms.sandbox.core.consistency import check_consistency

DAY = 86_400


def ids(cluster: Cluster) -> list[str]:
    return [row["id"] for row in cluster.get("/sandbox/faults")]


def test_every_fault_is_listed_and_healed_one_by_one(cluster: Cluster) -> None:
    for fault in (
        {"kind": "offline_node", "target": "pve2"}, {"kind": "no_quorum"}, {"kind": "full_storage", "target": "shared"},
        {"kind": "slow_tasks", "factor": 3, "type": "qmclone"}, {"kind": "slow_tasks", "factor": 2},
        {"kind": "fail_task", "type": "qmstart", "text": "no"}, {"kind": "lose_request", "method": "PUT"},
        {"kind": "lose_answer"}, {"kind": "unauthorized", "path": "/nodes"}, {"kind": "answer", "status": 596},
        {"kind": "lag", "seconds": 10}, {"kind": "latency", "seconds": 0.5},
    ):  # fmt: skip
        cluster.post("/sandbox/faults", **fault)
    listed = ids(cluster)
    assert len(listed) == 12
    for count, fault in enumerate(listed, 1):
        cluster.delete(f"/sandbox/faults/{fault}")
        assert ids(cluster) == listed[count:]
    assert cluster.refusal("DELETE", "/sandbox/faults/latency").errors == {"fault": "no such fault"}
    assert cluster.get("/version")["release"] == "9.2"


def test_a_full_storage_fails_tasks_in_its_own_words_and_shows_no_room(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="full_storage", target="local-lvm")
    status = cluster.finish(cluster.post("/nodes/pve1/qemu", vmid=300, scsi0="local-lvm:8"))
    assert status.startswith("unable to create VM 300 - lvcreate 'pve/vm-300-disk-0' error:")
    assert "insufficient free space (0 extents)" in status
    assert cluster.get("/nodes/pve1/storage/local-lvm/status")["avail"] == 0
    rows = [row for row in cluster.get("/cluster/resources", type="storage") if row["storage"] == "local-lvm"]
    assert rows and all(row["disk"] == row["maxdisk"] for row in rows)
    cluster.delete("/sandbox/faults/full:local-lvm")
    cluster.machine(300)


def test_one_type_of_task_is_slow(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="slow_tasks", factor=50, type="qmstart")
    cluster.machine(300)
    begin = cluster.clock.now()
    assert cluster.power(300, "start") == "OK" and cluster.clock.now() - begin >= 50


def test_401_in_the_middle_of_a_session(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="unauthorized", method="GET", count=2)
    refused = [cluster.answer("GET", "/nodes").status for _ in range(3)]
    assert refused == [401, 401, 200]


def test_a_lag_comes_and_goes_while_it_runs(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="lag", seconds=10)
    cluster.get("/cluster/resources", type="vm")
    cluster.power(130, "start", node="pve3")
    assert _row(cluster, 130)["status"] == "stopped"
    cluster.clock.advance(10)
    assert _row(cluster, 130)["status"] == "running"
    cluster.machine(300)
    assert "name" not in _row(cluster, 300)
    cluster.delete("/sandbox/faults/lag")
    assert _row(cluster, 300)["name"] == "m300"


def _row(cluster: Cluster, vmid: int) -> dict:
    return next(row for row in cluster.get("/cluster/resources", type="vm") if row["vmid"] == vmid)


def test_the_pace_changes_for_what_is_under_way(cluster: Cluster) -> None:
    task = cluster.core.state.tasks.get(cluster.post("/nodes/pve1/qemu", vmid=300, scsi0="local-lvm:1"))
    left = task.due_at - cluster.clock.now()
    assert cluster.put("/sandbox/clock", speed=1000)["speed"] == 1000
    assert task.due_at - cluster.clock.now() == pytest.approx(left / 1000, abs=1e-5)
    cluster.put("/sandbox/clock", speed=0.5)
    assert task.due_at - cluster.clock.now() == pytest.approx(left * 2, abs=0.01)
    assert cluster.refusal("PUT", "/sandbox/clock", speed=1001).errors.keys() == {"speed"}


def test_a_reset_gives_the_same_cluster_again_and_keeps_the_credentials(cluster: Cluster) -> None:
    before = {guest.vmid: dict(guest.config) for guest in cluster.core.state.guests}
    first = cluster.post("/nodes/pve1/qemu", vmid=300)
    cluster.post("/access/users", userid="ada@pve")
    cluster.post("/sandbox/faults", kind="no_quorum")
    cluster.post("/sandbox/reset")
    state = cluster.core.state
    after = {guest.vmid: dict(guest.config) for guest in state.guests}
    assert {vmid: config["net0"] for vmid, config in after.items()} == {v: c["net0"] for v, c in before.items()}
    assert after.keys() == before.keys() and "ada@pve" not in state.users and "root@pam!alma" in state.tokens
    assert ids(cluster) == [] and check_consistency(cluster.core) == []
    assert cluster.refusal("GET", f"/nodes/pve1/tasks/{first}/status").errors == {"upid": "no such task"}
    assert cluster.post("/nodes/pve1/qemu", vmid=300) != first


def test_the_day_ends_at_midnight_utc() -> None:
    cluster = make_cluster(is_reset_daily=True)
    cluster.machine(300)
    midnight = cluster.get("/sandbox/clock")["next_reset"]
    assert midnight % DAY == 0 and 0 < midnight - cluster.clock.now() <= DAY
    cluster.clock.move_to(midnight - 0.1)
    assert cluster.config(300)
    cluster.clock.move_to(midnight)
    assert cluster.refusal("GET", "/nodes/pve1/qemu/300/config").status == 500
    cluster.machine(300)
    cluster.clock.advance(60)
    assert cluster.config(300), "once a day"


def test_without_the_rule_nothing_is_reset(cluster: Cluster) -> None:
    cluster.machine(300)
    cluster.clock.advance(3 * DAY)
    assert cluster.config(300) and cluster.get("/sandbox/clock")["next_reset"] is None
