"""What `/v1/vms` answers to moves, copies and consoles: at once, and with what is wrong."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.jobs.models import Job
from tests.factories.accounts import make_environment, make_key
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.machines import public_id
from vms.models import ClusterNode, Guest

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine() -> Guest:
    cluster = make_cluster()
    owner = f"env:{make_environment('development', organization=cluster.organization).pk}/blueprint:1"
    claim = make_claim(cluster, state="live", owner=owner)
    return make_guest(cluster, name="web", vmid=claim.vmid, claim=claim)


@pytest.fixture
def site(machine: Guest) -> Client:
    key = make_key(frozenset({"vm:read", "vm:write"}), organization=machine.cluster.organization)[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def send(site: Client, path: str, body: Any = None, **headers: str) -> Any:
    return site.post(path, data=body or {}, content_type="application/json", headers=headers)


@pytest.fixture
def nodes(machine: Guest) -> None:
    for name in ("pve1", "pve2"):
        ClusterNode.objects.create(cluster=machine.cluster, name=name, is_online=True, seen_at=timezone.now())


def test_a_move_answers_at_once(site: Client, machine: Guest, nodes: None) -> None:
    answer = send(site, f"/v1/vms/{public_id(machine)}/migrate", {"target_node": "pve2", "online": True})
    assert answer.status_code == 200, answer.content
    job = Job.objects.get()
    assert answer.json()["data"] == {
        "vm": {
            "id": public_id(machine),
            "name": "web",
            "status": "migrating",
            "job_id": job.public_id,
            "ipr_id": None,
            "ipr_url": None,
        }
    }
    assert (job.kind, job.title) == ("vm_migration", "Move web")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "target_node"),
        ({"target_node": "pve9"}, 422, "target_node"),
        ({"target_node": "../pve2"}, 422, "target_node"),
        ({"target_node": "pve2", "online": "yes"}, 400, "online"),
        ({"target_node": "pve2", "target_storage": "a/b"}, 422, "target_storage"),
        ({"target_node": "pve2", "force": True}, 400, "force"),
        ({"target_node": "pve2", "online": False}, 409, None),
    ],
)
def test_a_move_says_what_is_wrong(
    site: Client, machine: Guest, nodes: None, body: Any, status: int, field: str | None
) -> None:
    answer = send(site, f"/v1/vms/{public_id(machine)}/migrate", body)
    assert (answer.status_code, answer.json()["error"]["details"].get("field")) == (status, field), answer.content
    assert not Job.objects.exists()


def test_a_copy_answers_at_once_with_an_id_that_works(site: Client, machine: Guest, nodes: None) -> None:
    answer = send(site, f"/v1/vms/{public_id(machine)}/clone", {"name": "Web-Copy", "full": True})
    assert answer.status_code == 201, answer.content
    vm, job = answer.json()["data"]["vm"], Job.objects.get()
    assert vm == {
        "id": vm["id"], "name": "web-copy", "status": "creating", "job_id": job.public_id, "source_id": public_id(machine),
        "ipr_id": None, "ipr_url": None,
    }  # fmt: skip
    assert (answer["Location"], job.kind) == (f"/v1/vms/{vm['id']}", "vm_clone")
    shown = site.get(answer["Location"]).json()["data"]["vm"]
    assert (shown["status"], shown["environment"]) == ("creating", "development")
    again = send(site, f"/v1/vms/{public_id(machine)}/clone", {"name": "web-copy"})
    assert (again.status_code, again.json()["error"]["details"]["job_id"]) == (409, job.public_id)


def test_a_template_is_found_by_its_number_for_a_copy_alone(site: Client, machine: Guest, nodes: None) -> None:
    template = make_guest(machine.cluster, name="debian-12", is_template=True, vmid=9000)
    answer = send(site, "/v1/vms/9000/clone", {"name": "from-template", "full": False})
    assert answer.status_code == 201, answer.content
    assert answer.json()["data"]["vm"]["source_id"] == public_id(template)
    assert Job.objects.get().steps.get(kind="guest.create").params["full_clone"] is False
    assert send(site, "/v1/vms/9000/start").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "name"),
        ({"name": "with space"}, 422, "name"),
        ({"name": "copy", "full": False}, 422, "full"),
        ({"name": "copy", "full": "yes"}, 400, "full"),
        ({"name": "copy", "environment": "nowhere"}, 422, "environment"),
        ({"name": "copy", "target_node": "pve9"}, 422, "target_node"),
        ({"name": "copy", "target_storage": "nowhere"}, 422, "target_storage"),
        ({"name": "copy", "vmid": 100}, 400, "vmid"),
        ({"name": "web"}, 409, None),
    ],
)
def test_a_copy_says_what_is_wrong(
    site: Client, machine: Guest, nodes: None, body: Any, status: int, field: str | None
) -> None:
    answer = send(site, f"/v1/vms/{public_id(machine)}/clone", body)
    assert (answer.status_code, answer.json()["error"]["details"].get("field")) == (status, field), answer.content
    assert not Job.objects.exists()
