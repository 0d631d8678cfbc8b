"""`/v1/security/scans`: the document's example to the letter, and what the document leaves open."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor
from tests.factories.accounts import make_key
from tests.factories.scans import BROKEN, make_scan
from tests.factories.vms import make_cluster, make_guest
from tests.vms.scans.conftest import finish
from vms.models import Cluster, Guest, SecurityScan

SCANS = "/v1/security/scans"
EXAMPLE = {
    "scan_type": "vulnerability",
    "targets": ["vm-001", "vm-002"],
    "scan_options": {"deep_scan": True, "include_dependencies": True},
}


@pytest.fixture
def place(db: None) -> Cluster:
    return make_cluster()


@pytest.fixture
def ask(place: Cluster) -> Any:
    """Ask as a management key of the organization."""
    _, secret = make_key(organization=place.organization)
    client = Client(headers={"authorization": f"Bearer {secret}"})

    def call(path: str, body: Any = None) -> Any:
        if body is None:
            return client.get(path)
        return client.post(path, body, content_type="application/json")

    return call


@pytest.mark.parametrize("slash", ["", "/"], ids=["bare", "slash"])
def test_the_example_of_the_document(place: Cluster, ask: Any, slash: str) -> None:
    for number in (1, 2):
        make_guest(place, pk=number)
    response = ask(SCANS + slash, EXAMPLE)
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["success"] is True
    assert set(body["meta"]) >= {"request_id", "timestamp"}
    scan = body["data"]["scan"]
    row = SecurityScan.objects.get()
    assert (scan["id"], scan["type"], scan["status"]) == (f"scan-{row.pk:03d}", "vulnerability", "running")
    assert scan["started_at"].endswith("Z")
    assert scan["estimated_completion"] > scan["started_at"]
    assert response["Location"] == f"{SCANS}/{scan['id']}"
    assert set(row.subjects.values_list("guest", flat=True)) == {1, 2}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"targets": ["vm-999999"]}, 404),
        ({"targets": ["nonsense"]}, 404),
        ({"targets": []}, 422),
        ({"targets": "vm-001"}, 400),
        ({"scan_type": "port"}, 422),
        ({"scan_options": {"deep": True}}, 400),
        ({"target": ["vm-001"]}, 400),
    ],
    ids=str,
)
def test_what_is_refused(ask: Any, body: dict[str, Any], status: int) -> None:
    response = ask(SCANS, body)
    assert response.status_code == status, response.content
    assert response.json()["success"] is False
    assert not SecurityScan.objects.exists()


def test_a_cluster_that_is_silent_is_not_scanned(place: Cluster, ask: Any) -> None:
    make_guest(place, pk=1)
    Cluster.objects.update(last_error="no route to host")
    for body in ({"targets": ["vm-001"]}, {}):
        response = ask(SCANS, body)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert (error["details"]["reason"], "no route to host" in error["message"]) == ("cluster_unreachable", True)
    assert not SecurityScan.objects.exists()


def test_a_report(place: Cluster, ask: Any) -> None:
    guest = make_guest(place)
    earlier = make_scan(place, tally={BROKEN: {"passed": 1}})
    scan = make_scan(place, guest=guest)
    data = ask(f"{SCANS}/{scan.public_id}").json()["data"]

    told = data["scan"]
    assert (told["status"], told["compliance_score"], told["progress"]) == ("completed", 16, 100)  # 1 of 1 + 5
    assert told["vulnerabilities"] == {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0}
    assert [(point["id"], point["compliance_score"]) for point in told["trend"]] == [
        (earlier.public_id, 100), (scan.public_id, 16),
    ]  # fmt: skip
    assert {row["name"]: row["failed"] for row in told["frameworks"]} == {"CIS Controls v8": 2, "SOC 2": 1}
    assert told["not_assessed_rules"] == [
        {
            "rule": "GUEST-OS-001",
            "title": "Operating system is past its end of life",
            "reason": "0 (default)",
            "count": 1,
        }
    ]
    (found,) = data["findings"]
    assert found["rule"] == BROKEN
    assert (found["severity"], found["outcome"], found["vm_id"]) == ("high", "failed", f"vm-{guest.pk:03d}")
    assert found["evidence"] == [{"setting": "enable", "value": "0 (default)"}]
    assert {control["id"] for control in found["controls"]} == {"4.4", "13.4", "CC6.6"}
    assert data["pagination"]["total"] == 1


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("", [BROKEN]),
        ("?outcome=not_assessed", ["GUEST-OS-001"]),
        ("?outcome=all", [BROKEN, "GUEST-OS-001"]),
        ("?severity=critical", []),
        ("?severity=high&outcome=all", [BROKEN, "GUEST-OS-001"]),
        ("?rule=GUEST-OS-001&outcome=all", ["GUEST-OS-001"]),
    ],
)
def test_findings_that_are_wanted(place: Cluster, ask: Any, query: str, rules: list[str]) -> None:
    scan = make_scan(place)
    found = ask(f"{SCANS}/{scan.public_id}{query}").json()["data"]["findings"]
    assert sorted(row["rule"] for row in found) == sorted(rules)


def test_the_list_costs_the_same_however_long(
    place: Cluster, ask: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    scans = [make_scan(place) for _ in range(5)]
    make_scan(make_cluster())
    with django_assert_max_num_queries(8):
        data = ask(SCANS).json()["data"]
    assert [row["id"] for row in data["scans"]] == [scan.public_id for scan in reversed(scans)]
    assert data["pagination"]["total"] == 5


@pytest.mark.parametrize("scan_id", ["scan-999999", "scan-1", "1", "nonsense"])
def test_a_scan_that_is_not_there(ask: Any, scan_id: str) -> None:
    response = ask(f"{SCANS}/{scan_id}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


def test_a_running_scan_has_no_score_yet(place: Cluster, ask: Any) -> None:
    scan = make_scan(place, state="running", score=None)
    told = ask(f"{SCANS}/{scan.public_id}").json()["data"]["scan"]
    assert (told["status"], told["compliance_score"], told["completed_at"]) == ("running", None, None)


def test_from_the_start_to_the_report(cluster: Cluster, guests: list[Guest], actor: Actor) -> None:
    _, secret = make_key(organization=cluster.organization)
    client = Client(headers={"authorization": f"Bearer {secret}"})
    body = {**EXAMPLE, "targets": [f"vm-{guest.pk:03d}" for guest in guests[:2]]}
    started = client.post(SCANS, body, content_type="application/json").json()["data"]["scan"]
    finish(SecurityScan.objects.get())
    data = client.get(f"{SCANS}/{started['id']}").json()["data"]
    assert data["scan"]["status"] == "completed"
    assert data["scan"]["compliance_score"] is not None
    assert [row["severity"] for row in data["findings"]][0] == "critical"


def test_machines_show_what_their_last_scan_found(place: Cluster, ask: Any) -> None:
    scanned, other = make_guest(place, name="a"), make_guest(place, name="b")
    scan = make_scan(place, guest=scanned)
    first, second = (row["security"] for row in ask("/v1/vms").json()["data"]["vms"])
    assert first["compliance_score"] == scan.score == 16
    assert first["last_security_scan"] is not None
    assert (second["compliance_score"], second["last_security_scan"]) == (None, None)
    security = ask(f"/v1/vms/vm-{scanned.pk:03d}").json()["data"]["vm"]["security"]
    assert security["vulnerabilities"] == {"critical": 0, "high": 1, "medium": 0, "low": 0}
    assert ask(f"/v1/vms/vm-{other.pk:03d}").json()["data"]["vm"]["security"]["vulnerabilities"] is None
