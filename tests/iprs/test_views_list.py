"""The review queue: who sees what, how it is searched, and what it costs."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor, for_user
from iprs.models import IPR
from iprs.pages.search import parse
from tests.factories.accounts import make_actor, make_environment, make_organization, make_user
from tests.factories.iprs import make_ipr, make_plan, make_review

pytestmark = pytest.mark.django_db
QUERIES = 8


def signed_in(client: Client, role: str | None = "reviewer") -> Actor:
    user: User = make_user(role)
    client.force_login(user)
    return for_user(user)


def titles(client: Client, query: str = "") -> list[str]:
    return [row.ipr.title for row in client.get(f"/iprs/{query}").context["rows"]]


def test_list_shows_what_a_reviewer_needs(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(title="Grow the database")
    make_review(ipr)
    page = client.get("/iprs/").content.decode()
    assert f"#{ipr.pk}" in page
    assert "Grow the database" in page
    assert "1/1 approval" in page and "no approval needed" not in page
    assert "Production" in page


def test_where_nobody_has_to_agree_no_share_is_shown(client: Client) -> None:
    signed_in(client)
    make_review(ipr := make_ipr(environment=make_environment("development", required_approvals=0)))
    assert "no approval needed" in client.get("/iprs/").content.decode()
    assert "1 of 0" not in client.get(f"/iprs/{ipr.pk}/").content.decode()


def test_list_anonymous_is_sent_to_the_login(client: Client) -> None:
    answer = client.get("/iprs/")
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]


def test_list_of_another_organization_is_empty(client: Client) -> None:
    make_ipr(by=make_actor(organization=make_organization("other")))
    signed_in(client)
    assert titles(client) == []


def test_list_of_a_person_without_an_organization_is_empty(client: Client) -> None:
    make_ipr()
    signed_in(client, None)
    assert titles(client) == []


def test_list_cannot_be_posted(client: Client) -> None:
    signed_in(client)
    assert client.post("/iprs/").status_code == 405


def test_list_htmx_gets_the_part(client: Client) -> None:
    signed_in(client)
    make_ipr()
    part = client.get("/iprs/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<section class="stack" id="ipr-list"')
    assert "<html" not in part


@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_for_any_number(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    author, reviewer = make_actor(), make_actor("reviewer")
    for _ in range(count):
        make_review(make_ipr(by=author), by=reviewer)
    with django_assert_num_queries(QUERIES):
        client.get("/iprs/")


def test_views_of_the_queue(client: Client) -> None:
    me = signed_in(client)
    make_ipr(title="Theirs")
    make_ipr(title="Mine", by=me)
    make_ipr(title="Sent back", status=IPR.Status.CHANGES_REQUESTED)
    make_ipr(title="Agreed", status=IPR.Status.APPROVED)
    make_review(make_ipr(title="Judged"), by=me)
    assert titles(client, "?view=review") == ["Theirs"]
    assert titles(client, "?view=changes") == ["Sent back"]
    assert titles(client, "?view=ready") == ["Agreed"]
    assert titles(client, "?view=mine") == ["Mine"]
    counts = {tab["name"]: tab["count"] for tab in client.get("/iprs/").context["tabs"]}
    assert counts == {"review": 1, "changes": 1, "ready": 1, "mine": 1, "": 5}


def test_a_judged_ipr_returns_with_a_new_plan(client: Client) -> None:
    me = signed_in(client)
    ipr = make_ipr(title="Judged")
    make_review(ipr, by=me)
    make_plan(ipr)
    assert titles(client, "?view=review") == ["Judged"]


def test_queue_of_a_viewer_is_empty(client: Client) -> None:
    signed_in(client, "viewer")
    make_ipr()
    assert titles(client, "?view=review") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status:pending", ["Cache", "Queue"]),
        ("status:changes-requested", ["Report"]),
        ("env:staging", ["Queue"]),
        ("owner:me", ["Cache"]),
        ("cache", ["Cache"]),
        ("status:pending env:production", ["Cache"]),
        ("-env:staging status:pending", ["Cache"]),
        ("-cache", ["Queue", "Report"]),
        ('"cac"', ["Cache"]),
        ("nothing-like-it", []),
    ],
)
def test_search(client: Client, query: str, found: list[str]) -> None:
    me = signed_in(client)
    staging = make_environment("staging")
    make_ipr(title="Cache", by=me)
    make_ipr(title="Queue", environment=staging)
    make_ipr(title="Report", status=IPR.Status.CHANGES_REQUESTED)
    answer = client.get("/iprs/", {"q": query, "sort": "title"})
    assert [row.ipr.title for row in answer.context["rows"]] == found


def test_search_by_number(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(title="By number")
    make_ipr(title="Another")
    answer = client.get("/iprs/", {"q": f"#{ipr.pk}"})
    assert "By number" in [row.ipr.title for row in answer.context["rows"]]


@pytest.mark.parametrize("query", ['"open', "a:b:c", "\0", ":", "env:", "9" * 30, "x" * 5_000, "status:'"])
def test_search_takes_anything(client: Client, query: str) -> None:
    signed_in(client)
    assert client.get("/iprs/", {"q": query}).status_code == 200


def test_search_says_what_statuses_there_are(client: Client) -> None:
    signed_in(client)
    assert "There is no status nonsense" in client.get("/iprs/?q=status:nonsense").content.decode()


def test_search_terms_can_be_taken_away_one_by_one() -> None:
    search = parse('status:pending owner:"ana ruiz" cache')
    assert [(str(term), rest) for term, rest in search.chips] == [
        ("status:pending", 'owner:"ana ruiz" cache'),
        ('owner:"ana ruiz"', "status:pending cache"),
        ("cache", 'status:pending owner:"ana ruiz"'),
    ]


@pytest.mark.parametrize("query", ["?page=999", "?page=x", "?sort=nonsense", "?view=nonsense"])
def test_list_takes_any_query(client: Client, query: str) -> None:
    signed_in(client)
    make_ipr()
    assert len(titles(client, query)) == 1


def test_list_says_what_would_be_here(client: Client) -> None:
    signed_in(client)
    assert "No IPRs yet" in client.get("/iprs/").content.decode()
    assert "Nothing waits for your review" in client.get("/iprs/?view=review").content.decode()


def test_unverified_approval_does_not_count_where_protected(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(environment=make_environment("production", is_protected=True, required_approvals=1))
    make_review(ipr, is_verified=False)
    assert "0/1 approval" in client.get("/iprs/").content.decode()


def test_viewer_sees_why_no_ipr_can_be_opened(client: Client) -> None:
    signed_in(client, "viewer")
    page = client.get("/iprs/").content.decode()
    assert "This needs the right ipr:write" in page
    assert 'href="/iprs/new/"' not in page
