"""Starting, stopping and removing guests."""

import pytest

from tests.vms.sandbox.driving import Cluster

ONE = "/nodes/pve1/qemu/100"


def test_start_twice_fails_the_second_task(cluster: Cluster) -> None:
    cluster.machine()
    assert cluster.power(100, "start") == "OK"
    assert cluster.power(100, "start") == "VM 100 already running"
    status = cluster.get(f"{ONE}/status/current")
    assert (status["status"], status["qmpstatus"]) == ("running", "running") and status["pid"] > 0


def test_stop_of_a_stopped_machine_is_fine(cluster: Cluster) -> None:
    cluster.machine()
    assert cluster.power(100, "stop") == "OK"


@pytest.mark.parametrize("action", ["reboot", "reset", "suspend", "resume"])
def test_actions_that_need_a_running_machine(cluster: Cluster, action: str) -> None:
    cluster.machine()
    assert cluster.refusal("POST", f"{ONE}/status/{action}").message == "VM 100 not running"


def test_a_machine_without_a_system_does_not_hear_the_power_button(cluster: Cluster) -> None:
    cluster.machine()
    cluster.power(100, "start")
    upid = cluster.post(f"{ONE}/status/shutdown", timeout=30)
    before = cluster.clock.now()
    assert cluster.finish(upid) == "VM quit/powerdown failed - got timeout"
    assert cluster.clock.now() - before == pytest.approx(30)
    assert cluster.power(100, "shutdown", timeout=1, forceStop=1) == "OK"
    assert cluster.get(f"{ONE}/status/current")["status"] == "stopped"


def test_shutdown_of_an_installed_machine(cluster: Cluster) -> None:
    assert cluster.power(101, "shutdown") == "OK"
    assert cluster.get("/nodes/pve1/qemu/101/status/current")["uptime"] == 0


def test_pause_keeps_the_status_and_forbids_shutdown(cluster: Cluster) -> None:
    cluster.power(101, "suspend")
    status = cluster.get("/nodes/pve1/qemu/101/status/current")
    assert (status["status"], status["qmpstatus"]) == ("running", "paused")
    assert cluster.refusal("POST", "/nodes/pve1/qemu/101/status/shutdown").message == "VM is paused - cannot shutdown"
    cluster.power(101, "resume")
    assert cluster.get("/nodes/pve1/qemu/101/status/current")["qmpstatus"] == "running"


def test_templates_do_not_start(cluster: Cluster) -> None:
    assert cluster.power(9000, "start") == "you can't start a vm if it's a template"


def test_containers_refuse_before_the_fork(cluster: Cluster) -> None:
    base = "/nodes/pve1/lxc/201/status"
    assert cluster.refusal("POST", f"{base}/start").message == "CT 201 already running"
    assert cluster.power(201, "shutdown", kind="lxc") == "OK"
    for action in ("stop", "shutdown", "reboot"):
        assert cluster.refusal("POST", f"{base}/{action}").message == "CT 201 not running"


def test_delete_of_a_running_machine_is_refused(cluster: Cluster) -> None:
    cluster.machine()
    cluster.power(100, "start")
    assert cluster.refusal("DELETE", ONE).message == "VM 100 is running - destroy failed"


def test_delete_removes_configuration_volumes_and_membership(cluster: Cluster) -> None:
    cluster.post("/pools", poolid="web")
    cluster.machine(pool="web")
    assert cluster.finish(cluster.delete(ONE, purge=1)) == "OK"
    assert (
        cluster.refusal("GET", f"{ONE}/config").message
        == "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist"
    )
    assert not [volume for volume in cluster.core.state.volumes if volume.vmid == 100]
    assert cluster.get("/pools/web") == {"members": []}


def test_protected_machines_stay(cluster: Cluster) -> None:
    cluster.machine(protection=1)
    assert cluster.refusal("DELETE", ONE).message == "can't remove VM 100 - protection mode enabled"


def test_a_task_waits_for_the_one_before_it(cluster: Cluster) -> None:
    created = cluster.post("/nodes/pve1/qemu", vmid=100, scsi0="local-lvm:1")
    started = cluster.post(f"{ONE}/status/start")
    assert cluster.finish(started) == "OK"
    assert cluster.get(f"/nodes/pve1/tasks/{created}/status")["exitstatus"] == "OK"


def test_a_lock_held_too_long_times_out(cluster: Cluster) -> None:
    cluster.machine()
    cluster.power(100, "start")
    cluster.post(f"{ONE}/status/shutdown", timeout=60)
    upid = cluster.post(f"{ONE}/status/stop")
    before = cluster.clock.now()
    assert cluster.finish(upid) == "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"
    assert cluster.clock.now() - before == pytest.approx(10)


def test_a_synchronous_change_waits_for_the_lock_file(cluster: Cluster) -> None:
    cluster.machine()
    started = cluster.post(f"{ONE}/status/start")
    cluster.put(f"{ONE}/config", description="waited")
    assert cluster.get(f"/nodes/pve1/tasks/{started}/status")["exitstatus"] == "OK"
    cluster.post(f"{ONE}/status/shutdown", timeout=60)
    assert "got timeout" in cluster.refusal("PUT", f"{ONE}/config", description="too long").message


def test_wrong_node_or_kind_is_a_missing_configuration(cluster: Cluster) -> None:
    cluster.machine()
    assert (
        "nodes/pve2/qemu-server/100.conf' does not exist"
        in cluster.refusal("GET", "/nodes/pve2/qemu/100/config").message
    )
    assert "nodes/pve1/lxc/100.conf' does not exist" in cluster.refusal("GET", "/nodes/pve1/lxc/100/config").message
    assert cluster.refusal("GET", "/nodes/nosuch/qemu").message.startswith("hostname lookup 'nosuch' failed")
