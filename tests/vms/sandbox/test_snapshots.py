"""Snapshots: the tree, what is kept, what is refused, and the images behind them."""

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.model import Storage
from vms.sandbox.core.sizes import GIB

BASE = "/nodes/pve1/qemu/100/snapshot"
CONFIG = "/nodes/pve1/qemu/100/config"


def take(cluster: Cluster, name: str, **params: object) -> str:
    return cluster.finish(cluster.post(BASE, snapname=name, **params))


def names(cluster: Cluster) -> set[str]:
    return {volume.name for volume in cluster.core.state.volumes if volume.vmid == 100}


def test_snapshots_form_a_tree_and_roll_back(cluster: Cluster) -> None:
    cluster.machine(cores=1)
    assert take(cluster, "one", description="first") == "OK"
    cluster.put(CONFIG, cores=4, description="kept")
    assert take(cluster, "two") == "OK"
    rows = {row["name"]: row for row in cluster.get(BASE)}
    assert rows["two"]["parent"] == "one" and rows["current"]["parent"] == "two"
    assert rows["one"]["description"] == "first" and "parent" not in rows["one"]
    assert rows["current"]["description"] == "You are here!" and list(rows)[-1] == "current"
    assert cluster.config(100, snapshot="one")["cores"] == 1
    assert cluster.finish(cluster.post(f"{BASE}/one/rollback", start=1)) == "OK"
    config = cluster.config(100)
    assert (config["cores"], config["description"], config["parent"]) == (1, "kept", "one")
    assert cluster.get("/nodes/pve1/qemu/100/status/current")["status"] == "running"
    assert cluster.finish(cluster.delete(f"{BASE}/one")) == "OK"
    assert "parent" not in next(row for row in cluster.get(BASE) if row["name"] == "two")


def test_deletion_in_the_middle_links_children_to_the_parent(cluster: Cluster) -> None:
    cluster.machine()
    for name in ("one", "two", "three"):
        take(cluster, name)
    cluster.finish(cluster.delete(f"{BASE}/two"))
    rows = {row["name"]: row for row in cluster.get(BASE)}
    assert rows["three"]["parent"] == "one" and rows["current"]["parent"] == "three"


def test_locks_while_it_is_taken_and_deleted(cluster: Cluster) -> None:
    cluster.machine()
    upid = cluster.post(BASE, snapname="s1")
    assert cluster.config(100)["lock"] == "snapshot"
    assert cluster.finish(upid) == "OK" and "lock" not in cluster.config(100)
    upid = cluster.delete(f"{BASE}/s1")
    assert cluster.config(100)["lock"] == "snapshot-delete"
    assert cluster.finish(upid) == "OK" and "lock" not in cluster.config(100)


def test_memory_is_kept_on_a_volume_of_its_own_and_starts_the_machine(cluster: Cluster) -> None:
    cluster.machine(memory=1024)
    cluster.power(100, "start")
    assert take(cluster, "warm", vmstate=1) == "OK"
    assert cluster.get(BASE)[0]["vmstate"] == 1
    kept = cluster.config(100, snapshot="warm")
    assert kept["vmstate"] == "local-lvm:vm-100-state-warm" and kept["runningmachine"].startswith("pc-")
    cluster.power(100, "stop")
    assert cluster.finish(cluster.post(f"{BASE}/warm/rollback")) == "OK"
    assert cluster.get("/nodes/pve1/qemu/100/status/current")["status"] == "running"
    assert "vmstate" not in cluster.config(100)
    cluster.finish(cluster.delete(f"{BASE}/warm"))
    assert names(cluster) == {"vm-100-disk-0"}


def test_memory_of_a_stopped_machine_is_none(cluster: Cluster) -> None:
    cluster.machine()
    assert take(cluster, "cold", vmstate=1) == "OK"
    assert cluster.get(BASE)[0]["vmstate"] == 0


def test_rollback_brings_sizes_back_and_keeps_newer_disks_unused(cluster: Cluster) -> None:
    cluster.machine()
    take(cluster, "s1")
    cluster.finish(cluster.put("/nodes/pve1/qemu/100/resize", disk="scsi0", size="10G"))
    cluster.put(CONFIG, scsi1="local-lvm:1")
    assert cluster.finish(cluster.post(f"{BASE}/s1/rollback")) == "OK"
    config = cluster.config(100)
    assert config["scsi0"] == "local-lvm:vm-100-disk-0,size=8G"
    assert config["unused0"] == "local-lvm:vm-100-disk-1" and "scsi1" not in config
    volume = next(volume for volume in cluster.core.state.volumes if volume.name == "vm-100-disk-0")
    assert volume.size == volume.used == 8 * GIB


def test_a_volume_that_a_snapshot_holds_is_not_freed(cluster: Cluster) -> None:
    cluster.machine()
    take(cluster, "s1")
    cluster.put(CONFIG, delete="scsi0")
    refused = cluster.refusal("PUT", CONFIG, delete="unused0")
    assert (refused.status, refused.message) == (
        500,
        "unable to delete 'local-lvm:vm-100-disk-0' - volume is still in use (snapshot?)",
    )
    assert cluster.finish(cluster.post(f"{BASE}/s1/rollback")) == "OK"
    assert "unused0" not in cluster.config(100)


def test_deleting_the_last_holder_lists_the_volume_as_unused(cluster: Cluster) -> None:
    cluster.machine(scsi1="local-lvm:1")
    take(cluster, "s1")
    cluster.core.state.guests.get(100).config.pop("scsi1")  # type: ignore[union-attr]
    cluster.finish(cluster.delete(f"{BASE}/s1"))
    assert cluster.config(100)["unused0"] == "local-lvm:vm-100-disk-1"


def test_removal_of_the_guest_frees_what_its_snapshots_hold(cluster: Cluster) -> None:
    cluster.machine()
    cluster.power(100, "start")
    take(cluster, "warm", vmstate=1)
    cluster.power(100, "stop")
    assert cluster.finish(cluster.delete("/nodes/pve1/qemu/100")) == "OK"
    assert names(cluster) == set()


def test_snapshot_refusals(cluster: Cluster) -> None:
    cluster.machine()
    for name in ("current", "pending"):
        refused = cluster.refusal("POST", BASE, snapname=name)
        assert (refused.status, refused.message) == (500, f"unable to use snapshot name '{name}' (reserved name)")
    assert cluster.refusal("POST", BASE, snapname="x").errors == {
        "snapname": "invalid format - invalid configuration ID 'x'\n"
    }
    take(cluster, "s1")
    assert take(cluster, "s1") == "snapshot name 's1' already used"
    assert cluster.finish(cluster.delete(f"{BASE}/s9")) == "snapshot 's9' does not exist"
    assert cluster.finish(cluster.post(f"{BASE}/s9/rollback")) == "snapshot 's9' does not exist"
    assert (
        cluster.refusal("POST", "/nodes/pve1/qemu/100/template").message
        == "unable to create template, because VM contains snapshots"
    )
    cluster.put(CONFIG, lock="backup")
    assert take(cluster, "s2") == "VM is locked (backup)"
    assert (
        cluster.finish(cluster.post("/nodes/pve1/qemu/9000/snapshot", snapname="s1"))
        == "you can't take a snapshot if it's a template"
    )


@pytest.mark.parametrize(
    ("type", "settings", "disk", "is_possible"),
    [
        ("lvmthin", {"vgname": "vg"}, "store:1", True),
        ("zfspool", {"pool": "tank"}, "store:1", True),
        ("rbd", {"pool": "ceph"}, "store:1", True),
        ("lvm", {"vgname": "vg"}, "store:1", False),
        ("dir", {"path": "/srv"}, "store:1", False),
        ("dir", {"path": "/srv"}, "store:1,format=qcow2", True),
        ("nfs", {"path": "/mnt/pve/store"}, "store:1,format=raw", False),
    ],
)
def test_which_storages_can(cluster: Cluster, type: str, settings: dict, disk: str, is_possible: bool) -> None:
    cluster.core.state.storages.put(Storage("store", type, ["images"], 100 * GIB, settings=settings))
    cluster.machine(scsi0=disk)
    feature = cluster.get("/nodes/pve1/qemu/100/feature", feature="snapshot")
    assert feature["hasFeature"] == int(is_possible)
    assert take(cluster, "s1") == ("OK" if is_possible else "snapshot feature is not available")


def test_zfs_goes_back_to_the_newest_only(cluster: Cluster) -> None:
    cluster.core.state.storages.put(Storage("tank", "zfspool", ["images"], 100 * GIB, settings={"pool": "tank"}))
    cluster.machine(scsi0="tank:1")
    take(cluster, "s1")
    take(cluster, "s2")
    assert (
        cluster.finish(cluster.post(f"{BASE}/s1/rollback"))
        == "can't rollback, 's1' is not most recent snapshot on 'tank:vm-100-disk-0'"
    )
    assert cluster.finish(cluster.post(f"{BASE}/s2/rollback")) == "OK"


def test_description_and_index(cluster: Cluster) -> None:
    cluster.machine()
    take(cluster, "s1")
    assert cluster.put(f"{BASE}/s1/config", description="new") is None
    assert cluster.get(f"{BASE}/s1/config")["description"] == "new"
    assert cluster.get(f"{BASE}/s1") == [{"cmd": "rollback"}, {"cmd": "config"}]


def test_snapshots_of_a_container(cluster: Cluster) -> None:
    base = "/nodes/pve1/lxc/201/snapshot"
    assert cluster.finish(cluster.post(base, snapname="s1")) == "OK"
    assert "vmstate" not in cluster.get(base)[0]
    assert cluster.finish(cluster.post(f"{base}/s1/rollback")) == "OK"
    assert cluster.get("/nodes/pve1/lxc/201/status/current")["status"] == "stopped"
