"""What clients are told of an operation that people have to agree to: by `/v1/vms`, `/v1/jobs` and the API of IPRs."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from alma.jobs.models import Job
from iprs.models import IPR
from tests.factories.accounts import make_environment, make_key, make_organization, make_user
from tests.factories.scans import make_scan
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.machines import public_id
from vms.models import ClusterNode, Guest, ScanFinding, SecurityScan

pytestmark = pytest.mark.django_db
RIGHTS = frozenset({"vm:read", "vm:write", "job:read", "job:write", "ipr:read"})


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def machine(organization: Organization) -> Guest:
    cluster = make_cluster(organization=organization)
    ClusterNode.objects.create(cluster=cluster, name="pve1", is_online=True, seen_at=timezone.now())
    place = make_environment("production", organization=organization, is_protected=True, required_approvals=1)
    claim = make_claim(cluster, state="live", owner=f"env:{place.pk}/blueprint:1")
    make_guest(cluster, name="debian-12", is_template=True)
    return make_guest(cluster, name="web", vmid=claim.vmid, claim=claim)


@pytest.fixture
def site(organization: Organization) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(RIGHTS, organization=organization)[1]}"})


@pytest.fixture
def scanner(organization: Organization) -> Client:
    key = make_key(RIGHTS | {"security:read"}, organization=organization)[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def send(site: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(site, method)(path, data="" if body is None else body, content_type="application/json")


def begun(site: Client, machine: Guest) -> dict[str, Any]:
    answer = send(site, "post", f"/v1/vms/{public_id(machine)}/stop", {"graceful": True, "timeout_seconds": 300})
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()["data"]["vm"]
    return said


def test_a_direct_write_answers_with_a_job_that_runs_and_waits(site: Client, machine: Guest) -> None:
    said, ipr = begun(site, machine), IPR.objects.get()
    assert said == {
        "id": public_id(machine), "name": "web", "status": "running", "job_id": Job.objects.get(kind="vm_stop").public_id,
        "ipr_id": ipr.pk, "ipr_url": ipr.get_absolute_url(),
    }  # fmt: skip
    job = send(site, "get", f"/v1/jobs/{said['job_id']}").json()["data"]["job"]
    assert (job["status"], job["phase"], job["progress"], job["started_at"]) == ("running", "waiting_approval", 0, None)
    assert (job["ipr_id"], job["ipr_url"]) == (ipr.pk, ipr.get_absolute_url())
    assert [line["message"] for line in job["logs"]] == [f"Waits for the approval of IPR #{ipr.pk}."]
    rows = send(site, "get", "/v1/jobs?status=running&type=vm_stop").json()["data"]["jobs"]
    assert [(row["id"], row["phase"], row["ipr_id"]) for row in rows] == [(job["id"], "waiting_approval", ipr.pk)]


def test_the_same_again_is_the_same_job(site: Client, machine: Guest) -> None:
    assert begun(site, machine) == begun(site, machine)
    assert IPR.objects.count() == 1


def test_cancelling_the_job_withdraws_the_ipr(site: Client, machine: Guest) -> None:
    path = f"/v1/jobs/{begun(site, machine)['job_id']}"
    job = send(site, "delete", path).json()["data"]["job"]
    assert (job["status"], job["phase"], job["error"]["code"]) == ("cancelled", "ended", "IPR_WITHDRAWN")
    assert IPR.objects.get().status == "cancelled"
    assert send(site, "delete", path).status_code == 409


def test_a_machine_that_is_to_be_made_has_its_id_at_once(site: Client, machine: Guest) -> None:
    body = {"name": "app", "template": "debian-12", "environment": "production"}
    answer = send(site, "post", "/v1/vms", body)
    assert answer.status_code == 201, answer.content
    vm, ipr = answer.json()["data"]["vm"], IPR.objects.get()
    assert (vm["ipr_id"], vm["ipr_url"], ipr.title) == (ipr.pk, ipr.get_absolute_url(), "Create app")
    assert send(site, "get", f"/v1/vms/{vm['id']}").json()["data"]["vm"]["name"] == "app"
    job = send(site, "get", f"/v1/jobs/{vm['creation_job_id']}").json()["data"]["job"]
    assert (job["status"], job["phase"]) == ("running", "waiting_approval")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("put", "", {"description": "new"}),
        ("delete", "", None),
        ("post", "/start", None),
        ("post", "/restart", None),
        ("post", "/migrate", {"target_node": "pve1"}),
        ("post", "/snapshots", {"name": "before"}),
    ],
    ids=["change", "delete", "start", "restart", "migrate", "snapshot"],
)
def test_each_write_opens_an_ipr(site: Client, machine: Guest, method: str, path: str, body: Any) -> None:
    answer = send(site, method, f"/v1/vms/{public_id(machine)}{path}", body)
    assert answer.status_code in {200, 201}, answer.content
    assert answer.json()["data"]["vm"]["ipr_id"] == IPR.objects.get().pk
    again = send(site, method, f"/v1/vms/{public_id(machine)}{path}", body)
    assert again.json()["data"] == answer.json()["data"], "asked once more it is the same job"
    assert IPR.objects.count() == 1


def test_another_snapshot_of_a_name_that_waits_is_refused(site: Client, machine: Guest) -> None:
    path = f"/v1/vms/{public_id(machine)}/snapshots"
    assert send(site, "post", path, {"name": "before"}).status_code == 201
    answer = send(site, "post", path, {"name": "before", "description": "another one"})
    assert (answer.status_code, answer.json()["error"]["details"]["reason"]) == (409, "snapshot_exists")
    assert IPR.objects.count() == 1


def test_ipr_as_the_api_tells_it(site: Client, machine: Guest) -> None:
    said = begun(site, machine)
    body = send(site, "get", f"/api/v1/iprs/{said['ipr_id']}").json()
    assert (body["title"], body["blueprint_id"], body["status"], body["environment"]) == (
        "Stop web",
        None,
        "pending",
        "production",
    )
    assert body["operation"] == {"job_id": said["job_id"], "type": "vm_stop", "vm_id": public_id(machine)}
    assert body["plan"]["blueprint_revision"] is None
    assert [gate["code"] for gate in body["missing"]] == ["PLAN_READY", "PLAN_SOUND", "APPROVALS"]
    rows = send(site, "get", "/api/v1/iprs").json()
    assert [(row["id"], row["blueprint_id"]) for row in rows] == [(said["ipr_id"], None)]


@pytest.fixture
def scan(machine: Guest) -> SecurityScan:
    told = {"GUEST-NET-002": {"failed": 1}, "GUEST-BACKUP-001": {"failed": 1}, "GUEST-OS-001": {"unassessed": 1}}
    return make_scan(machine.cluster, guest=machine, tally=told)


def test_a_finding_is_mended_by_an_ipr(scanner: Client, machine: Guest, scan: SecurityScan) -> None:
    rows = send(scanner, "get", f"/v1/security/scans/{scan.public_id}?outcome=all").json()["data"]["findings"]
    mends = {row["rule"]: row["mend"] for row in rows}
    assert mends["GUEST-NET-002"] == {"possible": True, "reason": None, "ipr_id": None, "ipr_url": None}
    assert mends["GUEST-BACKUP-001"]["reason"] == "A backup is made under Backups, not by a change of settings."
    assert mends["GUEST-OS-001"]["reason"] == "It could not be judged, so there is nothing to mend."
    path = next(
        f"/v1/security/scans/{scan.public_id}/findings/{row['id']}/fix" for row in rows if row["mend"]["possible"]
    )
    answer = send(scanner, "post", path)
    assert answer.status_code == 201, answer.content
    said, ipr = answer.json()["data"]["fix"], IPR.objects.get()
    assert answer["Location"] == f"/api/v1/iprs/{ipr.pk}"
    assert (said["ipr_id"], said["ipr_url"], said["vm_id"]) == (ipr.pk, ipr.get_absolute_url(), public_id(machine))
    assert (said["title"], said["rule"]) == ("Mend web: Network card goes past the firewall", "GUEST-NET-002")
    assert send(scanner, "post", f"{path}/").json()["data"]["fix"] == said, "asked once more it is the same"
    job = send(scanner, "get", f"/v1/jobs/{said['job_id']}").json()["data"]["job"]
    assert (job["type"], job["status"], job["phase"]) == ("vm_fix", "running", "waiting_approval")
    rows = send(scanner, "get", f"/v1/security/scans/{scan.public_id}?rule=GUEST-NET-002").json()["data"]["findings"]
    assert rows[0]["mend"]["ipr_id"] == ipr.pk


def test_a_finding_that_cannot_be_mended_says_why(scanner: Client, scan: SecurityScan) -> None:
    base = f"/v1/security/scans/{scan.public_id}/findings"
    pk = ScanFinding.objects.get(rule="GUEST-BACKUP-001").pk
    answer = send(scanner, "post", f"{base}/finding-{pk:03d}/fix")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"]["reason"]) == (409, "RESOURCE_CONFLICT", "not_mendable")
    assert "made under Backups" in error["message"]
    for path in (
        f"{base}/finding-999/fix",
        f"{base}/x/fix",
        f"/v1/security/scans/scan-999/findings/finding-{pk:03d}/fix",
    ):
        assert send(scanner, "post", path).status_code == 404, path


@pytest.mark.parametrize("rights", [{"security:read"}, {"vm:write"}], ids=["reads", "writes"])
def test_mending_needs_both_rights(organization: Organization, scan: SecurityScan, rights: set[str]) -> None:
    key = make_key(frozenset(rights), organization=organization)[1]
    pk = ScanFinding.objects.get(rule="GUEST-NET-002").pk
    site = Client(headers={"Authorization": f"Bearer {key}"})
    answer = send(site, "post", f"/v1/security/scans/{scan.public_id}/findings/finding-{pk:03d}/fix")
    assert answer.status_code == 403
    assert not IPR.objects.exists()


def test_graph_tells_of_it(client: Client, organization: Organization, site: Client, machine: Guest) -> None:
    begun(site, machine)
    client.force_login(make_user("admin", organization=organization))
    query = "{ iprs { title blueprintId blueprint { id } plan { blueprintRevision } } }"
    answer = client.post("/graphql", {"query": query}, content_type="application/json")
    assert answer.json()["data"]["iprs"] == [
        {"title": "Stop web", "blueprintId": None, "blueprint": None, "plan": {"blueprintRevision": None}}
    ]
