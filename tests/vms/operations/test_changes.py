"""Changing and deleting one machine, on a sandbox over TLS."""

from collections.abc import Callable
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.errors import Invalid
from alma.events.models import Event
from alma.jobs.models import Job
from tests.factories.vms import GIB
from tests.vms.operations.conftest import end_of, see
from vms.models import ClusterNode, Guest, GuestClaim
from vms.operations.changing import Change, change
from vms.operations.power import Stop, restart
from vms.operations.removal import delete
from vms.room import Growth, Room, lacking

Finish = Callable[[Job], Job]


def test_words_and_tags_change_and_the_mark_stays(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(tags="alma;old")
    job = finish(change(machine, Change(description="Now with\nmore words", tags=["Web", "new"]), by=by))
    assert job.error is None
    assert "restart_required" not in end_of(job)
    config = observer.nodes(machine.node).qemu(machine.vmid).config.get()
    claim = GuestClaim.objects.get(vmid=machine.vmid)
    assert config["description"].rstrip("\n") == f"alma:{claim.pk}\n\nNow with\nmore words"
    assert config["tags"] == "alma;new;web"
    assert (config["cores"], int(config["memory"])) == (2, 2048), "what was not asked for stays"


def test_sizes_wait_for_a_restart_and_disks_grow(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    wish = Change(cores=4, memory_mib=4096, disk_gib=20)
    assert wish.waits_for_restart(machine) == ["cpu_cores", "memory_mb"]
    job = finish(change(machine, wish, by=by))
    assert (job.error, end_of(job)["restart_required"]) == (None, ["cpu_cores", "memory_mb"])
    assert "size=20G" in observer.nodes(machine.node).qemu(machine.vmid).config.get()["scsi0"]
    assert finish(restart(machine, Stop(), by=by)).error is None
    assert observer.nodes(machine.node).qemu(machine.vmid).status.current.get()["cpus"] == 4
    see(machine.cluster)
    machine.refresh_from_db()
    assert (machine.cores, machine.memory_bytes, machine.disk_bytes) == (4, 4 * GIB, 20 * GIB)
    with pytest.raises(Invalid, match="a disk only grows; it has 20 GiB"):
        change(machine, Change(disk_gib=10), by=by)


def test_what_its_node_could_not_start_is_refused_with_figures(machine: Guest, by: Actor, observer: Any) -> None:
    node = ClusterNode.objects.get(cluster=machine.cluster, name=machine.node)
    with pytest.raises(
        Invalid, match=f"{node.name} has {node.cores} cores, and starts no machine with {node.cores + 1}"
    ):
        change(machine, Change(cores=node.cores + 1), by=by)
    with pytest.raises(
        Invalid, match=rf"could give it [0-9.]+ GiB of {node.memory_bytes // GIB} GiB in all, and it would need"
    ):
        change(machine, Change(memory_mib=node.memory_bytes // 1024**2), by=by)
    assert not Job.objects.filter(kind="vm_update").exists()


def test_room_is_looked_at_again_before_anything_is_changed(
    machine: Guest, by: Actor, finish: Finish, observer: Any
) -> None:
    """Between the reading that answered and the job, others may have taken what was free."""
    ClusterNode.objects.update(memory_bytes=1024**4, memory_used=0, cores=512)
    before = observer.nodes(machine.node).qemu(machine.vmid).config.get()
    job = finish(change(machine, Change(memory_mib=900 * 1024, cores=300), by=by))
    assert job.error is not None
    assert (job.error["code"], "300" in job.error["message"]) == ("NO_ROOM", True)
    assert observer.nodes(machine.node).qemu(machine.vmid).config.get() == before


def test_a_job_that_only_shrinks_or_renames_asks_for_no_room(machine: Guest, by: Actor, finish: Finish) -> None:
    ClusterNode.objects.update(memory_bytes=1, memory_used=1, cores=1)
    job = finish(change(machine, Change(description="Smaller", cores=1, memory_mib=1024), by=by))
    assert job.error is None
    assert list(job.steps.values_list("kind", flat=True)) == ["guest.configure"]


ROOM = Room(node="pve1", cores=8, memory_bytes=16 * GIB, memory_used=10 * GIB, taken=2 * GIB)


@pytest.mark.parametrize(
    ("kind", "cores", "memory", "field"),
    [
        ("vm", 8, None, None),
        ("vm", 9, None, "cpu_cores"),
        ("lxc", 9, None, None),
        ("vm", None, 8 * GIB, None),
        ("vm", None, 8 * GIB + 1, "memory_mb"),
        ("lxc", None, 8 * GIB + 1, "memory_mb"),
        ("vm", None, None, None),
    ],
)
def test_what_is_lacking(kind: str, cores: int | None, memory: int | None, field: str | None) -> None:
    growth = Growth(kind=kind, cores=2, memory_bytes=4 * GIB, wanted_cores=cores, wanted_memory=memory)
    found = lacking(growth, ROOM)
    assert (found and found[0]) == field


def test_what_it_has_already_is_its_own() -> None:
    """One that is larger than its node has free, as others have grown, can be made smaller."""
    growth = Growth(kind="vm", cores=32, memory_bytes=64 * GIB, wanted_cores=16, wanted_memory=32 * GIB)
    assert (lacking(growth, ROOM), growth.grows) == (None, False)


@pytest.mark.parametrize("is_forced", [False, True])
def test_a_machine_is_deleted_and_that_is_told_once(
    machine: Guest, by: Actor, finish: Finish, observer: Any, is_forced: bool
) -> None:
    job = finish(delete(machine, is_forced=is_forced, keeps_backups=True, by=by))
    assert job.error is None
    assert machine.vmid not in {row["vmid"] for row in observer.cluster.resources.get(type="vm")}
    assert GuestClaim.objects.get(vmid=machine.vmid).state == "released"
    assert not Guest.objects.machines().filter(pk=machine.pk).exists()
    see(machine.cluster)
    told = Event.objects.of(machine.cluster.stream).filter(kind="vm.deleted")
    assert [event.data["vmid"] for event in told] == [machine.vmid]


def test_a_machine_that_does_not_heed_is_deleted_by_force_alone(
    make_machine: Callable[..., Guest], by: Actor, finish: Finish, observer: Any
) -> None:
    machine = make_machine(template_vmid=None)
    job = finish(delete(machine, is_forced=False, keeps_backups=True, by=by))
    assert job.error is not None
    assert job.error["code"] == "NOT_SHUT_DOWN"
    assert observer.nodes(machine.node).qemu(machine.vmid).status.current.get()["status"] == "running"
    assert finish(delete(machine, is_forced=True, keeps_backups=True, by=by)).error is None
