"""Pause, suspend to disk, resume, and what is refused on the way."""

import pytest

from tests.vms.sandbox.driving import Cluster

STATUS = "/nodes/pve1/qemu/101/status"


def test_suspend_to_disk_and_back(cluster: Cluster) -> None:
    cluster.put("/nodes/pve1/qemu/101/config", cores=2)
    upid = cluster.post(f"{STATUS}/suspend", todisk=1)
    assert ":qmsuspend:101:" in upid
    assert cluster.get(f"{STATUS}/current")["lock"] == "suspending"
    assert cluster.finish(upid) == "OK"
    config = cluster.config(101, current=1)
    assert config["lock"] == "suspended" and config["cores"] == 1
    assert config["vmstate"] == "local-lvm:vm-101-state-suspend-2026-11-21"
    assert cluster.get(f"{STATUS}/current")["status"] == "stopped"
    assert cluster.refusal("PUT", "/nodes/pve1/qemu/101/config", name="x").message == "VM is locked (suspended)"
    started = cluster.post(f"{STATUS}/start")
    assert cluster.finish(started) == "OK"
    assert cluster.log(started) == ["resuming suspended VM", "Resumed VM, removing state", "TASK OK"]
    config = cluster.config(101, current=1)
    assert not {"lock", "vmstate", "runningmachine", "runningcpu"} & config.keys()
    assert config["cores"] == 1 and cluster.config(101)["cores"] == 2
    assert not [volume for volume in cluster.core.state.volumes if "state" in volume.name]


def test_resume_wakes_from_disk_too(cluster: Cluster) -> None:
    cluster.power(101, "suspend", todisk=1, statestorage="shared")
    assert cluster.config(101)["vmstate"] == "shared:101/vm-101-state-suspend-2026-11-21.raw"
    assert cluster.power(101, "resume") == "OK"
    assert cluster.get(f"{STATUS}/current")["qmpstatus"] == "running"


def test_pause_and_resume(cluster: Cluster) -> None:
    upid = cluster.post(f"{STATUS}/suspend")
    assert ":qmpause:101:" in upid and cluster.finish(upid) == "OK"
    current = cluster.get(f"{STATUS}/current")
    assert (current["status"], current["qmpstatus"]) == ("running", "paused")
    assert cluster.refusal("POST", f"{STATUS}/shutdown").message == "VM is paused - cannot shutdown"
    assert cluster.power(101, "resume") == "OK"


@pytest.mark.parametrize(
    ("action", "params", "text"),
    [
        ("suspend", {}, "VM 100 not running"),
        ("suspend", {"todisk": 1}, "VM 100 not running"),
        ("resume", {}, "VM 100 not running"),
        ("reset", {}, "VM 100 not running"),
        ("reboot", {}, "VM 100 not running"),
    ],
)
def test_of_a_stopped_machine(cluster: Cluster, action: str, params: dict, text: str) -> None:
    cluster.machine()
    refused = cluster.refusal("POST", f"/nodes/pve1/qemu/100/status/{action}", **params)
    assert (refused.status, refused.message) == (500, text)


@pytest.mark.parametrize("action", ["stop", "shutdown"])
def test_stop_of_a_stopped_and_locked_machine_is_fine(cluster: Cluster, action: str) -> None:
    cluster.machine()
    cluster.put("/nodes/pve1/qemu/100/config", lock="backup")
    assert cluster.power(100, action) == "OK"


def test_statestorage_needs_todisk(cluster: Cluster) -> None:
    refused = cluster.refusal("POST", f"{STATUS}/suspend", statestorage="shared")
    assert refused.errors == {"todisk": "missing property required by 'statestorage'"}


def test_a_full_storage_leaves_the_machine_running(cluster: Cluster) -> None:
    storage = cluster.core.state.storages.get("local-lvm")
    assert storage is not None
    storage.total = 1
    assert "insufficient free space" in cluster.power(101, "suspend", todisk=1)
    current = cluster.get(f"{STATUS}/current")
    assert current["status"] == "running" and "lock" not in current


def test_a_stop_may_overrule_a_shutdown_that_waits(cluster: Cluster) -> None:
    cluster.machine()
    cluster.power(100, "start")
    waiting = cluster.post("/nodes/pve1/qemu/100/status/shutdown")
    assert cluster.power(100, "stop", **{"overrule-shutdown": 1}) == "OK"
    assert cluster.get(f"/nodes/pve1/tasks/{waiting}/status")["exitstatus"] == "received interrupt"


def test_containers_cannot_be_checkpointed(cluster: Cluster) -> None:
    ended = cluster.power(201, "suspend", kind="lxc")
    assert ended == "command 'lxc-checkpoint -n 201 -s -D /var/lib/vz/dump' failed: exit code 1"
