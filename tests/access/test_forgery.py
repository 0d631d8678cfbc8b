"""A form of another site changes nothing: whatever is not a read needs the token of our page."""

from typing import Any

import pytest
from django.test import Client

from tests.access.callers import Caller
from tests.access.conftest import EXPECTED, KNOWN, Stage
from tests.access.judging import body_of, filled
from tests.access.routes import SAFE, Route
from tests.factories.accounts import sign_in

pytestmark = pytest.mark.django_db
WRITING = [route for route in KNOWN if route.method not in SAFE]
OWN_CREDENTIAL = {"POST /api/auth/login", "POST /api/auth/refresh"}
"""These take no session, and what they give is in the answer: there is nothing to forge."""


@pytest.fixture
def victim(stage: Stage) -> Caller:
    """An administrator of ours, whose browser another site has send things."""
    (admin,) = [caller for caller in stage.callers if caller.name == "admin"]
    user = admin.client.session["_auth_user_id"]
    person = stage.ours.memberships.get(user_id=user).user
    return Caller("victim", "person", sign_in(Client(enforce_csrf_checks=True), person))


def forged(stage: Stage, victim: Caller, route: Route, headers: dict[str, str]) -> Any:
    expected = EXPECTED[route.key]
    path, body = filled(route, expected, stage.own), body_of(expected, stage.own)
    send = getattr(victim.client, route.method.lower())
    return send(path, body, headers=headers, **({"content_type": "application/json"} if route.is_api else {}))


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"X-CSRFToken": "x" * 32}], ids=str)
def test_nothing_is_taken_without_the_token(stage: Stage, victim: Caller, headers: dict[str, str]) -> None:
    wrong = []
    for route in WRITING:
        if route.key in OWN_CREDENTIAL:
            continue
        response = forged(stage, victim, route, headers)
        if response.status_code != 403:
            wrong.append(f"{route.key}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


def test_the_administration_takes_nothing_without_the_token(stage: Stage) -> None:
    (root,) = [caller for caller in stage.callers if caller.name == "superuser"]
    client = Client(enforce_csrf_checks=True)
    client.cookies = root.client.cookies
    for path in ("/admin/accounts/organization/add/", "/admin/logout/", "/admin/accounts/apikey/add/"):
        assert client.post(path, {"name": "x", "slug": "x"}).status_code == 403
