"""A direct write on a machine of a protected environment: proposed, approved, carried out to the letter, or turned down."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError, Refused, WrongState
from alma.events.models import Event
from alma.jobs import engine
from alma.jobs import services as jobs
from alma.jobs.invariants import closing_events, ended_jobs, progress
from alma.jobs.models import Job
from iprs import invariants, services
from iprs.models import IPR, Deployment
from tests.iprs.operations.conftest import approve, carry_out, ipr_of, planned, see, work
from vms.models import Cluster, Guest, GuestClaim, GuestSnapshot
from vms.operations import power, snapshots
from vms.operations.changing import Change, change
from vms.operations.cloning import Copy, clone
from vms.operations.making import Machine, create
from vms.operations.moving import Move, migrate
from vms.operations.power import Stop
from vms.operations.removal import delete
from vms.operations.showing import statuses

Act = Callable[[Guest, Actor], Job]


def power_of(observer: Any, guest: Guest) -> str:
    return str(observer.nodes(guest.node).qemu(guest.vmid).status.current.get()["status"])


def is_sound() -> None:
    """What must always hold of jobs, plans and deployments."""
    rules = (ended_jobs, closing_events, progress, invariants.statuses, invariants.plans, invariants.operations)
    assert [finding for rule in rules for finding in rule()] == []


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> str:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code
    return refusal.value.message


def test_a_direct_write_waits_and_touches_nothing(machine: Guest, by: Actor, observer: Any) -> None:
    job = power.stop(machine, Stop(), by=by)
    ipr = planned(job)
    assert (job.state, job.params["ipr"], job.params["ipr_url"]) == ("waiting", ipr.pk, ipr.get_absolute_url())
    assert (ipr.status, ipr.title, ipr.blueprint, ipr.created_by) == ("pending", "Stop web", None, "robot")
    assert power_of(observer, machine) == "running"
    assert statuses([machine]) == {}, "nothing works on it"
    plan = ipr.current_plan
    assert plan is not None
    item = plan.items.get()
    assert (plan.status, plan.summary, plan.revision, plan.problems) == ("ready", {"update": 1}, None, [])
    assert (item.key, item.vmid, [step["kind"] for step in item.steps]) == ("web", machine.vmid, ["guest.stop"])
    assert item.changes == [{"field": "power", "before": "running", "after": "stopped", "cause": "asked for"}]
    assert item.reasons == [
        "Its system is asked to shut down and has 300 s; if it does not heed, it runs on and the job fails."
    ]
    assert list(item.facts) == ["guest/web"]
    is_sound()


def test_approved_and_deployed_the_job_goes_on_to_its_end(
    machine: Guest, by: Actor, boss: Actor, observer: Any
) -> None:
    job = power.stop(machine, Stop(), by=by)
    deployment = carry_out(job, by=boss)
    assert (job.state, deployment.status, deployment.ipr.status) == ("completed", "completed", "deployed")
    assert power_of(observer, machine) == "stopped"
    machine.refresh_from_db()
    assert machine.status == "stopped"
    done = deployment.job.steps.get(kind="operation.carry")
    assert done.evidence == {"job": job.public_id, "vmid": machine.vmid, "kind": "vm", "node": machine.node,
                             "name": "web", "status": "stopped"}  # fmt: skip
    said = [event.data["message"] for event in Event.objects.of(deployment.job.stream).filter(kind="deployment.log")]
    assert said == ["Stop web: succeeded"]
    is_sound()


def test_rejected_the_job_ends_with_the_reason(machine: Guest, by: Actor, boss: Actor, observer: Any) -> None:
    job = power.stop(machine, Stop(), by=by)
    services.review(planned(job), "reject", by=boss, comments="Not before the weekend.")
    job.refresh_from_db()
    who = boss.label
    message = f"IPR #{ipr_of(job).pk} was rejected by {who}: Not before the weekend."
    assert (job.state, job.error) == ("cancelled", {"code": "IPR_REJECTED", "message": message})
    last = Event.objects.of(job.stream).order_by("-seq").first()
    assert last is not None
    assert (last.kind, last.data["message"], last.data["vm"]["status"]) == ("vm_stop.cancelled", message, "running")
    assert power_of(observer, machine) == "running"
    refused(lambda: services.reopen(ipr_of(job), by=boss), WrongState, "WRONG_STATE")
    refused(lambda: services.replan(ipr_of(job), by=boss), WrongState, "WRONG_STATE")
    is_sound()


def test_withdrawn_the_job_ends(machine: Guest, by: Actor, boss: Actor) -> None:
    job = power.start(machine, by=by)
    services.withdraw(planned(job), by=boss)
    job.refresh_from_db()
    assert (job.state, job.error and job.error["code"]) == ("cancelled", "IPR_WITHDRAWN")


def test_cancelling_the_job_withdraws_the_ipr(machine: Guest, by: Actor) -> None:
    job = power.stop(machine, Stop(), by=by)
    planned(job)
    Cluster.objects.update(is_sandbox=False)
    refused(lambda: jobs.stop(job, by=replace(by, lane="test")), Refused, "TEST_KEY_ON_LIVE")
    jobs.stop(job, by=by)
    job.refresh_from_db()
    assert (job.state, ipr_of(job).status) == ("cancelled", "cancelled")
    assert job.error == {"code": "IPR_WITHDRAWN", "message": f"IPR #{ipr_of(job).pk} was withdrawn by robot."}
    refused(lambda: jobs.stop(job, by=by), WrongState, "NOT_RUNNING")
    is_sound()


def test_asking_twice_is_asking_once_and_something_else_is_another(machine: Guest, by: Actor) -> None:
    job = power.stop(machine, Stop(), by=by)
    assert power.stop(machine, Stop(), by=replace(by, label="another")) == job
    other = power.stop(machine, Stop(seconds=10), by=by)
    third = power.restart(machine, Stop(), by=by)
    assert len({job, other, third}) == 3 == IPR.objects.count()
    jobs.stop(job, by=by)
    assert power.stop(machine, Stop(), by=by) not in {job, other, third}, "what was taken back is asked for anew"


def test_what_waits_holds_nothing(machine: Guest, by: Actor, boss: Actor, observer: Any) -> None:
    """One operation goes on while another waits; the other is out of date then, and touches nothing before it is planned anew."""
    stop, restart = power.stop(machine, Stop(), by=by), power.restart(machine, Stop(), by=by)
    ipr = planned(restart)
    approve(ipr, by=boss)
    assert carry_out(stop, by=boss).status == "completed"
    run = services.deploy(ipr_of(restart), by=boss)
    work()
    run.refresh_from_db()
    restart.refresh_from_db()
    assert (run.status, run.job.error and run.job.error["code"]) == ("failed", "PLAN_CHANGED")
    assert (restart.state, power_of(observer, machine)) == ("waiting", "stopped")
    services.replan(ipr_of(restart), by=boss)
    assert carry_out(restart, by=boss).status == "completed"
    assert (restart.state, power_of(observer, machine)) == ("completed", "running")
    is_sound()


def test_a_mark_that_is_gone_cannot_be_planned(machine: Guest, by: Actor, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="mine now")
    plan = planned(power.stop(machine, Stop(), by=by)).current_plan
    assert plan is not None
    assert plan.problems == [f"web: VMID {machine.vmid} no longer carries ALMA's mark; it is not touched."]


def test_a_mark_that_goes_after_the_approval_stops_it(machine: Guest, by: Actor, boss: Actor, observer: Any) -> None:
    job = power.stop(machine, Stop(), by=by)
    approve(planned(job), by=boss)
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="mine now")
    run = services.deploy(ipr_of(job), by=boss)
    work()
    run.refresh_from_db()
    assert (run.status, power_of(observer, machine)) == ("failed", "running")


def test_steps_that_are_not_the_approved_ones_never_begin(
    machine: Guest, by: Actor, boss: Actor, observer: Any
) -> None:
    job = power.stop(machine, Stop(), by=by)
    approve(planned(job), by=boss)
    run = services.deploy(ipr_of(job), by=boss)
    job.steps.update(kind="guest.delete")
    work()
    run.refresh_from_db()
    assert run.job.error is not None
    assert (run.status, run.job.error["code"]) == ("failed", "PLAN_CHANGED")
    assert power_of(observer, machine) == "running"


def test_a_machine_that_the_ledger_gave_up_is_left_alone(machine: Guest, by: Actor, boss: Actor, observer: Any) -> None:
    job = power.stop(machine, Stop(), by=by)
    approve(planned(job), by=boss)
    run = services.deploy(ipr_of(job), by=boss)
    engine.advance(run.job_id, slot_seconds=0.01)
    GuestClaim.objects.get(vmid=machine.vmid).move(GuestClaim.State.RELEASED)
    work()
    run.refresh_from_db()
    assert run.job.error is not None
    assert (run.job.error["code"], power_of(observer, machine)) == ("GUEST_NOT_OURS", "running")


def test_a_failure_can_be_taken_up_again(make_machine: Any, by: Actor, boss: Actor, observer: Any) -> None:
    machine = make_machine(template_vmid=None)  # on an empty disk is no system that could heed
    job = power.stop(machine, Stop(seconds=1), by=by)
    run = carry_out(job, by=boss)
    assert (job.state, run.status, run.ipr.status) == ("failed", "failed", "failed")
    assert run.job.error is not None and job.error is not None
    assert run.job.error["code"] == job.error["code"] == "NOT_SHUT_DOWN"
    refused(lambda: services.roll_back(run, by=boss, is_confirmed=True), WrongState, "WRONG_STATE")
    refused(lambda: services.replan(run.ipr, by=boss), WrongState, "WRONG_STATE")
    observer.nodes(machine.node).qemu(machine.vmid).status.stop.post()
    services.retry_deployment(run, by=boss)
    work()
    run.refresh_from_db()
    job.refresh_from_db()
    assert (job.state, run.status, ipr_of(job).status) == ("completed", "completed", "deployed")
    is_sound()


def test_cancelling_a_deployment_cancels_what_it_carries_out(make_machine: Any, by: Actor, boss: Actor) -> None:
    machine = make_machine(template_vmid=None)
    job = power.restart(machine, Stop(seconds=2), by=by)
    approve(planned(job), by=boss)
    run = services.deploy(ipr_of(job), by=boss)
    for _ in range(4):
        engine.advance(run.job_id, slot_seconds=0.1)
    engine.advance(job.pk, slot_seconds=0.1)
    services.cancel_deployment(run, by=boss)
    work()
    run.refresh_from_db()
    job.refresh_from_db()
    assert (run.status, job.state) == ("failed", "failed"), "the stop that was in flight failed by itself"
    assert not job.steps.filter(kind="guest.start").exclude(state="pending").exists(), "and nothing new began"


def test_a_busy_machine_is_waited_for(machine: Guest, by: Actor, boss: Actor, environment: Environment) -> None:
    job = power.stop(machine, Stop(), by=by)
    approve(planned(job), by=boss)
    Environment.objects.filter(pk=environment.pk).update(is_protected=False)
    direct = power.start(machine, by=by)
    run = services.deploy(ipr_of(job), by=boss)
    for _ in range(4):
        engine.advance(run.job_id, slot_seconds=0.1)
    job.refresh_from_db()
    assert job.state == "waiting", "one job at a time works on a machine"
    work()
    for row in (job, direct, run):
        row.refresh_from_db()
    assert (direct.state, job.state, run.status) == ("completed", "completed", "completed")


def test_a_dry_run_tries_it_on_a_copy(machine: Guest, by: Actor, boss: Actor, observer: Any) -> None:
    job = power.stop(machine, Stop(), by=by)
    run = services.dry_run(planned(job), by=boss)
    work()
    run.refresh_from_db()
    assert (run.status, run.job.error, ipr_of(job).status) == ("completed", None, "pending")
    assert power_of(observer, machine) == "running"
    job.refresh_from_db()
    assert job.state == "waiting"


ACTS: dict[str, tuple[Act, dict[str, int]]] = {
    "start": (lambda guest, by: power.start(guest, by=by), {"update": 1}),
    "restart": (lambda guest, by: power.restart(guest, Stop(), by=by), {"update": 1}),
    "change": (
        lambda guest, by: change(guest, Change(cores=4, tags=("blue",), description="New"), by=by),
        {"update": 1},
    ),
    "delete": (lambda guest, by: delete(guest, is_forced=True, keeps_backups=True, by=by), {"delete": 1}),
    "snapshot": (lambda guest, by: snapshots.take(guest, "before", by=by)[1], {"update": 1}),
}


@pytest.mark.parametrize("verb", list(ACTS))
def test_every_operation_is_gated(machine: Guest, by: Actor, boss: Actor, observer: Any, verb: str) -> None:
    act, summary = ACTS[verb]
    job = act(machine, by)
    plan = planned(job).current_plan
    assert plan is not None
    assert (job.state, plan.summary, plan.problems) == ("waiting", summary, [])
    assert plan.items.get().changes, "it says what is different afterwards"
    ticks = ["web"] if verb == "delete" else []
    run = carry_out(job, by=boss, acknowledged=ticks)
    assert (job.state, run.status) == ("completed", "completed"), job.error
    is_sound()


def test_what_a_change_says_and_does(machine: Guest, by: Actor, boss: Actor, observer: Any) -> None:
    job = change(machine, Change(cores=4, memory_mib=4096, tags=("blue",), description="New"), by=by)
    plan = planned(job).current_plan
    assert plan is not None
    rows = {row["field"]: (row["before"], row["after"]) for row in plan.items.get().changes}
    assert rows == {
        "cores": (2, 4), "memory": (2 * 1024**3, 4 * 1024**3), "tags": ("alma", "alma, blue"), "description": ("", "New")
    }  # fmt: skip
    carry_out(job, by=boss)
    config = observer.nodes(machine.node).qemu(machine.vmid).config.get()
    assert config["tags"] == "alma;blue"
    assert config["description"].endswith("New")


def test_what_loses_data_is_agreed_to_by_name(machine: Guest, by: Actor, boss: Actor) -> None:
    row, job = snapshots.take(machine, "before", by=by)
    carry_out(job, by=boss)
    row.refresh_from_db()
    back = snapshots.restore(machine, row, by=by)
    ipr = planned(back)
    assert ipr.current_plan is not None
    assert ipr.current_plan.summary == {"replace": 1}
    refused(lambda: approve(ipr, by=boss), DomainError, "VALIDATION_ERROR")
    assert carry_out(back, by=boss, acknowledged=["web"]).status == "completed"
    drop = snapshots.drop(machine, row, by=by)
    assert carry_out(drop, by=boss).status == "completed"
    assert not GuestSnapshot.objects.exists()


def test_a_snapshot_that_waits_outlives_readings_and_goes_with_its_job(machine: Guest, by: Actor) -> None:
    row, job = snapshots.take(machine, "before", by=by)
    snapshots.store(machine.pk, [])
    assert GuestSnapshot.objects.filter(pk=row.pk).exists()
    assert snapshots.take(machine, "before", by=by) == (row, job), "asked once more it is the same"
    refused(lambda: snapshots.take(machine, "before", has_memory=True, by=by), WrongState, "SNAPSHOT_EXISTS")
    planned(job)
    jobs.stop(job, by=by)
    assert not GuestSnapshot.objects.exists()


WISH = Machine(name="app", template="debian-12", environment="production", cores=1, memory_mib=1024, tags=("blue",))


def test_a_machine_is_made_when_people_agree(
    cluster: Cluster, environment: Environment, by: Actor, boss: Actor, fresh_sandbox: Any, runner: Any
) -> None:
    see(cluster)
    guest, job = create(WISH, by=by)
    plan = planned(job).current_plan
    assert plan is not None
    assert (job.public_id, plan.summary) == (f"job_create_vm_{guest.pk:03d}", {"create": 1})
    rows = {row["field"]: row["after"] for row in plan.items.get().changes}
    assert (rows["image"], rows["cores"], rows["memory"], rows["tags"]) == ("debian-12", 1, 1024**3, "alma, blue")
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/clone") == 0
    again, same = create(WISH, by=by)
    assert (again, same) == (guest, job)
    refused(lambda: create(replace(WISH, cores=2), by=by), WrongState, "GUEST_BUSY")
    run = carry_out(job, by=boss)
    assert (job.state, run.status) == ("completed", "completed"), job.error
    guest.refresh_from_db()
    assert (guest.status, guest.environment) == ("running", environment)
    is_sound()


def test_a_machine_that_is_turned_down_was_never_there(
    cluster: Cluster, environment: Environment, by: Actor, boss: Actor, runner: Any
) -> None:
    see(cluster)
    guest, job = create(WISH, by=by)
    services.review(planned(job), "reject", by=boss, comments="No room.")
    assert not Guest.objects.present().filter(pk=guest.pk).exists()
    again, other = create(replace(WISH, cores=2), by=by)
    assert (again.vmid, other != job, other.state) == (guest.vmid, True, "waiting"), "its number was never used"


def test_a_copy_is_made_when_people_agree(machine: Guest, by: Actor, boss: Actor) -> None:
    guest, job = clone(machine, Copy(name="copy"), by=by)
    plan = planned(job).current_plan
    assert plan is not None
    rows = {row["field"]: row["after"] for row in plan.items.get().changes}
    assert (plan.summary, rows["image"], rows["power"]) == ({"create": 1}, f"a copy of VMID {machine.vmid}", "stopped")
    run = carry_out(job, by=boss)
    assert (job.state, run.status) == ("completed", "completed"), job.error
    guest.refresh_from_db()
    assert guest.status == "stopped"
    is_sound()


def test_a_move_is_made_when_people_agree(machine: Guest, by: Actor, boss: Actor) -> None:
    job = migrate(machine, Move(node="pve2", takes_disks=True), by=by)
    plan = planned(job).current_plan
    assert plan is not None
    assert [(row["field"], row["before"], row["after"]) for row in plan.items.get().changes] == [
        ("node", "pve1", "pve2")
    ]
    assert carry_out(job, by=boss).status == "completed", job.error
    machine.refresh_from_db()
    assert machine.node == "pve2"


def test_who_may_not(machine: Guest, by: Actor) -> None:
    refused(lambda: power.start(machine, by=replace(by, scopes=frozenset({"vm:read"}))), Refused, "MISSING_SCOPE")
    machine.cluster.is_sandbox = False
    refused(lambda: power.start(machine, by=replace(by, lane="test")), Refused, "TEST_KEY_ON_LIVE")
    assert not IPR.objects.exists() and not Deployment.objects.exists()
