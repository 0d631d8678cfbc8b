"""Changing configurations, at once and pending."""

import pytest

from tests.vms.sandbox.driving import Cluster

CONFIG = "/nodes/pve1/qemu/100/config"


@pytest.fixture
def running(cluster: Cluster) -> Cluster:
    cluster.machine(net0="virtio=BC:24:11:00:00:01,bridge=vmbr0", cores=1, memory=512)
    cluster.power(100, "start")
    return cluster


def test_change_of_a_stopped_machine_applies_at_once(cluster: Cluster) -> None:
    cluster.machine()
    assert cluster.put(CONFIG, cores=4, description="owned by alma\n", tags="b;a") is None
    config = cluster.config(100)
    assert (config["cores"], config["description"], config["tags"]) == (4, "owned by alma", "a;b")


def test_cold_options_of_a_running_machine_wait(running: Cluster) -> None:
    running.put(CONFIG, cores=4, memory=1024, name="renamed")
    assert running.config(100)["cores"] == 4
    assert running.config(100, current=1)["cores"] == 1
    assert running.config(100, current=1)["name"] == "renamed"
    rows = {row["key"]: row for row in running.get("/nodes/pve1/qemu/100/pending")}
    assert rows["cores"] == {"key": "cores", "value": 1, "pending": 4}
    assert "pending" not in rows["name"]


@pytest.mark.parametrize("ending", ["stop", "reboot"])
def test_pending_is_applied_by_stop_and_reboot(running: Cluster, ending: str) -> None:
    running.put(CONFIG, cores=4)
    if ending == "reboot":
        running.core.state.volumes.edit(
            next(v for v in running.core.state.volumes if v.vmid == 100)
        ).system = "debian-12"
    assert running.power(100, ending) == "OK"
    assert running.config(100, current=1)["cores"] == 4


def test_reset_does_not_apply_pending(running: Cluster) -> None:
    running.put(CONFIG, cores=4)
    running.power(100, "reset")
    assert running.config(100, current=1)["cores"] == 1


def test_revert_takes_a_pending_value_back(running: Cluster) -> None:
    running.put(CONFIG, cores=4, delete="memory")
    running.put(CONFIG, revert="cores,memory")
    assert running.config(100)["cores"] == 1 and running.config(100)["memory"] == "512"
    assert not any("pending" in row or "delete" in row for row in running.get("/nodes/pve1/qemu/100/pending"))


def test_delete_waits_as_well(running: Cluster) -> None:
    running.put(CONFIG, delete="cores")
    assert {"key": "cores", "value": 1, "delete": 1} in running.get("/nodes/pve1/qemu/100/pending")
    running.power(100, "stop")
    assert "cores" not in running.config(100)


def test_disks_are_plugged_into_a_running_machine(running: Cluster) -> None:
    running.put(CONFIG, scsi1="local-lvm:2")
    assert running.config(100, current=1)["scsi1"] == "local-lvm:vm-100-disk-1,size=2G"
    running.put(CONFIG, virtio0="local-lvm:1")
    running.put(CONFIG, sata0="local-lvm:1")
    assert "sata0" not in running.config(100, current=1)


def test_a_detached_disk_becomes_unused_and_is_freed_when_deleted_again(cluster: Cluster) -> None:
    cluster.machine(scsi1="local-lvm:2")
    cluster.put(CONFIG, delete="scsi0")
    config = cluster.config(100)
    assert config["unused0"] == "local-lvm:vm-100-disk-0"
    assert config["boot"] == "order="
    cluster.put(CONFIG, delete="unused0")
    assert "unused0" not in cluster.config(100)
    assert [volume.name for volume in cluster.core.state.volumes if volume.vmid == 100] == ["vm-100-disk-1"]


def test_replacing_a_disk_keeps_the_old_one_unused(cluster: Cluster) -> None:
    cluster.machine()
    cluster.put(CONFIG, scsi0="local-lvm:16")
    config = cluster.config(100)
    assert config["scsi0"] == "local-lvm:vm-100-disk-1,size=16G"
    assert config["unused0"] == "local-lvm:vm-100-disk-0"


def test_reattaching_an_unused_disk(cluster: Cluster) -> None:
    cluster.machine()
    cluster.put(CONFIG, delete="scsi0")
    cluster.put(CONFIG, virtio0="local-lvm:vm-100-disk-0", delete="unused0")
    config = cluster.config(100)
    assert config["virtio0"] == "local-lvm:vm-100-disk-0,size=8G" and "unused0" not in config
    assert [volume.name for volume in cluster.core.state.volumes if volume.vmid == 100] == ["vm-100-disk-0"]


def test_a_change_that_finds_the_storage_full_changes_nothing(cluster: Cluster) -> None:
    cluster.machine()
    before = cluster.config(100)
    refused = cluster.refusal("PUT", CONFIG, scsi1="local-lvm:1", scsi2="local-lvm:90000", name="other", delete="scsi0")
    assert refused.status == 500 and "insufficient free space" in refused.message
    assert cluster.config(100) == before
    assert [volume.name for volume in cluster.core.state.volumes if volume.vmid == 100] == ["vm-100-disk-0"]


def test_a_new_mac_only_when_none_is_given(cluster: Cluster) -> None:
    cluster.machine(net0="virtio=bc:24:11:aa:bb:cc,bridge=vmbr0")
    assert cluster.config(100)["net0"] == "virtio=BC:24:11:AA:BB:CC,bridge=vmbr0"
    cluster.put(CONFIG, net0="virtio,bridge=vmbr0")
    assert "BC:24:11:AA:BB:CC" not in cluster.config(100)["net0"]


@pytest.mark.parametrize(
    ("params", "message", "errors"),
    [
        ({}, "no options specified", {}),
        ({"digest": "0" * 40, "name": "x"}, "checksum mismatch (file change by other user?)", {}),
        ({"delete": "nonsense"}, None, {"delete": "unknown option 'nonsense'"}),
        ({"revert": "nonsense"}, None, {"revert": "unknown option 'nonsense'"}),
        (
            {"delete": "cores", "cores": 2},
            None,
            {"delete": "you can't use '-cores' and -delete cores' at the same time"},
        ),
        ({"force": 1, "name": "x"}, None, {"delete": "missing property required by 'force'"}),
        ({"balloon": 4096}, "balloon value too large (must be smaller than assigned memory)", {}),
        ({"boot": "order=scsi5"}, None, {"boot": "invalid bootorder: device 'scsi5' does not exist'"}),
    ],
)
def test_change_refusals(cluster: Cluster, params: dict, message: str | None, errors: dict) -> None:
    cluster.machine()
    refused = cluster.refusal("PUT", CONFIG, **params)
    assert refused.errors == errors
    assert refused.message == (message or "Parameter verification failed.")


def test_the_right_digest_lets_a_change_through(cluster: Cluster) -> None:
    cluster.machine()
    before = cluster.config(100)["digest"]
    cluster.put(CONFIG, digest=before, name="other")
    assert cluster.config(100)["digest"] != before


def test_a_locked_guest_refuses_changes(cluster: Cluster) -> None:
    cluster.machine()
    cluster.put(CONFIG, lock="backup")
    assert cluster.refusal("PUT", CONFIG, name="x").message == "VM is locked (backup)"
    assert cluster.power(100, "start") == "VM is locked (backup)"
    cluster.put(CONFIG, delete="lock", skiplock=1)
    assert cluster.power(100, "start") == "OK"


def test_post_config_is_a_task(cluster: Cluster) -> None:
    cluster.machine()
    upid = cluster.post(CONFIG, scsi1="local-lvm:3", name="later")
    assert ":qmconfig:100:" in upid and cluster.finish(upid) == "OK"
    assert cluster.config(100)["scsi1"] == "local-lvm:vm-100-disk-1,size=3G"


def test_container_changes_and_read_only_options(cluster: Cluster) -> None:
    path = "/nodes/pve1/lxc/201/config"
    cluster.put(path, memory=2048, cores=2)
    assert cluster.config(201, kind="lxc", current=1)["memory"] == 2048
    assert cluster.refusal("PUT", path, unprivileged=0).message == "unable to modify read-only option: 'unprivileged'"


def test_resize(cluster: Cluster) -> None:
    cluster.machine(ide2="none,media=cdrom")
    resize = "/nodes/pve1/qemu/100/resize"
    assert cluster.finish(cluster.put(resize, disk="scsi0", size="+2G")) == "OK"
    assert cluster.config(100)["scsi0"] == "local-lvm:vm-100-disk-0,size=10G"
    assert cluster.finish(cluster.put(resize, disk="scsi0", size="10G")) == "OK"
    assert cluster.finish(cluster.put(resize, disk="scsi0", size="5G")) == "shrinking disks is not supported"
    assert cluster.finish(cluster.put(resize, disk="scsi9", size="5G")) == "disk 'scsi9' does not exist"
    assert cluster.finish(cluster.put(resize, disk="ide2", size="5G")) == "you can't resize a cdrom"
    assert "insufficient free space" in cluster.finish(cluster.put(resize, disk="scsi0", size="90T"))
    assert cluster.refusal("PUT", resize, disk="scsi0", size="5X").errors == {
        "size": "value does not match the regex pattern"
    }


def test_resize_of_a_container_is_refused_before_the_fork(cluster: Cluster) -> None:
    resize = "/nodes/pve1/lxc/201/resize"
    assert cluster.refusal("PUT", resize, disk="rootfs", size="4G").message == "disk is already at specified size"
    assert cluster.refusal("PUT", resize, disk="rootfs", size="1G").message == "unable to shrink disk size"
    assert cluster.finish(cluster.put(resize, disk="rootfs", size="6G")) == "OK"
    assert cluster.config(201, kind="lxc")["rootfs"] == "local-lvm:vm-201-disk-0,size=6G"
