"""Moves and copies of machines in a protected environment: they wait until people have agreed to them."""

from typing import Any

import pytest
from django.test import Client

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import Refused, WrongState
from iprs import services
from tests.factories.accounts import make_environment
from tests.iprs.operations.conftest import carry_out, planned, work
from vms.models import Guest
from vms.operations.cloning import Copy, clone
from vms.operations.consoles import Look, open_console
from vms.operations.moving import Move, migrate


def node_of(observer: Any, guest: Guest) -> str:
    return next(str(row["node"]) for row in observer.cluster.resources.get(type="vm") if row["vmid"] == guest.vmid)


def test_a_move_waits_and_is_done_when_people_have_agreed(
    machine: Guest, by: Actor, boss: Actor, observer: Any
) -> None:
    job = migrate(machine, Move(node="pve2", takes_disks=True), by=by)
    ipr = planned(job)
    assert (ipr.title, node_of(observer, machine)) == ("Move web", "pve1")
    assert ipr.current_plan is not None
    (item,) = ipr.current_plan.items.all()
    assert ("node", "pve1", "pve2") in [(row["field"], row["before"], row["after"]) for row in item.changes]
    assert carry_out(job, by=boss).status == "completed"
    assert (job.state, job.error, node_of(observer, machine)) == ("completed", None, "pve2")


def test_a_copy_within_waits_and_one_that_leaves_is_refused(
    machine: Guest, by: Actor, boss: Actor, environment: Environment, observer: Any
) -> None:
    open_place = make_environment("development", organization=environment.organization)
    with pytest.raises(Refused) as refusal:
        clone(machine, Copy(name="leak", environment=open_place.slug), by=by)
    assert refusal.value.code == "IPR_REQUIRED"
    guest, job = clone(machine, Copy(name="second"), by=by)
    assert (guest.environment, job.state) == (environment, "waiting")
    assert carry_out(job, by=boss).status == "completed"
    guest.refresh_from_db()
    assert (job.state, guest.status, node_of(observer, guest)) == ("completed", "stopped", "pve1")


def test_nobody_can_agree_beforehand_to_what_is_seen_on_a_screen(machine: Guest, by: Actor) -> None:
    with pytest.raises(Refused) as refusal:
        open_console(machine, look=Look.SCREEN, by=by)
    assert refusal.value.code == "IPR_REQUIRED"


def test_an_operation_has_no_safety_snapshots(machine: Guest, by: Actor, boss: Actor) -> None:
    ipr = planned(migrate(machine, Move(node="pve2", takes_disks=True), by=by))
    with pytest.raises(WrongState, match="take a snapshot before it"):
        services.replan(ipr, by=boss, safety_snapshots=True)
    page = Client()
    assert boss.user is not None
    page.force_login(boss.user)
    text = page.get(ipr.get_absolute_url()).content.decode()
    assert "Plan again" in text and "safety snapshots" not in text
    services.replan(ipr, by=boss)
    assert ipr.plans.count() == 2


def test_both_are_rehearsed_on_a_copy_of_the_cluster(machine: Guest, by: Actor, boss: Actor, observer: Any) -> None:
    for job in (
        migrate(machine, Move(node="pve2", takes_disks=True), by=by),
        clone(machine, Copy(name="second"), by=by)[1],
    ):
        tried = services.dry_run(planned(job), by=boss)
        work()
        tried.refresh_from_db()
        assert (tried.status, tried.job.error) == ("completed", None)
    assert node_of(observer, machine) == "pve1"
    assert [row["name"] for row in observer.cluster.resources.get(type="vm") if row["name"] == "second"] == []


def test_a_rehearsal_fails_in_the_words_in_which_the_move_would(machine: Guest, by: Actor, boss: Actor) -> None:
    tried = services.dry_run(planned(migrate(machine, Move(node="pve2"), by=by)), by=boss)
    work()
    tried.refresh_from_db()
    assert tried.status == "failed"
    assert tried.job.error is not None and "allow local disks to be taken along" in tried.job.error["message"]
