"""The API of IPRs and deployments: documented examples verbatim, and everything that can be wrong with a request."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from alma.accounts.scopes import READ
from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.models import Job
from iprs import serializers, services
from iprs.models import IPR, Deployment, Review
from iprs.services.reviewing import MAX_UNVERIFIED, NEWEST
from tests.factories.accounts import make_actor, make_environment, make_key, make_organization, sign_in
from tests.factories.blueprints import make_blueprint
from tests.iprs.builders import make_ipr, planned, reload

pytestmark = pytest.mark.django_db

NOW = {"HTTP_PREFER": "respond-async"}


@pytest.fixture
def api() -> APIClient:
    """A client with a management key."""
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=make_key()[1], **NOW)
    return client


@pytest.fixture
def anonymous() -> APIClient:
    """A client without a credential."""
    client = APIClient()
    client.credentials(**NOW)
    return client


def error_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The documented error body."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["error_code"]) == (status, code), body
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert body["timestamp"].endswith("Z")
    return body


DOCUMENTED = {
    "title": "Add Redis cache cluster",
    "description": "Improve performance with distributed caching",
    "changes_summary": {
        "added": ["redis-cluster-1", "redis-cluster-2"],
        "removed": [],
        "modified": ["web-server-config"],
    },
}


@pytest.mark.parametrize("path", ["/api/v1/ipr", "/api/v1/ipr/", "/api/v1/iprs", "/api/v1/iprs/"])
def test_create_as_documented(api: APIClient, path: str) -> None:
    make_environment("development")
    blueprint = make_blueprint()
    response = api.post(path, {**DOCUMENTED, "blueprint_id": blueprint.pk}, format="json")
    body = response.json()
    assert response.status_code == 201, body
    assert {name: body[name] for name in DOCUMENTED} == DOCUMENTED
    assert (body["blueprint_id"], body["status"], body["environment"]) == (blueprint.pk, "pending", "development")
    assert response["Location"] == f"/api/v1/iprs/{body['id']}"
    assert body["created_at"].endswith("Z")


def test_list_is_a_bare_array_newest_first(anonymous: APIClient) -> None:
    first, second = make_ipr(), make_ipr()
    body = anonymous.get("/api/v1/iprs").json()
    assert [row["id"] for row in body] == [second.pk, first.pk]
    assert set(body[0]) >= {"id", "title", "description", "blueprint_id", "status", "created_by", "created_at"}


def test_list_filters_by_documented_status(anonymous: APIClient) -> None:
    planned(make_ipr(required_approvals=0, slug="development"))
    pending = make_ipr()
    rows = anonymous.get("/api/v1/iprs?status=pending").json()
    assert [row["id"] for row in rows] == [pending.pk]
    for status in ("pending", "approved", "rejected", "deployed"):
        assert anonymous.get(f"/api/v1/iprs?status={status}").status_code == 200
    error_of(anonymous.get("/api/v1/iprs?status=merged"), 400, "INVALID_PARAMETER")


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=10" + "0" * 30, "limit=x", "skip=-1", "skip=1.5"])
def test_list_refuses_windows_that_are_none(anonymous: APIClient, query: str) -> None:
    error_of(anonymous.get(f"/api/v1/iprs?{query}"), 400, "INVALID_PARAMETER")


def test_list_costs_the_same_for_many_rows(anonymous: APIClient, django_assert_num_queries: Any) -> None:
    make_ipr()
    with django_assert_num_queries(2):
        anonymous.get("/api/v1/iprs")
    for _ in range(5):
        make_ipr()
    with django_assert_num_queries(2):
        anonymous.get("/api/v1/iprs")


def test_review_as_documented_without_a_key(anonymous: APIClient) -> None:
    ipr = planned(make_ipr())
    body = {"action": "approve", "comments": "LGTM, ready for deployment", "reviewer": "jane.smith"}
    answer = anonymous.post(f"/api/v1/iprs/{ipr.pk}/review", body, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert answer.json()["reviews"][0]["is_verified"] is False


@pytest.mark.parametrize(("action", "status"), [("reject", "rejected"), ("request_changes", "changes_requested")])
def test_review_actions_as_documented(anonymous: APIClient, action: str, status: str) -> None:
    ipr = planned(make_ipr())
    answer = anonymous.post(f"/api/v1/ipr/{ipr.pk}/review/", {"action": action, "reviewer": "jane"}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, status)


def test_deploy_of_an_unapproved_plan_lists_what_is_missing(api: APIClient) -> None:
    ipr = planned(make_ipr())
    body = error_of(
        api.post(f"/api/v1/iprs/{ipr.pk}/deploy", {"engine": "proxmox", "dry_run": False}, format="json"),
        400, "IPR_NOT_APPROVED",
    )  # fmt: skip
    assert [gate["code"] for gate in body["missing"]] == ["APPROVALS"]
    assert not Deployment.objects.exists()


def test_deploy_as_documented(api: APIClient) -> None:
    ipr = planned(make_ipr())
    services.review(ipr, "approve", by=make_actor("reviewer"))
    first = api.post(f"/api/v1/iprs/{ipr.pk}/deploy", {"engine": "proxmox", "dry_run": False}, format="json")
    body = first.json()
    assert first.status_code == 200, body
    assert body["deployment_id"].startswith("deploy-")
    assert body["status"] == "in_progress"
    assert body["estimated_duration"].split()[1].rstrip("s") in {"second", "minute"}
    again = api.post(f"/api/v1/ipr/{ipr.pk}/deploy/", {}, format="json")
    assert again.json()["deployment_id"] == body["deployment_id"]
    assert Deployment.objects.count() == 1


def test_deploy_bound_to_a_hash_that_is_not_current(api: APIClient) -> None:
    ipr = planned(make_ipr(required_approvals=0, slug="development"))
    error_of(api.post(f"/api/v1/iprs/{ipr.pk}/deploy", {"plan_hash": "0" * 64}, format="json"), 400, "PLAN_CHANGED")


def test_deploy_with_an_engine_that_does_not_exist(api: APIClient) -> None:
    ipr = planned(make_ipr(required_approvals=0, slug="development"))
    error_of(api.post(f"/api/v1/iprs/{ipr.pk}/deploy", {"engine": "ansible"}, format="json"), 422, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/api/v1/iprs/{}/deploy", {"dryRun": True}, "dry_run"),
        ("/api/v1/iprs/{}/deploy", {"engine": "proxmox", "plan_hsh": "0"}, "plan_hash"),
        ("/api/v1/blueprints/{}/deploy", {"dryrun": True}, "dry_run"),
        ("/api/v1/iprs/{}/review", {"action": "approve", "planHash": "0"}, "plan_hash"),
    ],
)
def test_a_word_that_is_not_known_is_no_deployment(api: APIClient, path: str, body: dict[str, Any], word: str) -> None:
    ipr = planned(make_ipr())
    said = error_of(
        api.post(path.format(ipr.blueprint_id if "blue" in path else ipr.pk), body, format="json"),
        422,
        "VALIDATION_ERROR",
    )
    assert f"known are {word}" in said["detail"] or f", {word}" in said["detail"]
    assert (Deployment.objects.count(), Review.objects.count()) == (0, 0)


def test_who_proposes_is_who_calls_whatever_older_clients_send(api: APIClient) -> None:
    body = {**DOCUMENTED, "blueprint_id": make_blueprint().pk, "created_by": "mallory"}
    assert "mallory" not in api.post("/api/v1/ipr", body, format="json").content.decode()


def test_without_keys_a_given_name_is_shown_as_given_and_used_for_nothing(
    anonymous: APIClient, client: Client, settings: Settings
) -> None:
    settings.ALMA_AUTH_ENABLED = False
    me = make_actor("admin")
    make_environment(organization=make_organization())
    body = {**DOCUMENTED, "blueprint_id": make_blueprint(by=me).pk, "created_by": " jane doe "}
    made = anonymous.post("/api/v1/ipr", body, format="json").json()
    assert (made["created_by"], made["created_by_claimed"]) == ("jane doe", True)
    ipr = IPR.objects.get(pk=made["id"])
    assert (ipr.author, ipr.created_by, ipr.author_identity) == (None, "authentication off", "name:authentication off")
    assert set(Event.objects.filter(stream__name=ipr.stream).values_list("actor", flat=True)) == {"authentication off"}
    graph = {"query": f"{{ ipr(id: {ipr.pk}) {{ createdBy createdByClaimed }} }}"}
    told = anonymous.post("/graphql", graph, format="json").json()["data"]["ipr"]
    assert told == {"createdBy": "jane doe", "createdByClaimed": True}
    sign_in(client, me.user)
    for page in (ipr.get_absolute_url(), f"{reverse('iprs:list')}?q=author:jane"):
        assert 'jane doe</span> <span class="tag"' in client.get(page).content.decode(), page
    body["created_by"] = "jane\u202edoe"
    error_of(anonymous.post("/api/v1/ipr", body, format="json"), 422, "VALIDATION_ERROR")


def test_deployment_can_be_read_and_its_events_paged(api: APIClient, anonymous: APIClient) -> None:
    ipr = planned(make_ipr(required_approvals=0, slug="development"))
    deployment_id = services.deploy(ipr, by=make_actor("admin")).job.public_id
    assert anonymous.get(f"/api/v1/deployments/{deployment_id}").json()["status"] == "queued"
    assert anonymous.get("/api/v1/deployments").json()[0]["deployment_id"] == deployment_id
    api.post(f"/api/v1/deployments/{deployment_id}/cancel")
    told = anonymous.get(f"/api/v1/deployments/{deployment_id}/events").json()
    assert [(event["type"], event["status"], event["seq"]) for event in told] == [
        ("status_change", "queued", 1),
        ("status_change", "cancelling", 2),
    ]
    assert anonymous.get(f"/api/v1/deployments/{deployment_id}/events?after=1").json() == told[1:]
    error_of(anonymous.get(f"/api/v1/deployments/{deployment_id}/events?after=x"), 400, "INVALID_PARAMETER")
    error_of(api.post(f"/api/v1/deployments/{deployment_id}/cancel"), 400, "NOT_RUNNING")


def test_cancel_by_force_and_rollback_over_the_api(api: APIClient, anonymous: APIClient) -> None:
    ipr = planned(make_ipr(required_approvals=0, slug="development"))
    here = f"/api/v1/deployments/{services.deploy(ipr, by=make_actor('admin')).job.public_id}"
    error_of(api.post(f"{here}/cancel", {"force": True}, format="json"), 400, "CANCEL_FIRST")
    error_of(api.post(f"{here}/rollback", {"confirm": True}, format="json"), 400, "WRONG_STATE")
    assert api.post(f"{here}/cancel", {"force": False}, format="json").json()["phase"] == "cancelling"
    assert api.post(f"{here}/cancel", {"force": True}, format="json").json()["phase"] == "cancelled"
    whole = anonymous.get(here).json()
    assert whole["rollback"] == {"removes": [], "restores": [], "cannot_undo": []}
    refused = api.post(f"{here}/rollback")
    assert refused.json()["error_code"] == "CONFIRMATION_REQUIRED"
    assert {name: refused.json()[name] for name in whole["rollback"]} == whole["rollback"]
    started = api.post(f"{here}/rollback", {"confirm": True}, format="json")
    assert (started.status_code, started.json()["status"], started.json()["rollback"]["removes"]) == (
        200,
        "rolling_back",
        [],
    )
    engine.advance(Job.objects.get(kind="rollback").pk)
    told = anonymous.get(f"{here}/events").json()
    assert [row["event"] for row in told][-2:] == ["DeploymentRollingBack", "DeploymentRolledBack"]
    assert [row["seq"] for row in told] == list(range(1, len(told) + 1))
    assert anonymous.get(here).json()["status"] == "rolled_back"
    error_of(api.post(f"{here}/retry"), 400, "WRONG_STATE")


def test_blueprint_deploy_follows_the_policy(api: APIClient) -> None:
    make_environment("review-first", required_approvals=1, position=0)
    blueprint = make_blueprint()
    answer = api.post(f"/api/v1/blueprints/{blueprint.pk}/deploy", {"engine": "proxmox"}, format="json")
    body = error_of(answer, 400, "IPR_NOT_APPROVED")
    assert {gate["code"] for gate in body["missing"]} >= {"PLAN_READY", "APPROVALS"}
    planned(IPR.objects.get())
    second = api.post(f"/api/v1/blueprints/{blueprint.pk}/deploy", {"engine": "proxmox"}, format="json")
    assert (second.status_code, second.json()["phase"]) == (202, "waiting_approval")
    services.review(reload(IPR.objects.get()), "approve", by=make_actor("reviewer"))
    third = api.post(f"/api/v1/blueprints/{blueprint.pk}/deploy/", {}, format="json")
    assert (third.status_code, third.json()["status"]) == (200, "in_progress")
    assert IPR.objects.count() == 1


def test_a_dry_run_of_a_blueprint_is_one(api: APIClient) -> None:
    make_environment("development", required_approvals=0, position=0)
    blueprint = make_blueprint()
    path = f"/api/v1/blueprints/{blueprint.pk}/deploy"
    error_of(api.post(path, {"dry_run": True}, format="json"), 400, "IPR_NOT_APPROVED")
    ipr = planned(IPR.objects.get())
    answer = api.post(path, {"dry_run": True}, format="json")
    assert (answer.status_code, answer.json()["dry_run"], answer.json()["ipr_id"]) == (200, True, ipr.pk)
    assert Deployment.objects.get().is_dry_run
    assert reload(ipr).status == "approved"


@pytest.mark.parametrize("title", ["\u202e", "\u200b", " \ufeff ", "safe\u202eyltcaxe", "\x1b[31mred", "two\nlines"])
def test_a_title_shows_what_it_says(api: APIClient, title: str) -> None:
    make_environment("development")
    body = {"title": title, "blueprint_id": make_blueprint().pk}
    error_of(api.post("/api/v1/ipr", body, format="json"), 422, "VALIDATION_ERROR")
    assert not IPR.objects.exists()


def test_nobody_without_an_account_buries_what_others_said(anonymous: APIClient, api: APIClient) -> None:
    ipr = planned(make_ipr(required_approvals=2))
    plan = {"organization_id": ipr.organization_id, "ipr": ipr, "action": "approve", "plan": ipr.current_plan}
    Review.objects.bulk_create(
        Review(**plan, reviewer=f"r{number}", identity=f"name:r{number}") for number in range(MAX_UNVERIFIED + 5)
    )
    path = f"/api/v1/iprs/{ipr.pk}/review"
    body = {"action": "approve", "reviewer": "one more"}
    error_of(anonymous.post(path, body, format="json"), 400, "TOO_MANY_REVIEWS")
    services.review(ipr, "approve", by=make_actor("reviewer"))
    shown = anonymous.get(f"/api/v1/iprs/{ipr.pk}").json()["reviews"]
    assert len(shown) == NEWEST
    assert shown[-1]["is_verified"] is True
    assert shown[-2]["reviewer"] == f"r{MAX_UNVERIFIED + 4}"


def test_every_event_is_a_change(api: APIClient, anonymous: APIClient) -> None:
    ipr = planned(make_ipr(required_approvals=2))
    before = api.get(f"/api/v1/iprs/{ipr.pk}").json()
    IPR.objects.update(updated_at=ipr.created_at - timedelta(days=1))
    anonymous.post(f"/api/v1/iprs/{ipr.pk}/review", {"action": "approve", "reviewer": "jane"}, format="json")
    after = api.get(f"/api/v1/iprs/{ipr.pk}").json()
    assert after["updated_at"] >= before["created_at"]


def test_what_is_answered_is_what_the_schema_says(api: APIClient) -> None:
    ipr = planned(make_ipr(required_approvals=0, slug="development"))
    api.post(f"/api/v1/iprs/{ipr.pk}/deploy", {"dry_run": True}, format="json")
    (row,) = api.get("/api/v1/deployments").json()
    detail = api.get(f"/api/v1/deployments/{row['deployment_id']}").json()
    plan = api.get(f"/api/v1/iprs/{ipr.pk}/plan").json()
    assert set(row) == set(serializers.DeploymentRow().fields)
    assert set(detail) == set(serializers.DeploymentBody().fields)
    assert set(detail["steps"][0]) == set(serializers.StepBody().fields)
    assert set(plan) == set(serializers.PlanDetailBody().fields)
    assert set(plan["items"][0]) == set(serializers.PlanItemBody().fields)
    assert set(api.get(f"/api/v1/iprs/{ipr.pk}").json()) == set(serializers.IPRBody().fields)


BAD_BODIES: list[tuple[Any, int, str]] = [
    ({}, 422, "VALIDATION_ERROR"),
    ({"title": "x"}, 422, "VALIDATION_ERROR"),
    ({"title": 5, "blueprint_id": 1}, 422, "VALIDATION_ERROR"),
    ({"title": "x", "blueprint_id": "one"}, 422, "VALIDATION_ERROR"),
    ({"title": "x", "blueprint_id": 2**70}, 422, "VALIDATION_ERROR"),
    ({"title": "x" * 201, "blueprint_id": 1}, 422, "VALIDATION_ERROR"),
    ({"title": "", "blueprint_id": 1}, 422, "VALIDATION_ERROR"),
    ({"title": "x\0y", "blueprint_id": 1}, 400, "INVALID_CHARACTER"),
    ({"title": "x", "blueprint_id": 1, "changes_summary": ["a"]}, 422, "VALIDATION_ERROR"),
    ({"title": "x", "blueprint_id": 999_999}, 404, "BLUEPRINT_NOT_FOUND"),
    ([1, 2], 400, "INVALID_JSON"),
    ("text", 400, "INVALID_JSON"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD_BODIES)
def test_create_refuses_bad_bodies_and_writes_nothing(api: APIClient, body: Any, status: int, code: str) -> None:
    error_of(api.post("/api/v1/ipr/", body, format="json"), status, code)
    assert not IPR.objects.exists()


RAW: list[tuple[bytes, str]] = [
    (b'{"title": ', "INVALID_JSON"),
    (b'{"title": NaN}', "INVALID_JSON"),
    (b'{"title": "\\ud800"}', "INVALID_JSON"),
    (b"\xff\xfe", "INVALID_JSON"),
    (b'{"a":' * 40 + b"1" + b"}" * 40, "JSON_TOO_DEEP"),
    (b"[" * 5000 + b"]" * 5000, "INVALID_JSON"),
]


@pytest.mark.parametrize(("raw", "code"), RAW)
@pytest.mark.parametrize("path", ["/api/v1/ipr/", "/api/v1/iprs/{}/review", "/api/v1/iprs/{}/deploy"])
def test_broken_json_is_a_400_everywhere(api: APIClient, raw: bytes, code: str, path: str) -> None:
    ipr = planned(make_ipr())
    error_of(api.post(path.format(ipr.pk), raw, content_type="application/json"), 400, code)
    assert not Review.objects.exists()


def test_a_form_is_not_json(api: APIClient) -> None:
    error_of(api.post("/api/v1/ipr/", "title=x", content_type="text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", ["/api/v1/iprs/999999", "/api/v1/iprs/999999999999999999", "/api/v1/ipr/999999/plan"])
def test_unknown_ids_are_404(anonymous: APIClient, path: str) -> None:
    error_of(anonymous.get(path), 404, "IPR_NOT_FOUND")


def test_unknown_deployments_and_paths_are_404_in_the_dialect(anonymous: APIClient) -> None:
    error_of(anonymous.get("/api/v1/deployments/deploy-nothing"), 404, "DEPLOYMENT_NOT_FOUND")
    error_of(anonymous.get("/api/v1/deployments/deploy-nothing/events"), 404, "DEPLOYMENT_NOT_FOUND")
    error_of(anonymous.get("/api/v1/nothing/here"), 404, "NOT_FOUND")
    error_of(anonymous.get("/api/v1/iprs/abc"), 404, "NOT_FOUND")


def test_wrong_methods_are_405_in_the_dialect(api: APIClient) -> None:
    ipr = make_ipr()
    error_of(api.delete(f"/api/v1/iprs/{ipr.pk}"), 405, "METHOD_NOT_ALLOWED")
    error_of(api.get(f"/api/v1/iprs/{ipr.pk}/deploy"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ipr/", {"title": "x", "blueprint_id": 1}),
        ("/api/v1/iprs/{}/deploy", {}),
        ("/api/v1/iprs/{}/replan", {}),
        ("/api/v1/iprs/{}/cancel", {}),
    ],
)
def test_writes_need_a_key_and_its_right(anonymous: APIClient, path: str, body: dict[str, Any]) -> None:
    ipr = planned(make_ipr())
    assert (
        error_of(anonymous.post(path.format(ipr.pk), body, format="json"), 403, "INVALID_API_KEY")["detail"]
        == "Invalid API key"
    )
    anonymous.credentials(HTTP_X_API_KEY="alm_live_wrong")
    error_of(anonymous.post(path.format(ipr.pk), body, format="json"), 403, "INVALID_API_KEY")
    anonymous.credentials(HTTP_X_API_KEY=make_key(READ)[1])
    error_of(anonymous.post(path.format(ipr.pk), body, format="json"), 403, "MISSING_SCOPE")


def test_another_organization_sees_none_of_it(api: APIClient) -> None:
    other = make_organization("other")
    ipr = planned(make_ipr(organization=other, by=make_actor("admin", organization=other)))
    for path in (f"/api/v1/iprs/{ipr.pk}", f"/api/v1/iprs/{ipr.pk}/plan"):
        error_of(api.get(path), 404, "IPR_NOT_FOUND")
    for verb, body in (("review", {"action": "approve"}), ("deploy", {}), ("replan", {}), ("cancel", {})):
        error_of(api.post(f"/api/v1/iprs/{ipr.pk}/{verb}", body, format="json"), 404, "IPR_NOT_FOUND")
    assert api.get("/api/v1/iprs").json() == []
    error_of(
        api.post("/api/v1/ipr", {"title": "x", "blueprint_id": ipr.blueprint_id}, format="json"),
        404,
        "BLUEPRINT_NOT_FOUND",
    )


def test_nothing_is_public_where_the_operator_says_so(anonymous: APIClient, settings: Any) -> None:
    settings.ALMA_PUBLIC_READ = False
    ipr = planned(make_ipr())
    error_of(anonymous.get("/api/v1/iprs"), 403, "INVALID_API_KEY")
    body = {"action": "approve", "reviewer": "mallory"}
    error_of(anonymous.post(f"/api/v1/iprs/{ipr.pk}/review", body, format="json"), 403, "INVALID_API_KEY")
    assert not Review.objects.exists()


def test_people_in_the_browser_need_their_token(client: Client) -> None:
    actor = make_actor("admin")
    ipr = planned(make_ipr())
    strict = Client(enforce_csrf_checks=True)
    assert actor.user is not None
    strict.force_login(actor.user)
    answer = strict.post(f"/api/v1/iprs/{ipr.pk}/deploy", {}, content_type="application/json")
    assert answer.status_code == 403
    assert strict.get(f"/api/v1/iprs/{ipr.pk}", headers={"accept": "text/html"}).status_code == 200
