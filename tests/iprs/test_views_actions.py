"""What can be done on the pages: every form as a plain post, and with HTMX where it swaps parts."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from alma.accounts.actors import Actor, for_user
from iprs.models import IPR, Deployment, Plan, Review
from tests.factories.accounts import make_actor, make_environment, make_organization, make_user
from tests.factories.blueprints import make_blueprint
from tests.factories.iprs import item, make_ipr, make_plan, make_review

pytestmark = pytest.mark.django_db
POSTS = ["review", "replan", "withdraw", "reopen", "deploy"]
HTMX = {"HX-Request": "true", "HX-Target": "review"}


def signed_in(client: Client, role: str | None = "deployer") -> Actor:
    user = make_user(role)
    client.force_login(user)
    return for_user(user)


def reload(ipr: IPR) -> IPR:
    return IPR.objects.for_page().get(pk=ipr.pk)


def post(client: Client, ipr: IPR, name: str, headers: dict[str, str] | None = None, **data: Any) -> Any:
    return client.post(f"/iprs/{ipr.pk}/{name}/", data, headers=headers)


def digest(ipr: IPR) -> str:
    assert ipr.current_plan is not None
    return ipr.current_plan.digest


# -- rights -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", POSTS)
def test_action_anonymous_is_sent_to_the_login(client: Client, name: str) -> None:
    ipr = make_ipr()
    assert post(client, ipr, name, action="approve").status_code == 302
    assert (reload(ipr).status, Review.objects.count()) == ("pending", 0)


def test_action_comes_back_to_its_page_after_the_login(client: Client) -> None:
    ipr = make_ipr()
    changes = f"/iprs/{ipr.pk}/changes/"
    headers = {"Referer": f"http://testserver{changes}?open=1"}
    assert post(client, ipr, "review", headers, action="approve")["Location"] == f"/login/?next={changes}%3Fopen%3D1"
    foreign = {"Referer": "http://elsewhere.example/x/"}
    assert post(client, ipr, "review", foreign, action="approve")["Location"] == "/login/?next=/"


@pytest.mark.parametrize("name", POSTS)
def test_action_by_get_is_not_allowed(client: Client, name: str) -> None:
    signed_in(client)
    assert client.get(f"/iprs/{make_ipr().pk}/{name}/").status_code == 405


@pytest.mark.parametrize("name", POSTS)
def test_action_on_a_foreign_ipr_is_not_found(client: Client, name: str) -> None:
    signed_in(client)
    foreign = make_ipr(by=make_actor(organization=make_organization("other")))
    assert post(client, foreign, name, action="comment", comments="x").status_code == 404


@pytest.mark.parametrize(("name", "status"), [("replan", "pending"), ("withdraw", "pending"), ("reopen", "rejected"), ("deploy", "approved")])  # fmt: skip
def test_action_of_a_viewer_is_refused(client: Client, name: str, status: str) -> None:
    signed_in(client, "viewer")
    ipr = make_ipr(status=status, environment=make_environment("development"))
    answer = post(client, ipr, name)
    assert answer.status_code == 403
    assert "does not have" in answer.content.decode()
    assert reload(ipr).status == status


def test_action_needs_the_form_of_this_site() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("deployer"))
    assert post(strict, make_ipr(), "withdraw").status_code == 403


# -- review -----------------------------------------------------------------------------------------
def test_approve_as_a_plain_form(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    answer = post(client, ipr, "review", action="approve", plan_digest=digest(ipr))
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/iprs/{ipr.pk}/")
    assert [str(message) for message in get_messages(answer.wsgi_request)][0].startswith("Approved.")
    assert reload(ipr).status == "approved"


def test_approve_with_htmx_swaps_the_parts(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    text = post(client, ipr, "review", HTMX, action="approve", plan_digest=digest(ipr)).content.decode()
    assert text.count("hx-swap-oob") == 2
    assert '<section class="ipr-review" id="review"' in text
    assert f'hx-get="/iprs/{ipr.pk}/"' in text
    assert reload(ipr).status == "approved"


def test_approval_of_a_plan_that_was_not_read_is_refused(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    read = digest(ipr)
    make_plan(ipr, item("another"))
    answer = post(client, ipr, "review", HTMX, action="approve", plan_digest=read)
    assert answer.status_code == 409
    assert "The plan has changed since you read it" in answer.content.decode()
    assert not Review.objects.exists()


def test_destructive_approval_needs_each_tick_where_protected(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False, environment=make_environment("production", is_protected=True, required_approvals=1))
    make_plan(ipr, item("old-1", "delete"), item("old-2", "delete"))
    refused = post(client, ipr, "review", action="approve", plan_digest=digest(ipr), acknowledged=["old-1"])
    assert refused.status_code == 422
    assert "This plan destroys old-2" in refused.content.decode()
    agreed = post(client, ipr, "review", action="approve", plan_digest=digest(ipr), acknowledged=["old-1", "old-2"])
    assert (agreed.status_code, reload(ipr).status) == (302, "approved")
    assert Review.objects.get().acknowledged == ["old-1", "old-2"]


@pytest.mark.parametrize("action", ["reject", "request_changes", "comment"])
def test_review_without_words_shows_the_form_again(client: Client, action: str) -> None:
    signed_in(client)
    ipr = make_ipr()
    plain = post(client, ipr, "review", action=action, comments="  ")
    part = post(client, ipr, "review", HTMX, action=action)
    assert (plain.status_code, part.status_code) == (422, 422)
    assert 'id="comments-error"' in plain.content.decode()
    assert part.content.decode().startswith('<section class="ipr-review" id="review"')
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("action", "status"), [("reject", "rejected"), ("request_changes", "changes_requested"), ("comment", "pending")]
)
def test_review_with_words(client: Client, action: str, status: str) -> None:
    signed_in(client)
    ipr = make_ipr()
    post(client, ipr, "review", action=action, comments="Two cores are enough.", plan_digest=digest(ipr))
    assert reload(ipr).status == status
    assert "Two cores are enough." in client.get(f"/iprs/{ipr.pk}/").content.decode()


@pytest.mark.parametrize("data", [{"action": "nonsense"}, {}, {"action": "comment", "comments": "\0"}])
def test_review_that_makes_no_sense(client: Client, data: dict[str, str]) -> None:
    signed_in(client)
    assert post(client, make_ipr(), "review", **data).status_code == 422


def test_a_sent_comment_leaves_the_field(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    before = client.get(f"/iprs/{ipr.pk}/").context["composer_key"]
    text = post(client, ipr, "review", HTMX, action="comment", comments="Once.").content.decode()
    assert f'data-key="{before}"' not in text
    assert ">Once.</textarea>" not in text


def test_another_persons_word_keeps_the_field(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    before = client.get(f"/iprs/{ipr.pk}/").context["composer_key"]
    make_review(ipr, "comment", by=make_actor())
    assert client.get(f"/iprs/{ipr.pk}/").context["composer_key"] == before


def test_words_survive_a_refusal(client: Client) -> None:
    signed_in(client)
    text = post(client, make_ipr(), "review", HTMX, action="nonsense", comments="Long thoughts.").content.decode()
    assert ">Long thoughts.</textarea>" in text


# -- the others -------------------------------------------------------------------------------------
def test_replan_queues_a_new_plan(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(status=IPR.Status.CHANGES_REQUESTED)
    assert post(client, ipr, "replan").status_code == 302
    now = reload(ipr)
    assert (now.status, now.current_plan.status, now.current_plan.number) == ("pending", Plan.Status.PLANNING, 2)  # type: ignore[union-attr]


def test_withdraw_and_reopen(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    post(client, ipr, "withdraw")
    assert reload(ipr).status == "cancelled"
    post(client, ipr, "reopen")
    assert reload(ipr).status == "pending"


@pytest.mark.parametrize(("name", "status"), [("replan", "deployed"), ("withdraw", "deployed"), ("reopen", "pending")])
def test_action_in_the_wrong_state_says_so(client: Client, name: str, status: str) -> None:
    signed_in(client)
    ipr = make_ipr(status=status)
    assert post(client, ipr, name).status_code == 409
    assert reload(ipr).status == status


def test_deploy_leads_to_the_run_and_twice_to_the_same(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(status=IPR.Status.APPROVED, environment=make_environment("development"))
    first = post(client, ipr, "deploy", plan_digest=digest(ipr))
    second = post(client, ipr, "deploy", plan_digest=digest(ipr))
    run = Deployment.objects.get()
    assert first.headers["Location"] == second.headers["Location"] == f"/deployments/{run.job.public_id}/"
    assert reload(ipr).status == "deploying"


def test_deploy_of_a_plan_that_was_not_read_is_refused(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(status=IPR.Status.APPROVED, environment=make_environment("development"))
    assert post(client, ipr, "deploy", plan_digest="0" * 64).status_code == 409
    assert not Deployment.objects.exists()


def test_deploy_that_nobody_approved_lists_what_is_missing(client: Client) -> None:
    signed_in(client)
    answer = post(client, make_ipr(), "deploy")
    assert answer.status_code == 409
    assert "0 of 1 approvals" in answer.content.decode()


def test_dry_run_changes_no_status(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    answer = post(client, ipr, "deploy", dry_run="1")
    run = Deployment.objects.get()
    assert (run.is_dry_run, reload(ipr).status) == (True, "pending")
    assert "Dry run: nothing is touched" in client.get(answer.headers["Location"]).content.decode()


# -- new --------------------------------------------------------------------------------------------
def test_new_form_knows_the_blueprint_and_the_rules(client: Client) -> None:
    signed_in(client)
    make_environment("development", position=0)
    make_environment("production", position=1, required_approvals=2, is_protected=True)
    blueprint = make_blueprint(name="web-shop")
    answer = client.get(f"/iprs/new/?blueprint={blueprint.pk}")
    text = answer.content.decode()
    assert 'value="Deploy web-shop"' in text
    assert "Needs no approval: a sound plan may run at once." in text
    assert "Needs two approvals by signed-in people; authors do not count for their own plans." in text
    chosen = next(place for place, _ in answer.context["places"] if str(place.pk) == answer.context["place_id"])
    assert chosen.slug == "production", "the document's metadata names it"


def test_new_opens_an_ipr_and_leads_to_it(client: Client) -> None:
    me = signed_in(client, "requester")
    place, blueprint = make_environment("staging"), make_blueprint()
    data = {"blueprint": blueprint.pk, "environment": place.pk, "title": "More web servers", "description": "Peak."}
    answer = client.post("/iprs/new/", data)
    ipr = IPR.objects.get()
    assert answer.headers["Location"] == f"/iprs/{ipr.pk}/"
    assert (ipr.title, ipr.environment, ipr.created_by) == ("More web servers", place, me.label)
    assert "The plan is being computed" in client.get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize("wrong", [{"title": ""}, {"environment": "0"}, {"blueprint": "x"}, {"title": "x" * 201}])
def test_new_with_an_error_keeps_what_was_typed(client: Client, wrong: dict[str, str]) -> None:
    signed_in(client)
    data = {"blueprint": make_blueprint().pk, "environment": make_environment().pk, "title": "T", "description": "Why"}
    answer = client.post("/iprs/new/", data | wrong)
    assert answer.status_code == 422
    assert ">Why</textarea>" in answer.content.decode()
    assert "field-error" in answer.content.decode()
    assert not IPR.objects.exists()


def test_new_takes_nothing_from_another_organization(client: Client) -> None:
    signed_in(client)
    other = make_organization("other")
    theirs = {
        "blueprint": make_blueprint(by=make_actor(organization=other)).pk,
        "environment": make_environment(organization=other).pk,
    }
    assert client.post("/iprs/new/", theirs | {"title": "T"}).status_code == 422
    assert client.get(f"/iprs/new/?blueprint={theirs['blueprint']}").context["blueprint"] is None


def test_new_of_a_viewer_says_why_not(client: Client) -> None:
    signed_in(client, "viewer")
    place, blueprint = make_environment(), make_blueprint()
    assert "This needs the right ipr:write" in client.get("/iprs/new/").content.decode()
    data = {"blueprint": blueprint.pk, "environment": place.pk, "title": "T"}
    assert client.post("/iprs/new/", data).status_code == 403


def test_new_anonymous_and_wrong_method(client: Client) -> None:
    assert client.get("/iprs/new/").status_code == 302
    signed_in(client)
    assert client.delete("/iprs/new/").status_code == 405
