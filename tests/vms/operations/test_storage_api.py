"""How `/v1/storage` answers to changes: at once, with the storage on its way and the job to ask about."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from alma.jobs.kinds import job_kind
from alma.jobs.models import Job
from tests.factories.accounts import make_key, make_organization
from tests.factories.vms import make_cluster
from tests.vms.api.test_storage import store
from vms.models import Cluster, ClusterNode, PlaceClaim

pytestmark = pytest.mark.django_db
SECRET = "pl4nted-password-of-a-share"
CIFS = {
    "name": "office", "type": "cifs", "server": "files.example.org", "share": "backup", "username": "alma",
    "password": SECRET, "content": ["backup"],
}  # fmt: skip


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    cluster = make_cluster(organization=organization, encrypting_storages=["office"])
    ClusterNode.objects.create(cluster=cluster, name="pve1", is_online=True, seen_at=timezone.now())
    return cluster


@pytest.fixture
def site(organization: Organization) -> Client:
    key = make_key(frozenset({"storage:read", "storage:write"}), organization=organization)[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def send(site: Client, method: str, path: str, body: Any = "") -> Any:
    return getattr(site, method)(path, data=body, content_type="application/json")


def test_making_one_answers_at_once_and_tells_no_secret(site: Client, cluster: Cluster) -> None:
    answer = send(site, "post", "/v1/storage/", CIFS)
    assert answer.status_code == 201, answer.content
    told, job = answer.json()["data"]["storage"], Job.objects.get()
    assert (told["name"], told["type"], told["content"], told["shared"]) == ("office", "cifs", ["backup"], True)
    assert (told["status"], told["managed"], told["job_id"], told["encrypted"]) == (
        "creating",
        True,
        job.public_id,
        True,
    )
    assert (job.kind, answer["Location"]) == ("storage_creation", f"/v1/storage/{told['id']}")
    shown = send(site, "get", answer["Location"])
    assert shown.json()["data"]["storage"] == told
    assert SECRET not in f"{answer.content!r}{shown.content!r}{job.params}{list(job.steps.values())}"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"type": "floppy"}, 422, "type"),
        ({"share": None}, 422, "share"),
        ({"path": "/srv"}, 422, "path"),
        ({"content": ["disks"]}, 422, "content.0"),
        ({"nodes": ["pve9"]}, 422, "nodes"),
        ({"name": 7}, 400, "name"),
        ({"password": SECRET + "\n"}, 422, "password"),
        ({"encryption_key": "\x07" + SECRET}, 422, "encryption_key"),
        ({"colour": "red"}, 400, "colour"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_and_no_secret(
    site: Client, cluster: Cluster, change: Any, status: int, field: str
) -> None:
    answer = send(site, "post", "/v1/storage", {**CIFS, **change})
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (status, field), answer.content
    assert SECRET not in answer.content.decode()
    assert not Job.objects.exists() and not PlaceClaim.objects.exists()


def test_removing(site: Client, cluster: Cluster) -> None:
    told = send(site, "post", "/v1/storage", CIFS).json()["data"]["storage"]
    busy = send(site, "delete", f"/v1/storage/{told['id']}")
    assert (busy.status_code, busy.json()["error"]["details"]["reason"]) == (409, "place_busy")
    Job.objects.update(state="completed")
    PlaceClaim.objects.get().move(PlaceClaim.State.LIVE)
    answer = send(site, "delete", f"/v1/storage/{told['id']}")
    assert (answer.status_code, answer.json()["data"]["storage"]["status"]) == (200, "deleting")
    job = Job.objects.latest("pk")
    (place,) = job_kind(job.kind).places(job)
    assert place.url == f"/storage/#storage-{job.params['storage']}"
    job.state = "completed"
    assert not job_kind(job.kind).places(job), "there is none any more"


def test_what_is_not_ours(site: Client, cluster: Cluster) -> None:
    answer = send(site, "delete", f"/v1/storage/storage-{store(cluster, 'pve1', 'local').pk:03d}")
    assert (answer.status_code, answer.json()["error"]["details"]["reason"]) == (403, "place_not_ours")
    foreign = store(make_cluster(), "pve1", "theirs")
    assert send(site, "delete", f"/v1/storage/storage-{foreign.pk:03d}").status_code == 404


def test_while_the_cluster_is_silent(site: Client, cluster: Cluster) -> None:
    Cluster.objects.update(last_error="timed out")
    answer = send(site, "post", "/v1/storage", CIFS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
