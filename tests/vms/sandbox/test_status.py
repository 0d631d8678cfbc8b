"""What lists and status tell of one guest."""

from tests.vms.sandbox.driving import Cluster

COMMON = {
    "vmid": int, "name": str, "status": str, "cpus": int, "cpu": float, "maxmem": int, "mem": int, "maxdisk": int,
    "disk": int, "uptime": int, "netin": int, "netout": int, "diskread": int, "diskwrite": int, "pid": int,
    "pressurecpusome": float, "pressurecpufull": float, "pressureiosome": float, "pressureiofull": float,
    "pressurememorysome": float, "pressurememoryfull": float,
}  # fmt: skip


def check_types(row: dict, wanted: dict[str, type]) -> None:
    for name, kind in wanted.items():
        assert isinstance(row[name], int if kind is int else (int, float) if kind is float else kind), (name, row[name])


def test_of_a_running_machine(cluster: Cluster) -> None:
    row = cluster.get("/nodes/pve1/qemu/101/status/current")
    check_types(row, COMMON | {"memhost": int, "balloon": int, "freemem": int, "ballooninfo": dict})
    assert (row["qmpstatus"], row["agent"], row["ha"]) == ("running", 1, {"managed": 0})
    assert row["running-machine"] == "pc-i440fx-10.1+pve0" and row["running-qemu"] == "10.1.2"
    assert list(row["nics"]) == ["tap101i0"] and set(row["nics"]["tap101i0"]) == {"netin", "netout"}
    assert row["blockstat"]["scsi0"]["wr_bytes"] > 0 and row["proxmox-support"]["pbs-dirty-bitmap"] is True
    assert row["mem"] + row["freemem"] == row["maxmem"]


def test_of_a_stopped_machine(cluster: Cluster) -> None:
    cluster.machine(serial0="socket", vga="qxl", tags="a;b")
    row = cluster.get("/nodes/pve1/qemu/100/status/current")
    assert {name: row[name] for name in ("status", "qmpstatus", "uptime", "cpu", "mem", "serial", "spice", "tags")} == {
        "status": "stopped", "qmpstatus": "stopped", "uptime": 0, "cpu": 0, "mem": 0, "serial": 1, "spice": 1,
        "tags": "a;b",
    }  # fmt: skip
    assert not {"pid", "agent", "template", "lock", "balloon", "nics"} & row.keys()
    assert row["maxdisk"] == 8 * 2**30


def test_of_a_container(cluster: Cluster) -> None:
    row = cluster.get("/nodes/pve1/lxc/201/status/current")
    check_types(row, COMMON | {"maxswap": int, "swap": int})
    assert row["type"] == "lxc" and not {"qmpstatus", "memhost", "running-qemu"} & row.keys()


def test_a_full_list_asks_every_machine(cluster: Cluster) -> None:
    row = next(row for row in cluster.get("/nodes/pve1/qemu") if row["vmid"] == 101)
    assert "qmpstatus" not in row and "ha" not in row
    row = next(row for row in cluster.get("/nodes/pve1/qemu", full=1) if row["vmid"] == 101)
    assert row["qmpstatus"] == "running" and "blockstat" in row


def test_history_looks_lived_in(cluster: Cluster) -> None:
    rows = cluster.get("/nodes/pve1/qemu/101/rrddata", timeframe="hour")
    loads = {row["cpu"] for row in rows}
    assert len(rows) == 60 and len(loads) > 30 and all(0 <= load <= 1 for load in loads)
    assert all(row["netin"] >= 0 and row["mem"] <= row["maxmem"] for row in rows)
    for timeframe, count, step in (
        ("day", 1440, 60),
        ("week", 336, 1800),
        ("month", 1440, 1800),
        ("year", 1440, 21_600),
    ):
        rows = cluster.get("/nodes/pve1/qemu/101/rrddata", timeframe=timeframe)
        assert len(rows) == count and rows[1]["time"] - rows[0]["time"] == step
    assert list(rows[0]) == ["time"], "a machine of eleven days has no figures of last year"
    assert cluster.refusal("GET", "/nodes/pve1/qemu/101/rrddata").status == 400
