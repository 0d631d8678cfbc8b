"""Containers: what is made of an archive, what a node warns of, and what differs from machines."""

import pytest

from tests.vms.sandbox.driving import Cluster

LXC = "/nodes/pve1/lxc"
DEBIAN = "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst"
ALPINE = "local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz"


def make(cluster: Cluster, **params: object) -> tuple[str, str]:
    upid = cluster.post(LXC, **({"vmid": 200, "ostemplate": DEBIAN, "rootfs": "local-lvm:8"} | params))
    return upid, cluster.finish(upid)


def test_defaults_and_the_log(cluster: Cluster) -> None:
    upid, ended = make(cluster, features="nesting=1", net0="name=eth0,bridge=vmbr0,ip=dhcp")
    assert ":vzcreate:200:" in upid and ended == "OK"
    config = cluster.config(200, kind="lxc")
    assert {key: config[key] for key in ("arch", "ostype", "hostname", "memory", "swap", "rootfs")} == {
        "arch": "amd64", "ostype": "debian", "hostname": "CT200", "memory": 512, "swap": 512,
        "rootfs": "local-lvm:vm-200-disk-0,size=8G",
    }  # fmt: skip
    assert config["unprivileged"] == 1
    assert config["net0"].startswith("name=eth0,bridge=vmbr0,hwaddr=BC:24:11:") and config["net0"].endswith(
        ",ip=dhcp,type=veth"
    )
    log = cluster.log(upid)
    assert "Creating filesystem with 2097152 4k blocks and 524288 inodes" in log
    assert "Detected container architecture: amd64" in log


@pytest.mark.parametrize(
    ("ostemplate", "features", "ended"),
    [(DEBIAN, None, "WARNINGS: 1"), (DEBIAN, "nesting=1", "OK"), (ALPINE, None, "OK")],
)
def test_newer_systemd_wants_nesting(cluster: Cluster, ostemplate: str, features: str | None, ended: str) -> None:
    upid, status = make(cluster, ostemplate=ostemplate, **({"features": features} if features else {}))
    assert status == ended
    started = cluster.post(f"{LXC}/200/status/start")
    assert cluster.finish(started) == ended
    if ended != "OK":
        for one in (upid, started):
            log = cluster.log(one)
            assert "WARN: Systemd 252 detected. You may need to enable nesting." in log
            assert log[-1] == "TASK WARNINGS: 1"
        row = next(row for row in cluster.get("/nodes/pve1/tasks") if row["upid"] == upid)
        assert row["status"] == "WARNINGS: 1"


@pytest.mark.parametrize(
    ("params", "status", "text", "errors"),
    [
        ({"vmid": 201}, 500, "CT 201 already exists on node 'pve1'", {}),
        ({"rootfs": "nope:8"}, 500, "storage 'nope' does not exist", {}),
        (
            {"rootfs": "local:8"}, 400, "Parameter verification failed.",
            {"storage": "storage 'local' does not support container directories"},
        ),
        ({"pool": "nope"}, 403, "Permission check failed (pool 'nope' does not exist)", {}),
        (
            {"unique": 1}, 400, "Parameter verification failed.", {"restore": "missing property required by 'unique'"},
        ),
    ],
)  # fmt: skip
def test_refusals(cluster: Cluster, params: dict, status: int, text: str, errors: dict) -> None:
    answer = cluster.answer("POST", LXC, **({"vmid": 200, "ostemplate": DEBIAN, "rootfs": "local-lvm:8"} | params))
    assert (answer.status, answer.message, answer.errors) == (status, text, errors)


def test_a_missing_archive_is_told_by_the_task(cluster: Cluster) -> None:
    _, ended = make(cluster, ostemplate="local:vztmpl/x.tar.zst")
    assert ended == "unable to create CT 200 - volume 'local:vztmpl/x.tar.zst' does not exist"
    assert 200 not in cluster.core.state.guests


@pytest.mark.parametrize(
    ("action", "params", "text"),
    [
        ("stop", {}, "CT 200 not running"), ("shutdown", {}, "CT 200 not running"), ("reboot", {}, "CT 200 not running"),
        ("suspend", {}, "CT 200 not running"),
    ],
)  # fmt: skip
def test_of_a_stopped_container(cluster: Cluster, action: str, params: dict, text: str) -> None:
    make(cluster)
    refused = cluster.refusal("POST", f"{LXC}/200/status/{action}", **params)
    assert (refused.status, refused.message) == (500, text)


def test_of_a_running_container(cluster: Cluster) -> None:
    refused = cluster.refusal("POST", f"{LXC}/201/status/start")
    assert (refused.status, refused.message) == (500, "CT 201 already running")


def test_a_second_clone_waits_for_the_first(cluster: Cluster) -> None:
    make(cluster, ostemplate=ALPINE)
    first = cluster.post(f"{LXC}/200/clone", newid=300)
    refused = cluster.refusal("POST", f"{LXC}/200/clone", newid=301)
    assert (refused.status, refused.message) == (500, "CT is locked (disk)")
    assert cluster.finish(first) == "OK" and "lock" not in cluster.config(200, kind="lxc")
    assert cluster.finish(cluster.post(f"{LXC}/200/clone", newid=301)) == "OK"


def test_history_of_a_node(cluster: Cluster) -> None:
    rows = cluster.get("/nodes/pve1/rrddata", timeframe="hour")
    assert len(rows) == 60 and all(0 <= row["cpu"] <= 1 and row["memused"] <= row["memtotal"] for row in rows)
    assert list(cluster.get("/nodes/pve1/rrddata", timeframe="year")[0]) == ["time"]


def test_features_leave_the_cloud_init_drive_out(cluster: Cluster) -> None:
    for name in ("snapshot", "clone", "copy"):
        assert cluster.get("/nodes/pve1/qemu/9000/feature", feature=name)["hasFeature"] == 1
