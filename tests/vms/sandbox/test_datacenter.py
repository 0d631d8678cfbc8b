"""What holds for the whole datacenter, what a node is told, and what is only looked at."""

from typing import Any

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.api import ALL_ROUTES
from vms.sandbox.core.identity import Identity

OPTIONS = "/cluster/options"
NODE = "/nodes/pve2"


def test_options(cluster: Cluster) -> None:
    assert cluster.get(OPTIONS)["mac_prefix"] == "BC:24:11"
    cluster.put(OPTIONS, **{
        "migration": "secure,network=10.20.0.0/24", "next-id": "lower=5000,upper=5002", "registered-tags": "web;db;web",
        "tag-style": "shape=full,ordering=alphabetical", "description": "ours",
    })  # fmt: skip
    kept = cluster.get(OPTIONS)
    assert kept["migration"] == {"type": "secure", "network": "10.20.0.0/24"} and kept["next-id"] == {
        "lower": 5000,
        "upper": 5002,
    }
    assert kept["registered-tags"] == ["db", "web"] and {"db", "web", "infra"} <= set(kept["allowed-tags"])
    assert cluster.get("/cluster/nextid") == "5000"
    cluster.machine(5000)
    cluster.machine(5001)
    assert cluster.refusal("GET", "/cluster/nextid").message == "unable to get any free VMID in range [5000, 5002]"
    cluster.put(OPTIONS, delete="next-id,description")
    assert cluster.get("/cluster/nextid") == "100" and "description" not in cluster.get(OPTIONS)


def test_refused_options(cluster: Cluster) -> None:
    refused = cluster.refusal("PUT", OPTIONS, **{"next-id": "lower=5", "keyboard": "tlh"})
    assert refused.errors["next-id"] == "invalid format - format error\nlower: value must have a minimum value of 100\n"
    assert refused.errors["keyboard"].startswith("value 'tlh' does not have a value in the enumeration 'de, de-ch")


def test_who_is_no_auditor_sees_what_the_interface_needs(cluster: Cluster) -> None:
    cluster.post("/access/users", userid="ada@pve")
    cluster.put(OPTIONS, console="html5", description="ours")
    ada = Cluster(cluster.core, cluster.clock, Identity("ada@pve"))
    assert ada.get(OPTIONS) == {"console": "html5", "description": "ours", "allowed-tags": []}
    assert ada.refusal("PUT", OPTIONS, console="vv").message == "Permission check failed (/, Sys.Modify)"


def test_the_log_tells_of_tasks(cluster: Cluster) -> None:
    upid = cluster.post("/nodes/pve3/qemu/130/status/start")
    cluster.finish(upid)
    rows = cluster.get("/cluster/log", max=2)
    assert [row["msg"] for row in rows] == [f"end task {upid} OK\n", f"starting task {upid}\n"]
    assert rows[0]["pri"] == 6 and rows[0]["node"] == "pve3" and rows[0]["id"] == f"{rows[0]['uid']}:pve3"


def test_membership(cluster: Cluster) -> None:
    assert [row["nodeid"] for row in cluster.get("/cluster/config/nodes")] == ["1", "2", "3"]
    joining = cluster.get("/cluster/config/join")
    assert joining["preferred_node"] == "pve1" and {row["pve_addr"] for row in joining["nodelist"]} >= {"10.20.0.11"}
    assert cluster.refusal("POST", "/cluster/config", clustername="x").status == 501


def test_what_a_node_is_told(cluster: Cluster) -> None:
    cluster.put(f"{NODE}/dns", search="lan.example", dns1="10.0.0.1", dns2="10.0.0.2")
    assert cluster.get(f"{NODE}/dns") == {"search": "lan.example", "dns1": "10.0.0.1", "dns2": "10.0.0.2"}
    cluster.put(f"{NODE}/time", timezone="Europe/Vienna")
    assert cluster.get(f"{NODE}/time")["timezone"] == "Europe/Vienna"
    assert cluster.refusal("PUT", f"{NODE}/time", timezone="Moon/Base").errors == {
        "timezone": "invalid format - invalid time zone 'Moon/Base'\n"
    }
    before = cluster.get(f"{NODE}/hosts")
    cluster.post(f"{NODE}/hosts", data="127.0.0.1 localhost\n", digest=before["digest"])
    assert cluster.get(f"{NODE}/hosts")["data"] == "127.0.0.1 localhost\n"
    assert (
        "detected modified configuration"
        in cluster.refusal("POST", f"{NODE}/hosts", data="x", digest=before["digest"]).message
    )
    assert cluster.get(f"{NODE}/config") == {}
    cluster.put(f"{NODE}/config", description="rack 4", acmedomain0="domain=x.example")
    cluster.put(f"{NODE}/config", delete="acmedomain0")
    assert cluster.get(f"{NODE}/config")["description"] == "rack 4" and "acmedomain0" not in cluster.get(
        f"{NODE}/config"
    )
    assert cluster.get("/nodes/pve1/dns")["search"] == "sandbox.example"


def test_services(cluster: Cluster) -> None:
    path = f"{NODE}/services/pve-firewall"
    assert cluster.get(f"{path}/state")["state"] == "running"
    upid = cluster.post(f"{path}/stop")
    assert ":srvstop:pve-firewall:" in upid and cluster.finish(upid) == "OK"
    assert cluster.get(f"{path}/state")["state"] == "dead"
    assert cluster.finish(cluster.post(f"{path}/restart")) == "OK"
    assert {row["service"]: row["state"] for row in cluster.get(f"{NODE}/services")}["pve-firewall"] == "running"


def test_all_guests_of_a_node_at_once(cluster: Cluster) -> None:
    def running() -> set[int]:
        return {row["vmid"] for row in cluster.get("/nodes/pve1/qemu") if row["status"] == "running"}

    before = running()
    assert cluster.finish(cluster.post("/nodes/pve1/stopall")) == "OK"
    _let_all_end(cluster)
    assert running() == set()
    assert cluster.finish(cluster.post("/nodes/pve1/startall", vms="101")) == "OK"
    _let_all_end(cluster)
    assert running() == {101} and before > {101}


def _let_all_end(cluster: Cluster) -> None:
    """The workers, and those that they fork."""
    for _ in range(2):
        cluster.clock.advance(120)
        cluster.core.tick()


def test_reboot_and_shutdown_of_a_node(cluster: Cluster) -> None:
    cluster.post(f"{NODE}/status", command="reboot")
    assert cluster.get(f"{NODE}/status")["uptime"] == 0
    assert not [row for row in cluster.get(f"{NODE}/qemu") if row["status"] == "running"]
    _let_all_end(cluster)
    assert 102 in [row["vmid"] for row in cluster.get(f"{NODE}/qemu") if row["status"] == "running"]
    cluster.post(f"{NODE}/status", command="shutdown")
    assert cluster.refusal("GET", f"{NODE}/status").status == 595


def test_fabrics(cluster: Cluster) -> None:
    path = "/cluster/sdn/fabrics"
    assert cluster.post(f"{path}/fabric", id="fab0", protocol="openfabric", ip_prefix="10.99.0.0/24") == ""
    member = {"interfaces": ["name=vmbr0"], "protocol": "openfabric"}
    for number, node in enumerate(("pve1", "pve2"), 1):
        assert cluster.post(f"{path}/node/fab0", node_id=node, ip=f"10.99.0.{number}", **member) == ""
    row = cluster.get(f"{path}/node/fab0/pve2")
    assert {key: row[key] for key in ("node_id", "fabric_id", "ip", "interfaces")} == {
        "node_id": "pve2", "fabric_id": "fab0", "ip": "10.99.0.2", "interfaces": ["name=vmbr0"],
    }  # fmt: skip
    assert cluster.get("/nodes/pve1/sdn/fabrics/fab0/neighbors") == []
    cluster.delete(f"{path}/node/fab0/pve2")
    assert [row["node_id"] for row in cluster.get(f"{path}/node/fab0")] == ["pve1"]
    cluster.delete(f"{path}/fabric/fab0")
    assert cluster.get(f"{path}/all") == {"fabrics": [], "nodes": []}


def test_ceph_is_absent(cluster: Cluster) -> None:
    for path in ("/cluster/ceph/status", f"{NODE}/ceph/osd", f"{NODE}/ceph/status"):
        refused = cluster.refusal("GET", path)
        assert (refused.status, refused.message) == (500, "binary not installed: /usr/bin/ceph-mon")


SAMPLES = {
    "node": "pve1", "vmid": "101", "userid": "root@pam", "pci-id-or-mapping": "0000:00:1f.6", "osdid": "0", "name": "default",
    "ipam": "pve", "vnet": "blue", "zone": "lan", "flag": "noup", "service": "sshd", "storage": "local",
}  # fmt: skip
NEEDED: dict[str, Any] = {
    "disk": "/dev/nvme0n1", "url": "https://x.example/i.iso", "reference": "debian", "ds": "cpu", "timeframe": "hour", "vg": "pve",
    "server": "s", "portal": "p", "username": "u", "password": "pw", **SAMPLES, "name": "pve-manager",
}  # fmt: skip
SHAPED = {route.pattern: route for part in ALL_ROUTES for route in part.all if route.is_shaped}


@pytest.mark.parametrize("pattern", sorted(SHAPED))
def test_every_example_answers(cluster: Cluster, pattern: str) -> None:
    given = {name: NEEDED[name] for name, param in SHAPED[pattern].table.items() if param.is_required}
    named = {name: value for name, value in given.items() if f"{{{name}}}" not in pattern}
    answer = cluster.answer("GET", pattern.format(**SAMPLES), **named)
    if pattern == "/cluster/acme/account/{name}":
        assert answer.errors == {"name": "ACME account config file 'default' does not exist."}
    else:
        assert answer.status == 200, answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{NODE}/status", 595), ("GET", f"{NODE}/qemu", 595), ("GET", f"{NODE}/qemu/102/config", 595), ("GET", NODE, 200),
        ("GET", f"{NODE}/qemu/102/rrddata?timeframe=hour", 200), ("GET", f"{NODE}/qemu/102/firewall/rules", 200),
        ("POST", f"{NODE}/qemu/102/firewall/rules?type=in&action=ACCEPT", 200), ("GET", f"{NODE}/qemu/102/firewall/options", 595),
        ("GET", f"{NODE}/services/sshd", 200), ("GET", f"{NODE}/firewall/rules", 595),
    ],
)  # fmt: skip
def test_what_an_absent_node_is_missed_for(cluster: Cluster, method: str, path: str, status: int) -> None:
    cluster.core.faults.take_offline("pve2")
    place, _, query = path.partition("?")
    given = dict(pair.split("=") for pair in query.split("&") if pair)
    assert cluster.answer(method, place, **given).status == status
