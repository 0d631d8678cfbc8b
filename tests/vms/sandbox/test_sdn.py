"""Zones, vnets, subnets and controllers: configured, waiting, applied."""

from typing import Any

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.identity import Identity

SDN = "/cluster/sdn"
LOCKED = "error during cfs-locked 'domain-sdn' operation: "


@pytest.fixture
def lan(cluster: Cluster) -> Cluster:
    """A VLAN zone with one vnet, not applied yet."""
    cluster.post(f"{SDN}/zones", zone="lan", type="vlan", bridge="vmbr0", mtu=1450)
    cluster.post(f"{SDN}/vnets", vnet="blue", zone="lan", tag=10, alias="office")
    return cluster


def _vnet(cluster: Cluster, **params: Any) -> dict[str, Any]:
    row: dict[str, Any] = cluster.get(f"{SDN}/vnets/blue", **params)
    return row


def test_nothing_runs_until_it_is_applied(lan: Cluster) -> None:
    assert lan.get(f"{SDN}/zones", running=1) == []
    row = lan.get(f"{SDN}/vnets", pending=1)[0]
    assert row["state"] == "new" and row["pending"] == {"zone": "lan", "tag": 10, "alias": "office"}
    assert lan.get("/nodes/pve2/sdn/zones") == []
    upid = lan.put(SDN)
    assert ":reloadnetworkall::" in upid and lan.finish(upid) == "OK"
    assert lan.get(f"{SDN}/vnets", pending=1)[0].get("state") is None
    assert _vnet(lan, running=1) == {"vnet": "blue", "type": "vnet", "zone": "lan", "tag": 10, "alias": "office"}
    assert lan.get("/nodes/pve2/sdn/zones") == [{"zone": "lan", "status": "available"}]
    assert lan.get("/nodes/pve2/sdn/zones/lan/content") == [{"vnet": "blue", "status": "available"}]


def test_changes_and_removals_wait_as_well(lan: Cluster) -> None:
    lan.put(SDN)
    lan.put(f"{SDN}/vnets/blue", tag=20, delete="alias")
    row = _vnet(lan, pending=1)
    assert (row["state"], row["tag"], row["pending"]) == ("changed", 10, {"tag": 20, "alias": "deleted"})
    lan.delete(f"{SDN}/vnets/blue")
    assert lan.get(f"{SDN}/vnets", pending=1)[0]["state"] == "deleted"
    assert lan.refusal("GET", f"{SDN}/vnets/blue").message == "sdn vnet 'blue' does not exist"
    lan.post(f"{SDN}/rollback")
    assert _vnet(lan)["tag"] == 10


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("zones", {"zone": "lan", "type": "simple"}, f"create sdn zone object failed: {LOCKED}sdn zone object ID 'lan' already defined"),
        ("zones", {"zone": "wan", "type": "vlan"}, "missing value for required option 'bridge'"),
        ("zones", {"zone": "wan", "type": "simple", "bridge": "vmbr0"}, "unexpected property 'bridge'"),
        ("zones", {"zone": "wan", "type": "simple", "ipam": "no"},
         "create sdn zone object failed: 400 Parameter verification failed.\nipam: no not existing"),
        ("vnets", {"vnet": "blue", "zone": "lan", "tag": 9}, f"create sdn vnet object failed: {LOCKED}sdn vnet object ID 'blue' already defined"),
        ("vnets", {"vnet": "red", "zone": "lan"},
         "create sdn vnet object failed: 400 Parameter verification failed.\ntag: missing vlan tag"),
        ("vnets", {"vnet": "red", "zone": "lan", "tag": 10},
         "create sdn vnet object failed: 400 Parameter verification failed.\ntag: tag 10 already exist in zone lan vnet blue"),
    ],
)  # fmt: skip
def test_refused_objects(lan: Cluster, path: str, params: dict[str, Any], message: str) -> None:
    refused = lan.refusal("POST", f"{SDN}/{path}", **params)
    assert (refused.status, refused.message) == (500, message)


def test_names_are_short(cluster: Cluster) -> None:
    refused = cluster.refusal("POST", f"{SDN}/vnets", vnet="waytoolong", zone="lan")
    assert refused.errors == {"vnet": "invalid format - vnet ID 'waytoolong' can't be more length than 8 characters\n"}


def test_what_is_used_stays(lan: Cluster) -> None:
    lan.post(f"{SDN}/vnets/blue/subnets", subnet="10.0.0.0/24", type="subnet", gateway="10.0.0.1")
    assert lan.refusal("DELETE", f"{SDN}/zones/lan").message.endswith("zone lan is used by vnet blue")
    assert "Can't delete vnet if subnets exists" in lan.refusal("DELETE", f"{SDN}/vnets/blue").message
    lan.delete(f"{SDN}/vnets/blue/subnets/lan-10.0.0.0-24")
    lan.delete(f"{SDN}/vnets/blue")
    lan.delete(f"{SDN}/zones/lan")
    assert lan.get(f"{SDN}/zones") == []


def test_subnets(lan: Cluster) -> None:
    path = f"{SDN}/vnets/blue/subnets"
    lan.post(
        path, subnet="10.0.0.0/24", type="subnet", snat=1, dhcp_range=["start-address=10.0.0.9,end-address=10.0.0.20"]
    )
    row = lan.get(path)[0]
    assert (row["subnet"], row["cidr"], row["zone"], row["mask"]) == ("lan-10.0.0.0-24", "10.0.0.0/24", "lan", "24")
    assert row["dhcp-range"] == [{"start-address": "10.0.0.9", "end-address": "10.0.0.20"}] and row["snat"] == 1
    refused = lan.refusal("PUT", f"{path}/lan-10.0.0.0-24", gateway="10.9.0.1")
    assert refused.message.endswith("gateway: 10.9.0.1 is not in subnet 10.0.0.0/24")
    lan.put(f"{path}/lan-10.0.0.0-24", gateway="10.0.0.1", delete="snat")
    assert lan.get(f"{path}/lan-10.0.0.0-24")["gateway"] == "10.0.0.1" and "snat" not in lan.get(path)[0]


def test_servers_and_controllers(cluster: Cluster) -> None:
    assert [row["ipam"] for row in cluster.get(f"{SDN}/ipams")] == ["pve"]
    cluster.post(f"{SDN}/controllers", controller="evpn1", type="evpn", asn=65000, peers="10.0.0.1,10.0.0.2")
    cluster.post(f"{SDN}/zones", **{"zone": "ev", "type": "evpn", "controller": "evpn1", "vrf-vxlan": 100})
    assert "controller evpn1 is used by ev" in cluster.refusal("DELETE", f"{SDN}/controllers/evpn1").message
    cluster.post(f"{SDN}/dns", dns="pdns", type="powerdns", url="https://dns.example", key="s")
    assert cluster.get(f"{SDN}/dns/pdns")["url"] == "https://dns.example"


def test_the_lock_of_all_of_sdn(cluster: Cluster) -> None:
    token = cluster.post(f"{SDN}/lock")
    assert "invalid lock token provided!" in cluster.refusal("POST", f"{SDN}/zones", zone="z1", type="simple").message
    cluster.post(f"{SDN}/zones", **{"zone": "z1", "type": "simple", "lock-token": token})
    cluster.put(SDN, **{"lock-token": token})
    cluster.post(f"{SDN}/zones", zone="z2", type="simple")
    assert cluster.refusal("POST", f"{SDN}/lock").message == "configuration has pending changes"


def test_lists_show_what_one_may_see(lan: Cluster) -> None:
    lan.post("/access/users", userid="ada@pve")
    ada = Cluster(lan.core, lan.clock, Identity("ada@pve"))
    assert ada.get(f"{SDN}/zones") == [] and ada.get(f"{SDN}/vnets") == []
    lan.put("/access/acl", path="/sdn/zones/lan/blue", roles="PVESDNUser", users="ada@pve")
    assert [row["vnet"] for row in ada.get(f"{SDN}/vnets")] == ["blue"] and ada.get(f"{SDN}/zones") == []
    assert (
        ada.refusal("DELETE", f"{SDN}/vnets/blue").message
        == "Permission check failed (/sdn/zones/lan/blue, SDN.Allocate)"
    )
