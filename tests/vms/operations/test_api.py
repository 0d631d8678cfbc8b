"""What `/v1/vms` answers to operations: at once, with the machine on its way and the job to ask about."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from alma.jobs.models import Job
from tests.factories.accounts import make_environment, make_key, make_organization
from tests.factories.vms import make_claim, make_cluster, make_guest
from tests.shapes import lacks
from vms.machines import public_id
from vms.models import Cluster, ClusterNode, ClusterStorage, Guest, GuestDetails, GuestSnapshot

pytestmark = pytest.mark.django_db
WRITE = frozenset({"vm:read", "vm:write"})
STOP = {"graceful": True, "timeout_seconds": 300}


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def machine(organization: Organization) -> Guest:
    cluster = make_cluster(organization=organization)
    owner = f"env:{make_environment('development', organization=organization).pk}/blueprint:1"
    claim = make_claim(cluster, state="live", owner=owner)
    return make_guest(cluster, name="web", vmid=claim.vmid, claim=claim)


@pytest.fixture
def site(organization: Organization) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(WRITE, organization=organization)[1]}"})


def send(site: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    data = "" if body is None else body
    return getattr(site, method)(path, data=data, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("start", None, "starting"),
        ("stop", STOP, "stopping"),
        ("stop", {}, "stopping"),
        ("stop", None, "stopping"),
        ("restart", None, "restarting"),
    ],
)
def test_power_answers_at_once(site: Client, machine: Guest, verb: str, body: Any, status: str) -> None:
    answer = send(site, "post", f"/v1/vms/{public_id(machine)}/{verb}", body)
    assert answer.status_code == 200, answer.content
    job = Job.objects.get()
    assert answer.json()["data"] == {
        "vm": {
            "id": public_id(machine),
            "name": "web",
            "status": status,
            "job_id": job.public_id,
            "ipr_id": None,
            "ipr_url": None,
        }
    }
    assert answer.json()["meta"].keys() >= {"request_id", "timestamp"}
    assert job.public_id.startswith(f"job_{verb}_{public_id(machine).replace('-', '_')}_")
    assert (job.kind, job.created_by != "") == (f"vm_{verb}", True)
    assert send(site, "get", f"/v1/vms/{public_id(machine)}").json()["data"]["vm"]["status"] == status


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"graceful": "yes"}, 400, "graceful"),
        ({"timeout_seconds": 0}, 422, "timeout_seconds"),
        ({"timeout_seconds": 90_000}, 422, "timeout_seconds"),
        ({"gracefull": True}, 400, "gracefull"),
        ([], 400, None),
    ],
)
def test_stop_says_what_is_wrong(site: Client, machine: Guest, body: Any, status: int, field: str | None) -> None:
    answer = send(site, "post", f"/v1/vms/{public_id(machine)}/stop", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"].get("field") == field
    assert not Job.objects.exists()


def test_a_second_job_is_a_conflict_that_names_the_first(site: Client, machine: Guest) -> None:
    first = send(site, "post", f"/v1/vms/{public_id(machine)}/stop", STOP).json()["data"]["vm"]["job_id"]
    answer = send(site, "post", f"/v1/vms/{public_id(machine)}/start")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "RESOURCE_CONFLICT")
    assert answer.json()["error"]["details"] == {"reason": "guest_busy", "job_id": first, "type": "vm_stop"}


def test_a_request_that_is_repeated_has_one_effect(site: Client, machine: Guest) -> None:
    path = f"/v1/vms/{public_id(machine)}/stop"
    first, second = (send(site, "post", path, STOP, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json()["data"] == second.json()["data"]
    assert second["Idempotency-Replayed"] == "true"
    assert Job.objects.count() == 1
    other = send(site, "post", path, {"graceful": False}, **{"Idempotency-Key": "k1"})
    assert other.status_code == 422


def test_what_cannot_be_done_says_why(site: Client, machine: Guest, organization: Organization) -> None:
    stranger = make_guest(machine.cluster, name="gitlab")
    assert refusal(site, stranger) == (403, "INSUFFICIENT_PERMISSIONS", "guest_not_ours")
    Cluster.objects.update(last_error="timed out")
    assert refusal(site, machine) == (503, "SERVICE_UNAVAILABLE", "cluster_unreachable")
    assert not Job.objects.exists()


def refusal(site: Client, guest: Guest) -> tuple[int, str, str]:
    answer = send(site, "post", f"/v1/vms/{public_id(guest)}/start")
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"]["reason"]


DOCUMENTED = {
    "name": "app-server-01",
    "description": "Application server for microservices",
    "template": "ubuntu-22.04-secure",
    "environment": "production",
    "configuration": {
        "cpu_cores": 4,
        "memory_mb": 8192,
        "storage_gb": 100,
        "network": {"vlan_id": 100, "static_ip": "192.168.1.102"},
    },
    "security": {
        "encrypt_disk": True,
        "enable_firewall": True,
        "ssh_keys": ["ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAACAQ..."],
    },
    "tags": ["application", "microservices", "production"],
    "backup": {"enabled": True, "schedule": "daily", "retention_days": 30},
}


@pytest.fixture
def template(machine: Guest, organization: Organization) -> Guest:
    make_environment("production", organization=organization, position=9)
    ClusterNode.objects.create(cluster=machine.cluster, name="pve1", is_online=True, seen_at=timezone.now())
    Cluster.objects.filter(pk=machine.cluster_id).update(encrypting_storages=["vault"])
    ClusterStorage.objects.create(
        cluster=machine.cluster, node="pve1", name="vault", plugin="zfspool", content="images"
    )
    return make_guest(machine.cluster, name="ubuntu-22.04-cloudinit", is_template=True)


def test_the_documented_creation(site: Client, template: Guest) -> None:
    answer = send(site, "post", "/v1/vms", DOCUMENTED)
    assert answer.status_code == 201, answer.content
    vm = answer.json()["data"]["vm"]
    assert lacks({"id": "", "name": "", "status": "", "creation_job_id": ""}, vm) == []
    assert (vm["name"], vm["status"]) == ("app-server-01", "creating")
    assert vm["creation_job_id"] == f"job_create_{vm['id'].replace('-', '_')}"
    assert vm["notes"] == [
        "There is no template ubuntu-22.04-secure; ubuntu-22.04-cloudinit is copied.",
        "An SSH key that ends with ... is abbreviated and was left out.",
        "Backups are scheduled at the end: Proxmox keeps by keep-daily=30,keep-last=1.",
    ]
    assert answer["Location"] == f"/v1/vms/{vm['id']}"
    shown = send(site, "get", answer["Location"]).json()["data"]["vm"]
    assert (shown["status"], shown["environment"]) == ("creating", "production")
    place = Job.objects.get().steps.get(kind="guest.place").params
    assert (place["vlan"], place["firewall"], place["memory_bytes"]) == (100, True, 8192 * 1024**2)
    assert place["encrypted"] is Job.objects.get().steps.get(kind="guest.verify").params["encrypted"] is True
    assert Job.objects.get().steps.get(kind="guest.create").params["cloud_init"]["ip"] == "192.168.1.102/24"


GOOD = "AAAAC3NzaC1lZDI1NTE5AAAAIJ1HDfpvQBLG1Z2Aki0dBUDqEYH0GQaa7pN0Iqy5NvCa"


@pytest.mark.parametrize(
    ("key", "status"),
    [
        (f"ssh-ed25519 {GOOD} me@here", 201),
        (f"ssh-rsa {GOOD} me@here", 400),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", 400),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", 400),
        (f"from=x,no-pty {GOOD} {GOOD}", 400),
        ("ssh-ed25519 not base64 at all, is it", 400),
    ],
    ids=["good", "another type", "cut off", "private", "no type", "no base64"],
)
def test_a_key_that_is_none_is_refused_at_once(site: Client, template: Guest, key: str, status: int) -> None:
    body = {"name": "web-9", "template": "ubuntu-22.04", "security": {"ssh_keys": [key]}}
    answer = send(site, "post", "/v1/vms", body)
    assert answer.status_code == status, answer.content
    if status == 400:
        details = answer.json()["error"]["details"]
        assert (details["field"], details["reason"]) == ("security.ssh_keys.0", "ssh_key_parsing")
        assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("", {"name": "x", "template": "plan9"}, "no_such_source"),
        ("", {"name": "x", "template": "ubuntu-22.04", "environment": "moon"}, "no_such_environment"),
        ("", {"name": "x", "template": "ubuntu-22.04", "cluster": "moon"}, "no_such_cluster"),
        ("", {"name": "x", "template": "ubuntu-22.04", "configuration": {"memory_mb": -1}}, "greater_than_equal"),
        ("/{vm}/migrate", {"target_node": "pve9"}, "no_such_node"),
        ("/{vm}/snapshots", {"name": "current"}, "invalid_name"),
        ("/{vm}/clone", {"name": "twin", "full": False}, "linked_needs_template"),
    ],
    ids=str,
)  # fmt: skip
def test_a_refusal_says_why_in_a_word_and_in_a_sentence(
    site: Client, machine: Guest, template: Guest, path: str, body: dict[str, Any], reason: str
) -> None:
    error = send(site, "post", f"/v1/vms{path.format(vm=public_id(machine))}", body).json()["error"]
    assert (error["code"], error["details"]["reason"]) == ("VALIDATION_ERROR", reason)
    assert " " in error["message"] and re.fullmatch("[a-z_]+", reason)


def test_who_cloud_init_makes(site: Client, template: Guest) -> None:
    for number, user in enumerate(("deploy", "")):
        network = {"network": {"static_ip": "192.168.1.7"}} if number else {}
        body = {
            "name": f"web-{number}",
            "template": "ubuntu-22.04",
            "security": {"user": user},
            "configuration": network,
        }
        assert send(site, "post", "/v1/vms", body).status_code == 201
        job = Job.objects.latest("pk")
        assert job.steps.get(kind="guest.create").params["cloud_init"]["user"] == user


def test_an_encrypted_disk_is_refused_where_no_storage_is_known_to_encrypt(site: Client, template: Guest) -> None:
    Cluster.objects.update(encrypting_storages=[])
    answer = send(site, "post", "/v1/vms", DOCUMENTED)
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (422, "security.encrypt_disk")


def test_the_body_of_the_documented_clients(site: Client, template: Guest) -> None:
    body = {"name": "test-vm", "template": "ubuntu-22.04", "cpu_cores": 2, "memory_mb": 4096}
    answer = send(site, "post", "/v1/vms", body)
    assert answer.status_code == 201, answer.content
    shown = send(site, "get", answer["Location"]).json()["data"]["vm"]
    assert (shown["environment"], shown["configuration"]["cpu_cores"], shown["configuration"]["memory_mb"]) == (
        "development", 2, 4096
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": "with space"}, 422, "name"),
        ({"template": "plan9"}, 422, "template"),
        ({"environment": "nowhere"}, 422, "environment"),
        ({"memory_mb": -1024}, 422, "memory_mb"),
        ({"cpu_cores": "2"}, 400, "cpu_cores"),
        ({"configuration": {"network": {"static_ip": "not one"}}}, 422, "configuration.network.static_ip"),
        ({"configuration": {"network": {"vlan_id": 5000}}}, 422, "configuration.network.vlan_id"),
        ({"configuration": {"cpu_cores": 4}}, 422, ""),
        ({"cpus": 4}, 400, "cpus"),
        ({"security": {"user": "Root Admin"}}, 422, "security.user"),
    ],
)
def test_creation_says_what_is_wrong(
    site: Client, template: Guest, change: dict[str, Any], status: int, field: str
) -> None:
    body = {"name": "test-vm", "template": "ubuntu-22.04", "cpu_cores": 2, "memory_mb": 4096, **change}
    answer = send(site, "post", "/v1/vms", body)
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (status, field), answer.content
    assert not Job.objects.exists()


def test_the_documented_update(site: Client, machine: Guest) -> None:
    body = {
        "description": "Updated application server description",
        "configuration": {"memory_mb": 16384},
        "tags": ["application", "microservices", "production", "high-memory"],
    }
    answer = send(site, "put", f"/v1/vms/{public_id(machine)}", body)
    assert answer.status_code == 200, answer.content
    vm = answer.json()["data"]["vm"]
    assert (vm["status"], vm["restart_required"]) == ("resizing", ["memory_mb"])
    assert Job.objects.get().steps.get(kind="guest.configure").params.keys() >= {"description", "memory_bytes", "tags"}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, None),
        ({"name": "other"}, 400, "name"),
        ({"configuration": {"storage_gb": 5}}, 422, "configuration.storage_gb"),
        ({"configuration": {"memory_mb": -1024}}, 422, "configuration.memory_mb"),
        ({"configuration": {"cpu_cores": "4"}}, 400, "configuration.cpu_cores"),
        ({"tags": ["a b"]}, 422, "tags.0"),
    ],
)
def test_update_says_what_is_wrong(site: Client, machine: Guest, body: Any, status: int, field: str | None) -> None:
    answer = send(site, "put", f"/v1/vms/{public_id(machine)}", body)
    assert (answer.status_code, answer.json()["error"]["details"].get("field")) == (status, field)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("query", "status", "graceful"),
    [("", 200, True), ("?force=true&keep_backups=true", 200, False), ("?keep_backups=false", 403, None), ("?force=x", 400, None)],
)  # fmt: skip
def test_delete(site: Client, machine: Guest, query: str, status: int, graceful: bool | None) -> None:
    answer = send(site, "delete", f"/v1/vms/{public_id(machine)}{query}")
    assert answer.status_code == status, answer.content
    if status == 200:
        assert answer.json()["data"]["vm"]["status"] == "deleting"
    asked = Job.objects.filter(kind="vm_deletion").first()
    assert (asked and asked.steps.get(kind="guest.stop").params["graceful"]) == graceful


def test_the_documented_snapshot_and_what_is_done_with_it(site: Client, machine: Guest) -> None:
    path = f"/v1/vms/{public_id(machine)}/snapshots"
    body = {
        "name": "pre-deployment-snapshot",
        "description": "Snapshot before application deployment",
        "include_memory": False,
    }
    answer = send(site, "post", path, body)
    assert answer.status_code == 201, answer.content
    made = answer.json()["data"]
    assert (made["vm"]["status"], made["snapshot"]["status"]) == ("snapshotting", "creating")
    assert answer["Location"] == f"{path}/{made['snapshot']['id']}"
    (row,) = send(site, "get", path).json()["data"]["snapshots"]
    assert {**row, "job_id": made["snapshot"]["job_id"]} == made["snapshot"]
    Job.objects.all().delete()
    GuestSnapshot.objects.update(taken_at=timezone.now())
    restoring = send(site, "post", f"{answer['Location']}/restore")
    assert (restoring.status_code, restoring.json()["data"]["vm"]["status"]) == (200, "restoring")
    assert send(site, "get", answer["Location"]).json()["data"]["snapshot"]["status"] == "restoring"
    assert send(site, "delete", answer["Location"]).status_code == 409
    assert send(site, "get", f"{path}/snap-999").status_code == 404


def test_a_snapshot_that_was_taken_elsewhere_is_said_to_be(site: Client, machine: Guest) -> None:
    path = f"/v1/vms/{public_id(machine)}/snapshots"
    body = send(site, "get", path).json()
    assert (body["data"]["snapshots"], body["meta"]["read_at"], body["meta"]["age_seconds"]) == ([], None, None)
    now = timezone.now()
    row = GuestSnapshot.objects.create(guest=machine, name="theirs", taken_at=now)
    GuestDetails.objects.create(guest=machine, snapshots_read_at=now, read_at=now)
    body = send(site, "get", path).json()
    assert [one["taken_by"] for one in body["data"]["snapshots"]] == ["elsewhere"]
    assert body["meta"]["age_seconds"] == 0
    told = send(site, "post", f"{path}/snap-{row.pk:03d}/restore").json()["data"]
    assert "not by ALMA" in told["note"]
    Job.objects.all().delete()
    GuestSnapshot.objects.update(is_ours=True)
    assert send(site, "delete", f"{path}/snap-{row.pk:03d}").json()["data"]["note"] is None
