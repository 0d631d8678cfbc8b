"""Moving one machine to another node, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError, Invalid, Refused, WrongState
from alma.events.models import Event
from alma.jobs.models import Job
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from tests.vms.operations.conftest import end_of, see
from vms.models import Cluster, ClusterNode, Guest, GuestClaim
from vms.operations import power
from vms.operations.moving import Move, migrate
from vms.operations.power import Stop
from vms.operations.showing import statuses
from vms.services import read_cluster

Finish = Callable[[Job], Job]
Make = Callable[..., Guest]
HARD = Stop(is_graceful=False)
ISO = "local:iso/debian-12.12.0-amd64-netinst.iso,media=cdrom"


@pytest.fixture
def on_shared(make_machine: Make) -> Guest:
    """A machine whose disk all nodes see."""
    return make_machine(storage="shared")


def node_of(observer: Any, guest: Guest) -> str:
    return next(str(row["node"]) for row in observer.cluster.resources.get(type="vm") if row["vmid"] == guest.vmid)


def failure(job: Job) -> tuple[str, str]:
    assert job.error is not None
    return job.error["code"], job.error["message"]


def test_a_machine_is_moved_as_it_runs(on_shared: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    job = migrate(on_shared, Move(node="pve2"), by=by)
    assert (job.title, job.params["status"], statuses([on_shared])) == (
        "Move web",
        "migrating",
        {on_shared.pk: "migrating"},
    )
    finish(job)
    assert (job.state, job.error, node_of(observer, on_shared)) == ("completed", None, "pve2")
    assert end_of(job)["vm"] == {
        "id": job.params["vm"], "vmid": on_shared.vmid, "kind": "vm", "name": "web", "node": "pve2", "status": "running",
    }  # fmt: skip
    told = Event.objects.of(on_shared.cluster.stream).filter(kind="vm.moved")
    assert [(event.data["was"], event.data["node"], event.data["vmid"]) for event in told] == [
        ("pve1", "pve2", on_shared.vmid)
    ]
    assert GuestClaim.objects.get(vmid=on_shared.vmid).node == Guest.objects.get(pk=on_shared.pk).node == "pve2"
    assert observer.nodes("pve2").qemu(on_shared.vmid).status.current.get()["status"] == "running"


def test_it_can_be_worked_on_where_it_is_then(on_shared: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    finish(migrate(on_shared, Move(node="pve2"), by=by))
    on_shared.refresh_from_db()
    assert finish(power.stop(on_shared, HARD, by=by)).error is None
    back = finish(migrate(on_shared, Move(node="pve1"), by=by))
    assert (back.error, node_of(observer, on_shared)) == (None, "pve1")


def test_one_that_is_there_is_left_and_that_is_said(
    on_shared: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    job = finish(migrate(on_shared, Move(node="pve1", is_online=False), by=by))
    assert (job.state, end_of(job)["note"]) == ("completed", "It was so already; nothing had to be done.")
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/migrate") == 0


def test_local_disks_of_a_running_machine_have_to_be_allowed(
    machine: Guest, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    code, words = failure(finish(migrate(machine, Move(node="pve2"), by=by)))
    assert (code, f"only pve1 sees scsi0 (local-lvm:vm-{machine.vmid}-disk-0)" in words) == (
        "MIGRATION_NOT_POSSIBLE",
        True,
    )
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/migrate") == 0, "nothing was touched"
    job = finish(migrate(machine, Move(node="pve2", takes_disks=True, storage="shared"), by=by))
    assert (job.error, node_of(observer, machine)) == (None, "pve2")
    assert observer.nodes("pve2").qemu(machine.vmid).config.get()["scsi0"].startswith("shared:")


def test_one_that_is_stopped_takes_its_disks_along(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    finish(power.stop(machine, HARD, by=by))
    machine.refresh_from_db()
    job = finish(migrate(machine, Move(node="pve3", is_online=False), by=by))
    assert (job.error, node_of(observer, machine), end_of(job)["vm"]["status"]) == (None, "pve3", "stopped")


def test_what_is_in_the_way_is_named_before_anything_is_touched(
    on_shared: Guest, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    finish(power.stop(on_shared, HARD, by=by))
    on_shared.refresh_from_db()
    observer.nodes("pve1").qemu(on_shared.vmid).config.put(ide3=ISO)
    observer.cluster.ha.resources.post(sid=f"vm:{on_shared.vmid}", state="stopped")
    fresh_sandbox.core.faults.take_offline("pve2")
    code, words = failure(finish(migrate(on_shared, Move(node="pve2"), by=by)))
    assert code == "MIGRATION_NOT_POSSIBLE"
    for sign in ("pve2 is not online", "managed by high availability", "the CD local:iso/debian-12", "is on pve1 only"):
        assert sign in words, words
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/migrate") == 0


def test_a_storage_that_the_node_lacks_is_named(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    storage = fresh_sandbox.core.state.storages.get("local-lvm")
    assert storage is not None
    storage.nodes = ["pve1", "pve3"]
    _, words = failure(finish(migrate(machine, Move(node="pve2", takes_disks=True), by=by)))
    assert "pve2 cannot take it: it does not have the storage local-lvm" in words


def test_a_node_that_is_too_small_is_named_with_figures(
    on_shared: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    node = fresh_sandbox.core.state.nodes.get("pve2")
    assert node is not None
    node.memory, node.cpus = 1024**3, 1
    _, words = failure(finish(migrate(on_shared, Move(node="pve2"), by=by)))
    assert "pve2 has 1 cores, and runs no machine with 2" in words
    assert "GiB of memory free, and it needs 2" in words


def test_what_is_encrypted_stays_so(machine: Guest, by: Actor, finish: Finish, cluster: Cluster) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(encrypting_storages=["local-lvm"])
    move = Move(node="pve2", takes_disks=True, storage="shared")
    assert "its disks are encrypted, and shared does not encrypt" in failure(finish(migrate(machine, move, by=by)))[1]
    assert finish(migrate(machine, Move(node="pve2", takes_disks=True), by=by)).error is None


def test_what_the_task_says_is_told(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    observer.nodes("pve1").qemu(machine.vmid).snapshot.post(snapname="s1")
    finish(power.stop(machine, HARD, by=by))
    machine.refresh_from_db()
    code, words = failure(finish(migrate(machine, Move(node="pve2"), by=by)))
    assert (code, "non-migratable snapshot exists" in words) == ("PVE_TASK_FAILED", True), words
    assert node_of(observer, machine) == "pve1"
    assert Guest.objects.get(pk=machine.pk).node == "pve1"


def test_a_container_is_stopped_for_it_where_that_is_allowed(
    make_machine: Make, cluster: Cluster, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    observer = fresh_sandbox.proxmoxer()
    archive = read_cluster(cluster).ostemplates[0]
    guest = make_machine(key="ct", kind="lxc", ostemplate=archive.volid, node="pve1", template_vmid=None)
    refused(lambda: migrate(guest, Move(node="pve2"), by=by), WrongState, "GUEST_RUNNING")
    job = finish(migrate(guest, Move(node="pve2", may_restart=True), by=by))
    assert (job.error, node_of(observer, guest), end_of(job)["vm"]["status"]) == (None, "pve2", "running")
    assert fresh_sandbox.count("GET", "/nodes/{node}/lxc/{vmid}/migrate") == 0, "older clusters do not know it"
    observer._store["session"].close()


def test_a_lost_answer_is_no_second_move(
    on_shared: Guest, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    fresh_sandbox.core.faults.lose_answer("POST", "*/migrate")
    job = finish(migrate(on_shared, Move(node="pve2"), by=by))
    assert (job.error, node_of(observer, on_shared)) == (None, "pve2")
    assert len(observer.nodes("pve1").tasks.get(typefilter="qmigrate", source="all", vmid=on_shared.vmid)) == 1


def test_who_may_not_and_where_to(on_shared: Guest, by: Actor, environment: Environment) -> None:
    refused(lambda: migrate(on_shared, Move(node="pve9"), by=by), Invalid, "VALIDATION_ERROR")
    ClusterNode.objects.filter(name="pve3").update(is_online=False)
    refused(lambda: migrate(on_shared, Move(node="pve3"), by=by), Invalid, "VALIDATION_ERROR")
    refused(lambda: migrate(on_shared, Move(node="pve2", is_online=False), by=by), WrongState, "GUEST_RUNNING")
    on_shared.cluster.chosen_nodes = ["pve1"]
    refused(lambda: migrate(on_shared, Move(node="pve2"), by=by), Invalid, "VALIDATION_ERROR")
    on_shared.cluster.chosen_nodes = []
    refused(
        lambda: migrate(on_shared, Move(node="pve2"), by=replace(by, scopes=frozenset({"vm:read"}))),
        Refused,
        "MISSING_SCOPE",
    )
    on_shared.cluster.is_sandbox = False
    refused(lambda: migrate(on_shared, Move(node="pve2"), by=replace(by, lane="test")), Refused, "TEST_KEY_ON_LIVE")
    assert not Job.objects.filter(kind="vm_migration").exists()


def test_what_is_not_ours_stays_where_it_is(
    cluster: Cluster, runner: Runner, by: Actor, environment: Environment
) -> None:
    see(cluster)
    stranger = Guest.objects.get(cluster=cluster, name="gitlab")
    refused(lambda: migrate(stranger, Move(node="pve2"), by=by), Refused, "GUEST_NOT_OURS")


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code
