"""Snapshots of one machine, on a sandbox over TLS."""

from collections.abc import Callable
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.scopes import SERVICE
from alma.errors import DomainError, Invalid, WrongState
from alma.jobs.models import Job
from tests.factories.vms import make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.operations.conftest import end_of
from vms import details
from vms.models import Cluster, Guest
from vms.operations import snapshots
from vms.services import read_cluster

Finish = Callable[[Job], Job]


def on(observer: Any, guest: Guest) -> dict[str, dict[str, Any]]:
    """What an independent client sees."""
    return {row["name"]: row for row in observer.nodes(guest.node).qemu(guest.vmid).snapshot.get()}


def shown(guest: Guest) -> list[tuple[str, str, bool]]:
    return [(row.name, row.parent, row.has_memory) for row in snapshots.listed(guest)]


def test_take_go_back_and_drop(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    first, job = snapshots.take(machine, "before-change", description="First words", by=by)
    assert (first.taken_at, snapshots.busy(machine)) == (None, {first.pk: "creating"})
    assert job.params["status"] == "snapshotting"
    finish(job)
    assert job.error is None
    assert on(observer, machine)["before-change"]["description"] == "First words"
    second, job = snapshots.take(machine, "with_memory", has_memory=True, by=by)
    finish(job)
    assert shown(machine) == [("before-change", "", False), ("with_memory", "before-change", True)]

    observer.nodes(machine.node).qemu(machine.vmid).config.put(tags="alma;changed")
    job = finish(snapshots.restore(machine, first, by=by))
    assert (job.error, end_of(job)["vm"]["status"]) == (None, "running")
    config = observer.nodes(machine.node).qemu(machine.vmid).config.get()
    assert (config["parent"], "changed" in config["tags"]) == ("before-change", False)

    job = finish(snapshots.drop(machine, first, by=by))
    assert job.error is None
    assert shown(machine) == [("with_memory", "", True)]
    assert [row.pk for row in snapshots.listed(machine)] == [second.pk], "the other one keeps its id"
    assert "before-change" not in on(observer, machine)
    job = finish(snapshots.drop(machine, second, by=by))
    assert (job.state, shown(machine)) == ("completed", [])


def test_what_somebody_else_took_is_not_ours(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).snapshot.post(snapname="theirs")
    row, job = snapshots.take(machine, "theirs", by=by)
    finish(job)
    assert job.error is not None
    assert job.error["code"] == "SNAPSHOT_EXISTS"
    assert "theirs" in on(observer, machine)


def standing(machine: Guest) -> list[str]:
    """The snapshot that the machine goes on from."""
    return list(machine.snapshots.filter(is_current=True).values_list("name", flat=True))


def test_what_somebody_else_took_is_listed_and_can_be_used(
    machine: Guest, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    """The machine is ours, and so is what becomes of it."""
    fresh_sandbox.wait(observer.nodes(machine.node).qemu(machine.vmid).snapshot.post(snapname="theirs"))
    details.read_due()
    _, job = snapshots.take(machine, "ours", by=by)
    finish(job)
    assert {row.name: row.is_ours for row in snapshots.listed(machine)} == {"theirs": False, "ours": True}
    theirs = machine.snapshots.get(name="theirs")
    assert standing(machine) == ["ours"]
    assert finish(snapshots.restore(machine, theirs, by=by)).error is None
    assert standing(machine) == ["theirs"]
    assert finish(snapshots.drop(machine, theirs, by=by)).error is None
    assert shown(machine) == [("ours", "", False)]


def test_a_storage_without_snapshots_says_so(
    make_machine: Callable[..., Guest], by: Actor, finish: Finish, observer: Any
) -> None:
    observer.storage.post(storage="thick", type="lvm", vgname="thick", content="images")
    machine = make_machine(template_vmid=None, storage="thick")
    _, job = snapshots.take(machine, "s1", by=by)
    finish(job)
    assert job.error is not None
    assert (job.error["code"], "thick" in job.error["message"]) == ("SNAPSHOT_NOT_POSSIBLE", True)
    assert shown(machine) == [], "what was never taken is in no list"


def test_containers_have_no_memory(
    make_machine: Callable[..., Guest], cluster: Cluster, by: Actor, finish: Finish
) -> None:
    archive = read_cluster(cluster).ostemplates[0]
    guest = make_machine(key="ct", kind="lxc", ostemplate=archive.volid, node=archive.node, template_vmid=None)
    refused(lambda: snapshots.take(guest, "s1", has_memory=True, by=by), Invalid, "include_memory")
    row, job = snapshots.take(guest, "s1", by=by)
    assert finish(job).error is None
    assert shown(guest) == [("s1", "", False)]
    assert finish(snapshots.restore(guest, row, by=by)).error is None


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["current", "pending", "1st", "a", "with space", "x" * 41, "ä1", "ends-", "../etc"])
def test_names_that_proxmox_refuses(name: str) -> None:
    machine = make_guest(make_cluster(), name="web")
    refused(lambda: snapshots.take(machine, name, by=Actor(machine.organization_id, "ana", SERVICE)), Invalid, "name")


def refused(act: Callable[[], object], kind: type[DomainError], field: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.details[0]["field"] == field  # type: ignore[index, call-overload]


def test_a_name_is_used_once(machine: Guest, by: Actor, finish: Finish) -> None:
    finish(snapshots.take(machine, "s1", by=by)[1])
    with pytest.raises(WrongState) as refusal:
        snapshots.take(machine, "s1", by=by)
    assert refusal.value.code == "SNAPSHOT_EXISTS"
