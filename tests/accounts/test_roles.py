"""Every role and every page and route of accounts: who may look, and who may change."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from alma.accounts import urls
from alma.accounts.models import ApiKey, Environment, Membership, Organization
from alma.events.models import Event
from tests.factories.accounts import make_environment, make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db

EVERYBODY = {*Membership.Role.values, "nobody"}
MEMBERS = set(Membership.Role.values)
ADMINS = {"admin"}
OF_ONESELF = {"login", "logout", "confirm_login", "password", "switch_organization", "welcome"}
WITHOUT_PERSON = {"api-login", "api-refresh"}
MATRIX: dict[tuple[str, str], set[str]] = {
    ("GET", "keys"): MEMBERS,
    ("GET", "key_new"): ADMINS,
    ("POST", "key_new"): ADMINS,
    ("GET", "key_revoke"): ADMINS,
    ("POST", "key_revoke"): ADMINS,
    ("GET", "members"): ADMINS,
    ("GET", "member_add"): ADMINS,
    ("POST", "member_add"): ADMINS,
    ("POST", "member_role"): ADMINS,
    ("POST", "member_link"): ADMINS,
    ("GET", "member_remove"): ADMINS,
    ("POST", "member_remove"): ADMINS,
    ("GET", "organization"): MEMBERS,
    ("POST", "organization_name"): ADMINS,
    ("GET", "environment"): ADMINS,
    ("POST", "environment"): ADMINS,
    ("GET", "api-tokens"): MEMBERS,
    ("POST", "api-tokens"): ADMINS,
    ("DELETE", "api-token"): ADMINS,
}
FORM = {
    "name": "new", "preset": "read", "lane": "live", "days": "90", "acts_for": "organization", "username": "zoe",
    "role": "operator", "required_approvals": "7",
}  # fmt: skip
TOKEN = {"name": "new", "permissions": ["vm:read"]}


def test_every_route_has_a_row() -> None:
    named = {pattern.name for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)}
    assert named - OF_ONESELF - WITHOUT_PERSON == {name for _, name in MATRIX}


@pytest.fixture
def paths() -> dict[str, str]:
    make_environment("development")
    invited = make_user("viewer", username="vera")
    invited.set_unusable_password()
    invited.save()
    key, pk = make_key(name="old")[0].token_id, invited.memberships.get().pk
    return {
        "keys": "/settings/keys/", "key_new": "/settings/keys/new/", "key_revoke": f"/settings/keys/{key}/revoke/",
        "members": "/settings/members/", "member_add": "/settings/members/add/",
        "member_role": f"/settings/members/{pk}/role/", "member_link": f"/settings/members/{pk}/link/",
        "member_remove": f"/settings/members/{pk}/remove/", "organization": "/settings/organization/",
        "organization_name": "/settings/organization/name/",
        "environment": "/settings/organization/environments/development/",
        "api-tokens": "/v1/auth/tokens", "api-token": f"/v1/auth/tokens/{key}",
    }  # fmt: skip


def state() -> Any:
    """Everything that these pages change."""
    return [
        list(ApiKey.objects.order_by("pk").values_list("name", "revoked_at")),
        list(Membership.objects.order_by("pk").values_list("user__username", "user__password", "role")),
        list(Environment.objects.values_list("slug", "required_approvals")),
        list(Organization.objects.values_list("slug", "name")),
        Event.objects.count(),
    ]


def ask(client: Client, method: str, name: str, path: str) -> Any:
    if name.startswith("api-"):
        return client.generic(method, path, json.dumps(TOKEN), content_type="application/json")
    return client.post(path, FORM) if method == "POST" else client.get(path)


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize(("method", "name"), MATRIX, ids=lambda value: str(value))
def test_who_may(client: Client, paths: dict[str, str], method: str, name: str, role: str) -> None:
    person = make_user(None if role == "nobody" else role, username="ana")
    before = state()
    answer = ask(sign_in(client, person), method, name, paths[name])
    if role in MATRIX[method, name]:
        assert answer.status_code < 400
        assert (state() != before) is (method != "GET")
    else:
        assert answer.status_code == 403
        assert state() == before


@pytest.mark.parametrize(("method", "name"), MATRIX, ids=lambda value: str(value))
def test_an_administrator_of_others_changes_nothing_here(
    client: Client, paths: dict[str, str], method: str, name: str
) -> None:
    stranger = make_user("admin", organization=make_organization("other"), username="mallory")
    answer = ask(sign_in(client, stranger), method, name, paths[name])
    assert [word for word in (b"old", b"vera", b"Development") if word in _main(answer)] == []
    assert ApiKey.objects.get(name="old").revoked_at is None
    assert Membership.objects.get(user__username="vera").role == "viewer"
    assert Environment.objects.get().required_approvals == 0
    assert Organization.objects.get(slug="default").name == "Default"


def _main(answer: Any) -> bytes:
    """The rows of a page without its frame, whose words are our own; of a route the whole answer."""
    is_page = b"<html" in answer.content
    return answer.content.partition(b"<tbody>")[2].partition(b"</tbody>")[0] if is_page else answer.content
