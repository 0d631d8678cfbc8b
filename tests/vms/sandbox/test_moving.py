"""Disks on their way to another storage or another guest."""

import pytest

from tests.vms.sandbox.driving import Cluster

MOVE = "/nodes/pve1/qemu/100/move_disk"
VOLUME = "/nodes/pve1/lxc/200/move_volume"


@pytest.fixture
def machine(cluster: Cluster) -> Cluster:
    cluster.machine(ide2="none,media=cdrom")
    return cluster


def container(cluster: Cluster, vmid: int = 200) -> None:
    template = "local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz"
    upid = cluster.post(
        "/nodes/pve1/lxc", vmid=vmid, ostemplate=template, rootfs="local-lvm:1", mp0="local-lvm:2,mp=/data"
    )
    assert cluster.finish(upid) == "OK"


def volids(cluster: Cluster, vmid: int) -> list[str]:
    return sorted(volume.volid for volume in cluster.core.state.volumes if volume.vmid == vmid)


def test_the_old_volume_stays_unused(machine: Cluster) -> None:
    upid = machine.post(MOVE, disk="scsi0", storage="shared")
    assert ":qmmove:100:" in upid and machine.finish(upid) == "OK"
    config = machine.config(100)
    assert config["scsi0"] == "shared:100/vm-100-disk-0.qcow2,size=8G"
    assert config["unused0"] == "local-lvm:vm-100-disk-0"
    log = machine.log(upid)
    assert log[0] == "create full clone of drive scsi0 (local-lvm:vm-100-disk-0)"
    assert "transferred 8.0 GiB of 8.0 GiB (100.00%)" in log


def test_or_is_deleted(machine: Cluster) -> None:
    assert machine.finish(machine.post(MOVE, disk="scsi0", storage="shared", delete=1, format="raw")) == "OK"
    assert volids(machine, 100) == ["shared:100/vm-100-disk-0.raw"]
    assert machine.finish(machine.post(MOVE, disk="scsi0", storage="shared", delete=1, format="qcow2")) == "OK"
    assert volids(machine, 100) == ["shared:100/vm-100-disk-1.qcow2"]


@pytest.mark.parametrize(
    ("params", "status", "text", "errors"),
    [
        ({"disk": "scsi9", "storage": "shared"}, 500, "disk 'scsi9' does not exist", {}),
        ({"disk": "scsi0", "storage": "local-lvm"}, 500, "you can't move to the same storage with same format", {}),
        ({"disk": "ide2", "storage": "shared"}, 500, "you can't move a cdrom", {}),
        ({"disk": "scsi0", "storage": "nope"}, 500, "storage 'nope' does not exist", {}),
        (
            {"disk": "scsi0", "storage": "local"}, 400, "Parameter verification failed.",
            {"storage": "storage 'local' does not support vm images"},
        ),
        (
            {"disk": "unused0", "storage": "shared"}, 500,
            "cannot move disk 'unused0', only configured disks can be moved to another storage", {},
        ),
        ({"disk": "scsi0", "storage": "shared", "digest": "0"}, 500, "checksum mismatch (file change by other user?)", {}),
        (
            {"disk": "scsi0"}, 500,
            "Provide either a 'storage' to move the disk to a different storage or 'target-vmid' and 'target-disk' to move "
            "the disk to another VM", {},
        ),
    ],
)  # fmt: skip
def test_refusals(machine: Cluster, params: dict, status: int, text: str, errors: dict) -> None:
    answer = machine.answer("POST", MOVE, **params)
    assert (answer.status, answer.message, answer.errors) == (status, text, errors)


def test_a_disk_with_snapshots_is_not_deleted(machine: Cluster) -> None:
    machine.finish(machine.post("/nodes/pve1/qemu/100/snapshot", snapname="s1"))
    refused = machine.refusal("POST", MOVE, disk="scsi0", storage="shared", delete=1)
    assert refused.message == "you can't move a disk with snapshots and delete the source"
    upid = machine.post(MOVE, disk="scsi0", storage="shared")
    assert machine.finish(upid) == "OK"
    assert "moving disk with snapshots, snapshots will not be moved!" in machine.log(upid)


def test_a_full_storage_changes_nothing(machine: Cluster) -> None:
    before = machine.config(100)
    shared = machine.core.state.storages.get("shared")
    assert shared is not None
    shared.total = 1
    assert "No space left on device" in machine.finish(machine.post(MOVE, disk="scsi0", storage="shared"))
    assert machine.config(100) == before


def test_to_another_machine(machine: Cluster) -> None:
    machine.machine(104)
    upid = machine.post(MOVE, disk="scsi0", target_vmid=104, target_disk="virtio1")
    assert ":qmmove:100-scsi0>104-virtio1:" in upid and machine.finish(upid) == "OK"
    assert "scsi0" not in machine.config(100) and machine.config(100)["boot"] == "order=ide2"
    assert machine.config(104)["virtio1"] == "local-lvm:vm-104-disk-1,size=8G"
    assert volids(machine, 100) == []


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"target_vmid": 999}, "could not find target VM 999"),
        ({"target_vmid": 102}, "Both VMs need to be on the same node (pve1 != pve2)"),
        ({"target_vmid": 9000}, "Can't move disks from or to template VMs"),
        ({"target_vmid": 101}, "Target disk key 'scsi0' is already in use for VM '101'"),
        ({"target_vmid": 101, "disk": "scsi7"}, "Disk 'scsi7' for VM '100' does not exist"),
        ({"target_vmid": 101, "disk": "ide2"}, "CD drive contents can't be moved to another VM"),
    ],
)
def test_refusals_of_another_machine(machine: Cluster, params: dict, text: str) -> None:
    refused = machine.refusal("POST", MOVE, **({"disk": "scsi0"} | params))
    assert (refused.status, refused.message) == (500, text)


def test_a_running_machine_keeps_its_disks(machine: Cluster) -> None:
    machine.power(100, "start")
    refused = machine.refusal("POST", MOVE, disk="scsi0", target_vmid=101, target_disk="scsi5")
    assert refused.message == "Cannot move disk to another VM while the source VM is running - detach first"
    assert machine.refusal("POST", MOVE, disk="scsi0", target_vmid=100).errors == {
        "target-vmid": "must be different than source VMID to reassign disk"
    }


def test_volumes_of_a_container(cluster: Cluster) -> None:
    container(cluster)
    upid = cluster.post(VOLUME, volume="mp0", storage="shared", delete=1)
    assert ":move_volume:200:" in upid and cluster.config(200, kind="lxc")["lock"] == "disk"
    assert cluster.finish(upid) == "OK"
    assert cluster.config(200, kind="lxc")["mp0"] == "shared:200/vm-200-disk-0.raw,mp=/data,size=2G"
    container(cluster, 203)
    assert cluster.finish(cluster.post(VOLUME, volume="mp0", target_vmid=203, target_volume="mp1")) == "OK"
    assert cluster.config(203, kind="lxc")["mp1"] == "shared:203/vm-203-disk-0.raw,mp=/data,size=2G"
    cluster.power(200, "start", kind="lxc")
    refused = cluster.refusal("POST", VOLUME, volume="rootfs", storage="shared")
    assert refused.message == "cannot move volumes of a running container"
