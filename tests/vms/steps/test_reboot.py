"""Restarting a guest by Proxmox's own reboot, on a sandbox over TLS."""

from typing import Any

import pytest

from alma.jobs.services import StepSpec
from tests.factories.vms import GIB, guest_spec
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from tests.vms.steps.conftest import ref
from vms.models import Cluster
from vms.sandbox.core import power
from vms.services import create_steps, owned_guests, read_cluster, undo_of, update_steps
from vms.steps import reboot as module


def restart(cluster: Cluster, **params: Any) -> list[StepSpec]:
    return [StepSpec("guest.reboot", "web", "Restart VM web", 0, 1, ref(cluster).params() | params)]


@pytest.fixture
def made(cluster: Cluster, runner: Runner) -> None:
    """A machine with a system that runs."""
    assert runner.run(create_steps(guest_spec(cluster, template_vmid=9000, template_node="pve1"))).error is None


def tasks(observer: Any, kind: str) -> int:
    return len(observer.nodes("pve1").tasks.get(vmid=5000, source="all", typefilter=kind))


def test_what_waits_for_the_next_start_takes_effect(
    cluster: Cluster, runner: Runner, observer: Any, made: None
) -> None:
    steps = update_steps(guest_spec(cluster, cores=4, memory_bytes=4 * GIB), restart=True)
    assert [step.kind for step in steps] == ["guest.configure", "guest.reboot", "guest.verify"]
    job = runner.run(steps)
    assert job.error is None
    assert [step.state for step in job.steps.order_by("ordinal")] == ["succeeded"] * 3, (
        "no warning of what a restart mends"
    )
    current = observer.nodes("pve1").qemu(5000).status.current.get()
    assert (current["status"], current["cpus"]) == ("running", 4)
    assert (tasks(observer, "qmreboot"), tasks(observer, "qmstop"), tasks(observer, "qmshutdown")) == (1, 0, 0)
    (owned,) = owned_guests(cluster, "test")
    assert owned.reading is not None and owned.reading.pending == ()


def test_what_must_not_change_while_it_runs_is_changed_when_it_is_stopped(
    cluster: Cluster, runner: Runner, observer: Any, made: None
) -> None:
    job = runner.run(update_steps(guest_spec(cluster, cores=4), restart=True, can_reboot=False))
    assert [step.kind for step in job.steps.order_by("ordinal")] == [
        "guest.stop", "guest.configure", "guest.start", "guest.verify"
    ]  # fmt: skip
    assert (job.error, tasks(observer, "qmreboot")) == (None, 0)
    assert observer.nodes("pve1").qemu(5000).status.current.get()["cpus"] == 4


def test_a_container(cluster: Cluster, runner: Runner, observer: Any) -> None:
    archive = read_cluster(cluster).ostemplates[0]
    runner.run(create_steps(guest_spec(cluster, kind="lxc", ostemplate=archive.volid, node="pve1")))
    params = ref(cluster).params() | {"kind": "lxc"}
    job = runner.run([StepSpec("guest.reboot", "web", "Restart container web", 0, 1, params)])
    assert (job.error, tasks(observer, "vzreboot")) == (None, 1)
    assert observer.nodes("pve1").lxc(5000).status.current.get()["status"] == "running"


def test_a_system_that_does_not_heed_is_stopped_and_started(cluster: Cluster, runner: Runner, observer: Any) -> None:
    runner.run(create_steps(guest_spec(cluster)))  # on an empty disk is no system that could
    job = runner.run(restart(cluster, timeout=1))
    assert job.error is None
    assert any("did not go down" in line for line in runner.log(job))
    assert (tasks(observer, "qmreboot"), tasks(observer, "qmstop"), tasks(observer, "qmstart")) == (1, 1, 2)


def test_one_that_is_stopped_is_started(cluster: Cluster, runner: Runner, observer: Any, made: None) -> None:
    observer.nodes("pve1").qemu(5000).status.stop.post()
    job = runner.run(restart(cluster))
    assert (job.error, tasks(observer, "qmreboot"), tasks(observer, "qmstart")) == (None, 0, 2)


def test_one_that_stays_down_after_a_reboot_is_started(
    cluster: Cluster, runner: Runner, observer: Any, made: None, fresh_sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """On a real node the task ends when the guest is down; another starts it, unless the node has lost it."""
    monkeypatch.setattr(module, "SETTLE", 0.0)
    was = power.boot
    monkeypatch.setattr(power, "boot", lambda world, guest, task: task.type == "qmreboot" or was(world, guest, task))
    job = runner.run(restart(cluster))
    assert (job.error, tasks(observer, "qmreboot"), tasks(observer, "qmstart")) == (None, 1, 2)
    assert observer.nodes("pve1").qemu(5000).status.current.get()["status"] == "running"


@pytest.mark.parametrize("how", ["lose_request", "lose_answer"])
def test_a_lost_call(
    cluster: Cluster, runner: Runner, observer: Any, made: None, fresh_sandbox: RunningSandbox, how: str
) -> None:
    getattr(fresh_sandbox.core.faults, how)("POST", "*/status/reboot")
    job = runner.run(restart(cluster))
    assert (job.error, tasks(observer, "qmreboot")) == (None, 1), "it goes down once"
    assert observer.nodes("pve1").qemu(5000).status.current.get()["status"] == "running"


def test_a_mark_that_is_gone_stops_it_before_the_guest(
    cluster: Cluster, runner: Runner, observer: Any, made: None
) -> None:
    observer.nodes("pve1").qemu(5000).config.put(description="mine now")
    job = runner.run(restart(cluster))
    assert job.error is not None
    assert (job.error["code"], tasks(observer, "qmreboot")) == ("GUEST_NOT_OURS", 0)


def test_its_undoing_leaves_it_running_with_what_it_had(
    cluster: Cluster, runner: Runner, observer: Any, made: None
) -> None:
    job = runner.run(update_steps(guest_spec(cluster, cores=4), restart=True))
    undo = undo_of(job)
    assert [step.kind for step in undo.steps] == ["guest.stop", "guest.restore", "guest.start"]
    assert undo.lost == ()
