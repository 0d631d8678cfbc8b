"""The list of instances: whose, which, how they stand, who waits, and what a page costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alma.accounts.models import Organization
from instances.models import Instance, Node
from tests.factories.accounts import make_organization, make_user
from tests.factories.instances import make_instance
from tests.factories.routing import make_load, make_router, make_waiter

pytestmark = pytest.mark.django_db
RUNNING = {"wanted": "running", "status": "running", "run": 1, "wanted_run": 1}


def names(site: Client, query: str = "") -> list[str]:
    return [row.instance.name for row in site.get(f"/instances/{query}").context["instances"].page]


def test_list_shows_how_they_stand_and_who_waits(site: Client, organization: Organization) -> None:
    busy = make_instance(
        "busy", organization=organization, memory_bytes=2**30, cpu_percent=152.4, is_pinned=True, **RUNNING
    )
    make_load(busy, outstanding=3)
    make_load(busy, make_router(seen_at=timezone.now() - timedelta(minutes=1)), outstanding=7)
    make_waiter(busy, seconds=5, label="ci key")
    make_instance("rests", organization=organization, aliases=["gpt-4o-mini"])

    found = site.get("/instances/")
    first, second = found.context["instances"].page

    assert (first.instance.name, first.status, first.outstanding, first.waiting) == ("busy", "running", 3, 1)
    assert (second.instance.name, second.status, second.outstanding, second.waiting) == ("rests", "stopped", 0, 0)
    page = found.content.decode()
    for words in ("1\xa0GiB", "152&nbsp;%", "ci key", "gpt-4o-mini", "Pinned", 'data-live="instance:* instances:*"'):
        assert words in page


@pytest.mark.parametrize(
    ("values", "status"),
    [
        (RUNNING, "running"),
        (RUNNING | {"run": 0}, "restarting"),
        (RUNNING | {"status": "failed"}, "failed"),
        (RUNNING | {"status": "stopped", "run": 0}, "starting"),
        ({"status": "running"}, "stopping"),
        ({}, "stopped"),
    ],
)
def test_row_says_what_was_asked_for(site: Client, organization: Organization, values: dict, status: str) -> None:
    make_instance("one", organization=organization, **values)
    assert [row.status for row in site.get("/instances/").context["instances"].page] == [status]


def test_instance_of_a_silent_machine_is_unknown(site: Client, organization: Organization) -> None:
    Node.objects.create(name="far", seen_at=timezone.now() - timedelta(minutes=5))
    make_instance("one", organization=organization, node="far", **RUNNING)
    assert [row.status for row in site.get("/instances/").context["instances"].page] == ["unknown"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["fails", "runs", "rests"]),
        ("?q=rests", ["rests"]),
        ("?q=gpt-4", ["rests"]),
        ("?q=big.gguf%20runs", ["runs"]),
        ("?status=running", ["runs"]),
        ("?status=failed", ["fails"]),
        ("?status=stopped", ["rests"]),
        ("?status=none", ["fails", "runs", "rests"]),
        ("?group=small", ["rests"]),
        ("?node=far", []),
        ("?q=%00&page=x", ["fails", "runs", "rests"]),
    ],
)
def test_filters(site: Client, organization: Organization, query: str, found: list[str]) -> None:
    make_instance("runs", organization=organization, model="big.gguf", **RUNNING)
    make_instance("rests", organization=organization, group="small", aliases=["gpt-4"])
    make_instance("fails", organization=organization, **RUNNING | {"status": "failed"})
    assert names(site, query) == found


def test_empty_list_and_empty_search_say_so(site: Client, organization: Organization) -> None:
    assert "No instances yet" in site.get("/instances/").content.decode()
    make_instance("one", organization=organization)
    assert "Nothing matches" in site.get("/instances/?q=zzz").content.decode()


def test_others_and_deleted_ones_are_not_seen(site: Client, organization: Organization) -> None:
    make_waiter(make_instance("canary", organization=make_organization("theirs")), label="canary key")
    make_instance("deleted", organization=organization, wanted=Instance.Wish.REMOVED)
    assert names(site) == []
    assert "canary" not in site.get("/instances/").content.decode()


def test_who_may_see_it(client: Client, site: Client) -> None:
    assert site.post("/instances/").status_code == 405
    client.logout()
    assert client.get("/instances/").status_code == 302
    client.force_login(make_user(None))
    assert client.get("/instances/").status_code == 403


def test_htmx_gets_the_part(site: Client) -> None:
    part = site.get("/instances/", headers={"HX-Request": "true"}).content.decode()
    assert 'id="instance-list"' in part and "<html" not in part


def test_queries_do_not_grow(site: Client, organization: Organization) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get("/instances/").status_code == 200
        return len(captured)

    make_waiter(make_instance(organization=organization, group="a"))
    few = cost()
    for _ in range(20):
        make_waiter(make_instance(organization=organization, group="b", **RUNNING))
    assert cost() == few
    assert few <= 26
