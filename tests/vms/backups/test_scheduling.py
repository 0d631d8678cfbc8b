"""Backup jobs of Proxmox for machines of ours: made with them, changed, and gone with them."""

from collections.abc import Callable
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import Invalid, Refused
from alma.jobs.models import Job
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.backups.conftest import dump, look
from tests.vms.conftest import Runner
from tests.vms.operations.conftest import end_of
from vms.backups import listing, services
from vms.backups.plans import Plan, keeps
from vms.backups.services import Wish
from vms.models import Backup, BackupSchedule, Cluster, Guest
from vms.operations.changing import Change, change
from vms.operations.jobs import ref_of
from vms.operations.making import Machine, create
from vms.operations.removal import delete
from vms.services import delete_steps

Finish = Callable[[Job], Job]
DAILY = Plan(schedule="daily", retention_days=30)


def jobs(observer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = observer.cluster.backup.get()
    return found


def schedule(machine: Guest, plan: Plan, by: Actor, finish: Finish) -> Job:
    return finish(change(machine, Change(backup=plan), by=by))


@pytest.mark.parametrize(
    ("schedule", "days", "kept"),
    [
        ("daily", 30, "keep-daily=30,keep-last=1"), ("weekly", 30, "keep-last=1,keep-weekly=5"),
        ("hourly", 7, "keep-daily=7,keep-hourly=24,keep-last=1"), ("mon..fri 22:30", 14, "keep-daily=14,keep-last=1"),
        ("monthly", 1, "keep-last=1,keep-monthly=1"), ("daily", None, "keep-all=1"),
    ],
)  # fmt: skip
def test_days_become_what_proxmox_counts(schedule: str, days: int | None, kept: str) -> None:
    assert keeps(schedule, days) == kept
    assert kept.split(",") == sorted(kept.split(",")), "as it is read back"


def test_a_job_of_its_own(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    observer.cluster.backup.post(id="theirs", schedule="sun 03:00", storage="shared", all=1)
    look()
    assert schedule(machine, DAILY, by, finish).error is None
    (made,) = [row for row in jobs(observer) if row["id"] != "theirs"]
    assert machine.claim is not None
    assert made["id"] == f"alma-{machine.claim.pk.hex}" and made["comment"].endswith(machine.claim.marker)
    assert (made["vmid"], made["schedule"], made["storage"], made["enabled"]) == (
        str(machine.vmid),
        "daily",
        "shared",
        1,
    )
    assert made["prune-backups"] == {"keep-daily": "30", "keep-last": "1"}
    saved = listing.saved(machine)
    assert (saved.is_enabled, saved.schedule, saved.retention_days) == (True, "daily", 30)

    assert schedule(machine, Plan(schedule="mon..fri 22:30", retention_days=7), by, finish).error is None
    assert [row["schedule"] for row in jobs(observer)] == ["mon..fri 22:30", "sun 03:00"]
    assert listing.saved(machine).schedule == "mon..fri 22:30"
    look()
    assert BackupSchedule.objects.get().next_run is not None

    assert schedule(machine, Plan(is_enabled=False), by, finish).error is None
    assert [row["id"] for row in jobs(observer)] == ["theirs"]
    assert not BackupSchedule.objects.exists()
    assert schedule(machine, Plan(is_enabled=False), by, finish).error is None, "what is gone is gone"


def test_the_second_time_nothing_is_done(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    look()
    schedule(machine, DAILY, by, finish)
    job = schedule(machine, DAILY, by, finish)
    assert end_of(job)["note"]
    assert fresh_sandbox.count("POST", "/cluster/backup") + fresh_sandbox.count("PUT", "/cluster/backup/{id}") == 1


@pytest.mark.parametrize("kind", ["before", "after"])
def test_a_lost_answer_makes_no_second_job(
    machine: Guest, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox, kind: str
) -> None:
    look()
    faults = fresh_sandbox.core.faults
    (faults.lose_request if kind == "before" else faults.lose_answer)("POST", "/cluster/backup", count=1)
    assert schedule(machine, DAILY, by, finish).error is None
    assert len(jobs(observer)) == 1


def test_a_job_of_that_name_that_is_not_ours_is_left_alone(
    machine: Guest, by: Actor, finish: Finish, observer: Any
) -> None:
    assert machine.claim is not None
    observer.cluster.backup.post(id=f"alma-{machine.claim.pk.hex}", schedule="daily", storage="shared", all=1)
    look()
    for plan in (DAILY, Plan(is_enabled=False)):
        job = schedule(machine, plan, by, finish)
        assert job.error is not None and job.error["code"] == "JOB_NOT_OURS"
    assert len(jobs(observer)) == 1 and not BackupSchedule.objects.exists()


def test_what_is_no_schedule(machine: Guest, by: Actor, finish: Finish) -> None:
    look()
    for words in ("", "daily; rm -rf /", "x" * 200, "täglich", "every-now-and-then", "whenever"):
        with pytest.raises(Invalid, match="backup.schedule"):
            change(machine, Change(backup=Plan(schedule=words)), by=by)
    job = schedule(machine, Plan(schedule="mon..fri 25:00"), by, finish)
    assert job.error is not None and job.error["code"] == "PVE_REFUSED" and "calendar" in job.error["message"]


def test_a_token_that_may_not_schedule(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    look()
    fresh_sandbox.core.faults.answer_next(
        403, "Permission check failed (/, Sys.Modify)", "POST", "/cluster/backup", count=5
    )
    job = schedule(machine, DAILY, by, finish)
    assert job.error is not None and job.error["code"] == "TOKEN_MAY_NOT_SCHEDULE"
    assert "Sys.Modify" in job.error["message"] and not BackupSchedule.objects.exists()


@pytest.mark.parametrize("may", [True, False])
def test_made_with_the_machine(
    cluster: Cluster,
    environment: Environment,
    by: Actor,
    finish: Finish,
    observer: Any,
    fresh_sandbox: RunningSandbox,
    may: bool,
) -> None:
    look()
    if not may:
        fresh_sandbox.core.faults.answer_next(403, "Permission check failed", "POST", "/cluster/backup", count=5)
    wish = Machine(name="shop", template="debian-12", environment=environment.slug, backup=DAILY)
    guest, job = create(wish, by=by)
    finish(job)
    assert (job.error, len(jobs(observer))) == (None, int(may)), "without it the machine is there all the same"
    step = job.steps.get(kind="backup.schedule")
    assert step.state == ("succeeded" if may else "succeeded_with_warnings")
    guest.refresh_from_db()
    assert (guest.status, bool(listing.saved(guest).schedule)) == ("running", may)


def test_gone_with_the_machine(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    look()
    schedule(machine, DAILY, by, finish)
    assert finish(delete(machine, is_forced=True, keeps_backups=True, by=by)).error is None
    assert jobs(observer) == [] and not BackupSchedule.objects.exists()


@pytest.mark.parametrize("is_left", [False, True], ids=["purged", "left by somebody"])
def test_gone_with_the_machine_that_a_deployment_deletes(
    machine: Guest,
    by: Actor,
    finish: Finish,
    observer: Any,
    runner: Runner,
    fresh_sandbox: RunningSandbox,
    is_left: bool,
) -> None:
    look()
    schedule(machine, DAILY, by, finish)
    claim = machine.claim
    assert claim is not None
    if is_left:  # deleted behind our back, and its job was not
        here = observer.nodes(machine.node).qemu(machine.vmid)
        fresh_sandbox.wait(here.status.stop.post())
        fresh_sandbox.wait(here.delete())
        assert len(jobs(observer)) == 1
    job = runner.run(delete_steps(ref_of(machine, claim)))
    assert job.error is None, job.error
    assert jobs(observer) == [] and not BackupSchedule.objects.exists()


def test_backups_go_as_well_where_that_is_asked(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    look()
    finish(services.take(machine, Wish(), by=by)[1])
    dump(observer, machine.node, machine.vmid, storage="local")
    look()
    content = observer.nodes(machine.node).storage("local").content
    kept = Backup.objects.get(job="")
    content(kept.volume).put(protected=1)
    reader = Actor(by.organization_id, "eve", frozenset({"vm:write"}))
    with pytest.raises(Refused):
        delete(machine, is_forced=True, keeps_backups=False, by=reader)
    job = finish(delete(machine, is_forced=True, keeps_backups=False, by=by))
    assert job.error is None
    told = end_of(job)
    assert (told["kind"], told["backups_deleted"]) == ("vm_deletion.completed", 1)
    (left,) = told["backups_kept"]
    assert left["volume"] == kept.volume and "protected" in left["reason"]
    assert [row["volid"] for row in content.get(content="backup")] == [kept.volume]
    assert observer.nodes("pve1").storage("shared").content.get(content="backup") == []
    assert [row.pk for row in Backup.objects.all()] == [kept.pk]


def test_backups_stay_where_nothing_is_said(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    look()
    finish(services.take(machine, Wish(), by=by)[1])
    told = end_of(finish(delete(machine, is_forced=True, keeps_backups=True, by=by)))
    assert "backups_deleted" not in told
    assert Backup.objects.get().state == "completed"
