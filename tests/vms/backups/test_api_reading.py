"""`GET /v1/backups`: all that is known of each, filtered, sorted and paged, and never those of others."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Organization
from tests.factories.accounts import make_key, make_organization
from tests.factories.backups import make_backup, make_storage
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.machines import public_id
from vms.models import Backup, BackupJobs, BackupSchedule, Cluster, Guest

pytestmark = pytest.mark.django_db
PAGINATION = {
    "total", "limit", "offset", "pages", "current_page", "has_next", "has_previous", "next_cursor", "previous_cursor",
}  # fmt: skip


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    return make_cluster(organization=organization)


@pytest.fixture
def machine(cluster: Cluster) -> Guest:
    claim = make_claim(cluster, state="live")
    return make_guest(cluster, name="web", vmid=claim.vmid, claim=claim)


@pytest.fixture
def site(organization: Organization) -> Client:
    rights = frozenset({"backup:read", "vm:read"})
    return Client(headers={"X-API-Key": make_key(rights, organization=organization)[1]})


def listed(site: Client, query: str = "") -> list[dict[str, Any]]:
    answer = site.get(f"/v1/backups?{query}")
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["data"]["backups"]
    return rows


def test_a_backup_with_all_that_is_known(site: Client, machine: Guest) -> None:
    row = make_backup(guest=machine, description="Monthly", created_by="ana", job="job_backup_1")
    stamp = row.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ")  # type: ignore[union-attr]
    answer = site.get("/v1/backups").json()
    (told,) = answer["data"]["backups"]
    assert told == {
        "id": f"backup-{row.pk:03d}", "vm_id": public_id(machine), "vm_name": "web", "vmid": machine.vmid,
        "status": "completed", "backup_type": "full", "compression": "zstd", "encryption": False, "protected": False,
        "description": "Monthly", "size_gb": 3, "storage": "shared", "volume": row.volume, "cluster": row.cluster.slug,
        "node": None, "managed": True, "verified": False, "verified_at": None, "created_at": stamp,
        "completed_at": stamp, "created_by": "ana", "job_id": "job_backup_1", "error": None, "seen_at": stamp,
    }  # fmt: skip
    assert answer["data"]["pagination"].keys() == PAGINATION
    assert site.get(f"/v1/backups/{told['id']}").json()["data"]["backup"] == {**told, "verification": None}


def test_what_a_restore_test_showed(site: Client, machine: Guest) -> None:
    check = {"what": "memory", "expected": "2 GiB", "found": "2 GiB", "is_good": True}
    row = make_backup(
        guest=machine, state="verified", tested_at=timezone.now(),
        evidence={"is_good": True, "seconds": 12.5, "checks": [check], "why": ""},
    )  # fmt: skip
    told = site.get(f"/v1/backups/{row.public_id}").json()["data"]["backup"]
    assert (told["verified"], told["verified_at"] is not None) == (True, True)
    assert told["verification"]["passed"] and told["verification"]["checks"] == [check]
    assert told["verification"]["duration_seconds"] == 12.5 and told["verification"]["reason"] is None


def test_filters(site: Client, cluster: Cluster, machine: Guest) -> None:
    mine, other = make_backup(guest=machine, state="verified"), make_backup(cluster, vmid=7)
    failed = make_backup(cluster, state="failed", volume="", taken_at=None, error="no room")
    ids = {row.pk: row.public_id for row in (mine, other, failed)}

    def found(query: str) -> set[str]:
        return {row["id"] for row in listed(site, query)}

    assert found("") == set(ids.values())
    assert found(f"vm_id={public_id(machine)}") == {ids[mine.pk]} == found("verified=true") == found("status=verified")
    assert found("status=failed") == {ids[failed.pk]}
    assert found("verified=false") == {ids[other.pk], ids[failed.pk]}
    assert found(f"cluster={cluster.slug}") == set(ids.values()) and found("cluster=nowhere") == set()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("status=broken", 400), ("sort=name", 400), ("order=up", 400), ("verified=perhaps", 400), ("vm_id=vm-999", 404),
        ("limit=0", 400), ("limit=201", 400), ("cursor=x", 400),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(site: Client, query: str, status: int) -> None:
    answer = site.get(f"/v1/backups?{query}")
    assert (answer.status_code, answer.json()["success"]) == (status, False)


def test_others_are_not_shown(site: Client) -> None:
    theirs = make_backup()
    assert listed(site) == []
    assert site.get(f"/v1/backups/{theirs.public_id}").status_code == 404
    for name in ("backup-999", "backup-1", "7", "backup-999999999999999999"):
        answer = site.get(f"/v1/backups/{name}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("sort", ["created_at", "status", "size_gb"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_by_cursor_and_offset_are_the_same(site: Client, cluster: Cluster, sort: str, order: str) -> None:
    for number in range(7):
        at = timezone.now() - timedelta(days=number % 3)
        make_backup(cluster, created_at=at, size_bytes=None if number == 3 else number % 2 * 1024**3)
    asked = f"sort={sort}&order={order}"
    whole = [row["id"] for row in listed(site, f"{asked}&limit=200")]
    assert len(whole) == len(set(whole)) == 7
    by_offset = [row["id"] for offset in range(0, 7, 3) for row in listed(site, f"{asked}&limit=3&offset={offset}")]
    by_cursor, cursor = [], ""
    for _ in range(3):
        data = site.get(f"/v1/backups?{asked}&limit=3{cursor}").json()["data"]
        by_cursor += [row["id"] for row in data["backups"]]
        cursor = f"&cursor={data['pagination']['next_cursor']}"
    assert by_offset == by_cursor == whole


def test_takes_few_queries_whatever_their_number(
    site: Client, cluster: Cluster, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_storage(cluster)
    for _ in range(30):
        make_backup(guest=make_guest(cluster))
    with django_assert_max_num_queries(9):
        assert len(listed(site, "limit=30")) == 30


def test_the_age_of_what_is_known(site: Client, cluster: Cluster) -> None:
    make_storage(cluster, read_at=timezone.now() - timedelta(seconds=90))
    make_storage(cluster, name="away", error="mount error")
    meta = site.get("/v1/backups").json()["meta"]
    assert meta["age_seconds"] in range(90, 100) and meta["unread_storages"] == [f"{cluster.slug}/away"]


def test_the_machine_tells_how_it_is_saved(site: Client, machine: Guest) -> None:
    def told() -> Any:
        return site.get(f"/v1/vms/{public_id(machine)}").json()["data"]["vm"]["backup"]

    assert told() == dict.fromkeys(["enabled", "schedule", "retention_days", "last_backup", "backup_size_gb"])
    jobs = BackupJobs.objects.create(cluster=machine.cluster, jobs=[], unsaved=[machine.vmid], read_at=timezone.now())
    assert told()["enabled"] is False
    jobs.unsaved = []
    jobs.save()
    assert (told()["enabled"], told()["schedule"]) == (True, None), "a job for all guests saves it"
    row = make_backup(guest=machine)
    make_backup(guest=machine, state="expired", taken_at=timezone.now() + timedelta(days=1))
    assert row.taken_at and told()["last_backup"] == row.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told()["backup_size_gb"] == 3
    BackupSchedule.objects.create(claim=machine.claim, schedule="daily", retention_days=30, applied_at=timezone.now())
    assert (told()["enabled"], told()["schedule"], told()["retention_days"]) == (True, "daily", 30)
    assert Backup.objects.count() == 2
