"""What a running machine takes at once, what waits, and what it refuses to let go of."""

import pytest

from tests.vms.sandbox.driving import Cluster

CONFIG = "/nodes/pve1/qemu/100/config"


@pytest.fixture
def running(cluster: Cluster) -> Cluster:
    cluster.machine(
        net0="virtio=BC:24:11:00:00:01,bridge=vmbr0", scsi1="local-lvm:1", sata0="local-lvm:1", ide2="none,media=cdrom",
        agent="1", memory=1024, balloon=512, boot="order=scsi0",
    )  # fmt: skip
    cluster.power(100, "start")
    return cluster


@pytest.mark.parametrize(
    ("change", "is_hot"),
    [
        ({"name": "other"}, True),
        ({"description": "x"}, True),
        ({"onboot": 1}, True),
        ({"shares": 500}, True),
        ({"ciuser": "me"}, True),
        ({"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr1"}, True),
        ({"net1": "virtio,bridge=vmbr0"}, True),
        ({"delete": "net0"}, True),
        ({"scsi2": "local-lvm:1"}, True),
        ({"delete": "scsi1"}, True),
        ({"scsi1": "local-lvm:vm-100-disk-1,mbps_rd=10"}, True),
        ({"scsi1": "local-lvm:vm-100-disk-1,cache=writeback"}, False),
        ({"delete": "sata0"}, False),
        ({"sata1": "local-lvm:1"}, False),
        ({"ide2": "local:iso/debian-12.12.0-amd64-netinst.iso,media=cdrom"}, True),
        ({"balloon": 600}, True),
        ({"balloon": 0}, False),
        ({"memory": 2048}, False),
        ({"cores": 2}, False),
        ({"cpu": "host"}, False),
        ({"vcpus": 1}, False),
        ({"boot": "order=scsi1"}, False),
        ({"agent": "1,freeze-fs=0"}, True),
        ({"agent": "0"}, False),
        ({"usb0": "spice"}, True),
        ({"vga": "qxl"}, False),
    ],
)
def test_of_a_running_machine(running: Cluster, change: dict, is_hot: bool) -> None:
    running.put(CONFIG, **change)
    waits = any("pending" in row or "delete" in row for row in running.get("/nodes/pve1/qemu/100/pending"))
    assert waits is not is_hot
    running.power(100, "stop")
    assert not any("pending" in row or "delete" in row for row in running.get("/nodes/pve1/qemu/100/pending"))


@pytest.mark.parametrize(
    ("hotplug", "change", "is_hot"),
    [
        ("network", {"scsi2": "local-lvm:1"}, False),
        ("network", {"net1": "virtio,bridge=vmbr0"}, True),
        ("disk", {"net1": "virtio,bridge=vmbr0"}, False),
        ("0", {"net1": "virtio,bridge=vmbr0"}, False),
        ("1", {"net1": "virtio,bridge=vmbr0"}, True),
        ("cpu,memory", {"memory": 2048}, True),
        ("cpu,memory", {"vcpus": 1}, True),
    ],
)
def test_the_hotplug_option_decides(cluster: Cluster, hotplug: str, change: dict, is_hot: bool) -> None:
    cluster.machine(hotplug=hotplug)
    cluster.power(100, "start")
    cluster.put(CONFIG, **change)
    assert (next(iter(change)) in cluster.config(100, current=1)) is is_hot or "memory" in change
    assert any("pending" in row for row in cluster.get("/nodes/pve1/qemu/100/pending")) is not is_hot


@pytest.mark.parametrize("change", [{"delete": "scsi0"}, {"scsi0": "local-lvm:4"}])
def test_a_boot_disk_is_not_unplugged(running: Cluster, change: dict) -> None:
    refused = running.refusal("PUT", CONFIG, **change)
    assert (refused.status, refused.message) == (400, "Parameter verification failed.")
    assert refused.errors == {"scsi0": "hotplug problem - can't unplug bootdisk 'scsi0'\n"}
    assert running.config(100, current=1)["scsi0"] == "local-lvm:vm-100-disk-0,size=8G"
    running.power(100, "stop")
    assert running.config(100)["unused0"] == "local-lvm:vm-100-disk-0"


def test_a_pending_disk_that_is_overruled_is_kept_unused(running: Cluster) -> None:
    running.put(CONFIG, sata1="local-lvm:1")
    running.put(CONFIG, sata1="local-lvm:2")
    config = running.config(100)
    assert (config["sata1"], config["unused0"]) == ("local-lvm:vm-100-disk-4,size=2G", "local-lvm:vm-100-disk-3")


def test_a_forced_removal_frees_the_disk(running: Cluster) -> None:
    running.put(CONFIG, delete="sata0", force=1)
    assert {"key": "sata0", "value": "local-lvm:vm-100-disk-2,size=1G", "delete": 2} in running.get(
        "/nodes/pve1/qemu/100/pending"
    )
    running.power(100, "stop")
    assert "unused0" not in running.config(100)
    names = [volume.name for volume in running.core.state.volumes if volume.vmid == 100]
    assert names == ["vm-100-disk-0", "vm-100-disk-1"]


@pytest.mark.parametrize(
    ("change", "is_hot"),
    [
        ({"memory": 1024}, True), ({"cores": 2}, True), ({"hostname": "other"}, True), ({"tags": "a"}, True),
        ({"net1": "name=eth1,bridge=vmbr0"}, True), ({"mp0": "local-lvm:1,mp=/data"}, True),
        ({"nameserver": "9.9.9.9"}, False), ({"tty": 3}, False), ({"features": "nesting=0"}, False),
    ],
)  # fmt: skip
def test_of_a_running_container(cluster: Cluster, change: dict, is_hot: bool) -> None:
    cluster.put("/nodes/pve1/lxc/201/config", **change)
    assert any("pending" in row for row in cluster.get("/nodes/pve1/lxc/201/pending")) is not is_hot


@pytest.mark.parametrize(
    ("set_up", "delete", "text"),
    [
        ({"protection": 1}, "scsi1", "can't remove drive 'scsi1' - protection mode enabled"),
        (
            {"delete": "scsi1", "protection": 1},
            "unused0",
            "can't remove unused disk 'local-lvm:vm-100-disk-1' - protection mode enabled",
        ),
    ],
)
def test_protection_keeps_disks(cluster: Cluster, set_up: dict, delete: str, text: str) -> None:
    cluster.machine(scsi1="local-lvm:1")
    cluster.put(CONFIG, **set_up)
    refused = cluster.refusal("PUT", CONFIG, delete=delete)
    assert (refused.status, refused.message) == (500, text)
