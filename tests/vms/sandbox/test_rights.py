"""Who may set which option."""

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.model import Grant, User

CONFIG = "/nodes/pve1/qemu/100/config"
FORBIDDEN = "Permission check failed ({})"


def admit(cluster: Cluster, *grants: tuple[str, str]) -> Cluster:
    """The same cluster as a user with these roles on these paths sees it."""
    state = cluster.core.state
    state.users.put(User("eve@pve"))
    for path, role in grants:
        state.grants.put(Grant(path, "user", "eve@pve", role))
    return Cluster(cluster.core, cluster.clock, Identity("eve@pve"))


@pytest.mark.parametrize(
    ("role", "change", "status", "text"),
    [
        ("PVEVMAdmin", {"cores": 2, "memory": 1024, "name": "x", "tags": "a", "vga": "std", "boot": "order=scsi0"}, 200, ""),
        ("PVEVMUser", {"ciuser": "x"}, 200, ""),
        ("PVEVMUser", {"ide2": "none,media=cdrom"}, 200, ""),
        ("PVEVMUser", {"cores": 2}, 403, FORBIDDEN.format("/vms/100, VM.Config.CPU")),
        ("PVEVMUser", {"numa0": "cpus=0,memory=512"}, 403, FORBIDDEN.format("/vms/100, VM.Config.CPU")),
        ("PVEVMUser", {"memory": 1024}, 403, FORBIDDEN.format("/vms/100, VM.Config.Memory")),
        ("PVEVMUser", {"vga": "std"}, 403, FORBIDDEN.format("/vms/100, VM.Config.HWType")),
        ("PVEVMUser", {"name": "x"}, 403, FORBIDDEN.format("/vms/100, VM.Config.Options")),
        ("PVEVMUser", {"delete": "name"}, 403, FORBIDDEN.format("/vms/100, VM.Config.Options")),
        ("PVEVMUser", {"boot": "order=scsi0"}, 403, FORBIDDEN.format("/vms/100, VM.Config.Disk")),
        ("PVEVMUser", {"scsi1": "local-lvm:1"}, 403, FORBIDDEN.format("/vms/100, VM.Config.Disk")),
        ("PVEVMUser", {"net0": "virtio,bridge=vmbr0"}, 403, FORBIDDEN.format("/vms/100, VM.Config.Network")),
        ("PVEVMAdmin", {"startup": "order=1"}, 403, FORBIDDEN.format("/, Sys.Modify")),
        ("PVEVMAdmin", {"scsi1": "local-lvm:1"}, 403, FORBIDDEN.format("/storage/local-lvm, Datastore.AllocateSpace")),
        ("PVEVMAdmin", {"net0": "virtio,bridge=vmbr0"}, 403, FORBIDDEN.format("/sdn/zones/localnetwork/vmbr0, SDN.Use")),
        (
            "PVEVMAdmin", {"net0": "virtio,bridge=vmbr0,tag=7"}, 403,
            FORBIDDEN.format("/sdn/zones/localnetwork/vmbr0/7, SDN.Use"),
        ),
        ("PVEVMAdmin", {"args": "-vnc :1"}, 500, "only root can set 'args' config"),
        ("PVEVMAdmin", {"lock": "backup"}, 500, "only root can set 'lock' config"),
        ("PVEVMAdmin", {"hookscript": "local:snippets/x.pl"}, 500, "only root can set 'hookscript' config"),
        ("PVEVMAdmin", {"serial0": "/dev/ttyS0"}, 500, "only root can set 'serial0' config for real devices"),
        ("PVEVMAdmin", {"usb0": "host=1234:5678"}, 500, "only root can set 'usb0' config for real devices"),
        ("PVEVMAdmin", {"hostpci0": "01:00.0"}, 500, "only root can set 'hostpci0' config for non-mapped devices"),
        ("PVEVMAdmin", {"usb0": "mapping=stick"}, 403, FORBIDDEN.format("/mapping/usb/stick, Mapping.Use")),
        ("PVEVMAdmin", {"serial0": "socket"}, 200, ""),
        ("PVEVMAdmin", {"scsi3": "/dev/sdb"}, 500, "Only root can pass arbitrary filesystem paths."),
    ],
)  # fmt: skip
def test_options_of_a_machine(cluster: Cluster, role: str, change: dict, status: int, text: str) -> None:
    cluster.machine()
    answer = admit(cluster, ("/vms/100", role)).answer("PUT", CONFIG, **change)
    assert (answer.status, answer.message) == (status, text)


def test_space_and_a_bridge_make_the_change_possible(cluster: Cluster) -> None:
    cluster.machine()
    eve = admit(
        cluster, ("/vms/100", "PVEVMAdmin"), ("/storage/local-lvm", "PVEDatastoreUser"),
        ("/sdn/zones/localnetwork", "PVESDNUser"),
    )  # fmt: skip
    eve.put(CONFIG, scsi1="local-lvm:1", net0="virtio,bridge=vmbr0,tag=7")
    assert {"scsi1", "net0"} <= cluster.config(100).keys()


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"cores": 1, "memory": 512, "hostname": "x", "onboot": 1}, 200, ""),
        ({"features": "nesting=1"}, 200, ""),
        ({"features": "mount=nfs"}, 403, "changing feature flags (except nesting) is only allowed for root@pam"),
        ({"hookscript": "local:snippets/x.pl"}, 403, "changing the hookscript is only allowed for root@pam"),
        ({"dev0": "/dev/kvm"}, 403, "configuring device passthrough is only allowed for root@pam"),
        ({"mp0": "/srv,mp=/srv"}, 403, "mount point type bind is only allowed for root@pam"),
    ],
)
def test_options_of_a_container(cluster: Cluster, change: dict, status: int, text: str) -> None:
    answer = admit(cluster, ("/vms/201", "PVEVMAdmin")).answer("PUT", "/nodes/pve1/lxc/201/config", **change)
    assert (answer.status, answer.message) == (status, FORBIDDEN.format(text) if text else "")


def test_a_token_of_root_is_not_root(cluster: Cluster) -> None:
    cluster.machine()
    token = Cluster(cluster.core, cluster.clock, Identity("root@pam", "alma"))
    assert token.refusal("PUT", CONFIG, args="-vnc :1").message == "only root can set 'args' config"
    assert token.refusal("PUT", CONFIG, name="x", skiplock=1).errors == {"skiplock": "Only root may use this option."}
    token.put(CONFIG, startup="order=1", scsi1="local-lvm:1")


def test_creation_takes_the_rights_of_its_options_or_of_its_pool(cluster: Cluster) -> None:
    cluster.post("/pools", poolid="lab")
    eve = admit(cluster, ("/pool/lab", "PVEVMAdmin"), ("/storage/local-lvm", "PVEDatastoreUser"))
    assert eve.refusal("POST", "/nodes/pve1/qemu", vmid=300).message == "Permission check failed"
    refused = eve.refusal("POST", "/nodes/pve1/qemu", vmid=300, pool="lab", net0="virtio,bridge=vmbr0")
    assert refused.message == FORBIDDEN.format("/sdn/zones/localnetwork/vmbr0, SDN.Use")
    assert cluster.finish(eve.post("/nodes/pve1/qemu", vmid=300, pool="lab", cores=2, scsi0="local-lvm:1")) == "OK"
