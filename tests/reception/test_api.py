"""The public utilities: no key is needed, and no more is taken than is allowed."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from alma.reception.models import EnterpriseInquiry
from alma.reception.services import MOST_OF_ALL, MOST_OF_ONE
from tests.factories.accounts import make_organization

pytestmark = pytest.mark.django_db
ASK, INQUIRE = "/api/v1/docs/ask", "/api/v1/enterprise-inquiry"
INQUIRY = {
    "name": "Jane Smith", "email": "jane@example.com", "company": "Example GmbH", "teamSize": 40,
    "message": "We run three clusters and would like to see it.",
}  # fmt: skip


def post(client: Client, path: str, body: Any, **more: Any) -> Any:
    return client.post(path, data=body, content_type="application/json", **more)


@pytest.fixture(autouse=True)
def only_with_keys(settings: Any) -> None:
    """Where not even reads are public, these are."""
    settings.ALMA_PUBLIC_READ = False


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_question(client: Client, slash: str) -> None:
    response = post(client, ASK + slash, {"question": "How do I run the tests?", "limit": 1})
    assert response.status_code == 200
    body = response.json()
    assert body["success"] is True
    assert body["data"].keys() == {"question", "answer", "found", "citations", "model"}
    (citation,) = body["data"]["citations"]
    assert citation.keys() == {"path", "title", "heading", "anchor", "quote", "score"}
    assert citation["path"] in {"README.md", "docs/developing.md"}
    assert body["data"]["found"] is True


def test_a_question_that_the_documents_do_not_answer(client: Client) -> None:
    data = post(client, ASK, {"question": "How do I bake a cake?"}).json()["data"]
    assert (data["found"], data["citations"]) == (False, [])


def test_an_inquiry_is_kept_for_operators(client: Client) -> None:
    response = post(client, INQUIRE, INQUIRY)
    assert (response.status_code, response.json()) == (201, {"success": True, "data": {"received": True}})
    row = EnterpriseInquiry.objects.get()
    assert (row.name, row.email, row.company, row.team_size) == ("Jane Smith", "jane@example.com", "Example GmbH", 40)


def test_a_program_is_told_the_same_and_nothing_is_kept(client: Client) -> None:
    response = post(client, INQUIRE, {**INQUIRY, "website": "https://spam.example"})
    assert (response.status_code, response.json()) == (201, {"success": True, "data": {"received": True}})
    assert not EnterpriseInquiry.objects.exists()


WRONG = [
    (ASK, {}, 400, "BAD_REQUEST"),
    (ASK, {"question": 7}, 400, "BAD_REQUEST"),
    (ASK, {"question": "What?", "mode": "x"}, 400, "BAD_REQUEST"),
    (ASK, [], 400, "BAD_REQUEST"),
    (ASK, "{", 400, "BAD_REQUEST"),
    (ASK, "", 400, "BAD_REQUEST"),
    (ASK, {"question": " "}, 422, "VALIDATION_ERROR"),
    (ASK, {"question": "x" * 501}, 422, "VALIDATION_ERROR"),
    (ASK, {"question": "What is it?", "limit": 6}, 422, "VALIDATION_ERROR"),
    (INQUIRE, {**INQUIRY, "email": "jane"}, 422, "VALIDATION_ERROR"),
    (INQUIRE, {**INQUIRY, "email": "jane@example.com\nBcc: all@example.com"}, 422, "VALIDATION_ERROR"),
    (INQUIRE, {**INQUIRY, "message": "short"}, 422, "VALIDATION_ERROR"),
    (INQUIRE, {**INQUIRY, "message": "x" * 4001}, 422, "VALIDATION_ERROR"),
    (INQUIRE, {**INQUIRY, "teamSize": 0}, 422, "VALIDATION_ERROR"),
    (INQUIRE, {**INQUIRY, "teamSize": "many"}, 400, "BAD_REQUEST"),
    (INQUIRE, {**INQUIRY, "teamSize": "40"}, 400, "BAD_REQUEST"),
    (INQUIRE, {"name": "Jane"}, 400, "BAD_REQUEST"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), WRONG)
def test_wrong_bodies(client: Client, path: str, body: Any, status: int, code: str) -> None:
    response = post(client, path, body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["success"] is False
    assert response.json()["error"]["message"]
    assert not EnterpriseInquiry.objects.exists()


@pytest.mark.parametrize("path", [ASK, INQUIRE])
def test_other_methods_and_wrong_keys(client: Client, path: str) -> None:
    assert client.get(path).status_code == 405
    response = post(client, path, {}, headers={"Authorization": "Bearer alm_live_" + "0" * 48})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHORIZED")


def test_one_address_may_not_ask_without_end(client: Client) -> None:
    for _ in range(MOST_OF_ONE):
        assert post(client, INQUIRE, INQUIRY).status_code == 201
    response = post(client, INQUIRE, {**INQUIRY, "email": "JANE@example.com"})
    assert (response.status_code, response.json()["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 3500 < int(response["Retry-After"]) <= 3601
    assert post(client, INQUIRE, {**INQUIRY, "email": "joe@example.com"}).status_code == 201
    EnterpriseInquiry.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert post(client, INQUIRE, INQUIRY).status_code == 201


def test_strangers_together_may_not_ask_without_end(client: Client) -> None:
    make_organization()
    values = {"name": "x", "company": "y", "message": "z"}
    EnterpriseInquiry.objects.bulk_create(
        EnterpriseInquiry(email=f"{number}@example.com", **values) for number in range(MOST_OF_ALL)
    )
    assert post(client, INQUIRE, INQUIRY).status_code == 429


def test_an_inquiry_that_is_sent_again_under_its_key_is_kept_once(client: Client) -> None:
    first, again = (post(client, INQUIRE, INQUIRY, headers={"Idempotency-Key": "a-try"}) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert EnterpriseInquiry.objects.count() == 1


def test_operators_read_inquiries_and_mark_them(client: Client) -> None:
    post(client, INQUIRE, INQUIRY)
    operator = User.objects.create_superuser("operator", password="long enough to be one")
    client.force_login(operator)
    listing = client.get("/admin/reception/enterpriseinquiry/")
    assert b"Example GmbH" in listing.content
    row = EnterpriseInquiry.objects.get()
    marked = {"action": "mark_as_answered", "_selected_action": [row.pk]}
    assert client.post("/admin/reception/enterpriseinquiry/", marked).status_code == 302
    row.refresh_from_db()
    assert row.answered_by == "operator"
    assert row.answered_at is not None
    assert client.get(f"/admin/reception/enterpriseinquiry/{row.pk}/delete/").status_code == 403
