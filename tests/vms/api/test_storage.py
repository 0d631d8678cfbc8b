"""`GET /v1/storage`: each storage once, with what is known of it."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Organization
from tests.factories.accounts import make_key, make_organization
from tests.factories.vms import GIB, make_cluster, make_guest
from vms.models import Cluster, ClusterStorage, GuestDetails

pytestmark = pytest.mark.django_db
PAGINATION = {
    "total", "limit", "offset", "pages", "current_page", "has_next", "has_previous", "next_cursor", "previous_cursor",
}  # fmt: skip


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    cluster = make_cluster(organization=organization)
    cluster.last_read_at = timezone.now()
    cluster.save()
    return cluster


@pytest.fixture
def site(organization: Organization) -> Client:
    return Client(headers={"X-API-Key": make_key(frozenset({"storage:read"}), organization=organization)[1]})


def store(cluster: Cluster, node: str, name: str, **overrides: Any) -> ClusterStorage:
    values = {
        "plugin": "lvmthin", "content": "images, rootdir", "is_active": True, "total_bytes": 100 * GIB,
        "used_bytes": 25 * GIB,
    }  # fmt: skip
    return ClusterStorage.objects.create(cluster=cluster, node=node, name=name, **(values | overrides))


def disk(storage: str, size: int) -> dict[str, Any]:
    return {"place": "scsi0", "storage": storage, "bytes": size, "is_ssd": False, "mount_point": None}


def machine(cluster: Cluster, node: str, *disks: dict[str, Any], is_read: bool = True, **overrides: Any) -> None:
    guest = make_guest(cluster, node=node, **overrides)
    if is_read:
        GuestDetails.objects.create(guest=guest, disks=list(disks), read_at=timezone.now())


def listed(site: Client, query: str = "") -> Any:
    answer = site.get(f"/v1/storage?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_a_storage_with_all_that_is_known(site: Client, cluster: Cluster) -> None:
    row = store(cluster, "pve1", "local-lvm")
    machine(cluster, "pve1", disk("local-lvm", 30 * GIB), disk("local", 1 * GIB))
    machine(cluster, "pve2", disk("local-lvm", 7 * GIB))
    answer = site.get("/v1/storage").json()
    (told,) = answer["data"]["storage"]
    assert told == {
        "id": f"storage-{row.pk:03d}", "name": "local-lvm", "type": "lvmthin", "content": ["images", "rootdir"],
        "nodes": ["pve1"], "total_gb": 100, "used_gb": 25, "available_gb": 75, "provisioned_gb": 30, "shared": False,
        "active": True, "encrypted": None, "created_at": None, "managed": False, "status": "active", "job_id": None,
        "cluster": cluster.slug, "seen_at": cluster.last_read_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    assert answer["data"]["pagination"].keys() == PAGINATION
    assert answer["meta"]["unreachable_clusters"] == []
    assert site.get(f"/v1/storage/{told['id']}").json()["data"] == {"storage": told}


def test_shared_ones_once_and_local_ones_per_node(site: Client, cluster: Cluster) -> None:
    first = store(cluster, "pve2", "ceph", is_shared=True, is_active=False, total_bytes=0, used_bytes=0)
    second = store(cluster, "pve1", "ceph", is_shared=True)
    for node in ("pve2", "pve1"):
        store(cluster, node, "local")
    store(make_cluster(organization=cluster.organization), "pve1", "ceph", is_shared=True)
    store(make_cluster(), "pve1", "foreign")
    machine(cluster, "pve1", disk("ceph", 3 * GIB))
    machine(cluster, "pve2", disk("ceph", 4 * GIB))
    rows = listed(site)["storage"]
    assert [(row["name"], row["nodes"]) for row in rows] == [
        ("ceph", ["pve1"]), ("ceph", ["pve1", "pve2"]), ("local", ["pve1"]), ("local", ["pve2"]),
    ]  # fmt: skip
    ceph = rows[1]
    assert (ceph["id"], ceph["active"], ceph["used_gb"], ceph["provisioned_gb"]) == (
        f"storage-{first.pk:03d}", True, 25, 7,
    )  # fmt: skip
    assert site.get(f"/v1/storage/storage-{second.pk:03d}").json()["data"]["storage"] == ceph


@pytest.mark.parametrize(
    ("node", "overrides", "local", "shared"),
    [
        ("pve1", {}, None, None),
        ("pve2", {}, 5, None),
        ("pve1", {"is_template": True}, 5, 0),
        ("pve1", {"missing_since": timezone.now()}, 5, 0),
    ],
    ids=["beside it", "elsewhere", "template", "gone"],
)
def test_what_is_provisioned_is_unknown_while_a_machine_is_unread(
    site: Client, cluster: Cluster, node: str, overrides: dict[str, Any], local: int | None, shared: int | None
) -> None:
    store(cluster, "pve1", "a-local")
    store(cluster, "pve1", "b-shared", is_shared=True)
    machine(cluster, "pve1", disk("a-local", 5 * GIB))
    machine(cluster, node, is_read=False, **overrides)
    assert [row["provisioned_gb"] for row in listed(site)["storage"]] == [local, shared]


@pytest.mark.parametrize(
    ("is_silent", "is_active", "told"), [(False, True, True), (False, False, False), (True, True, None)]
)
def test_whether_it_is_active(
    site: Client, cluster: Cluster, is_silent: bool, is_active: bool, told: bool | None
) -> None:
    store(cluster, "pve1", "nfs", is_active=is_active, total_bytes=0, used_bytes=0)
    Cluster.objects.filter(pk=cluster.pk).update(unreachable_since=timezone.now() if is_silent else None)
    answer = site.get("/v1/storage").json()
    (row,) = answer["data"]["storage"]
    assert row["active"] is told
    assert [row[name] for name in ("total_gb", "used_gb", "available_gb")] == [None] * 3
    assert answer["meta"]["unreachable_clusters"] == ([cluster.slug] if is_silent else [])


def test_pages_lead_on(site: Client, cluster: Cluster) -> None:
    for number in range(3):
        store(cluster, "pve1", f"store-{number}")
    first = listed(site, "limit=2")
    rest = listed(site, f"limit=2&cursor={first['pagination']['next_cursor']}")
    assert [row["name"] for row in first["storage"] + rest["storage"]] == ["store-0", "store-1", "store-2"]
    assert first["pagination"]["total"] == 3


@pytest.mark.parametrize("size", [1, 30])
def test_a_page_takes_few_queries(
    site: Client, cluster: Cluster, size: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(size):
        store(cluster, "pve1", f"local-{number}")
        store(cluster, "pve1", f"shared-{number}", is_shared=True)
        machine(cluster, "pve1", disk("local-0", GIB))
    with django_assert_max_num_queries(8):
        assert len(listed(site)["storage"]) == min(50, 2 * size)


@pytest.mark.parametrize("storage_id", ["storage-987654", "storage-x", "vm-001", "7"])
def test_what_is_not_there(site: Client, storage_id: str) -> None:
    answer = site.get(f"/v1/storage/{storage_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


def test_those_of_others_are_not_there(site: Client, cluster: Cluster) -> None:
    assert site.get(f"/v1/storage/storage-{store(make_cluster(), 'pve1', 'foreign').pk:03d}").status_code == 404
