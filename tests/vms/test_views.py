"""The list of guests: whose, which, how many queries, and what it says when a cluster is silent."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alma.accounts.models import Organization
from tests.factories.accounts import make_organization, make_user
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.models import Cluster, Guest

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def site(organization: Organization, client: Client) -> Client:
    client.force_login(make_user("viewer", organization=organization))
    return client


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    cluster = make_cluster(organization=organization, name="Rack 1")
    Cluster.objects.filter(pk=cluster.pk).update(last_read_at=timezone.now() - timedelta(seconds=4))
    return cluster


def names(response: object) -> list[str]:
    return [row.guest.name for row in response.context["machines"].page]  # type: ignore[attr-defined]


def test_list_shows_what_was_read(site: Client, cluster: Cluster) -> None:
    make_guest(cluster, name="web-1", claim=make_claim(cluster, key="frontend", state="live"))
    make_guest(cluster, name="erp", status="stopped")

    response = site.get("/vms/")

    assert response.status_code == 200
    assert names(response) == ["erp", "web-1"]
    page = response.content.decode()
    assert "frontend" in page
    assert "outside ALMA" in page
    assert f'data-live="cluster:{cluster.pk} vm_clone:*' in page
    assert response.context["machines"].figures == {"all": 2, "running": 1, "declared": 1}


def test_anonymous_is_asked_to_sign_in(client: Client) -> None:
    assert client.get("/vms/").status_code == 302


def test_person_without_organization_is_refused(client: Client) -> None:
    client.force_login(make_user(None))
    assert client.get("/vms/").status_code == 403


def test_only_reading_is_offered(site: Client) -> None:
    assert site.post("/vms/").status_code == 405


def test_guests_of_others_are_not_seen(site: Client, cluster: Cluster) -> None:
    make_guest(make_cluster(name="Secret rack"), name="canary-7f3a")

    found = site.get("/vms/?q=canary-7f3a")
    page = found.content.decode() + site.get("/vms/?q=is:busy,foreign").content.decode()

    assert names(found) == []
    assert "Secret rack" not in page
    assert 'class="row-link' not in page


def test_htmx_gets_the_part(site: Client, cluster: Cluster) -> None:
    make_guest(cluster, name="web-1")
    response = site.get("/vms/", HTTP_HX_REQUEST="true")

    assert response.content.decode().lstrip().startswith('<div class="stack" id="guest-list"')
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=web", ["web-1", "web-2"]),
        ("q=web+pve2", ["web-2"]),
        ("q=4242", ["db"]),
        ("q=prod", ["db"]),
        ("status=stopped", ["db"]),
        ("status=missing", ["gone"]),
        ("kind=lxc", ["web-2"]),
        ("kind=template", ["golden"]),
        ("origin=declared", ["web-1"]),
        ("origin=foreign&kind=vm", ["db"]),
        ("sort=vmid&order=desc", ["db", "web-2", "web-1"]),
        ("sort=nonsense&status=nonsense&page=999", ["db", "web-1", "web-2"]),
        ("q=%00&cluster=../..", ["db", "web-1", "web-2"]),
        ("q=99999999999999999999", []),
        ("q=status:running", ["web-1", "web-2"]),
        ("q=-status:running", ["db"]),
        ("q=status:stopped,missing", ["db", "gone"]),
        ("q=is:ours", ["web-1"]),
        ("q=-is:ours+kind:container", ["web-2"]),
        ("q=kind:template", ["golden"]),
        ("q=is:missing", ["gone"]),
        ("q=id:4242", ["db"]),
        ("q=tag:prod", ["db"]),
        ("q=tag:pro", []),
        ("q=node:pve2", ["web-2"]),
        ("q=name:WEB+-node:pve2", ["web-1"]),
        ("q=-web", ["db"]),
        ("q=env:none", ["db", "web-1", "web-2"]),
        ("q=-env:production", ["db", "web-1", "web-2"]),
        ("q=colour:red", []),
        ("q=status:asleep", []),
        ("sort=environment&order=desc", ["db", "web-2", "web-1"]),
    ],
)
def test_filters(site: Client, cluster: Cluster, query: str, found: list[str]) -> None:
    make_guest(cluster, name="web-1", vmid=100, claim=make_claim(cluster, state="live"))
    make_guest(cluster, name="web-2", vmid=101, node="pve2", kind="lxc")
    make_guest(cluster, name="db", vmid=4242, status="stopped", tags="prod")
    make_guest(cluster, name="golden", vmid=9000, is_template=True)
    make_guest(cluster, name="gone", vmid=200, missing_since=timezone.now())

    response = site.get(f"/vms/?{query}")

    assert response.status_code == 200
    assert names(response) == found


@pytest.mark.parametrize("count", [1, 300])
def test_list_costs_the_same_for_any_number_of_rows(site: Client, cluster: Cluster, count: int) -> None:
    Guest.objects.bulk_create(
        Guest(organization_id=cluster.organization_id, cluster=cluster, vmid=1000 + n, kind="vm", node="pve1", status="running", seen_at=timezone.now(),
              claim=make_claim(cluster, key=f"k{n}", state="live"))
        for n in range(count)
    )  # fmt: skip
    site.get("/vms/")
    with CaptureQueriesContext(connection) as asked:
        site.get("/vms/")
    ours = [query for query in asked if '"vms_' in query["sql"]]
    assert len(ours) == 6, "count, numbers, rows, claims, clusters, figures"
    with CaptureQueriesContext(connection) as asked:
        site.get("/vms/", HTTP_HX_REQUEST="true")
    assert len(asked) <= 11, "eight are the list's, three the session's"


def test_silent_cluster_is_named_with_the_age_of_what_is_shown(site: Client, cluster: Cluster) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(
        last_error="Rack 1 gave no clear answer: The cluster did not answer in time."
    )
    make_guest(cluster, name="web-1")

    page = site.get("/vms/").content.decode()

    assert "Rack 1 cannot be read" in page
    assert "did not answer in time" in page
    assert "web-1" in page


def test_summary_is_a_part_of_its_own(site: Client, cluster: Cluster) -> None:
    response = site.get("/vms/summary/")
    assert response.content.decode().lstrip().startswith('<section class="stack" id="guest-summary"')
    assert "Rack 1" in response.content.decode()


def test_hostile_names_are_text(site: Client, cluster: Cluster) -> None:
    make_guest(cluster, name="<script>alert(1)</script>", tags='"><img src=x>')
    page = site.get("/vms/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_admin_takes_a_secret_and_never_shows_it(client: Client, cluster: Cluster) -> None:
    admin = make_user("admin", is_staff=True, is_superuser=True)
    client.force_login(admin)
    url = f"/admin/vms/cluster/{cluster.pk}/change/"
    page = client.get(url).content.decode()
    assert "no-secret" not in page
    assert cluster.token_secret_sealed not in page

    fields = {
        "organization": cluster.organization_id, "slug": cluster.slug, "name": "Renamed", "host": cluster.host,
        "port": cluster.port, "token_id": cluster.token_id, "ca_pem": "", "is_enabled": "on", "verifies_tls": "on", "vmid_first": 5000,
        "vmid_last": 6000, "parallel_limit": 4, "default_storage": "", "default_bridge": "",
    }  # fmt: skip
    assert client.post(url, fields | {"token_secret": ""}).status_code == 302
    assert Cluster.objects.get(pk=cluster.pk).token_secret == "no-secret"
    assert client.post(url, fields | {"token_secret": "another"}).status_code == 302
    assert Cluster.objects.get(pk=cluster.pk).token_secret == "another"
    assert client.post(f"/admin/vms/cluster/{cluster.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ["guest", "guestclaim"])
def test_admin_only_reads_the_inventory_and_the_ledger(client: Client, cluster: Cluster, model: str) -> None:
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    make_guest(cluster, claim=make_claim(cluster))
    assert client.get(f"/admin/vms/{model}/?q=1").status_code == 200
    assert client.get(f"/admin/vms/{model}/add/").status_code == 403
