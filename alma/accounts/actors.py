"""Who acts: one small value that pages, API, sockets and services pass along and ask for rights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from alma.accounts.models import Membership, Organization
from alma.accounts.scopes import ROLE_SCOPES, SERVICE
from alma.errors import NotAuthenticated, Refused
from alma.statements import Statement

CHOSEN = "organization_id"
"""Under which a session keeps the organization that its person switched to."""
_ORGANIZATION = Statement(lambda slug: Organization.objects.filter(slug=slug).values_list("pk"), "slug")


@dataclass(frozen=True)
class Actor:
    """An authenticated or anonymous caller. `label` is what history shows; it comes from the credential alone. Who is
    keyless showed none; that is an anonymous caller unless authentication is off."""

    organization_id: int | None
    label: str
    scopes: frozenset[str] = frozenset()
    user: User | None = None
    key_id: int | None = None
    lane: str = "live"
    is_anonymous: bool = False
    is_keyless: bool = False

    @property
    def user_id(self) -> int | None:
        """The person behind the credential, when there is one."""
        return self.user.pk if self.user else None

    def has(self, scope: str) -> bool:
        """Whether the actor holds a scope."""
        return scope in self.scopes

    def also(self, scope: str) -> "Actor":
        """The same with one right more. Pages have an actor that is looked up late, which is none to copy from outside."""
        return replace(self, scopes=self.scopes | {scope})

    def require(self, scope: str) -> bool:
        """True when the actor holds a scope. Raises Refused when not."""
        if scope not in self.scopes:
            raise Refused(f"This needs the right {scope}, which {self.label} does not have.", code="MISSING_SCOPE")
        return True


def permit(actor: Actor, *scopes: str, opened_by: tuple[str, ...] = ()) -> bool:
    """True when the actor holds these scopes, or when the settings of these names open this to everybody: then a narrow
    credential of the public organization may what an anonymous caller may. Raises NotAuthenticated, Refused."""
    missing = next((scope for scope in scopes if not actor.has(scope)), None)
    if missing is None and not actor.is_anonymous:
        return True
    is_open = bool(opened_by) and all(getattr(settings, name) for name in opened_by)
    if is_open and (actor.is_anonymous or actor.organization_id == public_organization_id()):
        return True
    if missing is None or actor.is_anonymous:
        raise NotAuthenticated("Invalid API key")
    return actor.require(missing)


def for_user(user: User, organization_id: int | None = None) -> Actor:
    """The actor of a person, in the organization they chose, or the first one while they belong to no such."""
    rows = list(Membership.objects.filter(user=user).order_by("organization_id"))
    membership = next((row for row in rows if row.organization_id == organization_id), rows[0] if rows else None)
    if membership is None:
        return Actor(None, user.get_username(), user=user)
    return Actor(membership.organization_id, user.get_username(), ROLE_SCOPES[membership.role], user=user)


def in_session(user: User, session: Mapping[str, Any]) -> Actor:
    """The actor of a signed-in person, in the organization that this session was switched to."""
    chosen = session.get(CHOSEN)
    return for_user(user, chosen if isinstance(chosen, int) else None)


def public_organization_id() -> int | None:
    """The organization that callers without an account see."""
    return next((row[0] for row in _ORGANIZATION(slug=settings.ALMA_PUBLIC_ORGANIZATION)), None)


def for_service(label: str) -> Actor:
    """The actor of a key from the server's own environment, or of everybody while authentication is off."""
    return Actor(public_organization_id(), label, SERVICE)


def for_anonymous() -> Actor:
    """The actor of a caller without a credential: reads what is public, and everything when authentication is off."""
    if not settings.ALMA_AUTH_ENABLED:
        return replace(for_service("authentication off"), is_keyless=True)
    return Actor(public_organization_id(), "anonymous", is_anonymous=True, is_keyless=True)
