"""What `/v1/backups` answers to making, deleting, restoring and testing: at once, with the job to ask about."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Environment, Organization
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from tests.factories.accounts import make_environment, make_key, make_organization
from tests.factories.backups import make_backup, make_storage
from tests.factories.vms import GIB, make_claim, make_cluster, make_guest
from vms.machines import public_id
from vms.models import Backup, Cluster, ClusterNode, ClusterStorage, Guest
from vms.operations.effects import action_of, effects_of, warnings_of

pytestmark = pytest.mark.django_db
RIGHTS = frozenset({"backup:read", "backup:write", "vm:read", "vm:write"})
DOCUMENTED = {"backup_type": "full", "compression": "gzip", "encryption": True, "description": "Monthly full backup"}


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def environment(organization: Organization) -> Environment:
    return make_environment("development", organization=organization)


@pytest.fixture
def machine(organization: Organization, environment: Environment) -> Guest:
    cluster = make_cluster(organization=organization)
    claim = make_claim(cluster, state="live", owner=f"env:{environment.pk}/blueprint:1")
    ClusterNode.objects.create(
        cluster=cluster, name="pve1", is_online=True, memory_bytes=64 * GIB, seen_at=timezone.now()
    )
    store(cluster, "nas", plugin="nfs")
    return make_guest(cluster, name="web", vmid=claim.vmid, claim=claim)


def store(cluster: Cluster, name: str, *, plugin: str, encrypts: bool = False, **overrides: Any) -> None:
    values = {"content": "backup, iso", "is_active": True, "is_shared": True, "total_bytes": 100 * GIB}
    ClusterStorage.objects.create(cluster=cluster, node="pve1", name=name, plugin=plugin, **(values | overrides))
    make_storage(cluster, name=name, plugin=plugin, encrypts=encrypts)


@pytest.fixture
def site(organization: Organization) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(RIGHTS, organization=organization)[1]}"})


def send(site: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(site, method)(path, data="" if body is None else body, content_type="application/json")


def test_the_documented_body_on_a_storage_that_encrypts(site: Client, machine: Guest) -> None:
    store(machine.cluster, "vault", plugin="pbs", encrypts=True)
    answer = send(site, "post", "/v1/backups", {"vm_id": public_id(machine), **DOCUMENTED})
    assert answer.status_code == 201, answer.content
    told = answer.json()["data"]["backup"]
    job = Job.objects.get()
    assert (told["status"], told["storage"], told["encryption"], told["compression"]) == (
        "running",
        "vault",
        True,
        "zstd",
    )
    assert (told["backup_type"], told["description"], told["job_id"]) == (
        "incremental",
        "Monthly full backup",
        job.public_id,
    )
    assert any("gzip is not used" in note for note in told["notes"])
    assert answer["Location"] == f"/v1/backups/{told['id']}"
    assert job.public_id.startswith(f"job_backup_{public_id(machine).replace('-', '_')}_")
    assert job.steps.get().params["compress"] is None
    assert site.get(f"/v1/vms/{public_id(machine)}").json()["data"]["vm"]["status"] == "backing_up"
    assert site.get(f"/v1/backups/{told['id']}").json()["data"]["backup"]["status"] == "running"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (DOCUMENTED, 422, "encryption"),
        ({"backup_type": "incremental"}, 422, "backup_type"),
        ({"backup_type": "differential"}, 422, "backup_type"),
        ({"compression": "bzip2"}, 422, "compression"),
        ({"storage": "nowhere"}, 422, "storage"),
        ({"description": "x" * 501}, 422, "description"),
        ({"encryption": "yes"}, 400, "encryption"),
        ({"verify": True}, 422, "verify"),
    ],
    ids=["encryption", "incremental", "type", "compression", "storage", "description", "text", "unknown"],
)
def test_what_cannot_be_is_said(site: Client, machine: Guest, body: dict[str, Any], status: int, field: str) -> None:
    answer = send(site, "post", "/v1/backups", {"vm_id": public_id(machine), **body})
    assert answer.status_code in {status, 400 if field == "verify" else status}, answer.content
    assert field in str(answer.json()["error"])
    assert not Job.objects.exists() and not Backup.objects.exists()


def test_a_machine_that_is_not_there(site: Client) -> None:
    theirs = make_guest(make_cluster())
    for vm_id in ("vm-999", public_id(theirs)):
        assert send(site, "post", "/v1/backups", {"vm_id": vm_id}).status_code == 404
    assert send(site, "post", "/v1/backups", {}).status_code in {400, 422}


def test_a_backup_in_a_protected_environment_needs_nobody(
    site: Client, machine: Guest, environment: Environment
) -> None:  # fmt: skip
    Environment.objects.filter(pk=environment.pk).update(is_protected=True)
    assert send(site, "post", "/v1/backups", {"vm_id": public_id(machine)}).status_code == 201


def test_what_a_protected_environment_holds(site: Client, machine: Guest, environment: Environment) -> None:
    make_environment("staging", organization=environment.organization)
    Environment.objects.filter(pk=environment.pk).update(is_protected=True)
    row = make_backup(guest=machine, storage="nas")
    answer = send(site, "post", f"/v1/backups/{row.public_id}/restore", {"environment": "staging"})
    assert (answer.status_code, Job.objects.count()) == (403, 0), "it does not leave it"


def test_deleting_in_a_protected_environment_waits_for_an_ipr(
    site: Client, machine: Guest, environment: Environment
) -> None:
    Environment.objects.filter(pk=environment.pk).update(is_protected=True)
    row = make_backup(guest=machine, storage="nas")
    asked = [send(site, "delete", f"/v1/backups/{row.public_id}").json()["data"]["backup"] for _ in range(2)]
    assert asked[0] == asked[1] and asked[0]["status"] == "completed", (
        "asked twice is asked once, and it is there still"
    )
    job = Job.objects.get(kind="backup_deletion")
    assert (job.state, job.public_id, job.params["ipr"]) == ("waiting", asked[0]["job_id"], asked[0]["ipr_id"])


def test_putting_back_in_a_protected_environment_waits_for_an_ipr(
    site: Client, machine: Guest, environment: Environment
) -> None:  # fmt: skip
    Environment.objects.filter(pk=environment.pk).update(is_protected=True)
    row = make_backup(guest=machine, storage="nas")
    answer = send(site, "post", f"/v1/backups/{row.public_id}/restore", {"in_place": True, "force": True})
    assert answer.status_code == 200, answer.content
    vm = answer.json()["data"]["vm"]
    job = Job.objects.get(public_id=vm["job_id"])
    assert vm["ipr_id"] and (job.kind, job in Job.objects.waiting()) == ("backup_restore", True)
    assert {step.kind for step in job.steps.all()} == {"guest.stop", "backup.unpack_over", "guest.start"}
    assert action_of(specs_of(job)) == "replace"
    assert any(row.volume in words for words in warnings_of(specs_of(job)))
    (content,) = [one for one in effects_of(specs_of(job), None) if one.field == "content"]
    assert row.volume in content.after


def specs_of(job: Job) -> list[StepSpec]:
    """Its steps as they were meant."""
    return [StepSpec(step.kind, step.key, step.title, step.level, step.weight, step.params) for step in job.steps.all()]


def test_the_documented_restore_makes_a_new_machine(site: Client, machine: Guest) -> None:
    row = make_backup(guest=machine, storage="nas")
    answer = send(site, "post", f"/v1/backups/{row.public_id}/restore")
    assert answer.status_code == 200, answer.content
    vm = answer.json()["data"]["vm"]
    assert (vm["name"], vm["status"], vm["id"] != public_id(machine)) == ("web-restored", "creating", True)
    assert vm["job_id"].startswith("job_unpack_vm_")
    assert site.get(f"/v1/backups/{row.public_id}").json()["data"]["backup"]["status"] == "restoring"
    again = send(site, "post", f"/v1/backups/{row.public_id}/restore")
    assert (again.status_code, again.json()["error"]["details"]["job_id"]) == (409, vm["job_id"])


def test_a_restore_to_a_storage_that_is_not_there_begins_nothing(site: Client, machine: Guest) -> None:
    row = make_backup(guest=machine, storage="nas")
    answer = send(site, "post", f"/v1/backups/{row.public_id}/restore", {"storage": "nowhere"})
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (422, "storage")
    assert not Job.objects.exists()


def test_in_place_takes_force(site: Client, machine: Guest) -> None:
    row = make_backup(guest=machine, storage="nas")
    where = f"/v1/backups/{row.public_id}/restore"
    answer = send(site, "post", where, {"in_place": True})
    assert answer.status_code == 422 and "force" in str(answer.json()["error"])
    assert send(site, "post", where, {"in_place": True, "force": True, "name": "x"}).status_code == 422
    answer = send(site, "post", where, {"in_place": True, "force": True})
    assert answer.json()["data"]["vm"]["id"] == public_id(machine)
    assert answer.json()["data"]["vm"]["status"] == "restoring"
    assert [step.kind for step in Job.objects.get().steps.all()] == ["guest.stop", "backup.unpack_over", "guest.start"]


def test_deleting_and_testing(site: Client, machine: Guest) -> None:
    row = make_backup(guest=machine, storage="nas")
    told = send(site, "post", f"/v1/backups/{row.public_id}/verify").json()["data"]["backup"]
    assert (told["id"], told["status"]) == (row.public_id, "verifying")
    assert told["job_id"].startswith(f"job_verify_{row.public_id.replace('-', '_')}_")
    assert send(site, "delete", f"/v1/backups/{row.public_id}").status_code == 409
    Job.objects.update(state="cancelled")
    told = send(site, "delete", f"/v1/backups/{row.public_id}").json()["data"]["backup"]
    assert (told["status"], told["job_id"].startswith("job_delete_backup_")) == ("deleting", True)


@pytest.mark.parametrize(("method", "what"), [("post", "/restore"), ("post", "/verify"), ("delete", "")])
def test_what_is_not_ours_and_what_is_not_there(site: Client, machine: Guest, method: str, what: str) -> None:
    foreign = make_backup(machine.cluster)
    answer = send(site, method, f"/v1/backups/{foreign.public_id}{what}")
    assert answer.status_code == 403 and "Proxmox" in answer.json()["error"]["message"]
    assert send(site, method, f"/v1/backups/{make_backup().public_id}{what}").status_code == 404
    assert send(site, method, f"/v1/backups/backup-999{what}").status_code == 404
    gone = make_backup(guest=machine, state="expired", storage="nas")
    assert send(site, method, f"/v1/backups/{gone.public_id}{what}").status_code == 409


def test_while_the_cluster_is_silent(site: Client, machine: Guest) -> None:
    row = make_backup(guest=machine, storage="nas")
    Cluster.objects.update(last_error="no route to host", unreachable_since=timezone.now())
    for method, path, body in (
        ("post", "/v1/backups", {"vm_id": public_id(machine)}), ("delete", f"/v1/backups/{row.public_id}", None),
        ("post", f"/v1/backups/{row.public_id}/restore", None), ("post", f"/v1/backups/{row.public_id}/verify", None),
    ):  # fmt: skip
        assert send(site, method, path, body).status_code == 503
    assert site.get(f"/v1/backups/{row.public_id}").status_code == 200
