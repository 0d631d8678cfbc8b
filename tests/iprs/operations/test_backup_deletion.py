"""Deleting a backup of a protected environment: proposed, approved, carried out; its machine may be gone by then."""

from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from iprs import services
from tests.iprs.operations.conftest import carry_out, ipr_of, planned, see
from tests.iprs.operations.test_gate import is_sound
from tests.vms.backups.conftest import dump, look
from vms.backups.services import drop
from vms.models import Backup, Guest, GuestClaim


@pytest.fixture
def keeper(by: Actor) -> Actor:
    """A key that may delete backups, and do nothing with IPRs."""
    return replace(by, scopes=by.scopes | {"backup:read", "backup:write"})


@pytest.fixture
def backup(machine: Guest, observer: Any) -> Backup:
    dump(observer, machine.node, machine.vmid)
    look()
    return Backup.objects.there().get(guest=machine)


def is_there(observer: Any, backup: Backup) -> bool:
    rows = observer.nodes("pve1").storage(backup.storage).content.get(content="backup")
    return backup.volume in {row["volid"] for row in rows}


def test_a_backup_is_deleted_when_people_have_agreed(
    machine: Guest, backup: Backup, keeper: Actor, boss: Actor, observer: Any
) -> None:
    job = drop(backup, by=keeper)
    plan = planned(job).current_plan
    assert plan is not None and (plan.status, plan.summary) == ("ready", {"update": 1})
    item = plan.items.get()
    assert item.changes == [
        {"field": f"backup {backup.volume}", "before": "there", "after": None, "cause": "asked for"}
    ]
    assert list(item.facts) == [f"backup/{backup.volume}"] and "cannot be had again" in item.reasons[0]
    assert is_there(observer, backup)
    deployment = carry_out(job, by=boss)
    assert (job.state, deployment.status) == ("completed", "completed")
    assert not is_there(observer, backup) and not Backup.objects.filter(pk=backup.pk).exists()
    assert observer.nodes(machine.node).qemu(machine.vmid).status.current.get()["status"] == "running"
    is_sound()


def test_a_backup_of_a_machine_that_is_gone(
    machine: Guest, backup: Backup, keeper: Actor, boss: Actor, observer: Any, cluster: Any
) -> None:
    claim = GuestClaim.objects.get(pk=backup.claim_id)
    claim.move(GuestClaim.State.RELEASED)
    Guest.objects.filter(pk=machine.pk).delete()
    backup.refresh_from_db()
    deployment = carry_out(drop(backup, by=keeper), by=boss)
    assert deployment.status == "completed" and not is_there(observer, backup)


def test_a_rejected_deletion_leaves_the_backup(backup: Backup, keeper: Actor, boss: Actor, observer: Any) -> None:
    job = drop(backup, by=keeper)
    services.review(planned(job), "reject", by=boss, comments="Keep it.")
    job.refresh_from_db()
    assert (job.state, is_there(observer, backup)) == ("cancelled", True)
    assert job.error is not None and "Keep it." in job.error["message"]


def test_a_backup_that_went_meanwhile_is_no_plan(
    machine: Guest, backup: Backup, keeper: Actor, observer: Any, fresh_sandbox: Any
) -> None:
    job = drop(backup, by=keeper)
    fresh_sandbox.wait(observer.nodes("pve1").storage(backup.storage).content(backup.volume).delete())
    plan = planned(job).current_plan
    assert plan is not None and plan.problems == [f"{backup.volume} is on {backup.storage} no more."]
    assert Job.objects.get(pk=job.pk).state == "waiting" and ipr_of(job).status != "approved"
    see(machine.cluster)
