"""`GET /v1/vms`: filters, order, pages, and what is said of what nobody knows."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Organization
from tests.factories.accounts import make_environment, make_key
from tests.factories.scans import make_scan
from tests.factories.vms import GIB, make_cluster, make_guest
from tests.vms.api.readers import cluster, organization, site
from vms.models import Cluster, Guest, GuestDetails, ScanSubject

__all__ = ["cluster", "organization", "site"]
pytestmark = pytest.mark.django_db
DOCUMENTED_ROW = {
    "id", "name", "status", "environment", "cpu_cores", "memory_mb", "storage_gb", "ip_address", "os_type", "created_at",
    "updated_at", "tags", "security",
}  # fmt: skip
SECURITY = {"encrypted", "firewall_enabled", "last_security_scan", "compliance_score"}
PAGINATION = {
    "total", "limit", "offset", "pages", "current_page", "has_next", "has_previous", "next_cursor", "previous_cursor",
}  # fmt: skip


def listed(site: Client, query: str = "") -> Any:
    answer = site.get(f"/v1/vms?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def names(site: Client, query: str = "") -> list[str]:
    return [row["name"] for row in listed(site, query)["vms"]]


@pytest.mark.parametrize("query", ["name=%00", "tag=a%00b&limit=5", "%00=1"])
def test_a_nul_in_the_address(site: Client, cluster: Cluster, query: str) -> None:
    answer = site.get(f"/v1/vms?{query}")
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, {"reason": "invalid_character"})


def test_the_documented_request(site: Client, cluster: Cluster, organization: Organization) -> None:
    production = make_environment("production", organization=organization)
    guest = make_guest(
        cluster, name="web-server-01", cores=4, memory_bytes=8 * GIB, disk_bytes=100 * GIB, tags="web;nginx;production",
        environment=production,
    )  # fmt: skip
    make_guest(cluster, name="other", environment=make_environment("staging", organization=organization))
    answer = site.get("/v1/vms?status=running&environment=production&limit=25&sort=name&order=asc")
    body = answer.json()
    assert (answer.status_code, body["success"]) == (200, True)
    (row,) = body["data"]["vms"]
    assert row.keys() >= DOCUMENTED_ROW and row["security"].keys() == SECURITY
    told = {"id": f"vm-{guest.pk:03d}", "status": "running", "environment": "production", "cpu_cores": 4,
            "memory_mb": 8192, "storage_gb": 100, "tags": ["web", "nginx", "production"]}  # fmt: skip
    assert {name: row[name] for name in told} == told
    page = body["data"]["pagination"]
    assert page.keys() == PAGINATION
    assert (page["total"], page["limit"], page["offset"], page["pages"], page["current_page"]) == (1, 25, 0, 1, 1)
    assert {"request_id", "timestamp", "execution_time_ms", "age_seconds"} <= body["meta"].keys()


def test_what_nobody_told_is_null(site: Client, cluster: Cluster) -> None:
    make_guest(cluster, cores=0, memory_bytes=0, disk_bytes=0)
    (row,) = listed(site)["vms"]
    unknown = ("environment", "cpu_cores", "memory_mb", "storage_gb", "ip_address", "os_type", "created_at")
    assert [row[name] for name in unknown] == [None] * len(unknown)
    assert set(row["security"].values()) == {None}


@pytest.fixture
def three(cluster: Cluster, organization: Organization) -> None:
    """Three machines, and what is none: a template and one that is gone."""
    staging = make_environment("staging", organization=organization)
    now = timezone.now()
    make_guest(cluster, name="alpha", status="running", tags="web;old", node="pve1", created_at=now - timedelta(days=1))
    make_guest(cluster, name="beta", status="stopped", tags="webby", node="pve2", created_at=now, environment=staging)
    make_guest(cluster, name="gamma", status="paused", lock="", created_at=now - timedelta(days=2))
    make_guest(cluster, name="golden", is_template=True)
    make_guest(cluster, name="gone", missing_since=now)
    make_guest(make_cluster(), name="foreign")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["alpha", "beta", "gamma"]),
        ("order=desc", ["gamma", "beta", "alpha"]),
        ("sort=created_at", ["gamma", "alpha", "beta"]),
        ("sort=status&order=desc", ["beta", "alpha", "gamma"]),
        ("status=running", ["alpha"]),
        ("status=paused", ["gamma"]),
        ("environment=staging", ["beta"]),
        ("environment=nowhere", []),
        ("name=AMM", ["gamma"]),
        ("tag=web", ["alpha"]),
        ("tag=old", ["alpha"]),
        ("node=pve2", ["beta"]),
        ("cluster=nowhere", []),
        ("limit=2", ["alpha", "beta"]),
        ("limit=2&offset=2", ["gamma"]),
        ("offset=9", []),
    ],
)
def test_filters_and_order(site: Client, query: str, found: list[str]) -> None:
    assert names(site, query) == found


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=burning", "status"), ("sort=memory", "sort"), ("order=up", "order"), (f"name={'x' * 101}", "name")],
)
def test_what_makes_no_sense(site: Client, query: str, field: str) -> None:
    answer = site.get(f"/v1/vms?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    details = answer.json()["error"]["details"]
    assert (details["field"], "reason" in details, "provided_value" in details) == (field, True, True)


@pytest.mark.parametrize(
    ("order", "found"), [("asc", ["mute", "old", "new"]), ("desc", ["new", "old", "mute"])], ids=["asc", "desc"]
)
def test_what_is_not_known_counts_as_the_least_on_every_database(
    site: Client, cluster: Cluster, order: str, found: list[str]
) -> None:
    for name, age in (("new", 1), ("mute", None), ("old", 9)):
        made = None if age is None else timezone.now() - timedelta(days=age)
        make_guest(cluster, name=name, created_at=made)
    assert names(site, f"sort=created_at&order={order}") == found
    assert names(site, f"sort=created_at&order={order}&limit=1&offset=1") == found[1:2]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "offset=-1", "cursor=forged"])
def test_pages_that_make_no_sense(site: Client, query: str) -> None:
    answer = site.get(f"/v1/vms?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_cursors_lead_there_and_back(site: Client, cluster: Cluster) -> None:
    for number in range(7):
        make_guest(cluster, name=f"vm-{number}")
    first = listed(site, "limit=3")
    second = listed(site, f"limit=3&cursor={first['pagination']['next_cursor']}")
    third = listed(site, f"limit=3&cursor={second['pagination']['next_cursor']}")
    assert [[row["name"] for row in page["vms"]] for page in (first, second, third)] == [
        ["vm-0", "vm-1", "vm-2"], ["vm-3", "vm-4", "vm-5"], ["vm-6"],
    ]  # fmt: skip
    assert (third["pagination"]["has_next"], third["pagination"]["next_cursor"]) == (False, None)
    assert listed(site, f"limit=3&cursor={second['pagination']['previous_cursor']}")["vms"] == first["vms"]


def test_a_cluster_out_of_reach(site: Client, cluster: Cluster) -> None:
    since = timezone.now() - timedelta(minutes=5)
    Cluster.objects.filter(pk=cluster.pk).update(unreachable_since=since, last_read_at=since)
    make_guest(cluster, name="lost")
    answer = site.get("/v1/vms").json()
    (row,) = answer["data"]["vms"]
    assert (row["status"], row["last_status"]) == ("unknown", "running")
    assert row["status_since"] == since.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert answer["meta"]["age_seconds"] >= 300
    assert answer["meta"]["unreachable_clusters"] == [cluster.slug]
    assert names(site, "status=running") == []


@pytest.mark.parametrize(("lock", "status"), [("backup", "backing_up"), ("migrate", "migrating"), ("", "running")])
def test_what_a_machine_is_busy_with(site: Client, cluster: Cluster, lock: str, status: str) -> None:
    make_guest(cluster, lock=lock)
    assert listed(site)["vms"][0]["status"] == status
    assert len(names(site, "status=running")) == (status == "running")


def test_a_page_takes_few_queries(
    site: Client, cluster: Cluster, organization: Organization, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    place = make_environment("production", organization=organization)
    for _ in range(30):
        make_guest(cluster, environment=place)
    with django_assert_max_num_queries(8):
        assert len(names(site, "status=running&environment=production&limit=25")) == 25


def test_no_right_no_list(organization: Organization) -> None:
    answers = [Client().get("/v1/vms"), Client(headers={"X-API-Key": make_key(frozenset(), organization=organization)[1]}).get("/v1/vms")]  # fmt: skip
    assert [answer.status_code for answer in answers] == [401, 403]
    assert [answer.json()["error"]["code"] for answer in answers] == ["INVALID_TOKEN", "INSUFFICIENT_PERMISSIONS"]


def test_guests_know_their_organization(cluster: Cluster) -> None:
    assert Guest.objects.filter(organization_id=cluster.organization_id).count() == 0
    make_guest(cluster)
    assert Guest.objects.get().organization_id == cluster.organization_id


def test_the_last_judgement_of_a_scan(site: Client, cluster: Cluster) -> None:
    guest = make_guest(cluster)
    make_scan(cluster, guest=guest, at=timezone.now() - timedelta(days=1))
    last = make_scan(cluster, guest=guest).subjects.get()
    ScanSubject.objects.filter(pk=last.pk).update(score=95, critical=0, high=1, medium=3, low=0)
    security = listed(site)["vms"][0]["security"]
    assert (security["compliance_score"], security["last_security_scan"] is not None) == (95, True)
    detail = site.get(f"/v1/vms/vm-{guest.pk:03d}").json()["data"]["vm"]["security"]
    assert detail["vulnerabilities"] == {"critical": 0, "high": 1, "medium": 3, "low": 0}
    assert detail["compliance_score"] == 95


def test_all_disks_count_once_they_are_known(site: Client, cluster: Cluster) -> None:
    guest = make_guest(cluster, disk_bytes=10 * GIB)
    assert listed(site)["vms"][0]["storage_gb"] == 10
    disks = [{"place": place, "storage": "local", "bytes": size * GIB} for place, size in (("scsi0", 10), ("scsi1", 5))]
    GuestDetails.objects.create(guest=guest, disks=disks, read_at=timezone.now())
    assert listed(site)["vms"][0]["storage_gb"] == 15
