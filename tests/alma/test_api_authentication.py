"""Who calls the API, by which credential, and what each may."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alma.accounts.scopes import INFERENCE, READ
from tests.alma.site import WRITES
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.alma.site")]
NOTES, SECRETS = "/api/v1/notes", "/api/v1/secrets"
BODY = {"data": '{"name": "web"}', "content_type": "application/json"}


@pytest.fixture(autouse=True)
def _no_writes() -> None:
    WRITES.clear()
    make_organization()


def write(client: Client, **headers: str) -> int:
    """Post a note with these headers; the status, and whether it was written agrees with it."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    status = client.post(NOTES, headers=names, **BODY).status_code
    assert bool(WRITES) is (status == 201)
    WRITES.clear()
    return status


def test_either_header_carries_the_key(client: Client) -> None:
    _, secret = make_key()
    assert write(client, X_API_Key=secret) == 201
    assert write(client, Authorization=f"Bearer {secret}") == 201
    assert write(client, Authorization=f"bearer  {secret} ") == 201
    assert write(client, X_API_Key=secret, Authorization=f"Bearer {secret}") == 201


def test_two_different_keys_are_refused(client: Client) -> None:
    secrets = [make_key()[1] for _ in range(2)]
    response = client.get(NOTES, headers={"X-API-Key": secrets[0], "Authorization": f"Bearer {secrets[1]}"})
    assert (response.status_code, response.json()["error_code"]) == (400, "AMBIGUOUS_CREDENTIALS")


def test_other_schemes_are_no_credential(client: Client) -> None:
    _, secret = make_key()
    assert write(client, Authorization=f"Basic {secret}") == 403
    assert write(client, Authorization=secret) == 403


@pytest.mark.parametrize("secret", ["alm_live_wrong", "x" * 600, "\u00e9", "null"])
def test_a_wrong_key_is_refused_even_where_none_is_needed(client: Client, secret: str) -> None:
    response = client.get(NOTES, headers={"X-API-Key": secret})
    assert (response.status_code, response.json()["error_code"]) == (403, "INVALID_API_KEY")


def test_revoked_and_expired_keys_are_refused(client: Client) -> None:
    revoked, first = make_key()
    revoked.revoke()
    _, second = make_key(expires_at=timezone.now() - timedelta(seconds=1))
    assert write(client, X_API_Key=first) == write(client, X_API_Key=second) == 403


def test_a_key_may_what_its_scopes_say(client: Client) -> None:
    _, reader = make_key(READ)
    _, chatter = make_key(INFERENCE)
    assert write(client, X_API_Key=reader) == 403
    response = client.post(NOTES, headers={"X-API-Key": chatter}, **BODY)
    assert response.json()["error_code"] == "MISSING_SCOPE"
    assert client.get(SECRETS, headers={"X-API-Key": reader}).status_code == 200
    assert client.get(SECRETS, headers={"X-API-Key": chatter}).status_code == 403
    assert client.get(NOTES, headers={"X-API-Key": chatter}).status_code == 200


def test_keys_of_the_environment(client: Client, settings: Settings) -> None:
    settings.ALMA_API_KEYS = ["from-the-environment"]
    assert write(client, X_API_Key="from-the-environment") == 201
    assert write(client, X_API_Key="from-elsewhere") == 403


# -- without a credential -------------------------------------------------------------------------
def test_everybody_reads_what_is_public_and_writes_nothing(client: Client) -> None:
    response = client.get(NOTES)
    assert (response.status_code, response.json()["actor"]) == (200, "anonymous")
    assert client.head(NOTES).status_code == 200
    assert client.get(SECRETS).status_code == 403
    assert write(client) == 403
    assert client.delete(NOTES).status_code == 403
    assert WRITES == []


def test_reads_need_a_key_where_they_are_not_public(client: Client, settings: Settings) -> None:
    settings.ALMA_PUBLIC_READ = False
    assert client.get(NOTES).status_code == client.head(NOTES).status_code == 403
    _, secret = make_key(READ)
    assert client.get(NOTES, headers={"X-API-Key": secret}).status_code == 200
    assert client.options(NOTES).status_code == 200


def test_a_narrow_key_reads_what_is_public_and_nothing_else(client: Client, settings: Settings) -> None:
    _, narrow = make_key(INFERENCE)
    _, foreign = make_key(INFERENCE, organization=make_organization("other"))
    assert client.get(NOTES, headers={"X-API-Key": narrow}).status_code == 200
    assert client.get(NOTES, headers={"X-API-Key": foreign}).status_code == 403
    settings.ALMA_PUBLIC_READ = False
    answer = client.get(NOTES, headers={"X-API-Key": narrow})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "MISSING_SCOPE")


def test_everybody_may_all_that_a_key_may_while_authentication_is_off(client: Client, settings: Settings) -> None:
    settings.ALMA_AUTH_ENABLED = False
    settings.ALMA_PUBLIC_READ = False
    assert write(client) == 201
    assert client.get(SECRETS).json() == {"actor": "authentication off"}
    assert write(client, X_API_Key="wrong") == 403


# -- the session of a person ----------------------------------------------------------------------
def test_a_session_reads_and_writes_with_a_token_against_forgery() -> None:
    person = make_user("requester")
    client = Client(enforce_csrf_checks=True)
    assert client.login(username=person.username, password=PASSWORD)
    assert client.get(NOTES).json()["actor"] == person.username
    assert write(client) == 403
    client.get("/admin/login/")
    client.get("/")
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else ""
    assert token
    assert write(client, X_CSRFToken=token) == 201
    assert write(client, X_CSRFToken="x" * 32) == 403


def test_a_key_needs_no_token_and_wins_over_the_session() -> None:
    person = make_user("admin")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    _, reader = make_key(READ, name="reader")
    assert client.get(NOTES, headers={"X-API-Key": reader}).json()["actor"] == "reader"
    assert write(client, X_API_Key=reader) == 403
    assert write(client, X_API_Key=make_key()[1]) == 201


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("requester", 201), ("admin", 201), (None, 403)])
def test_a_session_may_what_the_role_says(client: Client, role: str | None, status: int) -> None:
    client.force_login(make_user(role))
    assert write(client) == status


def test_the_session_of_a_person_who_has_left_is_anonymous(client: Client) -> None:
    person = make_user()
    client.force_login(person)
    person.is_active = False
    person.save()
    assert client.get(NOTES).json()["actor"] == "anonymous"
    assert write(client) == 403
