"""expand: documents as machines, with the cause of each value."""

from typing import Any

import pytest

from blueprints.schema import Image, Machine, expand, expand_machines, parse_document
from blueprints.schema.sizes import GIB


def machines(*resources: dict[str, Any]) -> list[Machine]:
    return expand_machines(parse_document({"name": "x", "resources": list(resources)}))


def one(type_name: str = "vm", **specs: Any) -> Machine:
    (machine,) = machines({"name": "web", "type": type_name, "specs": specs})
    return machine


def test_defaults_are_marked_as_defaults() -> None:
    machine = one()
    assert (machine.cores, machine.memory_bytes, machine.disk_bytes) == (2, 2 * GIB, 20 * GIB)
    assert set(machine.causes.values()) == {"default"}
    assert (machine.key, machine.kind, machine.start, machine.image) == ("web", "vm", True, None)
    assert machine.network.bridge == "vmbr0"
    assert machine.network.ip is None


def test_windows_has_room_for_itself() -> None:
    machine = one(os="windows-2022")
    assert (machine.memory_bytes, machine.disk_bytes) == (4 * GIB, 64 * GIB)
    assert (machine.causes["memory_bytes"], machine.causes["disk_bytes"]) == ("default", "default")
    assert one(os="windows-2022", memory="2GB", disk="40GB").disk_bytes == 40 * GIB, "what is said counts"


def test_given_values_name_their_key() -> None:
    machine = one(cores=4, ram="8GB", disk="40GB", os="Debian 12", ssh_keys=[], start=False)
    assert machine.causes["cores"] == "specs.cores"
    assert machine.causes["memory_bytes"] == "specs.ram"
    assert machine.causes["disk_bytes"] == "specs.disk"
    assert machine.causes["image"] == "specs.os"
    assert machine.image == Image("debian", "12")
    assert machine.start is False


def test_count_numbers_the_machines() -> None:
    keys = [m.key for m in machines({"name": "web", "type": "vm", "specs": {"count": 3}})]
    assert keys == ["web-1", "web-2", "web-3"]
    assert [m.key for m in machines({"name": "w.example.org", "type": "vm", "specs": {"count": 1}})] == [
        "w-1.example.org"
    ]


def test_documented_kubernetes_cluster() -> None:
    found = machines({"name": "k8s-cluster", "type": "kubernetes", "specs": {"nodes": 5, "cpu_per_node": 4}})
    assert [m.key for m in found] == [f"k8s-cluster-{n}" for n in range(1, 6)]
    assert {m.cores for m in found} == {4}
    assert {m.role for m in found} == {"kubernetes"}
    assert found[0].causes["cores"] == "specs.cpu_per_node"


def test_control_planes_and_workers() -> None:
    found = machines({"name": "k", "type": "k3s", "specs": {"masters": 1, "workers": 2}})
    assert [(m.key, m.role) for m in found] == [
        ("k-control-1", "kubernetes-control"),
        ("k-worker-1", "kubernetes-worker"),
        ("k-worker-2", "kubernetes-worker"),
    ]


@pytest.mark.parametrize("type_name", ["lxc", "container", "LXC", "ct"])
def test_container_types(type_name: str) -> None:
    assert one(type_name).kind == "lxc"


@pytest.mark.parametrize(
    ("type_name", "role"),
    [
        ("database", "database"),
        ("Load-Balancer", "load_balancer"),
        ("redis", "cache"),
        ("server", None),
        ("app server", "app"),
    ],
)
def test_higher_types_are_machines_with_a_role(type_name: str, role: str | None) -> None:
    assert (one(type_name).kind, one(type_name).role) == ("vm", role)


def test_kind_may_be_said_in_specs() -> None:
    assert one("database", kind="container").kind == "lxc"


def test_other_types_come_back_with_a_sentence() -> None:
    document = parse_document(
        {"name": "x", "resources": [{"name": "lan", "type": "network"}, {"name": "odd", "type": "databse"}]}
    )
    expansion = expand(document)
    assert expansion.machines == ()
    assert [u.resource for u in expansion.unsupported] == ["lan", "odd"]
    assert "describes a network" in expansion.unsupported[0].message
    assert 'did you mean "database"?' in expansion.unsupported[1].message


def test_named_network_of_the_document_gives_vlan_and_prefix() -> None:
    lan = {"name": "lan", "type": "network", "specs": {"vlan": 30, "cidr": "10.0.30.0/25", "gateway": "10.0.30.1"}}
    (machine,) = machines(lan, {"name": "web", "type": "vm", "specs": {"network": "lan", "ip": "10.0.30.4"}})
    card = machine.network
    assert (card.network, card.bridge, card.vlan, card.ip, card.gateway) == (
        "lan",
        "vmbr0",
        30,
        "10.0.30.4/25",
        "10.0.30.1",
    )


def test_network_spellings() -> None:
    assert one(network="vmbr1").network.bridge == "vmbr1"
    assert one(network={"bridge": "vmbr2", "tag": 5}).network.vlan == 5
    assert one(ip="10.0.0.5").network.ip == "10.0.0.5/24"
    assert one(ip="dhcp").network.ip is None
    assert [c.bridge for c in one(networks=["vmbr1"]).nics] == ["vmbr0", "vmbr1"]


def test_addresses_are_dealt_out_in_order() -> None:
    found = machines({"name": "web", "type": "vm", "specs": {"count": 2, "ip": ["10.0.0.5", "10.0.0.6/16"]}})
    assert [m.network.ip for m in found] == ["10.0.0.5/24", "10.0.0.6/16"]


def test_disks() -> None:
    machine = one(disks=["40GB", {"size": "1TB", "storage": "ceph", "name": "data"}])
    assert machine.disk_bytes == 40 * GIB
    assert [(d.size_bytes, d.storage, d.name) for d in machine.data_disks] == [(1024 * GIB, "ceph", "data")]
    assert [d.size_bytes for d in one(disk="10GB", data_disk="50GB").data_disks] == [50 * GIB]


def test_dependencies_reach_machines_through_other_resources() -> None:
    found = machines(
        {"name": "db", "type": "vm", "specs": {"count": 2}},
        {"name": "lan", "type": "network", "dependencies": ["db"]},
        {"name": "web", "type": "vm", "dependencies": ["lan"]},
    )
    assert found[-1].depends_on == ("db-1", "db-2")


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("ubuntu-22.04", Image("ubuntu", "22.04")),
        ("Ubuntu 22.04 LTS", Image("ubuntu", "22.04")),
        ("bookworm", Image("debian", "12")),
        ("windows-2022", Image("windows", "2022")),
        ("Red Hat 9", Image("rhel", "9")),
        (
            "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst",
            Image("debian", "12", reference="local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst"),
        ),
        ("golden-image", Image(reference="golden-image")),
    ],
)
def test_images(text: str, image: Image) -> None:
    assert one(image=text).image == image


def test_template_keeps_the_system() -> None:
    assert one(template=9000, os="debian-12").image == Image("debian", "12", template="9000")


def test_policies() -> None:
    machine = one(
        backup={"schedule": "weekly", "retention_days": 30}, gpu="A100", anti_affinity=True, tags=["Web", "web"]
    )
    assert machine.backup is not None
    assert (machine.backup.schedule, machine.backup.retention_days) == ("weekly", 30)
    assert (machine.gpus, machine.anti_affinity, machine.tags) == (1, "same-role", ("web",))
    assert one(backup=False).backup is None
    assert one(backup=True).backup.schedule == "daily"  # type: ignore[union-attr]


def test_keys_that_change_nothing_are_noted() -> None:
    assert one(cpu=2, packages=["vim"], port=80, role="web").noted == ("packages", "port")
