"""Interfaces of a node: changed in a file that waits, compared, applied or thrown away."""

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.identity import Identity

PATH = "/nodes/pve1/network"


def _names(cluster: Cluster, **params: str) -> list[str]:
    return [row["iface"] for row in cluster.get(PATH, **params)]


def test_a_change_waits_until_it_is_applied(cluster: Cluster) -> None:
    assert "changes" not in cluster.answer("GET", PATH).extra
    cluster.post(PATH, iface="vmbr1", type="bridge", autostart=1, cidr="10.30.0.1/24", bridge_vids="2 4,100-200")
    answer = cluster.answer("GET", PATH)
    assert "+iface vmbr1 inet static\n+\taddress 10.30.0.1/24\n" in answer.extra["changes"]
    row = cluster.get(f"{PATH}/vmbr1")
    assert (row["address"], row["netmask"], row["cidr"]) == ("10.30.0.1", "24", "10.30.0.1/24")
    assert (row["method"], row["method6"], row["families"]) == ("static", "manual", ["inet"])
    assert row["bridge_vids"] == "2 4 100-200" and "active" not in row
    upid = cluster.put(PATH)
    assert ":srvreload:networking:" in upid and cluster.finish(upid) == "OK"
    assert cluster.get(f"{PATH}/vmbr1")["active"] == 1
    assert "changes" not in cluster.answer("GET", PATH).extra


def test_a_change_can_be_thrown_away(cluster: Cluster) -> None:
    cluster.delete(f"{PATH}/vmbr0")
    assert _names(cluster) == ["nic0"]
    cluster.delete(PATH)
    assert _names(cluster) == ["nic0", "vmbr0"]


def test_a_change_keeps_what_it_does_not_name(cluster: Cluster) -> None:
    cluster.put(f"{PATH}/vmbr0", type="bridge", comments="uplink", cidr="10.20.0.99/24", bridge_ports="nic0")
    row = cluster.get(f"{PATH}/vmbr0")
    assert row["address"] == "10.20.0.99" and row["gateway"] == "10.20.0.1" and row["comments"] == "uplink"
    cluster.put(f"{PATH}/vmbr0", type="bridge", delete="cidr,gateway")
    row = cluster.get(f"{PATH}/vmbr0")
    assert row["method"] == "manual" and not {"address", "netmask", "cidr", "gateway"} & row.keys()


@pytest.mark.parametrize(
    ("params", "errors"),
    [
        ({"iface": "vmbr0", "type": "bridge"}, {"iface": "interface already exists"}),
        ({"iface": "vmbr1", "type": "bridge", "gateway": "10.1.0.1"}, {"gateway": "Default gateway already exists on interface 'vmbr0'."}),
        ({"iface": "bond0", "type": "bond", "slaves": "nic0 nic1"}, {"slaves": "nic0 is already used on interface 'vmbr0'."}),
        ({"iface": "vmbr1", "type": "bridge", "address": "10.1.0.2"}, {"netmask": "missing property required by 'address'"}),
        ({"iface": "vmbr1", "type": "bridge", "cidr": "10.1.0.2"}, {"cidr": "invalid format - value does not look like a valid IPv4 CIDR network\n"}),
        ({"iface": "1x", "type": "bridge"}, {"iface": "invalid format - invalid network interface name '1x'\n"}),
        ({"iface": "port1", "type": "OVSIntPort"}, {"ovs_bridge": "parameter is required"}),
        ({"iface": "port1", "type": "OVSIntPort", "ovs_bridge": "vmbr0"}, {"ovs_bridge": "interface 'vmbr0' is no OVS bridge"}),
    ],
)  # fmt: skip
def test_refused_interfaces(cluster: Cluster, params: dict[str, str], errors: dict[str, str]) -> None:
    refused = cluster.refusal("POST", PATH, **params)
    assert (refused.status, refused.errors) == (400, errors)
    assert cluster.refusal("PUT", f"{PATH}/vmbr9", type="bridge").errors == {"iface": "interface does not exist"}


def test_ports_of_a_virtual_switch_come_and_go_with_it(cluster: Cluster) -> None:
    cluster.post(PATH, iface="vmbr2", type="OVSBridge")
    cluster.post(PATH, iface="int0", type="OVSIntPort", ovs_bridge="vmbr2")
    assert cluster.get(f"{PATH}/vmbr2")["ovs_ports"] == "int0"
    cluster.delete(f"{PATH}/int0")
    assert cluster.get(f"{PATH}/vmbr2")["ovs_ports"] == ""


@pytest.mark.parametrize(
    ("type", "names"),
    [
        ("eth", ["nic0"]), ("bridge", ["vmbr0"]), ("any_local_bridge", ["vmbr0"]), ("any_bridge", ["vmbr0", "blue"]),
        ("include_sdn", ["nic0", "vmbr0", "blue"]), ("vnet", ["blue"]), ("bond", []),
    ],
)  # fmt: skip
def test_filters(cluster: Cluster, type: str, names: list[str]) -> None:
    cluster.post("/cluster/sdn/zones", zone="lan", type="simple", nodes="pve1")
    cluster.post("/cluster/sdn/vnets", vnet="blue", zone="lan")
    cluster.put("/cluster/sdn")
    assert _names(cluster, type=type) == names


def test_bridges_are_for_those_who_may_use_them(cluster: Cluster) -> None:
    cluster.post("/access/users", userid="ada@pve")
    ada = Cluster(cluster.core, cluster.clock, Identity("ada@pve"))
    assert _names(ada) == ["nic0"]
    cluster.put("/access/acl", path="/sdn/zones/localnetwork", roles="PVESDNUser", users="ada@pve")
    assert _names(ada) == ["nic0", "vmbr0"]
