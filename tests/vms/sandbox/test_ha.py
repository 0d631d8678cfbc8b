"""High availability: wishes that the manager fulfils a little later, and rules between resources."""

from typing import Any

import pytest

from tests.vms.sandbox.driving import Cluster

HA = "/cluster/ha"
LOCKED = "error during cfs-locked 'domain-ha' operation: "


@pytest.fixture
def managed(cluster: Cluster) -> Cluster:
    """A machine that the manager keeps stopped."""
    cluster.machine(100)
    cluster.post(f"{HA}/resources", sid="vm:100", state="stopped", comment="ours")
    _let_work(cluster)
    return cluster


def _let_work(cluster: Cluster) -> None:
    """The manager's next round, and the workers that it starts."""
    for seconds in (11, 11, 11):
        cluster.clock.advance(seconds)
        cluster.core.tick()


def _row(cluster: Cluster, vmid: int = 100) -> dict[str, Any]:
    return next(row for row in cluster.get("/cluster/resources", type="vm") if row["vmid"] == vmid)


def test_power_becomes_a_wish(managed: Cluster) -> None:
    upid = managed.post("/nodes/pve1/qemu/100/status/start")
    assert ":hastart:100:" in upid and managed.finish(upid) == "OK"
    assert _row(managed)["status"] == "stopped" and _row(managed)["hastate"] == "starting"
    _let_work(managed)
    assert _row(managed)["status"] == "running" and _row(managed)["hastate"] == "started"
    assert managed.get("/nodes/pve1/qemu/100/status/current")["ha"]["state"] == "started"
    types = [row["type"] for row in managed.get("/nodes/pve1/tasks", vmid=100)]
    assert types[:2] == ["qmstart", "hastart"]
    assert ":hastop:100:" in managed.post("/nodes/pve1/qemu/100/status/stop")
    managed.clock.advance(1)
    managed.core.tick()
    assert _row(managed)["hastate"] == "stopping"


def test_an_ignored_resource_is_powered_as_ever(managed: Cluster) -> None:
    managed.put(f"{HA}/resources/vm:100", state="ignored")
    assert ":qmstart:100:" in managed.post("/nodes/pve1/qemu/100/status/start")


def test_resources(managed: Cluster) -> None:
    row = managed.get(f"{HA}/resources")[0]
    assert {key: row[key] for key in ("sid", "type", "state", "comment")} == {
        "sid": "vm:100", "type": "vm", "state": "stopped", "comment": "ours",
    }  # fmt: skip
    assert managed.get(f"{HA}/resources", type="ct") == []
    managed.put(f"{HA}/resources/100", delete="comment", max_restart=3)
    assert managed.get(f"{HA}/resources/vm:100")["max_restart"] == 3
    managed.delete(f"{HA}/resources/vm:100")
    assert managed.get(f"{HA}/resources") == [] and _row(managed)["hastate"] == "stopped"
    _let_work(managed)
    assert "hastate" not in _row(managed)


@pytest.mark.parametrize(
    ("method", "path", "params", "message"),
    [
        ("POST", "resources", {"sid": "vm:100"}, f"create resource failed: {LOCKED}resource ID 'vm:100' already defined"),
        ("POST", "resources", {"sid": "vm:999"}, "resource 'vm:999' does not exist in cluster"),
        ("POST", "resources", {"sid": "ct:100"}, "resource 'ct:100' - guest with ID 100 is not a CT"),
        ("POST", "resources", {"sid": "101", "group": "g1"}, "invalid parameter 'group': ha groups have been migrated to rules"),
        ("GET", "resources/vm:101", {}, "no such resource 'vm:101'"),
        ("PUT", "resources/vm:101", {"state": "started"}, f"update resources config failed: {LOCKED}no such resource 'vm:101'"),
        ("DELETE", "resources/vm:101", {}, "cannot delete service 'vm:101', not HA managed!"),
        ("POST", "resources/vm:101/migrate", {"node": "pve2"}, "resource 'vm:101' is not HA managed"),
        ("POST", "groups", {"group": "g1", "nodes": "pve1"}, "cannot create group: ha groups have been migrated to rules"),
        ("GET", "rules/none", {}, "no such ha rule 'none'"),
        ("POST", "rules", {"rule": "r1", "type": "resource-affinity", "affinity": "negative", "resources": "vm:100,vm:101"},
         f"create ha rule failed: {LOCKED}cannot use unmanaged resource(s) vm:101."),
        ("POST", "rules", {"rule": "r1", "type": "node-affinity", "resources": "vm:100"}, "missing value for required option 'nodes'"),
    ],
)  # fmt: skip
def test_refusals(managed: Cluster, method: str, path: str, params: dict[str, Any], message: str) -> None:
    refused = managed.refusal(method, f"{HA}/{path}", **params)
    assert (refused.status, refused.message) == (500, message)


def test_a_managed_guest_is_removed_only_with_a_purge(managed: Cluster) -> None:
    assert managed.refusal("DELETE", "/nodes/pve1/qemu/100").message == (
        "unable to remove VM 100 - used in HA resources and purge parameter not set."
    )
    assert managed.finish(managed.delete("/nodes/pve1/qemu/100", purge=1)) == "OK"
    assert managed.get(f"{HA}/resources") == []


def test_rules(managed: Cluster) -> None:
    for vmid in (101, 102, 110):
        managed.post(f"{HA}/resources", sid=f"vm:{vmid}", state="ignored")
    apart = {"type": "resource-affinity", "affinity": "negative"}
    refused = managed.refusal("POST", f"{HA}/rules", rule="far", resources="vm:100,vm:101,vm:102,vm:110", **apart)
    assert refused.message == (
        "create ha rule failed: 400 Rule 'far' is invalid.\nresources: rule defines more resources than available nodes"
    )
    managed.post(f"{HA}/rules", rule="far", resources="vm:101,vm:100", **apart)
    row = managed.get(f"{HA}/rules/far")
    assert (row["resources"], row["affinity"], row["order"]) == ("vm:100,vm:101", "negative", 1)
    managed.put(f"{HA}/rules/far", type="resource-affinity", affinity="positive")
    assert managed.get(f"{HA}/rules")[0]["affinity"] == "positive"
    managed.delete(f"{HA}/resources/vm:101")
    assert managed.get(f"{HA}/rules/far")["resources"] == "vm:100"
    managed.delete(f"{HA}/rules/far")
    assert managed.get(f"{HA}/rules") == []


def test_moves_are_blocked_by_those_who_must_stay_apart(cluster: Cluster) -> None:
    for vmid, node in ((300, "pve1"), (301, "pve2")):
        cluster.machine(vmid, node, scsi0="shared:2")
        cluster.post(f"{HA}/resources", sid=f"vm:{vmid}", state="stopped")
    cluster.clock.advance(12)  # the manager has to wake first
    cluster.post(f"{HA}/rules", rule="far", type="resource-affinity", affinity="negative", resources="vm:300,vm:301")
    assert cluster.post(f"{HA}/resources/vm:300/migrate", node="pve2") == {
        "sid": "vm:300", "requested-node": "pve2", "blocking-resources": [{"sid": "vm:301", "cause": "resource-affinity"}],
    }  # fmt: skip
    assert cluster.post(f"{HA}/resources/vm:300/migrate", node="pve3") == {"sid": "vm:300", "requested-node": "pve3"}
    assert _row(cluster, 300)["hastate"] == "migrate"
    _let_work(cluster)
    assert _row(cluster, 300)["node"] == "pve3"


def _fencing(cluster: Cluster, seconds: float) -> str:
    cluster.clock.advance(seconds)
    return str(next(row["status"] for row in cluster.get(f"{HA}/status/current") if row["id"] == "fencing"))


def test_status(managed: Cluster) -> None:
    rows = {row["id"]: row for row in managed.get(f"{HA}/status/current")}
    assert set(rows) == {"quorum", "master", "fencing", "lrm:pve1", "lrm:pve2", "lrm:pve3", "service:vm:100"}
    assert rows["fencing"]["armed-state"] == "armed" and rows["service:vm:100"]["state"] == "stopped"
    managed.post(f"{HA}/status/disarm-ha", resource_mode="freeze")
    shown = [_fencing(managed, seconds) for seconds in (0, 6, 6)]
    assert shown == [
        "armed (CRM watchdog active)", "disarming, resource mode: freeze (CRM watchdog active)",
        "disarmed, resource mode: freeze (CRM watchdog released)",
    ]  # fmt: skip
    managed.post(f"{HA}/status/arm-ha")
    assert [_fencing(managed, seconds) for seconds in (0, 6)] == [shown[2], shown[0]]
    assert managed.get(f"{HA}/status/manager_status")["quorum"]["quorate"] == "1"


def test_status_of_a_cluster_without_resources(cluster: Cluster) -> None:
    assert [row["id"] for row in cluster.get(f"{HA}/status/current")] == ["quorum", "fencing"]
    assert cluster.get(f"{HA}/status/manager_status")["manager_status"] == {"node_status": {}}


def test_rules_bring_guests_together_and_apart(cluster: Cluster) -> None:
    for vmid in (300, 301):
        cluster.machine(vmid, "pve1", scsi0="shared:2")
        cluster.post(f"{HA}/resources", sid=f"vm:{vmid}", state="stopped")
    _let_work(cluster)
    rule = {"rule": "r1", "type": "resource-affinity", "resources": "vm:300,vm:301"}
    cluster.post(f"{HA}/rules", affinity="negative", **rule)
    _let_work(cluster)
    assert _row(cluster, 300)["node"] == "pve1" and _row(cluster, 301)["node"] == "pve3"
    cluster.put(f"{HA}/rules/r1", type="resource-affinity", affinity="positive")
    _let_work(cluster)
    assert _row(cluster, 300)["node"] == _row(cluster, 301)["node"] == "pve1"


def _moves(cluster: Cluster, vmid: int, rounds: int) -> tuple[list[str], list[str]]:
    """What lists told of a guest while the manager worked, and the tasks that it began, oldest first."""
    told = []
    for _ in range(rounds):
        told.append(str(_row(cluster, vmid)["hastate"]))
        cluster.clock.advance(2)
        cluster.core.tick()
    ours = [task for task in cluster.core.state.tasks if task.id == str(vmid)]
    return told, [f"{task.type} {task.exitstatus}" for task in sorted(ours, key=lambda task: task.begun_at)]


def _kept_running(cluster: Cluster, disk: str) -> None:
    cluster.machine(300, scsi0=disk)
    cluster.post(f"{HA}/resources", sid="vm:300", state="started")
    _let_work(cluster)
    assert _row(cluster, 300)["status"] == "running"


def test_a_running_machine_is_moved_live_by_a_worker_of_the_manager(cluster: Cluster) -> None:
    _kept_running(cluster, "shared:2")
    cluster.post(f"{HA}/resources/vm:300/migrate", node="pve2")
    told, began = _moves(cluster, 300, 12)
    assert told[0] == "migrate" and told[-1] == "started"
    assert began[-1] == "qmigrate OK" and not any("qmshutdown" in each for each in began)
    row = _row(cluster, 300)
    assert (row["node"], row["status"]) == ("pve2", "running")


def test_a_relocation_stops_moves_and_starts(cluster: Cluster) -> None:
    _kept_running(cluster, "shared:2")
    cluster.post(f"{HA}/resources/vm:300/relocate", node="pve2")
    told, began = _moves(cluster, 300, 60)
    assert told[0] == "relocate" and told[-1] == "started"
    assert began[-3:] == [
        "qmshutdown OK",
        "qmigrate OK",
        "qmstart OK",
    ]
    assert _row(cluster, 300)["node"] == "pve2"


def test_a_move_that_fails_leaves_the_machine_where_it_runs(cluster: Cluster) -> None:
    _kept_running(cluster, "local-lvm:2")
    cluster.post(f"{HA}/resources/vm:300/migrate", node="pve2")
    told, began = _moves(cluster, 300, 12)
    assert (told[-1], began[-1]) == ("started", "qmigrate migration aborted")
    row = _row(cluster, 300)
    assert (row["node"], row["status"], "lock" in row) == ("pve1", "running", False)


def test_a_move_to_a_node_that_is_not_there_is_let_be(cluster: Cluster) -> None:
    _kept_running(cluster, "shared:2")
    cluster.post(f"{HA}/resources/vm:300/migrate", node="nosuch")
    told, began = _moves(cluster, 300, 12)
    assert (told[-1], _row(cluster, 300)["node"]) == ("started", "pve1")
    assert not any("qmigrate" in each for each in began)
