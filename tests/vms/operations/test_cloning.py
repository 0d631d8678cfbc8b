"""Copying one machine, or a template, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError, Invalid, Refused, WrongState
from alma.events.models import Event
from alma.jobs.models import Job
from alma.jobs.services import cancel
from tests.factories.accounts import make_environment
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.operations.conftest import end_of, see
from tests.vms.steps.conftest import ours
from vms.machines import find, public_id
from vms.models import Cluster, ClusterNode, Guest, GuestClaim
from vms.operations import power
from vms.operations.cloning import Copy, clone
from vms.operations.power import Stop
from vms.services import read_cluster

Finish = Callable[[Job], Job]
Make = Callable[..., Guest]
HARD = Stop(is_graceful=False)


@pytest.fixture
def template(cluster: Cluster, environment: Environment) -> Guest:
    see(cluster)
    return Guest.objects.get(cluster=cluster, vmid=9000)


def config_of(observer: Any, guest: Guest) -> dict[str, Any]:
    return dict(observer.nodes(guest.node).qemu(guest.vmid).config.get())


def failure(job: Job) -> tuple[str, str]:
    assert job.error is not None
    return job.error["code"], job.error["message"]


def test_a_running_machine_is_copied_in_full(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(tags="alma;shop")
    see(machine.cluster)
    machine.refresh_from_db()
    guest, job = clone(machine, Copy(name="web-copy", description="To try on"), by=by)
    assert (job.title, job.params["status"]) == ("Make the copy web-copy", "creating")
    assert job.public_id == f"job_clone_{public_id(guest).replace('-', '_')}"
    assert find(public_id(guest), by=by).status == "creating"
    finish(job)
    assert job.error is None
    guest.refresh_from_db()
    claim = GuestClaim.objects.get(vmid=guest.vmid)
    was, config = config_of(observer, machine), config_of(observer, guest)
    assert (guest.status, guest.claim, guest.environment) == ("stopped", claim, machine.environment)
    assert config["description"].startswith(f"alma:{claim.pk}\n\nTo try on")
    assert was["description"].startswith(f"alma:{machine.claim_id}"), "the source keeps its own"
    assert (config["name"], config["cores"], config["memory"], config["tags"]) == ("web-copy", 2, "2048", "alma;shop")
    assert config["net0"].split(",")[0] != was["net0"].split(",")[0], "a card of its own"
    assert config["scsi0"] == was["scsi0"].replace(f"vm-{machine.vmid}-", f"vm-{guest.vmid}-")
    assert observer.nodes(machine.node).qemu(machine.vmid).status.current.get()["status"] == "running"
    assert end_of(job)["vm"] == {
        "id": public_id(guest), "vmid": guest.vmid, "kind": "vm", "name": "web-copy", "node": "pve1", "status": "stopped",
    }  # fmt: skip
    see(machine.cluster)
    told = Event.objects.of(machine.cluster.stream).filter(data__vmid=guest.vmid, kind="vm.created")
    assert len(told) == 1


def test_a_copy_is_a_machine_like_any_other(machine: Guest, by: Actor, finish: Finish) -> None:
    guest, job = clone(machine, Copy(name="web-copy"), by=by)
    finish(job)
    guest.refresh_from_db()
    assert finish(power.start(guest, by=by)).error is None
    again, job = clone(guest, Copy(name="web-copy-2"), by=by)
    assert finish(job).error is None
    assert again.vmid not in {guest.vmid, machine.vmid}


def test_a_template_is_copied_linked_or_in_full(
    template: Guest, cluster: Cluster, by: Actor, finish: Finish, observer: Any
) -> None:
    linked, job = clone(template, Copy(name="linked", is_full=False), by=by)
    assert finish(job).error is None
    full, job = clone(template, Copy(name="full", storage="local-lvm", node="pve1"), by=by)
    assert finish(job).error is None
    linked.refresh_from_db()
    full.refresh_from_db()
    assert "base-9000-disk-0" in config_of(observer, linked)["scsi0"]
    config = config_of(observer, full)
    assert config["scsi0"].startswith(f"local-lvm:vm-{full.vmid}-disk-0")
    assert (config["tags"], "template" in config) == ("alma", False), "tags of a template are not those of a machine"


def test_to_another_node_goes_what_both_see(
    make_machine: Make, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    shared, local = make_machine("shared", storage="shared"), make_machine("local")
    guest, job = clone(shared, Copy(name="over-there", node="pve2"), by=by)
    assert finish(job).error is None
    guest.refresh_from_db()
    assert (guest.node, config_of(observer, guest)["name"]) == ("pve2", "over-there")
    made = fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/clone")
    _, job = clone(local, Copy(name="not-there", node="pve2"), by=by)
    code, words = failure(finish(job))
    assert (code, "pve2 does not see what lies on local-lvm" in words) == ("CLONE_NOT_POSSIBLE", True)
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/clone") == made
    assert not Guest.objects.machines().filter(name="not-there").exists()


def test_what_is_not_there_or_too_full_is_named(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox, observer: Any
) -> None:
    observer.storage.post(storage="tiny", type="lvmthin", vgname="tiny", thinpool="data", content="images")
    see(machine.cluster)
    storage = fresh_sandbox.core.state.storages.get("tiny")
    assert storage is not None
    storage.total = 1024**3
    _, job = clone(machine, Copy(name="copy", storage="tiny"), by=by)
    assert "tiny on pve1 has 1 GiB free, needs 8" in failure(finish(job))[1]
    _, job = clone(machine, Copy(name="copy", node="pve2", storage="shared"), by=by)
    fresh_sandbox.core.faults.take_offline("pve2")
    assert "pve2 is not online" in failure(finish(job))[1]


def test_what_is_encrypted_stays_so(machine: Guest, by: Actor, finish: Finish, cluster: Cluster) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(encrypting_storages=["local-lvm"])
    _, job = clone(machine, Copy(name="copy", storage="shared"), by=by)
    assert "its disks are encrypted, and shared does not encrypt" in failure(finish(job))[1]
    _, job = clone(machine, Copy(name="copy"), by=by)
    assert finish(job).error is None


def test_a_container_is_copied_when_it_is_stopped(
    make_machine: Make, cluster: Cluster, by: Actor, finish: Finish, observer: Any
) -> None:
    archive = read_cluster(cluster).ostemplates[0]
    source = make_machine("ct", kind="lxc", ostemplate=archive.volid, node="pve1", template_vmid=None)
    refused(lambda: clone(source, Copy(name="ct2"), by=by), WrongState, "GUEST_RUNNING")
    finish(power.stop(source, HARD, by=by))
    source.refresh_from_db()
    guest, job = clone(source, Copy(name="ct2"), by=by)
    assert finish(job).error is None
    guest.refresh_from_db()
    assert (guest.kind, guest.status) == ("lxc", "stopped")
    assert observer.nodes("pve1").lxc(guest.vmid).config.get()["hostname"] == "ct2"


def test_an_address_of_its_own_is_spoken_of(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(ipconfig0="ip=192.168.1.7/24")
    _, job = clone(machine, Copy(name="copy"), by=by)
    finish(job)
    lines = [event.data.get("message", "") for event in Event.objects.of(job.stream).filter(kind="vm_clone.log")]
    assert any("It has the address 192.168.1.7/24 as well" in line for line in lines), lines


@pytest.mark.parametrize("how", ["lose_request", "lose_answer"])
def test_a_lost_call_is_no_second_copy(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox, observer: Any, how: str
) -> None:
    getattr(fresh_sandbox.core.faults, how)("POST", "*/clone", count=2)
    guest, job = clone(machine, Copy(name="copy"), by=by)
    assert finish(job).error is None
    assert ours(fresh_sandbox) == [machine.vmid, guest.vmid]


def test_what_was_never_made_goes_and_its_number_is_tried_again(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    guest, job = clone(machine, Copy(name="copy"), by=by)
    refused(lambda: clone(machine, Copy(name="copy"), by=by), WrongState, "GUEST_BUSY")
    cancel(job, by="ana")
    finish(job)
    assert not Guest.objects.machines().filter(pk=guest.pk).exists()
    again, job = clone(machine, Copy(name="copy"), by=by)
    assert (again.pk, again.vmid) == (guest.pk, guest.vmid)
    assert finish(job).error is None
    refused(lambda: clone(machine, Copy(name="copy"), by=by), WrongState, "NAME_TAKEN")
    assert ours(fresh_sandbox) == [machine.vmid, guest.vmid]


def test_a_task_that_fails_leaves_nothing(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    fresh_sandbox.core.faults.fail_next("qmclone", "clone failed: no space left on device")
    guest, job = clone(machine, Copy(name="copy"), by=by)
    assert "no space left on device" in failure(finish(job))[1]
    assert ours(fresh_sandbox) == [machine.vmid]
    assert not Guest.objects.machines().filter(pk=guest.pk).exists()


def test_a_source_that_has_lost_its_mark_is_not_copied(
    machine: Guest, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    _, job = clone(machine, Copy(name="copy"), by=by)
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="mine now")
    assert failure(finish(job))[0] == "GUEST_NOT_OURS"
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/clone") == 1, "that which made the source"


def test_what_cannot_be_asked_for(machine: Guest, by: Actor, cluster: Cluster, environment: Environment) -> None:
    def ask(source: Guest = machine, who: Actor = by, **changed: Any) -> Callable[[], object]:
        return lambda: clone(source, replace(Copy(name="copy"), **changed), by=who)

    refused(ask(is_full=False), Invalid, "VALIDATION_ERROR")
    refused(ask(node="pve9"), Invalid, "VALIDATION_ERROR")
    refused(ask(storage="nowhere"), Invalid, "VALIDATION_ERROR")
    refused(ask(environment="nowhere"), Invalid, "VALIDATION_ERROR")
    refused(
        ask(Guest.objects.get(cluster=cluster, vmid=9000), is_full=False, storage="shared"), Invalid, "VALIDATION_ERROR"
    )
    ClusterNode.objects.filter(name="pve3").update(is_online=False)
    refused(ask(node="pve3"), Invalid, "VALIDATION_ERROR")
    refused(ask(Guest.objects.get(cluster=cluster, name="gitlab")), Refused, "GUEST_NOT_OURS")
    refused(ask(who=replace(by, scopes=frozenset({"vm:read"}))), Refused, "MISSING_SCOPE")
    make_environment("lab", organization=cluster.organization)
    Environment.objects.filter(pk=environment.pk).update(is_protected=True)
    refused(ask(environment="lab"), Refused, "IPR_REQUIRED")
    assert not Job.objects.filter(kind="vm_clone").exists()
    assert not GuestClaim.objects.filter(key="copy").exists()


def test_a_test_key_copies_in_the_sandbox_only(template: Guest, by: Actor) -> None:
    tester = replace(by, lane="test")
    assert clone(template, Copy(name="copy"), by=tester)[1].is_active
    template.cluster.is_sandbox = False
    refused(lambda: clone(template, Copy(name="other"), by=tester), Refused, "TEST_KEY_ON_LIVE")


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code
