"""Clones, templates and snapshots."""

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.model import Storage
from vms.sandbox.core.sizes import GIB

CLONE = "/nodes/pve1/qemu/9000/clone"


def test_full_clone_of_a_template(cluster: Cluster) -> None:
    upid = cluster.post(CLONE, newid=100, name="web-1", full=1, storage="local-lvm", target="pve1")
    assert ":qmclone:9000:" in upid
    row = next(row for row in cluster.get("/nodes/pve1/qemu") if row["vmid"] == 100)
    assert row["lock"] == "clone"
    assert cluster.finish(upid) == "OK"
    config, template = cluster.config(100), cluster.config(9000)
    assert config["scsi0"] == "local-lvm:vm-100-disk-0,discard=on,iothread=1,size=3G"
    assert config["ide2"] == "local-lvm:vm-100-cloudinit,media=cdrom,size=4M"
    assert config["name"] == "web-1"
    assert "template" not in config and "lock" not in config
    assert config["net0"] != template["net0"] and config["smbios1"] != template["smbios1"]
    assert config["vmgenid"] != template["vmgenid"]
    assert "create full clone of drive scsi0 (shared:9000/base-9000-disk-0.qcow2)" in cluster.log(upid)
    assert cluster.log(upid)[-1] == "TASK OK"


def test_linked_clone_is_the_default_of_a_template_and_protects_it(cluster: Cluster) -> None:
    assert cluster.finish(cluster.post(CLONE, newid=100, target="pve2")) == "OK"
    config = cluster.config(100, node="pve2")
    assert config["scsi0"].startswith("shared:9000/base-9000-disk-0.qcow2/100/vm-100-disk-0.qcow2,")
    assert config["name"] == "Copy-of-VM-debian-12-cloudinit"
    upid = cluster.delete("/nodes/pve1/qemu/9000")
    assert cluster.finish(upid) == "base volume 'shared:9000/base-9000-disk-0.qcow2' is still in use by linked cloned"
    cluster.finish(cluster.delete("/nodes/pve2/qemu/100"))
    assert cluster.finish(cluster.delete("/nodes/pve1/qemu/9000")) == "OK"


def test_clones_of_a_stopped_template_run_in_parallel(cluster: Cluster) -> None:
    upids = [cluster.post(CLONE, newid=vmid, full=1) for vmid in (300, 301, 302)]
    ends = {cluster.core.state.tasks.get(upid).due_at for upid in upids}  # type: ignore[union-attr]
    assert len(ends) == 1


def test_a_template_stays_until_its_clones_are_made(cluster: Cluster) -> None:
    cloned = cluster.post(CLONE, newid=300, full=1)
    removed = cluster.delete("/nodes/pve1/qemu/9000")
    assert cluster.finish(removed) == "OK"
    assert cluster.get(f"/nodes/pve1/tasks/{cloned}/status")["exitstatus"] == "OK"
    assert cluster.config(300)["scsi0"].startswith("shared:300/vm-300-disk-0.qcow2,")
    assert 9000 not in cluster.core.state.guests


@pytest.mark.parametrize(
    ("params", "status", "message", "errors"),
    [
        ({"newid": 101}, 500, "unable to create VM 101: config file already exists", {}),
        ({"newid": 300, "storage": "local-lvm"}, 500, "parameter 'storage' not allowed for linked clones", {}),
        ({"newid": 300, "format": "raw"}, 500, "parameter 'format' not allowed for linked clones", {}),
        ({"newid": 300, "full": 1, "storage": "nope"}, 500, "storage 'nope' does not exist", {}),
        (
            {"newid": 300, "full": 1, "storage": "local"},
            400,
            None,
            {"storage": "storage 'local' does not support vm images"},
        ),
        (
            {"newid": 300, "full": 1, "storage": "local-lvm", "target": "pve2"},
            500,
            "can't clone to non-shared storage 'local-lvm'",
            {},
        ),
        ({"newid": 300, "target": "pve9"}, 500, "no such cluster node 'pve9'", {}),
        ({"newid": 300, "snapname": "nope"}, 500, "snapshot 'nope' does not exist", {}),
        ({"newid": 300, "pool": "nope"}, 403, "Permission check failed (pool 'nope' does not exist)", {}),
        ({}, 400, None, {"newid": "property is missing and it is not optional"}),
    ],
)
def test_clone_refusals(cluster: Cluster, params: dict, status: int, message: str | None, errors: dict) -> None:
    before = len(cluster.core.state.guests)
    refused = cluster.refusal("POST", CLONE, **params)
    assert (refused.status, refused.errors) == (status, errors)
    assert message is None or refused.message == message
    assert len(cluster.core.state.guests) == before


def test_a_machine_on_local_storage_stays_on_its_node(cluster: Cluster) -> None:
    cluster.machine()
    refused = cluster.refusal("POST", "/nodes/pve1/qemu/100/clone", newid=300, target="pve2")
    assert refused.message == "can't clone VM to node 'pve2' (VM uses local storage)"
    assert (
        "Linked clone feature is not supported"
        in cluster.refusal("POST", "/nodes/pve1/qemu/100/clone", newid=300, full=0).message
    )


def test_a_failed_clone_leaves_nothing(cluster: Cluster) -> None:
    cluster.machine(scsi0="local-lvm:1000")
    upid = cluster.post("/nodes/pve1/qemu/100/clone", newid=300)
    assert cluster.finish(upid).startswith("clone failed: lvcreate")
    assert 300 not in cluster.core.state.guests
    assert not [volume for volume in cluster.core.state.volumes if volume.vmid == 300]


def test_an_interrupted_clone_leaves_nothing(cluster: Cluster) -> None:
    upid = cluster.post(CLONE, newid=300, full=1)
    cluster.delete(f"/nodes/pve1/tasks/{upid}")
    assert cluster.get(f"/nodes/pve1/tasks/{upid}/status")["exitstatus"] == "received interrupt"
    assert 300 not in cluster.core.state.guests


def test_container_clones_of_one_source_exclude_each_other(cluster: Cluster) -> None:
    cluster.power(201, "stop", kind="lxc")
    clone = "/nodes/pve1/lxc/201/clone"
    first = cluster.post(clone, newid=300, hostname="copy")
    assert cluster.refusal("POST", clone, newid=301).message == "CT is locked (disk)"
    assert cluster.finish(first) == "OK"
    assert cluster.config(300, kind="lxc")["hostname"] == "copy"
    assert "lock" not in cluster.config(201, kind="lxc")
    assert cluster.finish(cluster.post(clone, newid=301)) == "OK"


def test_convert_to_a_template_and_back_to_a_machine(cluster: Cluster) -> None:
    cluster.machine()
    template = "/nodes/pve1/qemu/100/template"
    assert cluster.finish(cluster.post(template)) == "OK"
    config = cluster.config(100)
    assert config["template"] == 1 and config["scsi0"] == "local-lvm:base-100-disk-0,size=8G"
    assert cluster.refusal("POST", template).message == "you can't convert a template to a template"
    assert cluster.finish(cluster.post("/nodes/pve1/qemu/100/clone", newid=300)) == "OK"
    assert cluster.config(300)["scsi0"] == "local-lvm:vm-300-disk-0,size=8G"
    assert (
        cluster.refusal("POST", "/nodes/pve1/qemu/101/template").message
        == "you can't convert a VM to template if VM is running"
    )


def test_clone_of_a_snapshot_is_as_the_machine_was(cluster: Cluster) -> None:
    cluster.machine(cores=1)
    cluster.finish(cluster.post("/nodes/pve1/qemu/100/snapshot", snapname="s1"))
    cluster.finish(cluster.put("/nodes/pve1/qemu/100/resize", disk="scsi0", size="10G"))
    cluster.put("/nodes/pve1/qemu/100/config", cores=4)
    assert cluster.finish(cluster.post("/nodes/pve1/qemu/100/clone", newid=300, snapname="s1")) == "OK"
    config = cluster.config(300)
    assert (config["cores"], config["scsi0"]) == (1, "local-lvm:vm-300-disk-0,size=8G")
    assert not {"parent", "vmstate", "snaptime", "unused0"} & config.keys()
    volume = next(volume for volume in cluster.core.state.volumes if volume.vmid == 300)
    assert volume.size == 8 * GIB and cluster.get("/nodes/pve1/qemu/300/snapshot")[0]["name"] == "current"


@pytest.mark.parametrize(
    ("type", "settings", "name"),
    [
        ("lvmthin", {"vgname": "vg"}, "store:vm-300-disk-0"),
        ("zfspool", {"pool": "tank"}, "store:base-100-disk-0/vm-300-disk-0"),
        ("rbd", {"pool": "ceph"}, "store:base-100-disk-0/vm-300-disk-0"),
        ("dir", {"path": "/srv"}, "store:100/base-100-disk-0.raw/300/vm-300-disk-0.qcow2"),
        ("lvm", {"vgname": "vg"}, ""),
    ],
)
def test_linked_clones_by_type_of_storage(cluster: Cluster, type: str, settings: dict, name: str) -> None:
    cluster.core.state.storages.put(Storage("store", type, ["images"], 100 * GIB, settings=settings))
    cluster.machine(scsi0="store:1")
    cluster.finish(cluster.post("/nodes/pve1/qemu/100/template"))
    answer = cluster.answer("POST", "/nodes/pve1/qemu/100/clone", newid=300)
    if name:
        assert cluster.finish(answer.data) == "OK"
        assert cluster.config(300)["scsi0"] == f"{name},size=1G"
        assert cluster.finish(cluster.delete("/nodes/pve1/qemu/100")).startswith("base volume 'store:")
    else:
        text = "Linked clone feature is not supported for 'store:base-100-disk-0' (scsi0)"
        assert (answer.status, answer.message) == (500, text)


def test_a_linked_clone_of_a_machine_is_refused(cluster: Cluster) -> None:
    cluster.machine()
    refused = cluster.refusal("POST", "/nodes/pve1/qemu/100/clone", newid=300, full=0)
    assert refused.message == "Linked clone feature is not supported for 'local-lvm:vm-100-disk-0' (scsi0)"
    refused = cluster.refusal("POST", "/nodes/pve1/qemu/100/clone", newid=300, target="pve2")
    assert refused.message == "can't clone VM to node 'pve2' (VM uses local storage)"
