"""Pages for people, and those that ask for the password again."""

import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from alma.accounts.models import ApiKey
from alma.accounts.signing_in import FREE_FAILURES
from tests.factories.accounts import PASSWORD, make_environment, make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db

LOOKED_AT = ["/settings/keys/", "/settings/members/", "/settings/organization/", "/account/password/"]
GUARDED = [
    "/settings/keys/new/",
    "/settings/keys/{key}/revoke/",
    "/settings/members/add/",
    "/settings/members/{member}/remove/",
    "/settings/organization/environments/development/",
]
POSTED = [
    *GUARDED,
    "/settings/members/{member}/role/",
    "/settings/members/{member}/link/",
    "/settings/organization/name/",
]


@pytest.fixture
def names() -> dict[str, Any]:
    make_environment("development")
    member = make_user("viewer", username="vera").memberships.get()
    return {"key": make_key(name="old")[0].token_id, "member": member.pk}


@pytest.fixture
def stale(client: Client) -> Client:
    return sign_in(client, make_user(username="ana"), is_recent=False)


@pytest.mark.parametrize("path", LOOKED_AT)
def test_looking_needs_no_recent_login(stale: Client, names: dict[str, Any], path: str) -> None:
    assert stale.get(path).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
def test_old_logins_are_asked_again_and_recent_ones_are_not(stale: Client, names: dict[str, Any], path: str) -> None:
    path = path.format(**names)
    answer = stale.get(path)
    assert (answer.status_code, answer.url) == (302, f"/account/confirm/?next={path.replace('/', '%2F')}")
    assert sign_in(stale, make_user()).get(path).status_code == 200


@pytest.mark.parametrize("path", POSTED)
def test_nothing_is_changed_before_the_password_is_given(stale: Client, names: dict[str, Any], path: str) -> None:
    form = {"name": "new", "role": "admin", "username": "zoe", "required_approvals": "9", "preset": "read"}
    came_from = {"Referer": "http://testserver/settings/members/?page=1"}
    answer = stale.post(path.format(**names), form, headers=came_from)
    assert answer.url == "/account/confirm/?next=%2Fsettings%2Fmembers%2F%3Fpage%3D1"
    assert "Nothing was changed yet" in stale.get(answer.url).content.decode()
    member = make_user().memberships.model.objects.get(pk=names["member"])
    assert (member.role, ApiKey.objects.get().state) == ("viewer", "active")


@pytest.mark.parametrize("path", [*LOOKED_AT, *POSTED])
@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_keys_are_refused_even_beside_a_session(client: Client, names: dict[str, Any], path: str, header: str) -> None:
    _, secret = make_key()
    value = secret if header == "X-API-Key" else f"Bearer {secret}"
    for browser in (Client(), sign_in(client, make_user())):
        answer = browser.post(path.format(**names), headers={header: value})
        assert answer.status_code == (405 if path in LOOKED_AT[:3] else 403)
        if path in LOOKED_AT[:3]:
            assert browser.get(path, headers={header: value}).status_code == 403


def test_the_password_of_a_proxy_is_no_key(client: Client) -> None:
    sign_in(client, make_user())
    assert client.get("/settings/keys/", headers={"Authorization": "Basic eDp5"}).status_code == 200


@pytest.mark.parametrize("path", [*LOOKED_AT, *GUARDED])
def test_strangers_are_sent_to_sign_in(client: Client, names: dict[str, Any], path: str) -> None:
    path = path.format(**names)
    assert client.get(path).url == f"/login/?next={path}"


def test_parts_are_sent_on_by_htmx(stale: Client) -> None:
    make_organization()
    here = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/keys/"}
    assert stale.get("/settings/keys/new/", headers=here)["HX-Redirect"].endswith("next=%2Fsettings%2Fkeys%2F")
    there = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/settings/keys/"}
    assert stale.get("/settings/keys/new/", headers=there)["HX-Redirect"].endswith("next=%2F")


# -- the page that asks ---------------------------------------------------------------------------
def give(client: Client, password: str, target: str = "/settings/keys/new/") -> Any:
    return client.post("/account/confirm/", {"password": password, "next": target})


def test_the_password_opens_the_page_for_a_while(stale: Client, settings: Settings) -> None:
    before = stale.session.session_key
    assert give(stale, PASSWORD).url == "/settings/keys/new/"
    assert stale.session.session_key != before
    assert stale.get("/settings/keys/new/").status_code == 200
    session = stale.session
    session["confirmed_at"] = int(time.time()) - settings.ALMA_RECENT_LOGIN_SECONDS
    session.save()
    assert stale.get("/settings/keys/new/").status_code == 302


@pytest.mark.parametrize("value", [None, "soon", 10**11, True])
def test_a_time_that_makes_no_sense_is_no_login(stale: Client, value: Any) -> None:
    session = stale.session
    session["confirmed_at"] = value
    session.save()
    assert stale.get("/settings/keys/new/").status_code == 302


def test_a_wrong_password_opens_nothing_and_is_counted(stale: Client) -> None:
    make_user(username="bob", password="the password of bob")
    for password in ("", "wrong", "the password of bob"):
        assert give(stale, password).status_code == 422
        assert stale.get("/settings/keys/new/").status_code == 302
    for _ in range(FREE_FAILURES):
        give(stale, "wrong")
    assert "Too many attempts" in give(stale, PASSWORD).content.decode()
    assert stale.get("/settings/keys/new/").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_it_leads_nowhere_else(stale: Client, target: str) -> None:
    assert give(stale, PASSWORD, target).url == "/"


def test_signing_in_is_recent(client: Client) -> None:
    make_user(username="ana")
    client.post("/login/", {"username": "ana", "password": PASSWORD})
    assert client.get("/settings/keys/new/").status_code == 200
