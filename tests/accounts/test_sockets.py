"""Sockets know a person and a program by the same rules as pages and routes do."""

import pytest
from django.test import Client

from alma.accounts import tokens
from alma.accounts.models import ApiKey, Membership
from alma.asgi_types import Scope
from alma.errors import NotAuthenticated
from alma.events.credentials import presented
from tests.factories.accounts import make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db


def opened(**headers: str) -> Scope:
    given = {"host": "testserver", "origin": "http://testserver", **headers}
    rows = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    return {"type": "websocket", "scheme": "ws", "path": "/ws/pages", "headers": rows, "client": ("203.0.113.5", 4711)}


def test_a_session_acts_in_the_organization_that_it_was_switched_to(client: Client) -> None:
    first, second = make_organization(), make_organization("second")
    zoe = make_user("admin", organization=first)
    Membership.objects.create(organization=second, user=zoe, role="viewer")
    sign_in(client, zoe)
    credential = presented(opened(cookie=f"sessionid={client.session.session_key}"))
    assert credential.actor().organization_id == first.pk
    client.post("/account/organization/", {"organization": "second"})
    actor = credential.actor()
    assert (actor.organization_id, actor.has("admin:write")) == (second.pk, False)


def test_what_ends_a_session_ends_its_sockets(client: Client) -> None:
    zoe = make_user("admin")
    sign_in(client, zoe)
    credential = presented(opened(cookie=f"sessionid={client.session.session_key}"))
    assert credential.actor().user == zoe
    zoe.set_password("another phrase altogether")
    zoe.save()
    with pytest.raises(NotAuthenticated):
        credential.actor()


def test_tokens_and_keys_open_sockets_until_they_end() -> None:
    zoe = make_user("admin")
    token = tokens.access_token(tokens.log_in(zoe)).text
    by_token = presented(opened(authorization=f"Bearer {token}"))
    assert by_token.actor().user == zoe
    key, secret = make_key()
    by_key = presented(opened(x_api_key=secret))
    assert by_key.actor().key_id == key.pk
    assert ApiKey.objects.get().last_used_from == "203.0.113.5"
    key.revoke()
    zoe.is_active = False
    zoe.save()
    for credential in (by_token, by_key):
        with pytest.raises(NotAuthenticated):
            credential.actor()
