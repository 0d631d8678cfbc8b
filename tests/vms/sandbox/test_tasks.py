"""UPIDs, status, logs, lists, and what goes wrong on demand."""

import re

import pytest

from tests.vms.sandbox.driving import SECRETS, Cluster, make_cluster
from vms.sandbox.core.formats import UPID
from vms.sandbox.core.state import State


def test_status_and_log_while_running_and_after(cluster: Cluster) -> None:
    upid = cluster.post("/nodes/pve1/qemu", vmid=100, scsi0="local-lvm:1")
    assert UPID.fullmatch(upid)
    path = f"/nodes/pve1/tasks/{upid}"
    status = cluster.get(f"{path}/status")
    assert status["status"] == "running" and "exitstatus" not in status
    assert {key: status[key] for key in ("id", "type", "user", "node", "upid")} == {
        "id": "100", "type": "qmcreate", "user": "root@pam", "node": "pve1", "upid": upid,
    }  # fmt: skip
    assert isinstance(status["pid"], int) and isinstance(status["starttime"], int)
    assert cluster.answer("GET", f"{path}/log").data == [{"n": 1, "t": "no content"}]
    cluster.finish(upid)
    assert cluster.get(f"{path}/status")["exitstatus"] == "OK"
    answer = cluster.answer("GET", f"{path}/log", start=2, limit=1)
    assert answer.data == [{"n": 3, "t": "TASK OK"}] and answer.extra == {"total": 3}


def test_unknown_and_unreadable_ids(cluster: Cluster) -> None:
    assert cluster.refusal("GET", "/nodes/pve1/tasks/nonsense/status").errors == {"upid": "unable to parse worker upid"}
    unknown = "UPID:pve1:00000001:00000001:6A4BB5C8:qmstart:100:root@pam:"
    assert cluster.refusal("GET", f"/nodes/pve1/tasks/{unknown}/status").errors == {"upid": "no such task"}


def test_list_filters(cluster: Cluster) -> None:
    cluster.machine(100)
    cluster.power(100, "start")
    cluster.power(100, "start")
    running = cluster.post("/nodes/pve1/qemu", vmid=104)
    tasks = "/nodes/pve1/tasks"
    assert [row["type"] for row in cluster.get(tasks)] == ["qmstart", "qmstart", "qmcreate"]
    assert [row["status"] for row in cluster.get(tasks, errors=1)] == ["VM 100 already running"]
    assert [row["upid"] for row in cluster.get(tasks, source="active")] == [running]
    assert cluster.get(tasks, source="all")[0]["status"] == "RUNNING"
    assert cluster.answer("GET", tasks, limit=1).extra == {"total": 3}
    assert [row["type"] for row in cluster.get(tasks, typefilter="qmcreate", vmid=100)] == ["qmcreate"]
    assert cluster.get("/nodes/pve2/tasks") == []
    assert len(cluster.get("/cluster/tasks")) == 4


def test_time_scale_divides_durations() -> None:
    fast = make_cluster(time_scale=20.0)
    before = fast.clock.now()
    fast.machine()
    assert fast.clock.now() - before == pytest.approx(0.05)


def test_running_tasks_survive_a_restart_and_finish(cluster: Cluster) -> None:
    upid = cluster.post("/nodes/pve1/qemu", vmid=100, scsi0="local-lvm:1", name="kept")
    reopened = make_cluster(_reread(cluster.core.state))
    reopened.clock.move_to(cluster.clock.now())
    assert reopened.config(100)["lock"] == "create"
    assert reopened.finish(upid) == "OK"
    assert reopened.config(100)["name"] == "kept"


def test_a_realistic_reset_loses_running_tasks_and_leaves_the_lock(cluster: Cluster) -> None:
    upid = cluster.post("/nodes/pve1/qemu", vmid=100, scsi0="local-lvm:1")
    reopened = make_cluster(_reread(cluster.core.state), is_reset_realistic=True)
    assert reopened.get(f"/nodes/pve1/tasks/{upid}/status")["exitstatus"] == "unexpected status"
    assert reopened.config(100)["lock"] == "create"
    assert reopened.power(100, "start") == "VM is locked (create)"


def _reread(state: State) -> State:
    """The state as a new process reads it from what was written."""
    copy = State()
    for change in state.drain():
        if change.body is not None:
            copy.restore(change.kind, change.body)
    return copy


def test_fail_next_task(cluster: Cluster) -> None:
    cluster.core.faults.fail_next("qmcreate", "injected")
    upid = cluster.post("/nodes/pve1/qemu", vmid=100, scsi0="local-lvm:1")
    assert cluster.finish(upid) == "injected"
    assert 100 not in cluster.core.state.guests
    cluster.machine(100)


def test_fail_next_task_of_one_guest(cluster: Cluster) -> None:
    cluster.core.faults.fail_next("*", "only 104", vmid=104)
    cluster.machine(103)
    assert cluster.finish(cluster.post("/nodes/pve1/qemu", vmid=104)) == "only 104"


def test_offline_node(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="offline_node", target="pve2")
    refused = cluster.refusal("GET", "/nodes/pve2/qemu")
    assert (refused.status, refused.message) == (595, "No route to host")
    nodes = {row["node"]: row for row in cluster.get("/nodes")}
    assert nodes["pve2"]["status"] == "offline" and "maxmem" not in nodes["pve2"]
    guests = {row["vmid"]: row for row in cluster.get("/cluster/resources", type="vm")}
    assert guests[102]["status"] == "unknown" and "name" not in guests[102]
    assert {row["name"]: row.get("online") for row in cluster.get("/cluster/status")}["pve2"] == 0
    cluster.post("/sandbox/faults", kind="online_node", target="pve2")
    assert cluster.get("/nodes/pve2/qemu")


def test_answer_fault_matches_method_and_path(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="answer", status=500, text="got timeout", method="POST", path="/nodes/*/qemu")
    assert cluster.get("/nodes/pve1/qemu")
    assert cluster.refusal("POST", "/nodes/pve1/qemu", vmid=100).message == "got timeout"
    assert 100 not in cluster.core.state.guests
    cluster.machine(100)


def test_faults_are_listed_and_cleared(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="fail_task", type="qmstart", text="no", count=2)
    cluster.post("/sandbox/faults", kind="slow_tasks", factor=10)
    listed = cluster.get("/sandbox/faults")
    assert [(row["kind"], row.get("type")) for row in listed] == [("slow_tasks", "*"), ("fail_task", "qmstart")]
    cluster.delete("/sandbox/faults")
    assert cluster.get("/sandbox/faults") == []


def test_requests_are_counted_by_pattern_and_guest(cluster: Cluster) -> None:
    cluster.machine(100)
    cluster.config(100)
    cluster.config(100)
    cluster.config(101)
    rows = cluster.get("/sandbox/requests", path="/nodes/{node}/qemu/{vmid}/config")
    assert {(row["method"], row["vmid"]): row["count"] for row in rows} == {("GET", 100): 2, ("GET", 101): 1}
    created = cluster.get("/sandbox/requests", method="POST", vmid=100)
    assert [(row["path"], row["count"]) for row in created] == [("/nodes/{node}/qemu", 1)]


def test_statistics_lag_behind() -> None:
    lagging = make_cluster(stats_lag=10.0)
    lagging.get("/cluster/resources")
    lagging.machine(100)
    fresh = next(row for row in lagging.get("/cluster/resources", type="vm") if row["vmid"] == 100)
    assert fresh == {"id": "qemu/100", "type": "qemu", "vmid": 100, "node": "pve1", "status": "unknown"}
    lagging.clock.advance(10)
    assert _row(lagging)["name"] == "m100"
    lagging.power(100, "start")
    lagging.put("/nodes/pve1/qemu/100/config", tags="now")
    assert (_row(lagging)["status"], _row(lagging)["tags"]) == ("stopped", "now")
    lagging.clock.advance(10)
    assert _row(lagging)["status"] == "running"


def _row(cluster: Cluster) -> dict:
    return next(row for row in cluster.get("/cluster/resources", type="vm") if row["vmid"] == 100)


def test_unimplemented_methods_answer_501(cluster: Cluster) -> None:
    for method, path in (
        ("GET", "/foo"),
        ("POST", "/nodes/pve1/qemu/101/mtunnel"),
        ("PUT", "/version"),
        ("DELETE", "/nodes"),
    ):
        refused = cluster.refusal(method, path)
        assert (refused.status, refused.message) == (501, f"Method '{method} {path}' not implemented")


def test_double_slashes_and_localhost_are_fine(cluster: Cluster) -> None:
    assert cluster.get("//nodes//localhost/qemu") == cluster.get("/nodes/pve1/qemu")


def test_conflicting_placeholder(cluster: Cluster) -> None:
    assert cluster.get("/nodes/pve1/qemu", node="pve1")
    refused = cluster.refusal("GET", "/nodes/pve1/qemu", node="pve2")
    assert re.match("duplicate parameter", refused.errors["node"])


def test_without_quorum_nothing_changes(cluster: Cluster) -> None:
    cluster.post("/sandbox/faults", kind="no_quorum")
    assert cluster.refusal("POST", "/nodes/pve1/qemu", vmid=100).message == "cluster not ready - no quorum?"
    assert cluster.get("/cluster/status")[0]["quorate"] == 0
    assert cluster.post("/access/ticket", username="root@pam", password=SECRETS.password)["ticket"]
    cluster.post("/sandbox/faults", kind="no_quorum", on=0)
    cluster.machine(100)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/nodes/pve1/qemu/101/status/start", {"machine": "q35"}),
    ],
)
def test_options_that_are_not_modelled_are_no_silent_success(cluster: Cluster, path: str, params: dict) -> None:
    assert cluster.refusal("POST", path, **params).status == 501
    assert not cluster.core.world.running


def test_a_broken_worker_ends_alone(cluster: Cluster) -> None:
    broken = cluster.post("/nodes/pve1/qemu", vmid=300)
    sound = cluster.post("/nodes/pve1/qemu", vmid=301)
    del cluster.core.state.tasks.get(broken).args["config"]  # type: ignore[union-attr]
    assert cluster.finish(broken) == "internal error: 'config'"
    assert cluster.finish(sound) == "OK"
    assert 300 not in cluster.core.state.guests
