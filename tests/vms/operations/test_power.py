"""Starting, stopping and restarting one machine, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError, Refused, Unavailable, WrongState
from alma.events.models import Event
from alma.jobs.models import Job
from tests.vms.operations.conftest import end_of, see
from vms.drift.expecting import learn
from vms.models import Cluster, Expectation, Guest, GuestClaim, GuestSnapshot
from vms.operations import power, snapshots
from vms.operations.changing import Change, change
from vms.operations.making import Machine, create
from vms.operations.power import Stop
from vms.operations.removal import delete
from vms.operations.showing import statuses

Finish = Callable[[Job], Job]
HARD = Stop(is_graceful=False)


def power_of(observer: Any, guest: Guest) -> str:
    return str(observer.nodes(guest.node).qemu(guest.vmid).status.current.get()["status"])


def test_stop_start_restart(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    for act, status, left in (
        (lambda: power.stop(machine, Stop(), by=by), "stopping", "stopped"),
        (lambda: power.start(machine, by=by), "starting", "running"),
        (lambda: power.restart(machine, Stop(), by=by), "restarting", "running"),
        (lambda: power.stop(machine, HARD, by=by), "stopping", "stopped"),
    ):
        job = act()
        assert statuses([machine]) == {machine.pk: status}
        finish(job)
        assert job.state == "completed", job.error
        assert power_of(observer, machine) == left == Guest.objects.get(pk=machine.pk).status
        assert end_of(job)["vm"]["status"] == left
        assert statuses([machine]) == {}
        machine.refresh_from_db()


def test_what_is_so_already_is_left_and_said(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    uptime = observer.nodes(machine.node).qemu(machine.vmid).status.current.get()["uptime"]
    job = finish(power.start(machine, by=by))
    assert (job.state, end_of(job)["note"]) == ("completed", "It was so already; nothing had to be done.")
    assert observer.nodes(machine.node).qemu(machine.vmid).status.current.get()["uptime"] >= uptime


def test_status_is_told_on_the_stream_of_the_cluster_once(machine: Guest, by: Actor, finish: Finish) -> None:
    finish(power.stop(machine, Stop(), by=by))
    see(machine.cluster)
    told = Event.objects.of(machine.cluster.stream).filter(kind="vm.status_changed")
    assert [(event.data["was"], event.data["status"], event.data["vmid"]) for event in told] == [
        ("running", "stopped", machine.vmid)
    ]


@pytest.mark.parametrize(("forced", "state", "left"), [(False, "failed", "running"), (True, "completed", "stopped")])
def test_a_system_that_does_not_heed(
    make_machine: Callable[..., Guest], by: Actor, finish: Finish, observer: Any, forced: bool, state: str, left: str
) -> None:
    machine = make_machine(template_vmid=None)  # on an empty disk is no system that could
    job = finish(power.stop(machine, Stop(seconds=1, is_forced=forced), by=by))
    assert (job.state, power_of(observer, machine)) == (state, left)
    if not forced:
        assert job.error is not None
        assert job.error["code"] == "NOT_SHUT_DOWN"
        assert "runs on" in job.error["message"]


def test_one_job_at_a_time(machine: Guest, by: Actor, finish: Finish) -> None:
    job = power.stop(machine, Stop(), by=by)
    with pytest.raises(WrongState) as refusal:
        power.start(machine, by=by)
    assert refusal.value.details == {"job_id": job.public_id, "type": "vm_stop"}
    assert job.public_id.startswith(f"job_stop_vm_{machine.pk:03d}_")
    finish(job)
    finish(power.start(machine, by=by))


@pytest.mark.parametrize(
    ("verb", "title"),
    [
        ("start", "Start web"), ("stop", "Stop web"), ("restart", "Restart web"), ("change", "Change web"),
        ("delete", "Delete web"), ("snapshot", "Take a snapshot of web"), ("restore", "Go back to a snapshot of web"),
        ("drop", "Delete a snapshot of web"), ("create", "Create app"),
    ],
)  # fmt: skip
def test_a_job_is_called_what_was_asked(machine: Guest, by: Actor, verb: str, title: str) -> None:
    row = GuestSnapshot.objects.create(guest=machine, name="before")
    ask: dict[str, Callable[[], Job]] = {
        "start": lambda: power.start(machine, by=by),
        "stop": lambda: power.stop(machine, HARD, by=by),
        "restart": lambda: power.restart(machine, Stop(), by=by),
        "change": lambda: change(machine, Change(cores=4), by=by),
        "delete": lambda: delete(machine, is_forced=False, keeps_backups=True, by=by),
        "snapshot": lambda: snapshots.take(machine, "s1", by=by)[1],
        "restore": lambda: snapshots.restore(machine, row, by=by),
        "drop": lambda: snapshots.drop(machine, row, by=by),
        "create": lambda: create(Machine(name="app", template="9000"), by=by)[1],
    }
    assert ask[verb]().title == title


def test_what_is_not_ours_is_not_touched(cluster: Cluster, by: Actor, observer: Any) -> None:
    see(cluster)
    stranger = Guest.objects.get(cluster=cluster, name="gitlab")
    with pytest.raises(Refused) as refusal:
        power.stop(stranger, Stop(), by=by)
    assert refusal.value.code == "GUEST_NOT_OURS"
    assert not Job.objects.exists()


def test_a_mark_that_is_gone_stops_the_job_before_the_guest(
    machine: Guest, by: Actor, finish: Finish, observer: Any
) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="mine now")
    job = finish(power.stop(machine, Stop(), by=by))
    assert job.error is not None
    assert job.error["code"] == "GUEST_NOT_OURS"
    assert power_of(observer, machine) == "running"


def test_who_may_not(machine: Guest, by: Actor, environment: Environment) -> None:
    cluster = machine.cluster
    refused(lambda: power.start(machine, by=replace(by, scopes=frozenset({"vm:read"}))), Refused, "MISSING_SCOPE")
    cluster.last_error = "timed out"
    refused(lambda: power.start(machine, by=by), Unavailable, "CLUSTER_UNREACHABLE")
    cluster.last_error, cluster.is_sandbox = "", False
    refused(lambda: power.start(machine, by=replace(by, lane="test")), Refused, "TEST_KEY_ON_LIVE")


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code


def test_drift_learns_what_was_asked(machine: Guest, by: Actor, finish: Finish) -> None:
    finish(power.stop(machine, Stop(), by=by))
    claim = GuestClaim.objects.get(vmid=machine.vmid)
    learn([claim], {claim.job: Job.objects.get(public_id=claim.job)})
    assert Expectation.objects.get(claim=claim).facts["power"] == "stopped"
