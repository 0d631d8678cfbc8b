"""Making guests: what is stored, what is refused before the fork, what the worker fails with."""

import re

import pytest

from tests.vms.sandbox.driving import Cluster, make_cluster

QEMU = "/nodes/pve1/qemu"
TEMPLATE = "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst"


def test_create_fills_what_a_real_node_fills(cluster: Cluster) -> None:
    upid = cluster.post(
        QEMU,
        vmid=100,
        name="web",
        memory=2048,
        cores=2,
        scsi0="local-lvm:32,iothread=yes,discard=on",
        ide2="none,media=cdrom",
        net0="virtio,bridge=vmbr0,firewall=1,tag=10",
        tags="Web,alma web",
        agent="enabled=1",
    )
    assert cluster.get(f"{QEMU}/100/status/current")["lock"] == "create"
    assert cluster.finish(upid) == "OK"
    config = cluster.config(100)
    assert config["scsi0"] == "local-lvm:vm-100-disk-0,discard=on,iothread=1,size=32G"
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,firewall=1,tag=10", config["net0"])
    assert config["boot"] == "order=scsi0;ide2;net0"
    assert config["tags"] == "alma;web"
    assert config["memory"] == "2048" and config["cores"] == 2
    assert re.fullmatch(r"uuid=[0-9a-f-]{36}", config["smbios1"])
    assert re.fullmatch(r"creation-qemu=10.1.2,ctime=\d+", config["meta"])
    assert "lock" not in config and "vmid" not in config and re.fullmatch("[0-9a-f]{40}", config["digest"])


def test_create_on_a_directory_names_files(cluster: Cluster) -> None:
    cluster.machine(100, scsi0="shared:10", scsi1="shared:1,format=raw")
    config = cluster.config(100)
    assert config["scsi0"] == "shared:100/vm-100-disk-0.qcow2,size=10G"
    assert config["scsi1"] == "shared:100/vm-100-disk-1.raw,size=1G"


@pytest.mark.parametrize(
    ("params", "status", "message", "errors"),
    [
        ({"vmid": 99}, 400, None, {"vmid": "invalid format - value does not look like a valid VM ID\n"}),
        ({"vmid": 9000}, 500, "unable to create VM 9000 - VM 9000 already exists on node 'pve1'", {}),
        ({"vmid": 300, "pool": "nope"}, 403, "Permission check failed (pool 'nope' does not exist)", {}),
        ({"vmid": 300, "scsi0": "nope:8"}, 500, "storage 'nope' does not exist", {}),
        ({"vmid": 300, "scsi0": "local:8"}, 400, None, {"storage": "storage 'local' does not support vm images"}),
        ({"vmid": 300, "scsi0": "local-lvm:32G"}, 500, "unable to parse lvm volume name '32G'", {}),
        (
            {"vmid": 300, "ide2": "local:iso/debian-12.12.0-amd64-netinst.iso"},
            400,
            None,
            {"media": "explicit 'media=cdrom' is required for iso images"},
        ),
        ({"vmid": 300, "args": "-s"}, 500, None, None),
        ({"vmid": 300, "cores": "two"}, 400, None, {"cores": "type check ('integer') failed - got 'two'"}),
        ({"vmid": 300, "onboot": "True"}, 400, None, {"onboot": "type check ('boolean') failed - got 'True'"}),
        (
            {"vmid": 300, "frobnicate": 1},
            400,
            None,
            {"frobnicate": "property is not defined in schema and the schema does not allow additional properties"},
        ),
        (
            {"vmid": 300, "net0": "virtio,foo=1"},
            400,
            None,
            {"net0": "invalid format - invalid key in comma-separated list property: foo\n"},
        ),
        (
            {"vmid": 300, "net0": "model=virtio,bridge=vmbr0,tag=5000"},
            400,
            None,
            {"net0": "invalid format - format error\ntag: value must have a maximum value of 4094\n"},
        ),
        ({"vmid": 300, "ostype": "beos"}, 400, None, None),
    ],
)
def test_create_refusals(cluster: Cluster, params: dict, status: int, message: str | None, errors: dict | None) -> None:
    cluster.identity = type(cluster.identity)("root@pam", "alma")
    before = len(cluster.core.state.guests)
    refused = cluster.refusal("POST", QEMU, **params)
    assert refused.status == status
    if message is not None:
        assert refused.message == message
    if errors is not None:
        assert refused.errors == errors
    assert len(cluster.core.state.guests) == before
    assert not cluster.core.world.running


def test_create_collects_every_error_at_once(cluster: Cluster) -> None:
    refused = cluster.refusal("POST", QEMU, vmid="x", cores="y", nope=1)
    assert refused.errors.keys() == {"vmid", "cores", "nope"}
    assert refused.message == "Parameter verification failed."


def test_create_without_vmid_says_so(cluster: Cluster) -> None:
    assert cluster.refusal("POST", QEMU, name="x").errors == {"vmid": "property is missing and it is not optional"}


def test_create_on_a_full_storage_fails_the_task_and_leaves_nothing(cluster: Cluster) -> None:
    upid = cluster.post(QEMU, vmid=100, scsi0="local-lvm:1", scsi1="local-lvm:100000")
    status = cluster.finish(upid)
    assert status.startswith(
        "unable to create VM 100 - lvcreate 'pve/vm-100-disk-1' error:   Volume group \"pve\" has insufficient free space"
    )
    assert 100 not in cluster.core.state.guests
    assert not [volume for volume in cluster.core.state.volumes if volume.vmid == 100]
    assert cluster.log(upid)[-1] == f"TASK ERROR: {status}"


def test_two_clients_race_for_one_free_number(cluster: Cluster) -> None:
    first, second = cluster.get("/cluster/nextid"), cluster.get("/cluster/nextid")
    assert first == second == "100"
    cluster.post(QEMU, vmid=first)
    refused = cluster.refusal("POST", "/nodes/pve2/qemu", vmid=second)
    assert refused.message == "unable to create VM 100 - VM 100 already exists on node 'pve1'"


def test_create_with_start_and_pool(cluster: Cluster) -> None:
    cluster.post("/pools", poolid="web")
    cluster.machine(100, start=1, pool="web")
    assert cluster.get(f"{QEMU}/100/status/current")["status"] == "running"
    row = next(row for row in cluster.get("/cluster/resources", type="vm") if row["vmid"] == 100)
    assert row["pool"] == "web"


def test_import_from_brings_the_system_along(cluster: Cluster) -> None:
    cluster.machine(100, scsi0="local-lvm:0,import-from=shared:9000/base-9000-disk-0.qcow2", agent="1")
    assert cluster.config(100)["scsi0"] == "local-lvm:vm-100-disk-0,size=3G"
    cluster.power(100, "start")
    cluster.clock.advance(60)
    assert cluster.post(f"{QEMU}/100/agent/ping") == {"result": {}}


def test_an_image_becomes_a_disk_of_its_own_size(cluster: Cluster) -> None:
    image = "local:import/debian-12-genericcloud-amd64.qcow2"
    cluster.machine(100, scsi0=f"local-lvm:0,import-from={image}", ide2="local-lvm:cloudinit", agent="1")
    assert cluster.config(100)["scsi0"] == "local-lvm:vm-100-disk-0,size=3G"
    (row,) = [
        row for row in cluster.get("/nodes/pve1/storage/local/content", content="import") if row["volid"] == image
    ]
    told = cluster.get(f"/nodes/pve1/storage/local/content/{image}")
    assert (row["size"] < told["size"], told["size"], told["format"]) == (True, 3 * 1024**3, "qcow2")


@pytest.mark.parametrize(
    ("drive", "refusal"),
    [
        ("local-lvm:20,import-from=local:import/debian-12-genericcloud-amd64.qcow2", "requires special syntax"),
        ("local-lvm:0,import-from=local:iso/debian-12.12.0-amd64-netinst.iso", "has wrong type 'iso' - needs to be"),
        ("local-lvm:0,import-from=local:import/nothing.qcow2", "does not exist"),
    ],
)
def test_what_cannot_be_imported(cluster: Cluster, drive: str, refusal: str) -> None:
    refused = cluster.refusal("POST", QEMU, vmid=100, scsi0=drive)
    assert refusal in f"{refused.message} {refused.errors}"


def test_cloud_init_drive(cluster: Cluster) -> None:
    cluster.machine(
        100, ide2="local-lvm:cloudinit", ciuser="debian", cipassword="secret", ipconfig0="ip=10.0.0.5/24,gw=10.0.0.1"
    )
    config = cluster.config(100)
    assert config["ide2"] == "local-lvm:vm-100-cloudinit,media=cdrom,size=4M"
    assert config["cipassword"] == "**********"
    upid = cluster.post(QEMU, vmid=103, ide2="local-lvm:cloudinit", scsi1="local-lvm:cloudinit")
    assert "cloud-init drive is already attached at 'ide2'" in cluster.finish(upid)


def test_container_is_made_from_its_archive(cluster: Cluster) -> None:
    upid = cluster.post(
        "/nodes/pve1/lxc", vmid=200, ostemplate=TEMPLATE, hostname="ct", rootfs="local-lvm:8", memory=1024,
        net0="name=eth0,bridge=vmbr0,ip=dhcp", features="nesting=1",
    )  # fmt: skip
    assert cluster.finish(upid) == "OK"
    config = cluster.config(200, kind="lxc")
    assert config["rootfs"] == "local-lvm:vm-200-disk-0,size=8G"
    assert (config["arch"], config["ostype"], config["memory"], config["swap"], config["unprivileged"]) == (
        "amd64",
        "debian",
        1024,
        512,
        1,
    )
    assert re.fullmatch(r"name=eth0,bridge=vmbr0,hwaddr=BC:24:11(:[0-9A-F]{2}){3},ip=dhcp,type=veth", config["net0"])
    assert cluster.get("/nodes/pve1/lxc/200/status/current")["type"] == "lxc"


def test_container_with_a_missing_archive_fails_as_a_task(cluster: Cluster) -> None:
    upid = cluster.post("/nodes/pve1/lxc", vmid=200, ostemplate="local:vztmpl/x", rootfs="local-lvm:8")
    assert cluster.finish(upid) == "unable to create CT 200 - volume 'local:vztmpl/x' does not exist"
    assert 200 not in cluster.core.state.guests


def test_container_with_a_taken_number_has_no_prefix(cluster: Cluster) -> None:
    refused = cluster.refusal("POST", "/nodes/pve1/lxc", vmid=201, ostemplate=TEMPLATE, rootfs="local-lvm:8")
    assert refused.message == "CT 201 already exists on node 'pve1'"


def test_the_same_seed_makes_the_same_cluster() -> None:
    first, second = make_cluster(), make_cluster()
    assert first.config(101) == second.config(101)
    first.machine(100, net0="virtio"), second.machine(100, net0="virtio")
    assert first.config(100) == second.config(100)


@pytest.mark.parametrize(("start", "state"), [(0, "stopped"), (1, "started")])
def test_a_machine_may_be_made_managed(cluster: Cluster, start: int, state: str) -> None:
    upid = cluster.post(QEMU, vmid=300, scsi0="local-lvm:1", ha_managed=1, start=start)
    assert cluster.finish(upid) == "OK" and "Add as HA resource" in cluster.log(upid)
    row = next(row for row in cluster.get("/cluster/ha/resources") if row["sid"] == "vm:300")
    assert row["state"] == state
    assert cluster.get(f"{QEMU}/300/status/current")["ha"]["managed"] == 1
