"""The log of requests: whose, which, what became of them, and the pictures of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alma.accounts.models import Organization
from instances.models import RequestRecord
from instances.pages.activity import Activity
from instances.pages.charts import Figure, ceiling, draw
from tests.factories.accounts import make_actor, make_organization, make_user
from tests.factories.instances import make_instance
from tests.factories.routing import make_record

pytestmark = pytest.mark.django_db
OPEN = {"state": "in_flight", "ended_at": None, "duration_seconds": None, "http_status": None, "completion_tokens": 0}


def models(site: Client, query: str = "") -> list[str]:
    return [entry.record.model for entry in site.get(f"/activity/{query}").context["activity"].page]


def test_requests_under_way_stand_first(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization)
    make_record(one, ago=10, model="newest")
    make_record(one, ago=500, model="open", **OPEN)
    make_record(one, ago=900, model="oldest", state="failed", error="It broke off.", http_status=502)
    assert models(site) == ["open", "newest", "oldest"]
    page = site.get("/activity/").content.decode()
    assert 'data-status="running"' in page and "It broke off." in page and "10 → 20" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=failed", ["b"]),
        ("?state=none", ["a", "b"]),
        ("?model=one", ["a", "b"]),
        ("?model=b", ["b"]),
        ("?key=ci", ["b"]),
        ("?q=embeddings", ["a"]),
        ("?q=broke%20ci", ["b"]),
        ("?q=%00&period=x&page=9x", ["a", "b"]),
        ("?q=zzz", []),
    ],
)
def test_filters(site: Client, organization: Organization, query: str, found: list[str]) -> None:
    one = make_instance("one", organization=organization)
    make_record(one, ago=1, model="a", path="/v1/embeddings")
    make_record(one, ago=2, model="b", label="ci", state="failed", error="It broke off.")
    assert models(site, query) == found


def test_models_and_keys_are_chosen_from_those_of_lately(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization)
    make_record(one, ago=1, model="new", label="ci")
    make_record(one, ago=9 * 86_400, model="old", label="left")
    page = site.get("/activity/").content.decode()
    assert '<option value="new">' in page and '<option value="ci">' in page
    assert (
        "old" not in page.partition("</form>")[0] and "left" not in page.partition("</form>")[0].rpartition("<form")[2]
    )
    chosen = site.get("/activity/?model=old&key=left").content.decode()
    assert '<option value="old" selected>' in chosen and '<option value="left" selected>' in chosen


def test_page_of_a_request(site: Client, organization: Organization) -> None:
    record = make_record(make_instance("one", organization=organization), is_streamed=True, first_token_seconds=0.5)
    page = site.get(f"/activity/{record.marker}/").content.decode()
    assert "10 read, 20 written, 40.0 a second" in page and "after 0.500 s" in page and 'href="/instances/one/"' in page
    RequestRecord.objects.filter(pk=record.pk).update(instance=None)
    assert "it is deleted" in site.get(f"/activity/{record.marker}/").content.decode()


def test_pictures_add_up_to_the_log(organization: Organization) -> None:
    one = make_instance("one", organization=organization)
    for ago in (30, 40, 1200, 3500):
        make_record(one, ago=ago, seconds=2.0, first_token_seconds=0.5)
    make_record(one, ago=100, state="failed", duration_seconds=4.0)
    make_record(one, ago=5000)
    activity = Activity(make_actor("viewer", organization=organization), {})
    requests, tokens, latency = activity.charts
    assert activity.totals == {"requests": 5, "failed": 1, "prompt": 50, "completion": 100, "first": 0.5}
    assert sum(value or 0 for _, value in requests.figure.lines[0][1]) == 5
    assert sum(value or 0 for _, value in requests.figure.lines[1][1]) == 1
    assert sum(value or 0 for _, value in tokens.figure.lines[0][1]) == 100
    known = {value for _, value in latency.figure.lines[0][1] if value is not None}
    assert known <= {2.0, 4.0, 8 / 3, 3.0} and 2.0 in known
    assert "between 500\xa0ms and 500\xa0ms" in latency.words
    week = Activity(make_actor("viewer", organization=organization), {"period": "7d"})
    assert sum(value or 0 for _, value in week.charts[0].figure.lines[0][1]) == 6


def test_speed_of_an_instance_is_of_its_last_requests(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization)
    make_record(one, seconds=2.0, is_streamed=True, first_token_seconds=1.0)
    make_record(one, seconds=1.0, queue_seconds=0.0)
    make_record(one, seconds=1.0, ago=3600, completion_tokens=9999)
    make_instance("rests", organization=organization)
    rows = {row.instance.name: row.tokens_per_second for row in site.get("/instances/").context["instances"].page}
    assert rows == {"one": 20.0, "rests": None}


def test_picture_has_a_scale_gaps_and_words() -> None:
    figure = Figure(
        "f",
        "Memory",
        "memory",
        (("Used", [(0, 100.0), (25, None), (50, 400.0), (100, 300.0)]),),
        lambda value: f"{value:g} B",
    )
    chart = draw(figure, (0.0, 100.0))
    assert chart.levels == (("500 B", 4.0), ("250 B", 70.0), ("0 B", 136.0))
    assert chart.lines[0].pieces == ("0.0,109.6 0.0,109.6", "360.0,30.4 720.0,56.8")
    assert chart.words == "Memory: Used between 100 B and 400 B, 300 B at last."
    assert draw(Figure("f", "None", "memory", (("Used", []),), str), (0.0, 1.0)).words == "None: nothing was measured."
    start = datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()
    assert draw(figure, (start, start + 3600)).ticks == ("10:00", "10:15", "10:30", "10:45", "11:00")


@pytest.mark.parametrize(
    ("value", "unit", "end"),
    [(0, 1000, 1), (1, 1000, 1), (3, 1000, 5), (999, 1000, 1000), (1001, 1000, 2000), (3 * 2**30, 1024, 5 * 2**30)],
)
def test_scale_ends_at_a_round_number(value: float, unit: float, end: float) -> None:
    assert ceiling(value, unit) == end


def test_instance_shows_its_own_requests(site: Client, organization: Organization) -> None:
    make_record(make_instance("one", organization=organization), model="mine")
    make_record(make_instance("two", organization=organization), model="others")
    page = site.get("/instances/one/").content.decode()
    assert "mine" in page and "others" not in page


def test_who_may_see_it(client: Client, organization: Organization) -> None:
    mine = make_record(make_instance("one", organization=organization))
    theirs = make_record(make_instance("canary", organization=make_organization("theirs")), label="canary key")
    client.force_login(make_user("viewer", organization=organization))
    assert "canary" not in client.get("/activity/").content.decode()
    assert client.get(f"/activity/{theirs.marker}/").status_code == 404
    assert client.get(f"/activity/{mine.marker}/").status_code == 200
    assert client.post("/activity/").status_code == client.post(f"/activity/{mine.marker}/").status_code == 405
    client.logout()
    assert client.get("/activity/").status_code == client.get(f"/activity/{mine.marker}/").status_code == 302
    client.force_login(make_user(None))
    assert client.get("/activity/").status_code == 403


@pytest.mark.parametrize("target", ["requests", "request-charts"])
def test_htmx_gets_the_part(site: Client, target: str) -> None:
    part = site.get("/activity/", headers={"HX-Request": "true", "HX-Target": target}).content.decode()
    assert f'id="{target}"' in part and "<html" not in part


def test_queries_do_not_grow(site: Client, organization: Organization) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get("/activity/").status_code == 200
        return len(captured)

    make_record(make_instance("one", organization=organization))
    few = cost()
    for number in range(20):
        make_record(make_instance(organization=organization), began_at=timezone.now() - timedelta(minutes=number))
    assert cost() == few <= 20
