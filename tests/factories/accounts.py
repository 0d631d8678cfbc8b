"""People, organizations and keys for tests."""

import time
from itertools import count
from typing import Any

from django.contrib.auth.models import User

from alma.accounts.actors import Actor, for_user
from alma.accounts.models import ApiKey, Environment, Membership, Organization, Project
from alma.accounts.scopes import SERVICE

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_organization(slug: str = "default", **overrides: Any) -> Organization:
    """The organization of that slug; the same one when it is asked for again."""
    return Organization.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **overrides})[0]


def make_user(
    role: str | None = Membership.Role.ADMIN, *, organization: Organization | None = None, **overrides: Any
) -> User:
    """A person with a role in an organization, or in none for role None."""
    username = overrides.pop("username", f"person-{next(_numbers)}")
    user = User.objects.create_user(username, password=overrides.pop("password", PASSWORD), **overrides)
    if role is not None:
        Membership.objects.create(organization=organization or make_organization(), user=user, role=role)
    return user


def make_actor(role: str | None = Membership.Role.ADMIN, *, organization: Organization | None = None) -> Actor:
    """A signed-in person as services see them."""
    return for_user(make_user(role, organization=organization))


def make_key(
    scopes: frozenset[str] = SERVICE, *, organization: Organization | None = None, **overrides: Any
) -> tuple[ApiKey, str]:
    """A key and its secret."""
    name = overrides.pop("name", f"key-{next(_numbers)}")
    return ApiKey.mint(organization or make_organization(), name, scopes, **overrides)


def make_environment(
    slug: str = "development", *, organization: Organization | None = None, **overrides: Any
) -> Environment:
    """An environment that needs no approvals unless told otherwise."""
    values = {"name": slug.title(), "required_approvals": 0, **overrides}
    return Environment.objects.create(organization=organization or make_organization(), slug=slug, **values)


def make_project(slug: str = "shop", *, organization: Organization | None = None) -> Project:
    """A project."""
    return Project.objects.create(organization=organization or make_organization(), slug=slug, name=slug.title())


def sign_in(client: Any, user: User, *, is_recent: bool = True) -> Any:
    """A browser in which that person has just given the password, or did so long ago."""
    client.force_login(user)
    session = client.session
    session["confirmed_at"] = int(time.time()) - (0 if is_recent else 100_000)
    session.save()
    return client
