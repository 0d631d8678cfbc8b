"""Bringing machines back: in their own place, and as new ones."""

from collections.abc import Callable
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.errors import Invalid, Refused, WrongState
from alma.jobs.models import Job
from tests.factories.backups import make_backup
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.backups.conftest import dump, look
from tests.vms.backups.test_making import refused
from tests.vms.operations.conftest import end_of, see
from vms.backups import restoring, services
from vms.backups.restoring import Copy
from vms.backups.services import Wish
from vms.models import Backup, Cluster, Guest, GuestClaim
from vms.operations.removal import delete
from vms.services import read_cluster

Finish = Callable[[Job], Job]


@pytest.fixture
def backup(machine: Guest, by: Actor, finish: Finish) -> Backup:
    look()
    row, job = services.take(machine, Wish(), by=by)
    assert finish(job).error is None
    return Backup.objects.select_related("cluster", "guest", "claim").get(pk=row.pk)


def config(observer: Any, guest: Guest) -> dict[str, Any]:
    found: dict[str, Any] = observer.nodes(guest.node).qemu(guest.vmid).config.get()
    return found


def test_put_back_in_its_own_place(machine: Guest, backup: Backup, by: Actor, finish: Finish, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(tags="alma;broken", cores=1)
    guest, job = restoring.overwrite(backup, is_forced=True, by=by)
    assert (guest, job.params["status"]) == (machine, "restoring")
    finish(job)
    assert job.error is None
    now = config(observer, machine)
    assert ("broken" in now["tags"], now["cores"], "lock" in now) == (False, 2, False)
    assert now["description"].split()[0] == machine.claim.marker  # type: ignore[union-attr]
    assert end_of(job)["vm"]["status"] == "running", "it ran before"
    assert Backup.objects.get(pk=backup.pk).state == "completed"


def test_it_stays_stopped_when_that_is_asked(machine: Guest, backup: Backup, by: Actor, finish: Finish) -> None:
    job = finish(restoring.overwrite(backup, is_forced=True, is_started=False, by=by)[1])
    assert (job.error, end_of(job)["vm"]["status"]) == (None, "stopped")


def test_overwriting_takes_force(machine: Guest, backup: Backup, by: Actor) -> None:
    with pytest.raises(Invalid) as refusal:
        restoring.overwrite(backup, is_forced=False, by=by)
    assert refusal.value.details[0]["field"] == "force"  # type: ignore[index, call-overload]
    reader = Actor(by.organization_id, "eve", frozenset({"backup:write"}))
    with pytest.raises(Refused):
        restoring.overwrite(backup, is_forced=True, by=reader)
    with pytest.raises(Refused):
        restoring.unpack(backup, Copy(), by=reader)
    assert not Job.objects.active().exists()


@pytest.mark.parametrize("kind", ["before", "after"])
def test_a_lost_answer_of_a_restore(
    machine: Guest, backup: Backup, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox, kind: str
) -> None:
    faults = fresh_sandbox.core.faults
    (faults.lose_request if kind == "before" else faults.lose_answer)("POST", "/nodes/*/qemu", count=1)
    job = finish(restoring.overwrite(backup, is_forced=True, by=by)[1])
    assert (job.error, end_of(job)["vm"]["status"]) == (None, "running")


def test_a_new_machine_beside_the_old_one(
    machine: Guest, backup: Backup, by: Actor, finish: Finish, observer: Any, cluster: Cluster
) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(cores=1)
    guest, job = restoring.unpack(backup, Copy(), by=by)
    assert (guest.name, guest.status, guest.environment) == ("web-restored", "creating", machine.environment)
    finish(job)
    assert job.error is None
    guest.refresh_from_db()
    made, old = config(observer, guest), config(observer, machine)
    claim = GuestClaim.objects.get(cluster=cluster, vmid=guest.vmid)
    assert (claim.state, made["description"].split()[0], made["name"]) == ("live", claim.marker, "web-restored")
    assert (made["cores"], old["cores"], guest.status) == (2, 1, "stopped")
    assert made["net0"].split(",")[0] != old["net0"].split(",")[0], "its addresses are its own"
    assert "alma" in made["tags"] and "onboot" not in made or made["onboot"] == 0
    assert end_of(job)["vm"]["name"] == "web-restored"
    see(cluster)
    again, _ = restoring.unpack(backup, Copy(), by=by)
    assert again.name == "web-restored-2"


def test_a_new_machine_of_a_given_name_that_runs(backup: Backup, by: Actor, finish: Finish, observer: Any) -> None:
    guest, job = restoring.unpack(backup, Copy(name="Second", is_started=True), by=by)
    assert finish(job).error is None
    guest.refresh_from_db()
    assert (guest.name, guest.status) == ("second", "running")
    refused(lambda: restoring.unpack(backup, Copy(name="second"), by=by), WrongState, "NAME_TAKEN")


def test_a_machine_that_is_gone_comes_back_as_a_new_one(
    machine: Guest, backup: Backup, by: Actor, finish: Finish, cluster: Cluster, observer: Any
) -> None:
    finish(delete(machine, is_forced=True, keeps_backups=True, by=by))
    look()
    row = Backup.objects.select_related("cluster", "guest", "claim").get()
    assert (row.guest, row.claim, row.is_there) == (None, backup.claim, True)
    refused(lambda: restoring.overwrite(row, is_forced=True, by=by), WrongState, "MACHINE_GONE")
    guest, job = restoring.unpack(row, Copy(name="web"), by=by)
    assert finish(job).error is None
    guest.refresh_from_db()
    assert guest.vmid != machine.vmid, "a number is never used twice"
    assert config(observer, guest)["name"] == "web"


def test_what_is_no_machine_of_ours_is_not_brought_back(
    machine: Guest, by: Actor, finish: Finish, observer: Any, cluster: Cluster
) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="somebody else's")
    dump(observer, machine.node, machine.vmid)
    look()
    row = Backup.objects.select_related("cluster", "guest", "claim").get()
    guest, job = restoring.unpack(row, Copy(), by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "BACKUP_NOT_OURS"
    assert not Guest.objects.present().filter(pk=guest.pk).exists()
    assert guest.vmid not in [one["vmid"] for one in observer.cluster.resources.get(type="vm")]


def test_a_container_comes_back(
    make_machine: Any, cluster: Cluster, by: Actor, finish: Finish, observer: Any
) -> None:  # fmt: skip
    archive = read_cluster(cluster).ostemplates[0]
    box = make_machine(key="ct", kind="lxc", ostemplate=archive.volid, node=archive.node, template_vmid=None)
    look()
    assert finish(services.take(box, Wish(), by=by)[1]).error is None
    row = Backup.objects.select_related("cluster", "guest", "claim").get()
    guest, job = restoring.unpack(row, Copy(), by=by)
    assert finish(job).error is None, job.error
    guest.refresh_from_db()
    made = observer.nodes(guest.node).lxc(guest.vmid).config.get()
    assert (made["hostname"], made["rootfs"].partition(":")[0]) == ("ct-restored", "local-lvm")
    job = finish(restoring.overwrite(row, is_forced=True, by=by)[1])
    assert (job.error, end_of(job)["vm"]["status"]) == (None, "running")


def test_an_archive_on_another_node(machine: Guest, backup: Backup, by: Actor) -> None:
    elsewhere = make_backup(guest=machine, node="pve9", volume="local:backup/vzdump-qemu-1-x.vma")
    refused(lambda: restoring.overwrite(elsewhere, is_forced=True, by=by), WrongState, "ARCHIVE_ELSEWHERE")


@pytest.mark.parametrize("kind", ["before", "after"])
def test_a_lost_answer_makes_no_second_machine(
    backup: Backup, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox, kind: str
) -> None:
    before = {one["vmid"] for one in observer.cluster.resources.get(type="vm")}
    faults = fresh_sandbox.core.faults
    (faults.lose_request if kind == "before" else faults.lose_answer)("POST", "/nodes/*/qemu", count=1)
    guest, job = restoring.unpack(backup, Copy(), by=by)
    assert finish(job).error is None
    assert {one["vmid"] for one in observer.cluster.resources.get(type="vm")} - before == {guest.vmid}
