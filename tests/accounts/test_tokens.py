"""Our own bearer tokens, and the two routes of the older llamactl document that give them."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alma.accounts import tokens
from alma.accounts.keys import resolve
from alma.accounts.models import Membership
from alma.accounts.scopes import ADMIN, VIEWER
from alma.accounts.signing_in import FREE_FAILURES, stamp_of
from alma.errors import NotAuthenticated
from tests.factories.accounts import PASSWORD, make_organization, make_user

pytestmark = pytest.mark.django_db


def post(path: str, body: Any = None, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return Client().generic("POST", path, headers=names)
    return Client().post(path, json.dumps(body), content_type="application/json", headers=names)


def log_in(username: str = "ana", password: str = PASSWORD) -> Any:
    return post("/api/auth/login", {"username": username, "password": password})


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def forged(user: User, key: str | bytes | None = None, algorithm: str = "HS256", **changes: Any) -> str:
    """A token that holds, but for what is changed; a change to None leaves a claim out."""
    now = int(timezone.now().timestamp())
    claims = {
        "iss": "alma", "aud": "alma-api", "sub": str(user.pk), "org": make_organization().pk, "typ": "access",
        "stamp": stamp_of(user), "auth_time": now, "iat": now, "exp": now + 60, **changes,
    }  # fmt: skip
    signed_with = tokens._key(tokens.settings.SECRET_KEY) if key is None else key
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, signed_with, algorithm)


# -- the documented routes ------------------------------------------------------------------------
@pytest.mark.parametrize("slash", ["", "/"])
def test_login_as_documented(slash: str) -> None:
    make_user(username="ana")
    answer = post(f"/api/auth/login{slash}", {"username": "ana", "password": PASSWORD})
    body = answer.json()
    assert answer.status_code == 200
    assert body["token"].startswith("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")
    assert datetime.fromisoformat(body["expires_at"]) > timezone.now() + timedelta(minutes=59)
    assert body["expires_at"].endswith("Z")
    assert answer["Cache-Control"] == "no-store"


def test_a_token_has_the_rights_of_the_role_of_today() -> None:
    ana = make_user("admin", username="ana")
    actor = resolve(log_in().json()["token"])
    assert (actor.user, actor.scopes, actor.key_id, actor.lane) == (ana, ADMIN, None, "live")
    token = log_in().json()["token"]
    Membership.objects.update(role="viewer")
    assert resolve(token).scopes == VIEWER


def test_a_token_opens_every_family() -> None:
    make_user("admin", username="ana")
    token = log_in().json()["token"]
    for path in ("/api/v1/iprs", "/v1/auth/tokens"):
        assert Client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert Client().get(path, headers={"X-API-Key": token}).status_code == 200
        assert Client().get(path, headers={"Authorization": f"Bearer {token}x"}).status_code in {401, 403}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "ana", "password": "wrong"}, 401),
        ({"username": "nobody", "password": PASSWORD}, 401),
        ({"username": "gone", "password": PASSWORD}, 401),
        ({"username": "ana"}, 400),
        ({"username": "ana", "password": ""}, 400),
        ({"username": "ana", "password": 5}, 400),
        ({"username": "a" * 151, "password": "x"}, 400),
        ([], 400),
    ],
)
def test_login_is_refused(body: Any, status: int) -> None:
    make_user(username="ana")
    make_user(username="gone", is_active=False)
    answer = post("/api/auth/login", body)
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "code"}
    assert "eyJ" not in answer.content.decode()


def test_refusals_do_not_tell_who_exists() -> None:
    make_user(username="ana")
    assert log_in("ana", "wrong").content == log_in("nobody", "wrong").content


def test_guessing_is_slowed_down() -> None:
    make_user(username="ana")
    answers = [log_in(password="wrong").status_code for _ in range(FREE_FAILURES)]
    assert answers == [401] * FREE_FAILURES
    refused = log_in()
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) >= 1


def test_refresh_takes_either_token_from_header_or_body() -> None:
    make_user(username="ana")
    body = log_in().json()
    answers = [
        post("/api/auth/refresh", Authorization=f"Bearer {body['token']}"),
        post("/api/auth/refresh/", Authorization=f"Bearer {body['refresh_token']}"),
        post("/api/auth/refresh", {"refresh_token": body["refresh_token"]}),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert resolve(answer.json()["token"]).label == "ana"
        assert claims_of(answer.json()["token"])["jti"] != claims_of(body["token"])["jti"]


@pytest.mark.parametrize("token", ["", "eyJ.eyJ.x", "alm_live_" + "0" * 48, "x"])
def test_refresh_takes_nothing_else(token: str) -> None:
    answer = post("/api/auth/refresh", {"refresh_token": token})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_renewing_does_not_go_on_for_ever(settings: Settings) -> None:
    user = make_user(username="ana")
    settings.ALMA_LOGIN_SECONDS = 3_600
    old = tokens.Login(user, make_organization().pk, timezone.now() - timedelta(minutes=50))
    renewed = tokens.renew(tokens.access_token(old).text)
    assert tokens.access_token(renewed).expires_at <= old.ends_at
    over = tokens.Login(user, make_organization().pk, timezone.now() - timedelta(minutes=61))
    with pytest.raises(NotAuthenticated):
        tokens.renew(tokens.refresh_token(over).text)


# -- what ends one --------------------------------------------------------------------------------
def _new_password(user: User) -> None:
    user.set_password("another phrase altogether")
    user.save()


def _disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _leave(user: User) -> None:
    Membership.objects.filter(user=user).delete()


@pytest.mark.parametrize("end", [_new_password, _disable, _leave, User.delete])
def test_what_ends_a_token(end: Any) -> None:
    user = make_user(username="ana")
    body = log_in().json()
    assert resolve(body["token"]).user == user
    end(user)
    with pytest.raises(NotAuthenticated):
        resolve(body["token"])
    if end is not _leave:
        assert post("/api/auth/refresh", {"refresh_token": body["refresh_token"]}).status_code == 401


def test_a_login_through_the_page_ends_no_token(client: Client) -> None:
    make_user(username="ana")
    token = log_in().json()["token"]
    client.post("/login/", {"username": "ana", "password": PASSWORD})
    assert resolve(token)


# -- forgeries ------------------------------------------------------------------------------------
def test_the_forge_makes_good_tokens() -> None:
    user = make_user()
    assert resolve(forged(user)).user == user


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1}, {"exp": None}, {"iss": "somebody"}, {"iss": None}, {"aud": "others"}, {"aud": None},
        {"sub": "999999"}, {"sub": "x"}, {"sub": None}, {"sub": "9" * 30}, {"typ": "refresh"}, {"typ": None},
        {"stamp": "0" * 32}, {"stamp": None}, {"auth_time": None}, {"org": 999_999}, {"org": None},
        {"iat": 4_000_000_000}, {"key": "secret" * 8}, {"key": "", "algorithm": "none"}, {"algorithm": "HS512"},
        {"key": "django-insecure-" * 4},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_does_not_hold_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        resolve(forged(make_user(), **changes))


def test_the_secret_key_itself_signs_nothing(settings: Settings) -> None:
    with pytest.raises(NotAuthenticated):
        resolve(forged(make_user(), key=settings.SECRET_KEY))


def test_a_changed_claim_breaks_the_signature() -> None:
    user = make_user("viewer")
    head, _, signature = forged(user).split(".")
    claims = {**claims_of(forged(user)), "sub": str(make_user("admin").pk)}
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(NotAuthenticated):
        resolve(f"{head}.{middle}.{signature}")


def test_tokens_outlive_the_change_of_the_secret_key_for_a_while(settings: Settings) -> None:
    user = make_user()
    token = forged(user)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new secret key " * 4
    with pytest.raises(NotAuthenticated):
        resolve(token)  # the stamp is made with the present key
    assert resolve(forged(user)).user == user


@pytest.mark.parametrize("token", ["eyJ.a.b", "eyJ..", "eyJhbGciOiJIUzI1NiJ9.bm8.eA", "eyJ" + "a" * 9000 + ".b.c"])
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        resolve(token)
