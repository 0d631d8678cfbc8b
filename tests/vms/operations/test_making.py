"""Making a machine from a template, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError, Invalid, Refused, WrongState
from alma.events.models import Event
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, cancel
from tests.vms.operations.conftest import see
from tests.vms.steps.conftest import ours
from vms import details
from vms.api.detail import detail_of
from vms.machines import find, public_id
from vms.models import Cluster, Guest, GuestClaim
from vms.operations.making import Machine, create
from vms.specs import CloudInit
from vms.steps.place import fitting

Finish = Callable[[Job], Job]
WISH = Machine(name="app-server-01", template="debian-12", cores=2, memory_mib=4096)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBd me@here"


@pytest.fixture(autouse=True)
def known(cluster: Cluster, environment: Environment) -> None:
    see(cluster)


def test_a_machine_is_there_at_once_and_runs_in_the_end(
    cluster: Cluster, by: Actor, finish: Finish, observer: Any
) -> None:
    wish = replace(
        WISH, description="For microservices", disk_gib=20, vlan=100, has_firewall=True, tags=("Application",),
        init=CloudInit(user="deploy", ssh_keys=(KEY,), ip="192.168.1.102/24"),
    )  # fmt: skip
    guest, job = create(wish, by=by)
    assert job.public_id == f"job_create_{public_id(guest).replace('-', '_')}"
    assert find(public_id(guest), by=by).status == "creating"
    see(cluster)
    assert find(public_id(guest), by=by).status == "creating", "what is not there yet is not missing"
    finish(job)
    assert job.error is None
    guest.refresh_from_db()
    config = observer.nodes(guest.node).qemu(guest.vmid).config.get()
    claim = GuestClaim.objects.get(vmid=guest.vmid)
    assert (guest.status, guest.claim, guest.environment) == ("running", claim, Environment.objects.get())
    assert config["description"].startswith(f"alma:{claim.pk}\n\nFor microservices")
    assert (config["name"], config["cores"], config["memory"]) == ("app-server-01", 2, "4096")
    assert {"tag=100", "firewall=1"} <= set(config["net0"].split(","))
    assert (config["ipconfig0"], config["tags"]) == ("ip=192.168.1.102/24", "alma;application")
    assert (config["ciuser"], "size=20G" in config["scsi0"]) == ("deploy", True)
    assert observer.nodes(guest.node).qemu(guest.vmid).firewall.options.get()["enable"] == 1
    see(cluster)
    told = Event.objects.of(cluster.stream).filter(data__vmid=guest.vmid)
    assert [(event.kind, event.data["status"]) for event in told] == [("vm.created", "running")]


def test_a_name_is_used_once(cluster: Cluster, by: Actor, finish: Finish) -> None:
    _, job = create(WISH, by=by)
    refused(lambda: create(WISH, by=by), WrongState, "GUEST_BUSY")
    finish(job)
    refused(lambda: create(WISH, by=by), WrongState, "NAME_TAKEN")
    refused(lambda: create(replace(WISH, name="gitlab"), by=by), WrongState, "NAME_TAKEN")


def test_what_was_never_made_goes_and_its_number_is_tried_again(
    cluster: Cluster, by: Actor, finish: Finish, fresh_sandbox: Any
) -> None:
    guest, job = create(WISH, by=by)
    cancel(job, by="ana")
    finish(job)
    assert not Guest.objects.machines().filter(pk=guest.pk).exists()
    again, job = create(WISH, by=by)
    assert (again.pk, again.vmid) == (guest.pk, guest.vmid)
    assert job.public_id.startswith(f"job_create_vm_{guest.pk:03d}_")
    finish(job)
    assert job.error is None
    assert ours(fresh_sandbox) == [guest.vmid]


def test_a_number_that_somebody_takes_is_left_to_them(
    cluster: Cluster, by: Actor, finish: Finish, observer: Any
) -> None:
    guest, job = create(WISH, by=by)
    observer.nodes("pve1").qemu.post(vmid=guest.vmid, name="theirs")
    see(cluster)
    finish(job)
    assert job.error is None
    was = guest.vmid
    guest.refresh_from_db()
    assert (guest.vmid != was, guest.status, guest.name) == (True, "running", "app-server-01")
    see(cluster)
    assert Guest.objects.get(cluster=cluster, vmid=was).name == "theirs"


def test_what_fits_nowhere_says_why(cluster: Cluster, by: Actor, finish: Finish, fresh_sandbox: Any) -> None:
    _, job = create(replace(WISH, memory_mib=4 * 1024**2), by=by)
    finish(job)
    assert job.error is not None
    assert job.error["code"] == "NO_PLACE"
    assert "pve1 has" in job.error["message"]
    assert ours(fresh_sandbox) == []


def test_what_cannot_be_asked_for(by: Actor, cluster: Cluster) -> None:
    refused(lambda: create(replace(WISH, environment="nowhere"), by=by), Invalid, "VALIDATION_ERROR")
    refused(lambda: create(replace(WISH, template="plan9"), by=by), Invalid, "VALIDATION_ERROR")
    refused(lambda: create(WISH, by=replace(by, scopes=frozenset())), Refused, "MISSING_SCOPE")
    assert not Job.objects.exists() and not GuestClaim.objects.exists()


def test_an_encrypted_disk_lies_where_an_operator_says_that_it_is(
    cluster: Cluster, by: Actor, finish: Finish, observer: Any
) -> None:
    encrypt(cluster, "vault")
    guest, job = create(replace(WISH, is_encrypted=True, disk_gib=20), by=by)
    finish(job)
    assert job.error is None
    guest.refresh_from_db()
    assert observer.nodes(guest.node).qemu(guest.vmid).config.get()["scsi0"].startswith("vault:")
    details.read_due()
    shown = detail_of(find(public_id(guest), by=by))
    assert (shown["security"]["encrypted"], shown["configuration"]["storage"][0]["encrypted"]) == (True, True)


def test_a_disk_that_lies_elsewhere_is_no_green_result(cluster: Cluster, make_machine: Any, runner: Any) -> None:
    machine = make_machine(name="web")
    encrypt(cluster, "vault")
    claim = machine.claim
    params = {"cluster": cluster.pk, "owner": claim.owner, "node": claim.node, "kind": "vm", "encrypted": True}
    job = runner.run([StepSpec("guest.verify", claim.key, "Check", 0, 1, params)])
    assert (job.error["code"], "lies on local-lvm" in job.error["message"]) == ("VERIFY_MISMATCH", True)


@pytest.mark.parametrize(
    ("encrypting", "chosen"),
    [([], []), (["nowhere"], []), (["local"], []), (["vault"], ["shared"])],
    ids=["none named", "not there", "not for disks", "not for new machines"],
)
def test_an_encrypted_disk_that_no_storage_can_hold(
    cluster: Cluster, by: Actor, encrypting: list[str], chosen: list[str]
) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(encrypting_storages=encrypting, chosen_storages=chosen)
    refused(lambda: create(replace(WISH, is_encrypted=True), by=by), Invalid, "VALIDATION_ERROR")
    assert not Job.objects.exists() and not GuestClaim.objects.exists()


def test_an_encrypting_storage_without_room_is_no_place(
    cluster: Cluster, by: Actor, finish: Finish, fresh_sandbox: Any
) -> None:
    encrypt(cluster, "vault")
    _, job = create(replace(WISH, is_encrypted=True, disk_gib=2000), by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "NO_PLACE"
    assert "free on vault" in job.error["message"] and ours(fresh_sandbox) == []


def encrypt(cluster: Cluster, *storages: str) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(encrypting_storages=list(storages))
    cluster.refresh_from_db()


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("debian-12-cloudinit", "debian-12-cloudinit"),
        ("ubuntu-24.04-secure", "ubuntu-24.04-cloudinit"),
        ("Debian 12", "debian-12-cloudinit"),
        ("rocky", "rocky-9-cloudinit"),
        ("ubuntu-22.04", ""),
        ("", ""),
        ("9000", ""),
    ],
)
def test_names_of_systems_lead_to_templates(wanted: str, found: str) -> None:
    assert fitting(wanted, ["rocky-9-cloudinit", "debian-12-cloudinit", "ubuntu-24.04-cloudinit"]) == found
