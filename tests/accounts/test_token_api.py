"""`/v1/auth/tokens` of the Proxmox AI document: what is given, to whom, and how it ends."""

import base64
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alma.accounts.keys import resolve
from alma.accounts.models import ApiKey, Membership
from alma.accounts.scopes import EVERYTHING, READ
from alma.accounts.signing_in import FREE_FAILURES
from alma.errors import NotAuthenticated
from alma.events.models import Event
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db

TOKENS = "/v1/auth/tokens"
DOCUMENTED = {
    "name": "deployment-automation",
    "description": "Token for CI/CD deployment automation",
    "expires_in": 2592000,
    "permissions": ["vm:read", "vm:write", "network:read"],
}


def basic(name: str = "ana", password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def mint(headers: dict[str, str] | None = None, client: Client | None = None, **changes: Any) -> Any:
    body = {name: value for name, value in {**DOCUMENTED, **changes}.items() if value is not None}
    agent = client or Client()
    return agent.post(TOKENS, json.dumps(body), content_type="application/json", headers=headers or basic())


# -- minting --------------------------------------------------------------------------------------
def test_the_documented_example() -> None:
    ana = make_user(username="ana")
    answer = mint()
    body = answer.json()
    assert (answer.status_code, body["success"], set(body)) == (201, True, {"success", "data", "meta"})
    data = body["data"]
    assert set(data) == {"token_id", "access_token", "token_type", "expires_at", "permissions"}
    assert re.fullmatch(r"tok_[0-9a-f]{16}", data["token_id"])
    assert re.fullmatch(r"pxa_[0-9a-f]{32}", data["access_token"])
    assert (data["token_type"], data["permissions"]) == ("bearer", DOCUMENTED["permissions"])
    left = datetime.fromisoformat(data["expires_at"]) - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    assert answer["Cache-Control"] == "no-store"
    actor = resolve(data["access_token"])
    assert (actor.user, actor.label, actor.scopes) == (ana, DOCUMENTED["name"], set(DOCUMENTED["permissions"]))


def test_the_documented_refusal() -> None:
    make_user(username="ana")
    for headers in (basic(password="wrong"), basic("nobody"), basic("a\0b"), {"Authorization": "Basic ???"}):
        answer = mint(headers)
        assert answer.status_code == 401
        error = answer.json()["error"]
        assert (error["code"], error["message"]) == ("INVALID_CREDENTIALS", "Invalid username or password")
        assert error["details"] == {"field": "password", "reason": "authentication_failed"}
    assert not ApiKey.objects.exists()


def test_a_token_without_a_stated_end_has_one() -> None:
    make_user(username="ana")
    left = datetime.fromisoformat(mint(expires_in=None).json()["data"]["expires_at"]) - timezone.now()
    assert timedelta(days=89) < left <= timedelta(days=90)


def test_a_login_and_a_session_mint_too(client: Client) -> None:
    ana = make_user(username="ana")
    login = json.dumps({"username": "ana", "password": PASSWORD})
    token = client.post("/api/auth/login", login, content_type="application/json").json()["token"]
    assert mint(bearer(token)).status_code == 201
    assert mint({"Accept": "*/*"}, sign_in(client, ana)).status_code == 201


def test_a_session_mints_only_from_a_page_of_ours() -> None:
    client = sign_in(Client(enforce_csrf_checks=True), make_user(username="ana"))
    assert mint({"Accept": "*/*"}, client).status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("scopes", [EVERYTHING, {"key:write"}])
def test_a_key_makes_no_key(scopes: frozenset[str], settings: Settings) -> None:
    settings.ALMA_API_KEYS = ["from-the-environment"]
    owned = make_key(frozenset(scopes), owner=make_user())[1]
    for secret in (make_key(frozenset(scopes))[1], owned, "from-the-environment"):
        count = ApiKey.objects.count()
        answer = mint(bearer(secret))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
        assert answer.json()["error"]["details"]["reason"] == "keys_cannot_mint"
        assert ApiKey.objects.count() == count


@pytest.mark.parametrize("role", [*Membership.Role.values, None])
def test_who_may_mint(role: str | None) -> None:
    make_user(role, username="ana")
    assert mint().status_code == (201 if role == "admin" else 403)
    assert ApiKey.objects.exists() is (role == "admin")


def test_nobody_gives_what_they_do_not_have() -> None:
    make_user("admin", username="ana")
    assert mint(permissions=["ipr:breakglass"]).status_code == 403
    assert mint(permissions=["admin:read"]).json()["error"]["details"]["reason"] == "for_people_only"
    assert mint(permissions=["ipr:override"]).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"permissions": ["world:rule"]}, 422),
        ({"permissions": []}, 422),
        ({"permissions": None}, 400),
        ({"permissions": "vm:read"}, 400),
        ({"permissions": [5]}, 400),
        ({"name": ""}, 422),
        ({"name": " "}, 422),
        ({"name": None}, 400),
        ({"name": "a\u202eb"}, 422),
        ({"name": "a\nb"}, 422),
        ({"name": "a" * 101}, 422),
        ({"description": "a" * 501}, 422),
        ({"expires_in": 0}, 422),
        ({"expires_in": -1}, 422),
        ({"expires_in": 10**12}, 422),
        ({"expires_in": "soon"}, 400),
        ({"expires_in": "3600"}, 400),
    ],
    ids=str,
)
def test_what_is_refused(changes: dict[str, Any], status: int) -> None:
    make_user(username="ana")
    given = {**DOCUMENTED, **changes}
    body = {name: value for name, value in given.items() if value is not None}
    answer = Client().post(TOKENS, json.dumps(body), content_type="application/json", headers=basic())
    assert (answer.status_code, answer.json()["success"]) == (status, False)
    assert not ApiKey.objects.exists()


def test_fields_of_the_row_cannot_be_set() -> None:
    make_user(username="ana")
    other = make_organization("other")
    extra = {
        "organization_id": other.pk, "owner": 1, "lane": "test", "digest": "0" * 64, "revoked_at": "2020-01-01",
        "token_id": "tok_0000000000000000", "permisions": ["vm:read"],
    }  # fmt: skip
    for name, value in extra.items():
        refused = mint(**{name: value})
        assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (400, name)
    assert not ApiKey.objects.exists(), (
        "as for every body of /v1, a field that is not known is refused and not left out"
    )


def test_guessing_is_slowed_down() -> None:
    make_user(username="ana")
    answers = [mint(basic(password="wrong")).status_code for _ in range(FREE_FAILURES)]
    assert answers == [401] * FREE_FAILURES
    refused = mint()
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")


def test_name_and_password_beside_a_key_are_ambiguous() -> None:
    make_user(username="ana")
    answer = mint({**basic(), "X-API-Key": make_key()[1]})
    assert answer.status_code == 400


@pytest.mark.parametrize(("is_on", "status"), [(False, 401), (True, 200)])
def test_name_and_password_elsewhere_are_for_development(settings: Settings, is_on: bool, status: int) -> None:
    settings.ALMA_BASIC_AUTH = is_on
    make_user(username="ana")
    assert Client().get(TOKENS, headers=basic()).status_code == status


# -- listing --------------------------------------------------------------------------------------
def test_the_list_knows_everything_but_the_secret() -> None:
    make_user(username="ana")
    secret = mint().json()["data"]["access_token"]
    _, reader = make_key(READ, name="reader")
    Client().get(TOKENS, headers=bearer(reader), REMOTE_ADDR="203.0.113.9")
    answer = Client().get(TOKENS, headers=bearer(reader), REMOTE_ADDR="203.0.113.10")
    rows = {row["name"]: row for row in answer.json()["data"]["tokens"]}
    assert set(rows) == {"reader", DOCUMENTED["name"]}
    assert rows["reader"]["last_used_from"] == "203.0.113.9"
    made = rows[DOCUMENTED["name"]]
    assert (made["status"], made["created_by"], made["last_used_at"]) == ("active", "ana", None)
    assert secret not in answer.content.decode()
    assert not {"digest", "access_token"} & set(made)
    assert answer.json()["data"]["pagination"]["total"] == 2


@pytest.mark.parametrize(
    ("days", "is_revoked", "state"),
    [
        (None, False, "active"), (15, False, "active"), (13, False, "expiring"), (-1, False, "expired"),
        (15, True, "revoked"), (-1, True, "revoked"),
    ],
)  # fmt: skip
def test_states(days: int | None, is_revoked: bool, state: str) -> None:
    key, _ = make_key(expires_at=None if days is None else timezone.now() + timedelta(days=days))
    if is_revoked:
        key.revoke()
    assert key.state == state


# -- revoking -------------------------------------------------------------------------------------
def revoke(token_id: str, secret: str) -> Any:
    return Client().delete(f"{TOKENS}/{token_id}", headers=bearer(secret))


def test_the_documented_revocation_twice() -> None:
    key, secret = make_key()
    _, manager = make_key(name="manager")
    assert resolve(secret)
    for _ in range(2):
        answer = revoke(key.token_id, manager)
        body = answer.json()
        assert answer.status_code == 200
        assert (body["success"], body["message"], set(body)) == (
            True, "Token revoked successfully", {"success", "message", "meta"},
        )  # fmt: skip
        with pytest.raises(NotAuthenticated):
            resolve(secret)
    assert Event.objects.filter(kind="key.revoked").count() == 1


def test_a_token_ends_itself_and_no_other() -> None:
    mine, secret = make_key(frozenset({"vm:read"}))
    other, _ = make_key(frozenset({"vm:read"}))
    assert revoke(other.token_id, secret).status_code == 403
    assert revoke(mine.token_id, secret).status_code == 200
    assert revoke(mine.token_id, secret).status_code == 401
    other.refresh_from_db()
    assert other.revoked_at is None


def test_a_foreign_token_is_as_one_that_never_was() -> None:
    foreign, foreign_secret = make_key(organization=make_organization("other"))
    _, secret = make_key()
    answers = [revoke(token_id, secret) for token_id in (foreign.token_id, "tok_0000000000000000")]
    errors = [(answer.status_code, answer.json()["error"]) for answer in answers]
    assert errors[0] == errors[1]
    assert errors[0][0] == 404
    assert resolve(foreign_secret)


@pytest.mark.parametrize("token_id", ["tok_", "tok_xyz", "1", "tok_%00000000000000000", "..", "tok_" + "0" * 400])
def test_other_ids_are_not_found(token_id: str) -> None:
    assert revoke(token_id, make_key()[1]).status_code == 404


def test_without_a_credential_nothing_is_said() -> None:
    key, _ = make_key()
    for method, path in (("get", TOKENS), ("post", TOKENS), ("delete", f"{TOKENS}/{key.token_id}")):
        answer = getattr(Client(), method)(path)
        assert answer.status_code == 401
        assert key.name not in answer.content.decode()


# -- whose a token is -----------------------------------------------------------------------------
def test_a_token_follows_its_person() -> None:
    ana = make_user("admin", username="ana")
    secret = mint().json()["data"]["access_token"]
    assert resolve(secret).scopes == set(DOCUMENTED["permissions"])
    Membership.objects.update(role="viewer")
    assert resolve(secret).scopes == {"vm:read", "network:read"}
    Membership.objects.all().delete()
    Membership.objects.create(user=ana, organization=make_organization("elsewhere"), role="admin")
    with pytest.raises(NotAuthenticated):
        resolve(secret)
