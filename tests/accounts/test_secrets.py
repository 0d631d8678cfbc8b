"""A secret is in the one answer that gives it, and nowhere else: no row, no event, no log, no other page."""

import json
import logging
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.test import Client

from alma.accounts.models import ApiKey
from tests.accounts.test_token_api import basic, mint
from tests.factories.accounts import PASSWORD, make_environment, make_user, sign_in

pytestmark = pytest.mark.django_db

FORM = {"name": "page", "preset": "management", "lane": "live", "days": "", "acts_for": "me"}
NEW = "a phrase that nobody knows"


def dump() -> str:
    """Every row of every table, as text."""
    rows = [row for model in apps.get_models() for row in model._base_manager.all()]
    return serializers.serialize("json", rows)


def tail(secret: str) -> str:
    """What of a secret is secret: not the twelve characters that lists show."""
    return secret[12:]


def planted(browser: Client) -> list[str]:
    """One secret of each kind, each used once."""
    page = browser.post("/settings/keys/new/", FORM).content.decode()
    made = page.partition('<pre id="secret">')[2].partition("</pre>")[0]
    minted = mint(basic("ana"), name="api").json()["data"]["access_token"]
    answer = mint({**basic("ana"), "Idempotency-Key": "once"}, name="kept").json()["data"]["access_token"]
    body = json.dumps({"username": "ana", "password": PASSWORD})
    login = browser.post("/api/auth/login", body, content_type="application/json").json()
    link = browser.post("/settings/members/add/", {"username": "zoe", "role": "viewer"}).content.decode()
    token = link.partition("/account/welcome/")[2].partition("<")[0].strip("/").split("/")[1]
    secrets = [made, minted, answer, login["token"], login["refresh_token"]]
    for secret in secrets[:4]:
        assert Client().get("/api/v1/iprs", headers={"X-API-Key": secret}).status_code == 200
    Client().get(f"/api/v1/iprs?api_key={made}")
    assert Client().get("/v1/auth/tokens", headers={"X-API-Key": f"{made[:-1]}?"}).status_code == 401
    return [*map(tail, secrets), token, PASSWORD]


def test_secrets_are_nowhere(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    make_environment("development")
    browser = sign_in(client, make_user("admin", username="ana"))
    secrets = planted(browser)
    browser.post("/account/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    secrets.append(NEW)
    places: dict[str, Any] = {"the database": dump(), "the log": caplog.text}
    paths = ["/settings/keys/", "/settings/members/", "/settings/organization/", "/", "/v1/auth/tokens"]
    paths += [f"/settings/keys/{key.token_id}/revoke/" for key in ApiKey.objects.all()]
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code == 200
        places[path] = answer.content.decode()
    assert all(len(secret) > 15 for secret in secrets)
    assert [(place, secret) for place, text in places.items() for secret in secrets if secret in text] == []
    prefixes = ApiKey.objects.values_list("prefix", flat=True)
    assert all(prefix in places["the database"] and prefix in places["/settings/keys/"] for prefix in prefixes)


def test_the_dump_sees_what_is_stored() -> None:
    key = ApiKey.mint(make_user("admin").memberships.get().organization, "planted-name", frozenset({"vm:read"}))[0]
    assert key.digest in dump()
    assert "planted-name" in dump()
