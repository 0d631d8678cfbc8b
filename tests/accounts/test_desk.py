"""The services behind pages and routes ask for the right themselves, whoever calls them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor, for_anonymous, for_service, for_user
from alma.accounts.desk import audit, keys, members, policies
from alma.accounts.models import ApiKey, Environment, Membership
from alma.accounts.scopes import EVERYTHING
from alma.errors import NotFound, Refused
from alma.events.models import Event
from tests.factories.accounts import make_environment, make_key, make_organization, make_user

pytestmark = pytest.mark.django_db

WISH = keys.Wish(name="new", scopes=frozenset({"vm:read"}))


def _member() -> Membership:
    return Membership.objects.get(user__username="vera")


ACTS: dict[str, tuple[str, Callable[[Actor], Any]]] = {
    "mint": ("key:write", lambda by: keys.mint(WISH, by=by)),
    "revoke": ("key:write", lambda by: keys.revoke(ApiKey.objects.get(name="old"), by=by)),
    "add": ("admin:write", lambda by: members.add("zoe", "viewer", by=by)),
    "role": ("admin:write", lambda by: members.change_role(_member(), "admin", by=by)),
    "invite": ("admin:write", lambda by: members.invite(_member(), by=by)),
    "remove": ("admin:write", lambda by: members.remove(_member(), by=by)),
    "look": ("admin:read", lambda by: members.found(_member().pk, by=by)),
    "rule": ("policy:write", lambda by: policies.change_rule(
        Environment.objects.get(), required_approvals=4, is_protected=True, by=by)),
    "look at a rule": ("policy:read", lambda by: policies.environment_of("development", by=by)),
    "rename": ("admin:write", lambda by: policies.rename("New", by=by)),
}  # fmt: skip


@pytest.fixture
def admin() -> Actor:
    make_environment("development")
    make_key(name="old")
    vera = make_user("viewer", username="vera")
    vera.set_unusable_password()
    vera.save()
    return replace(for_user(make_user("admin", username="ana")), scopes=EVERYTHING)


@pytest.mark.parametrize(("scope", "act"), ACTS.values(), ids=ACTS)
def test_each_needs_its_right(admin: Actor, scope: str, act: Callable[[Actor], Any]) -> None:
    before = Event.objects.count()
    with pytest.raises(Refused, match=scope):
        act(replace(admin, scopes=EVERYTHING - {scope}))
    assert Event.objects.count() == before
    act(admin)


@pytest.mark.parametrize("name", ["revoke", "role", "invite", "remove", "look", "rule", "look at a rule"])
def test_each_stays_in_its_organization(admin: Actor, name: str) -> None:
    stranger = replace(admin, organization_id=make_organization("other").pk)
    if name == "revoke":
        with pytest.raises(NotFound):
            keys.found(ApiKey.objects.get(name="old").token_id, by=stranger)
        return
    with pytest.raises(NotFound):
        ACTS[name][1](stranger)


@pytest.mark.parametrize("actor", [for_anonymous, lambda: for_service("environment key")], ids=["anonymous", "service"])
def test_who_is_nobody_makes_no_key(admin: Actor, actor: Callable[[], Actor]) -> None:
    with pytest.raises(Refused):
        keys.mint(WISH, by=actor())


def test_who_belongs_nowhere_manages_nothing(admin: Actor) -> None:
    with pytest.raises(Refused, match="no organization"):
        audit.organization_of(replace(admin, organization_id=None))
    with pytest.raises(Refused, match="no organization"):
        keys.mint(WISH, by=replace(admin, organization_id=None))
