"""Nodes, storage, pools, agents, figures."""

import pytest

from tests.vms.sandbox.driving import Cluster


def test_resources_agree_with_the_lists(cluster: Cluster) -> None:
    rows = cluster.get("/cluster/resources")
    by_type = {kind: [row for row in rows if row["type"] == kind] for kind in {row["type"] for row in rows}}
    assert {row["node"] for row in by_type["node"]} == {"pve1", "pve2", "pve3"}
    assert len(by_type["storage"]) == 15
    listed = {row["vmid"] for node in ("pve1", "pve2", "pve3") for row in cluster.get(f"/nodes/{node}/qemu")}
    assert {row["vmid"] for row in by_type["qemu"]} == listed
    assert {row["pool"] for row in by_type["pool"]} == {"infrastructure"}
    assert {row["type"] for row in cluster.get("/cluster/resources", type="vm")} == {"qemu", "lxc"}
    assert cluster.refusal("GET", "/cluster/resources", type="pool").status == 400


def test_next_id(cluster: Cluster) -> None:
    assert cluster.get("/cluster/nextid") == "100"
    assert cluster.get("/cluster/nextid", vmid=100) == "100"
    assert cluster.refusal("GET", "/cluster/nextid", vmid=101).errors == {"vmid": "VM 101 already exists"}


def test_storage_usage_follows_disks(cluster: Cluster) -> None:
    path = "/nodes/pve1/storage/local-lvm/status"
    before = cluster.get(path)
    cluster.machine(scsi0="local-lvm:10")
    after = cluster.get(path)
    assert after["used"] - before["used"] == 10 * 2**30
    assert after["used"] + after["avail"] == after["total"]
    row = next(
        row for row in cluster.get("/cluster/resources", type="storage") if row["id"] == "storage/pve1/local-lvm"
    )
    assert row["disk"] == after["used"]
    cluster.finish(cluster.delete("/nodes/pve1/qemu/100"))
    assert cluster.get(path)["used"] == before["used"]


def test_storage_content(cluster: Cluster) -> None:
    cluster.machine()
    rows = cluster.get("/nodes/pve1/storage/local-lvm/content", vmid=100)
    assert [(row["volid"], row["size"], row["vmid"]) for row in rows] == [("local-lvm:vm-100-disk-0", 8 * 2**30, 100)]
    templates = cluster.get("/nodes/pve1/storage/local/content", content="vztmpl")
    assert "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst" in {row["volid"] for row in templates}
    assert {row["storage"] for row in cluster.get("/nodes/pve1/storage", content="images")} == {
        "local-lvm",
        "shared",
        "vault",
    }
    assert cluster.refusal("GET", "/nodes/pve1/storage", storage="nope").errors == {"storage": "No such storage."}
    assert cluster.refusal("GET", "/nodes/pve1/storage/nope/content").message == "storage 'nope' does not exist"


@pytest.mark.parametrize("separator", ["/", "%2F"])
def test_volumes_are_made_and_removed(cluster: Cluster, separator: str) -> None:
    content = "/nodes/pve1/storage/shared/content"
    volid = cluster.post(content, vmid=300, filename="vm-300-disk-0.qcow2", size="5G", format="qcow2")
    assert volid == "shared:300/vm-300-disk-0.qcow2"
    path = f"{content}/{volid.replace('/', separator)}"
    assert cluster.get(path)["size"] == 5 * 2**30
    upid = cluster.delete(path)
    assert ":imgdel:300@shared:" in upid and cluster.finish(upid) == "OK"
    assert cluster.refusal("GET", path).message == "volume 'shared:300/vm-300-disk-0.qcow2' does not exist"


def test_pools(cluster: Cluster) -> None:
    cluster.post("/pools", poolid="web", comment="Web")
    assert cluster.refusal("POST", "/pools", poolid="web").message == (
        "create pool failed: error during cfs-locked 'file-user_cfg' operation: pool 'web' already exists"
    )
    cluster.machine()
    cluster.put("/pools/web", vms="100")
    assert [row["vmid"] for row in cluster.get("/pools/web")["members"]] == [100]
    assert cluster.get("/pools", poolid="web")[0]["comment"] == "Web"
    assert "VM 100 is already a pool member" in cluster.refusal("PUT", "/pools/web", vms="100").message
    assert "belongs already to pool" in cluster.refusal("PUT", "/pools/infrastructure", vms="100").message
    assert "is not empty (contains VM 100)" in cluster.refusal("DELETE", "/pools/web").message
    cluster.put("/pools/infrastructure", vms="100", allow_move=1)
    cluster.delete("/pools/web")
    assert {row["poolid"] for row in cluster.get("/pools")} == {"infrastructure"}


def test_agent_answers_once_the_guest_has_booted(cluster: Cluster) -> None:
    cluster.finish(cluster.post("/nodes/pve1/qemu/9000/clone", newid=100, name="web"))
    agent = "/nodes/pve1/qemu/100/agent"
    assert cluster.refusal("POST", f"{agent}/ping").message == "VM 100 is not running"
    cluster.put("/nodes/pve1/qemu/100/config", ipconfig0="ip=10.1.2.3/24,gw=10.1.2.1")
    cluster.power(100, "start")
    assert cluster.refusal("POST", f"{agent}/ping").message == "QEMU guest agent is not running"
    cluster.clock.advance(30)
    assert cluster.post(f"{agent}/ping") == {"result": {}}
    interfaces = {row["name"]: row for row in cluster.get(f"{agent}/network-get-interfaces")["result"]}
    assert interfaces["eth0"]["ip-addresses"][0] == {"ip-address": "10.1.2.3", "ip-address-type": "ipv4", "prefix": 24}
    assert interfaces["eth0"]["hardware-address"].upper() in cluster.config(100)["net0"]
    assert cluster.get(f"{agent}/get-osinfo")["result"]["id"] == "debian"
    cluster.machine(104, agent=0)
    assert cluster.refusal("POST", "/nodes/pve1/qemu/104/agent/ping").message == "No QEMU guest agent configured"


def test_a_blank_disk_has_no_agent(cluster: Cluster) -> None:
    cluster.machine(agent=1)
    cluster.power(100, "start")
    cluster.clock.advance(600)
    assert cluster.refusal("POST", "/nodes/pve1/qemu/100/agent/ping").message == "QEMU guest agent is not running"


def test_container_interfaces(cluster: Cluster) -> None:
    rows = {row["name"]: row for row in cluster.get("/nodes/pve1/lxc/201/interfaces")}
    assert rows["eth0"]["inet"].endswith("/16")


def test_figures_live_and_counters_only_grow(cluster: Cluster) -> None:
    path = "/nodes/pve1/qemu/110/status/current"
    before = cluster.get(path)
    assert 0 < before["cpu"] < 1 and 0 < before["mem"] < before["maxmem"]
    for _ in range(50):
        cluster.clock.advance(977)
        after = cluster.get(path)
        assert all(after[name] > before[name] for name in ("netin", "netout", "diskread", "diskwrite", "uptime"))
        before = after


def test_history(cluster: Cluster) -> None:
    rows = cluster.get("/nodes/pve1/qemu/110/rrddata", timeframe="hour")
    assert len(rows) == 60 and rows[1]["time"] - rows[0]["time"] == 60
    assert {"cpu", "maxcpu", "mem", "maxmem", "netin", "netout", "diskread", "diskwrite"} <= rows[-1].keys()
    assert rows == cluster.get("/nodes/pve1/qemu/110/rrddata", timeframe="hour")
    assert cluster.get("/nodes/pve3/qemu/130/rrddata", timeframe="hour")[-1].keys() == {"time"}
    assert cluster.refusal("GET", "/nodes/pve1/qemu/110/rrddata").errors.keys() == {"timeframe"}


def test_node_status_and_bridges(cluster: Cluster) -> None:
    status = cluster.get("/nodes/pve3/status")
    assert status["cpuinfo"]["cpus"] == 24 and len(status["loadavg"]) == 3
    assert [row["iface"] for row in cluster.get("/nodes/pve1/network", type="bridge")] == ["vmbr0"]


def test_version(cluster: Cluster) -> None:
    assert cluster.get("/version")["release"] == "9.2"
