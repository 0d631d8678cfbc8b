"""The home page: what waits, what runs, what fails, and whether the clusters can be believed."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor, for_user
from alma.events.services import emit
from alma.overview.navigation import Navigation
from iprs.models import IPR, Deployment
from tests.factories.accounts import make_actor, make_environment, make_organization, make_user
from tests.factories.blueprints import make_blueprint
from tests.factories.iprs import make_deployment, make_ipr
from vms.models import Cluster, ClusterNode, Guest, GuestClaim

pytestmark = pytest.mark.django_db
QUERIES = 14
RAIL_QUERIES = 4
GIB = 1024**3


def signed_in(client: Client, role: str | None = "deployer") -> Actor:
    user = make_user(role)
    client.force_login(user)
    return for_user(user)


def make_cluster(slug: str = "lab", **overrides: Any) -> Cluster:
    values = {"name": slug.title(), "host": "127.0.0.1", "token_id": "alma@pve!x", "last_read_at": timezone.now()}
    organization = overrides.pop("organization", None) or make_organization()
    return Cluster.objects.create(organization=organization, slug=slug, **values | overrides)


def make_guest(cluster: Cluster, vmid: int = 101, **overrides: Any) -> Guest:
    values = {
        "kind": "vm", "node": "pve1", "status": "running", "memory_bytes": 4 * GIB, "memory_used": GIB,
        "seen_at": timezone.now(),
    }  # fmt: skip
    return Guest.objects.create(
        organization_id=cluster.organization_id, cluster=cluster, vmid=vmid, **values | overrides
    )


def make_claim(cluster: Cluster, vmid: int = 101, *, age: timedelta = timedelta(minutes=5)) -> GuestClaim:
    claim = GuestClaim.objects.create(
        organization=cluster.organization, cluster=cluster, vmid=vmid, owner="o", key=f"web-{vmid}", kind="vm",
        node="pve1", job="deploy-1", state=GuestClaim.State.LIVE,
    )  # fmt: skip
    GuestClaim.objects.filter(pk=claim.pk).update(updated_at=timezone.now() - age)
    return claim


def tiles(client: Client) -> dict[str, Any]:
    return {tile.label: tile for tile in client.get("/").context["mission"].tiles}


def test_home_of_a_reader_says_what_drafting_needs(client: Client) -> None:
    signed_in(client, "viewer")
    text = client.get("/").content.decode()
    assert "Draft a blueprint" not in text
    assert "blueprint:write" in text


def test_home_shows_where_to_begin(client: Client) -> None:
    signed_in(client)
    text = client.get("/").content.decode()
    assert '<form class="ask card" action="/blueprints/new/" method="get">' in text
    assert "From words to running machines" in text
    assert " style=" not in text


def test_home_anonymous_and_wrong_method(client: Client) -> None:
    assert client.get("/").status_code == 302
    signed_in(client)
    assert client.post("/").status_code == 405


@pytest.mark.parametrize("part", ["home-tiles", "home-tasks", "home-feed", "home-cluster"])
def test_home_htmx_gets_the_part(client: Client, part: str) -> None:
    signed_in(client)
    text = client.get("/", headers={"HX-Request": "true", "HX-Target": part}).content.decode()
    assert f'id="{part}"' in text.split(">", 1)[0]
    assert "<html" not in text


@pytest.mark.parametrize("count", [1, 30])
def test_home_costs_the_same_for_any_number(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    author, cluster = make_actor(), make_cluster()
    for number in range(count):
        make_deployment(make_ipr(by=author))
        make_guest(cluster, 100 + number)
    with django_assert_num_queries(QUERIES + (count > 1)):
        client.get("/")


# -- tiles ------------------------------------------------------------------------------------------
def test_tiles_of_a_calm_day(client: Client) -> None:
    signed_in(client)
    make_guest(make_cluster())
    assert {label: tile.value for label, tile in tiles(client).items()} == {
        "Waiting for you": "0",
        "Running now": "0",
        "Failing": "0",
        "Drifted": "0",
    }


def test_waiting_counts_reviews_own_revisions_and_deployments(client: Client) -> None:
    me = signed_in(client)
    make_ipr()
    make_ipr(status=IPR.Status.APPROVED)
    make_ipr(by=me, status=IPR.Status.CHANGES_REQUESTED)
    make_ipr(by=me)
    make_ipr(status=IPR.Status.CHANGES_REQUESTED)
    assert tiles(client)["Waiting for you"].value == "3"


def test_waiting_is_nothing_for_a_viewer(client: Client) -> None:
    signed_in(client, "viewer")
    make_ipr()
    make_ipr(status=IPR.Status.APPROVED)
    assert tiles(client)["Waiting for you"].value == "0"


def test_running_leads_to_the_one_run(client: Client) -> None:
    signed_in(client)
    run = make_deployment(make_ipr(title="Cache"))
    tile = tiles(client)["Running now"]
    assert (tile.value, tile.note, tile.url) == ("1", "Cache", run.get_absolute_url())
    make_deployment(make_ipr())
    make_deployment(make_ipr())
    assert tiles(client)["Running now"].value == "3"


def test_failing_leads_to_what_failed(client: Client) -> None:
    signed_in(client)
    make_ipr(status=IPR.Status.FAILED, title="Stuck")
    tile = tiles(client)["Failing"]
    assert (tile.value, tile.tone) == ("1", "bad")
    assert "Stuck" in client.get(tile.url).content.decode()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"last_error": "connection refused"}, "not readable since"),
        ({"last_read_at": timezone.now() - timedelta(hours=1)}, "last read 60\N{NO-BREAK SPACE}min ago"),
        ({"last_read_at": None}, "not read yet"),
    ],
)
def test_a_cluster_that_is_not_read_is_never_calm(client: Client, state: dict[str, Any], words: str) -> None:
    signed_in(client)
    make_cluster(**state)
    tile = tiles(client)["Cluster"]
    assert (tile.value, tile.tone) == ("Not readable", "bad")
    assert words in tile.note or "1\N{NO-BREAK SPACE}h ago" in tile.note


def test_drift_counts_guests_that_went_away(client: Client) -> None:
    signed_in(client)
    cluster = make_cluster()
    make_claim(cluster, 101)
    make_claim(cluster, 102)
    make_guest(cluster, 102)
    make_claim(cluster, 103)
    make_guest(cluster, 103, missing_since=timezone.now())
    assert tiles(client)["Drifted"].value == "2"


def test_drift_waits_for_a_reading_after_the_guest_was_made(client: Client) -> None:
    signed_in(client)
    make_claim(make_cluster(), age=timedelta(seconds=-5))
    assert tiles(client)["Drifted"].value == "0"


# -- the rest ---------------------------------------------------------------------------------------
def test_cluster_strip_counts_guests_and_shows_the_memory_of_nodes(client: Client) -> None:
    signed_in(client)
    cluster, now = make_cluster(), timezone.now()
    for node, used in (("pve1", GIB), ("pve2", 8 * GIB)):
        ClusterNode.objects.create(
            cluster=cluster, name=node, is_online=True, memory_used=used, memory_bytes=8 * GIB, seen_at=now
        )
    make_guest(cluster, 101)
    make_guest(cluster, 102, status="stopped")
    make_guest(cluster, 103, node="pve2", memory_used=4 * GIB)
    make_guest(cluster, 104, is_template=True)
    make_guest(cluster, 105, node="unread")
    bars = client.get("/").context["mission"].clusters[0].nodes
    assert [(bar.name, bar.running, bar.guests, bar.memory_used, bar.tone) for bar in bars] == [
        ("pve1", 1, 2, GIB, ""),
        ("pve2", 1, 1, 8 * GIB, "bad"),
        ("unread", 1, 1, 0, ""),
    ]


def test_feed_tells_in_words(client: Client) -> None:
    me = signed_in(client)
    make_ipr(by=me, title="Add a cache")
    cluster = make_cluster()
    emit(cluster.stream, "vm.deleted", organization_id=cluster.organization_id, name="web-9", vmid=109, cluster="lab")
    emit("deployment:x", "deployment.log", organization_id=cluster.organization_id, message="not here")
    text = client.get("/").content.decode()
    assert "Add a cache" in text
    assert "no longer finds" in text
    assert "web-9 (109)" in text
    assert "not here" not in text


def test_nothing_of_another_organization(client: Client) -> None:
    signed_in(client)
    other = make_organization("other")
    make_deployment(make_ipr(by=make_actor(organization=other), title="Secret plan"))
    make_guest(make_cluster("secret", organization=other))
    text = client.get("/").content.decode()
    assert "Secret" not in text
    assert "secret" not in text


def test_tasks_tick_themselves_and_leave(client: Client) -> None:
    me = signed_in(client)
    done = [task.is_done for task in client.get("/").context["mission"].tasks]
    assert done == [False] * 5
    make_cluster()
    blueprint = make_blueprint(by=me)
    ipr = make_ipr(by=me, blueprint=blueprint, environment=make_environment(), status=IPR.Status.APPROVED)
    done = [task.is_done for task in client.get("/").context["mission"].tasks]
    assert done == [True, True, True, True, False]
    make_deployment(ipr, Deployment.Status.COMPLETED)
    assert client.get("/").context["mission"].tasks == []
    part = client.get("/", headers={"HX-Request": "true", "HX-Target": "home-tasks"}).content.decode()
    assert part.strip() == '<section id="home-tasks" hidden></section>'


# -- navigation -------------------------------------------------------------------------------------
def test_navigation_counts_what_waits_and_runs(client: Client) -> None:
    me = signed_in(client)
    make_ipr()
    make_ipr(by=me)
    make_deployment(make_ipr(status=IPR.Status.DEPLOYING))
    nav = client.get("/iprs/").context["nav"]
    assert (nav.organization, nav.review_count, nav.running_count) == ("Default", 1, 1)


def test_navigation_refreshes_its_counts_alone(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    make_ipr()
    whole = client.get("/vms/").content.decode()
    assert 'data-live="ipr:* deployment:*"' in whole
    with django_assert_max_num_queries(RAIL_QUERIES):
        part = client.get("/", headers={"HX-Request": "true", "HX-Target": "rail-counts"}).content.decode()
    assert part.count("hx-swap-oob") == 2
    assert re.search(r'id="rail-review" hx-swap-oob.*?>1<', part.replace("\n", " "))
    assert re.search(r'id="rail-running" hidden hx-swap-oob', part)
    assert "<main" not in part


def test_navigation_says_when_there_are_more_than_anybody_reads(client: Client) -> None:
    me = signed_in(client)
    ipr = make_ipr()
    IPR.objects.bulk_create(
        IPR(
            organization=ipr.organization, environment=ipr.environment, blueprint=ipr.blueprint, title=f"{number}",
            status=IPR.Status.PENDING,
        )
        for number in range(99)
    )  # fmt: skip
    assert Navigation(me).review_count == "99+"


def test_navigation_of_nobody_asks_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    nav = Navigation(None)
    with django_assert_num_queries(0):
        assert (nav.organization, nav.review_count, nav.running_count) == ("", 0, 0)


def test_who_belongs_to_no_organization_is_told_what_to_do(client: Client) -> None:
    client.force_login(make_user(None, username="zoe"))
    text = client.get("/").content.decode()
    assert "You belong to no organization" in text
    assert "<strong>zoe</strong>" in text
    assert "data-still" in text
    assert "home-tiles" not in text
