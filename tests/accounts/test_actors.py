"""Actors: whose rights they have, what they see, and what everybody may."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import RequestFactory
from pytest_django import Settings

from alma.accounts.actors import Actor, for_anonymous, for_user
from alma.accounts.middleware import actor_of
from alma.accounts.models import ApiKey, Environment, Membership, Project
from alma.accounts.scopes import ADMIN, EVERYTHING, READ, ROLE_SCOPES, SERVICE
from alma.errors import Refused
from tests.factories.accounts import make_environment, make_key, make_organization, make_project, make_user

pytestmark = pytest.mark.django_db

FIRST_WITH = {
    "ipr:read": "viewer",
    "blueprint:write": "requester",
    "ipr:write": "requester",
    "ipr:review": "reviewer",
    "ipr:deploy": "deployer",
    "deployment:write": "deployer",
    "vm:write": "operator",
    "instance:write": "operator",
    "key:write": "admin",
    "policy:write": "admin",
    "admin:write": "admin",
    "ipr:override": "admin",
}
ORDER = ["viewer", "requester", "reviewer", "deployer", "operator", "admin"]


@pytest.mark.parametrize(("scope", "first"), FIRST_WITH.items())
@pytest.mark.parametrize("role", ORDER)
def test_who_holds_a_scope(role: str, scope: str, first: str) -> None:
    assert for_user(make_user(role)).has(scope) is (ORDER.index(role) >= ORDER.index(first))


def test_roles_grow_and_are_all_there() -> None:
    assert list(ROLE_SCOPES) == ORDER == Membership.Role.values
    for lower, upper in zip(ORDER, ORDER[1:], strict=False):
        assert ROLE_SCOPES[lower] < ROLE_SCOPES[upper]


def test_nobody_breaks_the_glass_by_role_and_no_key_administers() -> None:
    assert "ipr:breakglass" in EVERYTHING
    assert all("ipr:breakglass" not in scopes for scopes in [*ROLE_SCOPES.values(), SERVICE])
    assert not {"admin:read", "admin:write"} & SERVICE
    assert ADMIN >= SERVICE
    assert READ <= EVERYTHING


def test_require_names_the_right_and_who_lacks_it() -> None:
    actor = for_user(make_user("viewer", username="vera"))
    assert actor.require("ipr:read")
    with pytest.raises(Refused, match=r"ipr:deploy.*vera") as refused:
        actor.require("ipr:deploy")
    assert refused.value.code == "MISSING_SCOPE"


def test_a_person_without_membership_has_nothing() -> None:
    actor = for_user(make_user(role=None))
    assert (actor.organization_id, actor.scopes) == (None, frozenset())
    assert not actor.is_anonymous


def test_a_person_in_two_organizations_acts_in_the_first() -> None:
    first, second = make_organization(), make_organization("other")
    person = make_user("viewer", organization=second)
    Membership.objects.create(organization=first, user=person, role="admin")
    actor = for_user(person)
    assert (actor.organization_id, actor.scopes) == (first.pk, ADMIN)


def test_everybody_reads_the_public_organization(settings: Settings) -> None:
    public = make_organization()
    make_organization("other")
    actor = for_anonymous()
    assert (actor.organization_id, actor.scopes, actor.is_anonymous) == (public.pk, frozenset(), True)
    settings.ALMA_PUBLIC_ORGANIZATION = "nobody"
    assert for_anonymous().organization_id is None


def test_everybody_is_trusted_while_authentication_is_off(settings: Settings) -> None:
    settings.ALMA_AUTH_ENABLED = False
    organization = make_organization()
    actor = for_anonymous()
    assert (actor.organization_id, actor.scopes, actor.is_anonymous) == (organization.pk, SERVICE, False)
    assert not actor.has("admin:write")


def test_the_actor_of_a_page() -> None:
    make_organization()
    request = RequestFactory().get("/")
    request.session, request.user = {}, AnonymousUser()
    assert actor_of(request).is_anonymous
    request.user = make_user("reviewer", username="rita")
    assert (actor_of(request).label, actor_of(request).user_id) == ("rita", request.user.pk)


# -- what they see --------------------------------------------------------------------------------
def test_visible_to_shows_the_own_organization_alone() -> None:
    own, other = make_organization(), make_organization("other")
    mine = [make_environment(organization=own), make_project(organization=own), make_key(organization=own)[0]]
    theirs = [make_environment(organization=other), make_project(organization=other), make_key(organization=other)[0]]
    for rows, actor in ((mine, Actor(own.pk, "a")), (theirs, Actor(other.pk, "b"))):
        seen = [*Environment.objects.visible_to(actor), *Project.objects.visible_to(actor)]
        assert [*seen, *ApiKey.objects.visible_to(actor)] == rows
    assert not Environment.objects.visible_to(Actor(None, "c")).exists()


def test_memberships_are_of_one_organization_and_once() -> None:
    person = make_user("viewer")
    assert Membership.objects.visible_to(Actor(make_organization().pk, "a")).get().user == person
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=make_organization(), user=person)


def test_slugs_are_free_in_another_organization() -> None:
    make_environment("staging")
    make_environment("staging", organization=make_organization("other"))
    with pytest.raises(IntegrityError), transaction.atomic():
        make_environment("staging")


@pytest.mark.parametrize(("count", "is_valid"), [(0, True), (10, True), (11, False)])
def test_required_approvals_are_bounded(count: int, is_valid: bool) -> None:
    environment = make_environment(required_approvals=count)
    if is_valid:
        environment.full_clean()
    else:
        with pytest.raises(ValidationError):
            environment.full_clean()
