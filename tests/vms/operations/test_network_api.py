"""How `/v1/networks` answers to changes: at once, with the network on its way and the job to ask about."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from alma.jobs.models import Job
from tests.factories.accounts import make_key, make_organization
from tests.factories.vms import make_cluster
from tests.vms.api.documented import NEW_NETWORK
from vms.models import Cluster, ClusterNetwork, ClusterNode, PlaceClaim

pytestmark = pytest.mark.django_db
WRITE = frozenset({"network:read", "network:write"})


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    cluster = make_cluster(organization=organization, slug="lab")
    now = timezone.now()
    ClusterNode.objects.create(cluster=cluster, name="pve1", is_online=True, seen_at=now)
    ClusterNetwork.objects.create(
        cluster=cluster, node="pve1", bridge="vmbr0", name="vmbr0", kind="bridge", seen_at=now
    )
    return cluster


@pytest.fixture
def site(organization: Organization) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(WRITE, organization=organization)[1]}"})


def send(site: Client, method: str, path: str, body: Any = "", **headers: str) -> Any:
    return getattr(site, method)(path, data=body, content_type="application/json", headers=headers)


@pytest.fixture
def ours(site: Client, cluster: Cluster) -> str:
    """The id of a network that was made."""
    answer = send(site, "post", "/v1/networks", NEW_NETWORK)
    assert answer.status_code == 201, answer.content
    Job.objects.update(state="completed")
    PlaceClaim.objects.get().move(PlaceClaim.State.LIVE)
    return str(answer.json()["data"]["network"]["id"])


def test_making_one_answers_at_once(site: Client, cluster: Cluster) -> None:
    answer = send(site, "post", "/v1/networks/", NEW_NETWORK)
    assert answer.status_code == 201, answer.content
    told, row = answer.json()["data"]["network"], ClusterNetwork.objects.get(bridge="developm")
    assert (told["id"], told["status"], told["managed"]) == (f"net-{row.pk:03d}", "creating", True)
    assert answer["Location"] == f"/v1/networks/{told['id']}"
    assert [told["notes"][0].split(",")[0], "8.8.8.8" in told["notes"][1]] == [
        "Proxmox gives out addresses in simple zones only", True,
    ]  # fmt: skip
    job = Job.objects.get()
    assert (told["job_id"], job.kind, job.exclusive_key) == (
        job.public_id,
        "network_creation",
        f"place:{cluster.pk}:sdn",
    )
    assert job.public_id.startswith(f"job_create_network_{row.pk:03d}_")
    shown = send(site, "get", answer["Location"]).json()["data"]["network"]
    assert {**shown, "notes": told["notes"]} == told


def test_a_repeated_request_has_one_effect(site: Client, cluster: Cluster) -> None:
    first, second = (send(site, "post", "/v1/networks", NEW_NETWORK, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.json()["data"], second["Idempotency-Replayed"]) == (second.json()["data"], "true")
    again = send(site, "post", "/v1/networks", NEW_NETWORK)
    assert (again.status_code, again.json()["error"]["details"]["reason"]) == (409, "place_busy")
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"vlan_id": 5000}, 422, "vlan_id"),
        ({"vlan_id": "200"}, 400, "vlan_id"),
        ({"type": "wifi"}, 422, "type"),
        ({"subnet": "192.168.2.1"}, 422, "gateway"),
        ({"gateway": "10.0.0.1"}, 422, "gateway"),
        ({"dhcp_range": {"start": "192.168.2.100"}}, 400, "dhcp_range.end"),
        ({"dhcp_range": None}, 422, "dhcp_range"),
        ({"cluster": "nowhere"}, 422, "cluster"),
        ({"color": "red"}, 400, "color"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(site: Client, cluster: Cluster, change: Any, status: int, field: str) -> None:
    answer = send(site, "post", "/v1/networks", {**NEW_NETWORK, **change})
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (status, field), answer.content
    assert not Job.objects.exists() and not PlaceClaim.objects.exists()


def test_changing_merges(site: Client, ours: str) -> None:
    answer = send(site, "put", f"/v1/networks/{ours}", {"vlan_id": 300, "dhcp_enabled": False})
    assert answer.status_code == 200, answer.content
    told, job = answer.json()["data"]["network"], Job.objects.get(state="queued")
    assert (told["status"], told["job_id"], told["notes"][0][:12]) == ("changing", job.public_id, "Proxmox keep")
    goal, before = (job.steps.get().params[name] for name in ("goal", "before"))
    assert (goal["vnet"]["tag"], before["vnet"]["tag"]) == (300, 200)
    assert ("dhcp-range" in goal["subnet"], "dhcp-range" in before["subnet"]) == (False, True)
    busy = send(site, "delete", f"/v1/networks/{ours}")
    assert (busy.status_code, busy.json()["error"]["details"]["job_id"]) == (409, job.public_id)


@pytest.mark.parametrize(("body", "status"), [({}, 400), ({"type": "vnet"}, 400), ({"vlan_id": 0}, 422)])
def test_a_change_says_what_is_wrong(site: Client, ours: str, body: Any, status: int) -> None:
    assert send(site, "put", f"/v1/networks/{ours}", body).status_code == status


def test_removing(site: Client, ours: str) -> None:
    answer = send(site, "delete", f"/v1/networks/{ours}")
    assert (answer.status_code, answer.json()["data"]["network"]["status"]) == (200, "deleting")
    assert Job.objects.get(state="queued").kind == "network_deletion"


@pytest.mark.parametrize("method", ["put", "delete"])
def test_what_is_not_ours(site: Client, cluster: Cluster, method: str) -> None:
    row = ClusterNetwork.objects.get()
    answer = send(site, method, f"/v1/networks/net-{row.pk:03d}", {"name": "mine"})
    error = answer.json()["error"]
    assert (answer.status_code, error["details"]["reason"]) == (403, "place_not_ours")
    foreign = ClusterNetwork.objects.create(
        cluster=make_cluster(), node="", bridge="x", name="x", kind="vnet", seen_at=timezone.now()
    )
    assert send(site, method, f"/v1/networks/net-{foreign.pk:03d}", {"name": "mine"}).status_code == 404


def test_while_the_cluster_is_silent(site: Client, ours: str, cluster: Cluster) -> None:
    Cluster.objects.update(last_error="timed out")
    for method, path in (("post", "/v1/networks"), ("put", f"/v1/networks/{ours}"), ("delete", f"/v1/networks/{ours}")):
        answer = send(site, method, path, {**NEW_NETWORK, "name": "other"} if method == "post" else {"name": "other"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE"), path
