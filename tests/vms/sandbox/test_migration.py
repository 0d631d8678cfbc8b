"""Guests on their way to another node."""

import pytest

from tests.vms.sandbox.driving import Cluster

MIGRATE = "/nodes/pve1/qemu/100/migrate"


def on_shared(cluster: Cluster, **params: object) -> Cluster:
    cluster.machine(**({"scsi0": "shared:2"} | params))
    return cluster


def test_offline_on_shared_storage(cluster: Cluster) -> None:
    on_shared(cluster)
    upid = cluster.post(MIGRATE, target="pve2")
    assert ":qmigrate:100:" in upid and cluster.config(100)["lock"] == "migrate"
    assert cluster.finish(upid) == "OK"
    assert cluster.config(100, node="pve2")["scsi0"] == "shared:100/vm-100-disk-0.qcow2,size=2G"
    assert "lock" not in cluster.config(100, node="pve2")
    gone = cluster.refusal("GET", "/nodes/pve1/qemu/100/config").message
    assert gone == "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist"
    log = cluster.log(upid)
    assert log[0].endswith(" starting migration of VM 100 to node 'pve2' (10.20.0.12)")
    assert "migration finished successfully (duration 00:00:0" in log[-2]


def test_offline_with_local_disks_carries_them(cluster: Cluster) -> None:
    cluster.machine()
    cluster.machine(104, node="pve2")
    upid = cluster.post(MIGRATE, target="pve2")
    assert cluster.finish(upid) == "OK"
    assert any("found local disk 'local-lvm:vm-100-disk-0' (attached)" in line for line in cluster.log(upid))
    volume = next(volume for volume in cluster.core.state.volumes if volume.vmid == 100)
    assert (volume.node, volume.name) == ("pve2", "vm-100-disk-0")
    assert cluster.power(100, "start", node="pve2") == "OK"


def test_to_another_storage(cluster: Cluster) -> None:
    cluster.machine()
    assert cluster.finish(cluster.post(MIGRATE, target="pve2", targetstorage="local-lvm:shared")) == "OK"
    assert cluster.config(100, node="pve2")["scsi0"] == "shared:100/vm-100-disk-0.raw,size=8G"


def test_live_keeps_the_machine_running(cluster: Cluster) -> None:
    on_shared(cluster)
    cluster.power(100, "start")
    cluster.put("/nodes/pve1/qemu/100/config", cores=4)
    before = cluster.get("/nodes/pve1/qemu/100/status/current")["uptime"]
    upid = cluster.post(MIGRATE, target="pve3", online=1)
    assert cluster.finish(upid) == "OK"
    current = cluster.get("/nodes/pve3/qemu/100/status/current")
    assert current["status"] == "running" and current["uptime"] >= before
    assert cluster.config(100, node="pve3", current=1).get("cores") is None
    assert any("migration status: completed" in line for line in cluster.log(upid))


def test_live_with_local_disks_must_be_asked_for(cluster: Cluster) -> None:
    cluster.machine()
    cluster.power(100, "start")
    upid = cluster.post(MIGRATE, target="pve2", online=1)
    assert cluster.finish(upid) == "migration aborted"
    text = "can't live migrate attached local disks without with-local-disks option"
    assert any(text in line for line in cluster.log(upid))
    assert "lock" not in cluster.config(100)
    assert cluster.finish(cluster.post(MIGRATE, target="pve2", online=1, **{"with-local-disks": 1})) == "OK"
    assert cluster.get("/nodes/pve2/qemu/100/status/current")["status"] == "running"


@pytest.mark.parametrize(
    ("params", "status", "text", "errors"),
    [
        ({"target": "pve1"}, 400, "Parameter verification failed.", {"target": "target is local node."}),
        ({"target": "pve9"}, 500, "no such cluster node 'pve9'", {}),
        ({"target": "pve2", "targetstorage": "nope"}, 500, "storage 'nope' does not exist", {}),
        ({}, 400, "Parameter verification failed.", {"target": "property is missing and it is not optional"}),
    ],
)
def test_refusals(cluster: Cluster, params: dict, status: int, text: str, errors: dict) -> None:
    cluster.machine()
    answer = cluster.answer("POST", MIGRATE, **params)
    assert (answer.status, answer.message, answer.errors) == (status, text, errors)


def test_of_a_running_or_locked_machine(cluster: Cluster) -> None:
    cluster.machine()
    cluster.power(100, "start")
    assert cluster.refusal("POST", MIGRATE, target="pve2").message == "can't migrate running VM without --online"
    cluster.put("/nodes/pve1/qemu/100/config", lock="backup")
    assert cluster.refusal("POST", MIGRATE, target="pve2").message == "VM is locked (backup)"


def test_a_storage_that_the_target_lacks(cluster: Cluster) -> None:
    local = cluster.core.state.storages.get("local-lvm")
    assert local is not None
    local.nodes = ["pve1", "pve3"]
    cluster.machine()
    assert (
        cluster.refusal("POST", MIGRATE, target="pve2").message == "storage 'local-lvm' is not available on node 'pve2'"
    )
    told = cluster.get(MIGRATE)
    assert told["allowed_nodes"] == ["pve3"]
    assert told["not_allowed_nodes"] == {"pve2": {"unavailable_storages": ["local-lvm"]}}


def test_live_without_local_disks_but_the_one_that_is_made_anew(cluster: Cluster) -> None:
    on_shared(cluster, ide2="local-lvm:cloudinit")
    cluster.power(100, "start")
    upid = cluster.post(MIGRATE, target="pve2", online=1)
    assert cluster.finish(upid) == "OK"
    assert any("found generated disk 'local-lvm:vm-100-cloudinit'" in line for line in cluster.log(upid))
    assert cluster.config(100, node="pve2")["ide2"].startswith("local-lvm:vm-100-cloudinit")


def test_preconditions_tell_of_an_image_that_only_this_node_has(cluster: Cluster) -> None:
    on_shared(cluster, ide2="local:iso/debian-12.12.0-amd64-netinst.iso,media=cdrom")
    (row,) = cluster.get(MIGRATE)["local_disks"]
    assert (row["volid"], row["cdrom"], row["drivename"]) == ("local:iso/debian-12.12.0-amd64-netinst.iso", 1, "ide2")


def test_preconditions(cluster: Cluster) -> None:
    cluster.machine(ide2="local-lvm:cloudinit")
    told = cluster.get(MIGRATE)
    assert told["running"] == 0 and told["allowed_nodes"] == ["pve2", "pve3"] and told["local_resources"] == []
    assert {(row["volid"], row["size"], row["cdrom"]) for row in told["local_disks"]} == {
        ("local-lvm:vm-100-disk-0", 8 * 2**30, 0), ("local-lvm:vm-100-cloudinit", 4 * 2**20, 1),
    }  # fmt: skip
    assert cluster.get("/nodes/pve1/lxc/201/migrate") == {
        "running": 1, "allowed-nodes": ["pve2", "pve3"], "not-allowed-nodes": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("set_up", "text"),
    [
        ({"ide2": "local:iso/debian-12.12.0-amd64-netinst.iso,media=cdrom"}, "local cdrom image"),
        ({"usb0": "host=1234:5678"}, "can't migrate VM which uses local devices: usb0"),
    ],
)
def test_what_holds_a_machine_back(cluster: Cluster, set_up: dict, text: str) -> None:
    on_shared(cluster, **set_up)
    upid = cluster.post(MIGRATE, target="pve2")
    assert cluster.finish(upid) == "migration aborted"
    assert any(text in line for line in cluster.log(upid))
    assert cluster.config(100)["name"] == "m100"


def test_snapshots_of_thin_volumes_do_not_travel(cluster: Cluster) -> None:
    cluster.machine()
    cluster.finish(cluster.post("/nodes/pve1/qemu/100/snapshot", snapname="s1"))
    upid = cluster.post(MIGRATE, target="pve2")
    assert cluster.finish(upid) == "migration aborted"
    assert any("non-migratable snapshot exists" in line for line in cluster.log(upid))


def test_no_room_on_the_target_moves_nothing(cluster: Cluster) -> None:
    cluster.machine(scsi1="local-lvm:1200")
    cluster.machine(104, node="pve2", scsi0="local-lvm:1200")
    upid = cluster.post(MIGRATE, target="pve2")
    assert cluster.finish(upid) == "migration aborted"
    assert {volume.node for volume in cluster.core.state.volumes if volume.vmid == 100} == {"pve1"}


def test_containers(cluster: Cluster) -> None:
    path = "/nodes/pve1/lxc/201/migrate"
    assert cluster.refusal("POST", path, target="pve1").errors == {"target": "Target is local node."}
    text = "can't migrate running container without --online or --restart"
    assert cluster.refusal("POST", path, target="pve2").message == text
    assert cluster.finish(cluster.post(path, target="pve2", online=1)) == "migration aborted"
    upid = cluster.post(path, target="pve2", restart=1)
    assert ":vzmigrate:201:" in upid and cluster.finish(upid) == "OK"
    assert cluster.get("/nodes/pve2/lxc/201/status/current")["status"] == "running"


def test_a_managed_machine_is_moved_by_the_manager(cluster: Cluster) -> None:
    on_shared(cluster)
    cluster.post("/cluster/ha/resources", sid="vm:100", state="stopped")
    upid = cluster.post(MIGRATE, target="pve2")
    assert ":hamigrate:100:" in upid and cluster.finish(upid) == "OK"
    for _ in range(3):
        cluster.clock.advance(10)
        cluster.core.tick()
    assert cluster.config(100, node="pve2")["name"] == "m100"
    moved = cluster.get("/nodes/pve1/tasks", typefilter="qmigrate")
    assert [(row["id"], row["user"], row["status"]) for row in moved] == [("100", "root@pam", "OK")]
    refused = cluster.refusal("POST", "/nodes/pve2/qemu/100/status/suspend", todisk=1)
    assert refused.message in {"VM 100 not running", "Cannot suspend HA managed VM to disk"}
