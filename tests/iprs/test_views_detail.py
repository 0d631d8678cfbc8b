"""The page of one IPR: what it shows in each state, and to whom."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor, for_user
from blueprints import services as blueprints
from iprs.models import IPR, Deployment, Plan
from tests.factories.accounts import make_actor, make_environment, make_organization, make_user
from tests.factories.blueprints import make_document, make_resource
from tests.factories.iprs import blueprint_of, item, make_deployment, make_ipr, make_plan, make_review

pytestmark = pytest.mark.django_db
PATHS = ["", "changes/"]
QUERIES = {"": 13, "changes/": 10}


def signed_in(client: Client, role: str | None = "reviewer") -> Actor:
    user = make_user(role)
    client.force_login(user)
    return for_user(user)


def page(client: Client, ipr: IPR, path: str = "") -> str:
    answer = client.get(f"/iprs/{ipr.pk}/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_page_of_a_pending_ipr(client: Client, path: str) -> None:
    signed_in(client)
    ipr = make_ipr(title="Grow <the> cache")
    text = page(client, ipr, path)
    assert "Grow &lt;the&gt; cache" in text
    assert ipr.current_plan is not None
    assert ipr.current_plan.seal in text
    assert f'name="plan_digest" value="{ipr.current_plan.digest}"' in text


@pytest.mark.parametrize("path", PATHS)
def test_page_anonymous_is_sent_to_the_login(client: Client, path: str) -> None:
    assert client.get(f"/iprs/{make_ipr().pk}/{path}").status_code == 302


@pytest.mark.parametrize("path", PATHS)
def test_page_of_another_organization_is_not_there(client: Client, path: str) -> None:
    signed_in(client)
    foreign = make_ipr(by=make_actor(organization=make_organization("other")))
    assert client.get(f"/iprs/{foreign.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_page_cannot_be_posted(client: Client, path: str) -> None:
    signed_in(client)
    assert client.post(f"/iprs/{make_ipr().pk}/{path}").status_code == 405


@pytest.mark.parametrize("number", [0, 2**31, 2**63 - 1, 2**63, 10**30])
def test_page_of_a_number_that_is_not_there(client: Client, number: int) -> None:
    signed_in(client)
    assert client.get(f"/iprs/{number}/").status_code == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("part", ["ipr-head", "ipr-body", "review"])
def test_page_htmx_gets_the_part_that_it_swaps(client: Client, path: str, part: str) -> None:
    signed_in(client)
    ipr = make_ipr()
    answer = client.get(f"/iprs/{ipr.pk}/{path}", headers={"HX-Request": "true", "HX-Target": part})
    text = answer.content.decode()
    assert f'id="{part}"' in text.split(">", 1)[0]
    assert "<html" not in text
    assert f'data-live="ipr:{ipr.pk}"' in text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [1, 30])
def test_page_costs_the_same_for_any_size(
    client: Client, path: str, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False)
    make_plan(ipr, *(item(f"web-{number}") for number in range(size)))
    for _ in range(size):
        make_review(ipr, "comment", by=make_actor("reviewer"))
    with django_assert_num_queries(QUERIES[path]):
        page(client, ipr, path)


def test_overview_sums_the_plan_up(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False)
    make_plan(ipr, item("a"), item("b"), item("c", "update"), item("d", "noop"), seconds=40)
    context = client.get(f"/iprs/{ipr.pk}/").context
    assert context["sentence"] == "Creates two guests and changes one guest, in about 40 seconds."
    assert context["comfort"] == "Nothing is deleted."


def test_overview_says_what_is_lost(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False)
    make_plan(ipr, item("old", "delete"), item("db", "replace"))
    text = page(client, ipr)
    assert "The disks of two guests are erased for good." in text
    assert "The plan deletes old, which the author does not mention." in text


def test_overview_of_a_plan_without_changes(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False)
    make_plan(ipr, item("a", "noop", changes=[], steps=[]))
    assert "Nothing would change" in page(client, ipr)


def test_overview_names_who_can_approve(client: Client) -> None:
    me = signed_in(client)
    ipr = make_ipr()
    rows = {row.gate.code: row for row in client.get(f"/iprs/{ipr.pk}/").context["gate_rows"]}
    assert rows["APPROVALS"].who == f"{me.label} can."
    assert rows["APPROVALS"].action.url == "#review"
    assert rows["PLAN_READY"].gate.is_open


def test_author_sees_why_their_approval_is_not_taken(client: Client) -> None:
    me = signed_in(client)
    ipr = make_ipr(by=me)
    text = page(client, ipr)
    assert "You opened this IPR; somebody else has to approve it." in text
    assert 'name="action" value="approve"' not in text
    assert 'name="action" value="request_changes"' in text


def test_viewer_may_comment_and_sees_why_nothing_else(client: Client) -> None:
    signed_in(client, "viewer")
    text = page(client, make_ipr())
    assert 'name="action" value="comment"' in text
    assert "This needs the right ipr:review" in text
    for verdict in ("approve", "reject", "request_changes"):
        assert f'name="action" value="{verdict}"' not in text


@pytest.mark.parametrize(
    ("status", "role", "label", "is_offered"),
    [
        (IPR.Status.PENDING, "reviewer", "Review 1 item", True),
        (IPR.Status.PENDING, "viewer", "Read 1 item", True),
        (IPR.Status.APPROVED, "deployer", "Deploy", True),
        (IPR.Status.APPROVED, "reviewer", "Deploy", False),
        (IPR.Status.CHANGES_REQUESTED, "reviewer", "Plan again", True),
        (IPR.Status.REJECTED, "requester", "Reopen", True),
        (IPR.Status.CANCELLED, "viewer", "Reopen", False),
    ],
)
def test_primary_action_says_the_next_thing(
    client: Client, status: str, role: str, label: str, is_offered: bool
) -> None:
    signed_in(client, role)
    place = make_environment("production", required_approvals=0 if status == IPR.Status.APPROVED else 1)
    action = client.get(f"/iprs/{make_ipr(status=status, environment=place).pk}/").context["primary"]
    assert (action.label, action.reason == "") == (label, is_offered)


def test_approved_that_misses_something_cannot_be_deployed(client: Client) -> None:
    signed_in(client, "deployer")
    ipr = make_ipr(status=IPR.Status.APPROVED)
    action = client.get(f"/iprs/{ipr.pk}/").context["primary"]
    assert action.label == "Deploy"
    assert "0 of 1 approvals" in action.reason


@pytest.mark.parametrize("path", PATHS)
def test_page_while_the_plan_is_computed(client: Client, path: str) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False)
    plan = make_plan(ipr, status=Plan.Status.PLANNING, digest="", summary={}, computed_at=None)
    plan.items.all().delete()
    text = page(client, ipr, path)
    assert "The plan is being computed" in text
    assert 'aria-busy="true"' in text
    assert 'name="action" value="approve"' not in text


@pytest.mark.parametrize("path", PATHS)
def test_page_of_a_refused_plan_says_why(client: Client, path: str) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False)
    make_plan(ipr, status=Plan.Status.REFUSED, problems=["gpu-1 asks for a GPU."])
    answer = client.get(f"/iprs/{ipr.pk}/{path}")
    assert "gpu-1 asks for a GPU." in answer.content.decode()
    assert answer.context["primary"].label == "Edit blueprint"
    assert "cannot be carried out" in answer.context["approve_reason"]
    assert "Nothing would change" not in answer.content.decode()


def test_page_of_many_problems_shows_the_first(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False)
    make_plan(ipr, status=Plan.Status.REFUSED, problems=[f"gpu-{number} asks for a GPU." for number in range(40)])
    text = page(client, ipr)
    assert "and 35 more" in text
    assert "gpu-39 asks for a GPU." in text


def test_page_of_a_stale_plan_offers_another(client: Client) -> None:
    me = signed_in(client)
    ipr = make_ipr()
    blueprints.update(blueprint_of(ipr), make_document(resources=[make_resource("other")]), by=me)
    answer = client.get(f"/iprs/{ipr.pk}/")
    assert "has moved on" in answer.content.decode()
    assert answer.context["primary"].label == "Plan again"
    assert "plan again" in answer.context["approve_reason"]


def test_page_of_a_failed_ipr_leads_to_the_run(client: Client) -> None:
    signed_in(client, "deployer")
    ipr = make_ipr(status=IPR.Status.FAILED, environment=make_environment("development"))
    run = make_deployment(ipr, Deployment.Status.FAILED, error={"code": "X", "message": "No storage ceph."})
    answer = client.get(f"/iprs/{ipr.pk}/")
    assert "No storage ceph." in answer.content.decode()
    assert answer.context["primary"].label == "Retry"
    assert run.job.public_id in answer.context["primary"].url


def test_page_of_a_running_ipr_listens_to_its_run(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(status=IPR.Status.DEPLOYING)
    run = make_deployment(ipr)
    text = page(client, ipr)
    assert f'data-live="ipr:{ipr.pk} deployment:{run.job.public_id}"' in text
    assert 'data-page-state="running"' in text


def test_timeline_marks_what_no_longer_counts(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    make_review(ipr, by=make_actor("reviewer"))
    make_plan(ipr, item("other"))
    assert "It approved an earlier plan." in page(client, ipr)


def test_timeline_marks_names_that_nobody_verified(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    make_review(ipr, is_verified=False, user=None, identity="name:jane", reviewer="jane")
    assert "not verified" in page(client, ipr)


def test_words_of_others_are_escaped(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(description="<script>alert(1)</script>")
    make_review(ipr, "comment", comments="<img src=x onerror=alert(1)>")
    text = page(client, ipr)
    assert "<script>alert" not in text
    assert "<img src=x" not in text


@pytest.mark.parametrize("path", PATHS)
def test_pages_keep_the_content_security_policy(client: Client, path: str) -> None:
    signed_in(client)
    text = page(client, make_ipr(), path)
    assert " style=" not in text
    assert "onclick" not in text
    assert "<script>" not in text


def test_own_approval_is_shown_and_not_asked_again(client: Client) -> None:
    me = signed_in(client)
    ipr = make_ipr(plan=False)
    make_plan(ipr, item("old", "delete"))
    make_review(ipr, by=me)
    text = page(client, ipr)
    assert "You approved this plan" in text
    assert 'name="action" value="approve"' not in text
    assert 'name="acknowledged"' not in text
    make_plan(ipr, item("other", "delete"))
    assert 'name="action" value="approve"' in page(client, ipr)


def test_what_is_over_can_only_be_commented(client: Client) -> None:
    signed_in(client)
    text = page(client, make_ipr(status=IPR.Status.DEPLOYED))
    assert 'name="action" value="comment"' in text
    assert ">Approve<" not in text


def test_parts_and_pages_are_kept_apart_by_caches(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    run = make_deployment(ipr)
    for path in (
        "/",
        "/iprs/",
        f"/iprs/{ipr.pk}/",
        f"/iprs/{ipr.pk}/changes/",
        "/deployments/",
        run.get_absolute_url(),
    ):
        assert "HX-Request" in client.get(path).headers["Vary"]
