"""The pages of storages and networks: what was last read, searched, and in few queries."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories.accounts import make_organization, make_user
from tests.factories.vms import GIB, make_cluster
from vms.models import Cluster, ClusterNetwork, ClusterStorage

pytestmark = pytest.mark.django_db
PAGES = ("/storage/", "/networks/")


@pytest.fixture
def site(client: Client) -> Client:
    client.force_login(make_user("viewer", organization=make_organization()))
    return client


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster(organization=make_organization(), slug="lab", name="Lab")


def furnish(cluster: Cluster, name: str, **overrides: Any) -> None:
    """A storage and a network of that name."""
    values = {"plugin": "lvmthin", "is_active": True, "total_bytes": 100 * GIB, "used_bytes": 25 * GIB}
    ClusterStorage.objects.create(cluster=cluster, node="pve1", name=name, **(values | overrides))
    ClusterNetwork.objects.create(
        cluster=cluster, node="pve1", bridge=name, name=name, kind="vlan", is_active=True, vlan_id=77,
        seen_at=timezone.now(),
    )  # fmt: skip


def shown(site: Client, path: str, **headers: str) -> str:
    answer = site.get(path, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_ours_and_not_those_of_others(site: Client, cluster: Cluster, path: str) -> None:
    furnish(cluster, "ours")
    furnish(make_cluster(), "theirs")
    html = shown(site, path)
    assert ("ours" in html, "theirs" in html, "Lab" in html, "<html" in html) == (True, False, True, True)
    part = shown(site, path, **{"HX-Request": "true"})
    assert ("ours" in part, "<html" in part) == (True, False)


def test_what_is_known_and_what_is_not(site: Client, cluster: Cluster) -> None:
    furnish(cluster, "known")
    html = shown(site, "/storage/")
    assert "25\N{NO-BREAK SPACE}GiB of 100\N{NO-BREAK SPACE}GiB" in html and "not available" not in html
    furnish(cluster, "mute", is_active=False, total_bytes=0, used_bytes=0)
    html = shown(site, "/storage/?q=mute")
    assert "unknown" in html and "not available" in html
    html = shown(site, "/networks/?q=known")
    assert ">77<" in html and ">unknown<" in html


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"alpha", "beta"}),
        ("q=ALPH", {"alpha"}),
        ("q=alpha+pve1", {"alpha"}),
        ("q=nothing", set()),
        ("cluster=other", {"beta"}),
        ("cluster=nowhere", {"alpha", "beta"}),
        ("page=99", {"alpha", "beta"}),
    ],
)
def test_searches(site: Client, cluster: Cluster, path: str, query: str, found: set[str]) -> None:
    furnish(cluster, "alpha")
    furnish(make_cluster(organization=cluster.organization, slug="other"), "beta")
    html = shown(site, f"{path}?{query}", **{"HX-Request": "true"})
    assert {name for name in ("alpha", "beta") if f"<strong>{name}</strong>" in html} == found
    assert ("Nothing matches" in html) == (not found)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("size", [1, 40])
def test_takes_few_queries(
    site: Client, cluster: Cluster, path: str, size: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(size):
        furnish(cluster, f"place-{number}", is_shared=bool(number % 2))
    with django_assert_max_num_queries(9):
        shown(site, path, **{"HX-Request": "true"})


@pytest.mark.parametrize("path", PAGES)
def test_nothing_yet(site: Client, path: str) -> None:
    assert "yet</h2>" in shown(site, path)


def test_a_cluster_leads_there(site: Client, cluster: Cluster) -> None:
    html = shown(site, cluster.get_absolute_url())
    assert all(f'href="{path}?cluster=lab"' in html for path in PAGES)
