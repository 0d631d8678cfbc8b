"""Cloud-init: the seed disk, its texts, and what has changed since it was written."""

from urllib.parse import quote

import pytest

from tests.vms.sandbox.driving import Cluster

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvGmgLQzEjzB7fYQ3mzYMYtxKJuyb1xyM+MlgFxEQhv me@here"
CONFIG = "/nodes/pve1/qemu/100/config"
BASE = "/nodes/pve1/qemu/100/cloudinit"


@pytest.fixture
def seeded(cluster: Cluster) -> Cluster:
    cluster.machine(
        ide2="local-lvm:cloudinit", name="web-1", ciuser="debian", cipassword="secret", sshkeys=quote(KEY, safe=""),
        ipconfig0="ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto", net0="virtio=BC:24:11:00:00:01,bridge=vmbr0",
        nameserver="9.9.9.9", searchdomain="example.com",
    )  # fmt: skip
    return cluster


def test_the_drive_and_what_the_configuration_shows(seeded: Cluster) -> None:
    config = seeded.config(100)
    assert config["ide2"] == "local-lvm:vm-100-cloudinit,media=cdrom,size=4M"
    assert config["cipassword"] == "**********" and config["sshkeys"] == quote(KEY, safe="")
    seeded.machine(104, ide2="shared:cloudinit")
    assert seeded.config(104)["ide2"] == "shared:104/vm-104-cloudinit.qcow2,media=cdrom,size=4M"


def test_a_second_drive_is_refused(seeded: Cluster) -> None:
    refused = seeded.refusal("PUT", CONFIG, scsi1="local-lvm:cloudinit")
    assert (refused.status, refused.message) == (500, "scsi1 - cloud-init drive is already attached at 'ide2'")


def test_user_data(seeded: Cluster) -> None:
    text = seeded.get(f"{BASE}/dump", type="user")
    assert text.startswith(
        "#cloud-config\nhostname: web-1\nmanage_etc_hosts: true\nfqdn: web-1.example.com\nuser: debian\npassword: $5$"
    )
    assert text.endswith(
        f"\nssh_authorized_keys:\n  - {KEY}\nchpasswd:\n  expire: False\nusers:\n  - default\npackage_upgrade: true\n"
    )


def test_network_data(seeded: Cluster) -> None:
    assert seeded.get(f"{BASE}/dump", type="network") == (
        "version: 1\nconfig:\n    - type: physical\n      name: eth0\n      mac_address: 'bc:24:11:00:00:01'\n"
        "      subnets:\n      - type: static\n        address: '10.0.0.5'\n        netmask: '255.255.255.0'\n"
        "        gateway: '10.0.0.1'\n      - type: ipv6_slaac\n"
        "    - type: nameserver\n      address:\n      - '9.9.9.9'\n      search:\n      - 'example.com'\n"
    )
    assert seeded.get(f"{BASE}/dump", type="meta").startswith("instance-id: ")
    assert seeded.refusal("GET", f"{BASE}/dump", type="vendor").status == 400


def test_what_has_changed_since_the_disk_was_written(seeded: Cluster) -> None:
    seeded.power(100, "start")
    seeded.put(CONFIG, ciuser="root", delete="nameserver", ipconfig1="ip=dhcp", cipassword="other")
    rows = {row["key"]: row for row in seeded.get(BASE)}
    assert rows["ciuser"] == {"key": "ciuser", "value": "debian", "pending": "root"}
    assert rows["nameserver"] == {"key": "nameserver", "delete": 1}
    assert rows["ipconfig1"] == {"key": "ipconfig1", "pending": "ip=dhcp"}
    assert rows["cipassword"] == {"key": "cipassword", "value": "**********", "pending": "**********"}
    assert rows["searchdomain"] == {"key": "searchdomain", "value": "example.com"}
    assert seeded.put(BASE) is None
    assert not [row for row in seeded.get(BASE) if "pending" in row or "delete" in row]


@pytest.mark.parametrize(
    ("value", "status", "errors", "text"),
    [
        (quote(KEY, safe=""), 200, {}, ""),
        (quote(f"{KEY}\n{KEY}\n", safe=""), 200, {}, ""),
        (quote("not a key", safe=""), 500, {}, "SSH public key validation error"),
        (quote("ssh-rsa AAAA", safe=""), 500, {}, "SSH public key validation error"),
        (
            KEY,
            400,
            {"sshkeys": f"invalid format - invalid urlencoded string: {KEY}\n"},
            "Parameter verification failed.",
        ),
    ],
)
def test_ssh_keys(cluster: Cluster, value: str, status: int, errors: dict, text: str) -> None:
    cluster.machine()
    answer = cluster.answer("PUT", CONFIG, sshkeys=value)
    assert (answer.status, answer.errors, answer.message) == (status, errors, text)


def test_removing_the_drive_frees_it(seeded: Cluster) -> None:
    seeded.put(CONFIG, delete="ide2")
    assert [volume.name for volume in seeded.core.state.volumes if volume.vmid == 100] == ["vm-100-disk-0"]
    assert "unused0" not in seeded.config(100)


def test_a_started_machine_writes_the_disk(seeded: Cluster) -> None:
    upid = seeded.post("/nodes/pve1/qemu/100/status/start")
    seeded.finish(upid)
    assert seeded.log(upid) == ["generating cloud-init ISO", "TASK OK"]
