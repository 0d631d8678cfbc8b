"""Making and revoking keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.desk.audit import hold, organization_of, tell
from alma.accounts.models import ApiKey
from alma.accounts.scopes import EVERYTHING, FOR_PEOPLE
from alma.errors import Invalid, NotFound, Refused
from alma.events.models import Event

WRITE = "key:write"
LONGEST = timedelta(days=3650)
DAY = timedelta(days=1)
LIMITS = ("requests_per_minute", "requests_at_once", "tokens_per_day", "tokens_per_month", "instances")


@dataclass(frozen=True)
class Wish:
    """The key that somebody wants."""

    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    description: str = ""
    lane: ApiKey.Lane = ApiKey.Lane.LIVE
    style: ApiKey.Style = ApiKey.Style.ALM
    is_personal: bool = False
    """Whether the key acts for the person: never with more rights than they have at the time, and not after they left."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    """What it may have of models: some of LIMITS."""


@transaction.atomic
def mint(wish: Wish, *, by: Actor) -> tuple[ApiKey, str]:
    """Make a key; its secret is in this answer and nowhere else. Raises Refused, Invalid."""
    check_mint(by=by)
    _check(wish, by=by)
    organization = hold(organization_of(by))
    key, secret = ApiKey.mint(
        organization, wish.name, wish.scopes, style=wish.style, lane=wish.lane, description=wish.description,
        expires_at=wish.expires_at, owner=by.user if wish.is_personal else None, created_by=by.label, **wish.limits,
    )  # fmt: skip
    tell_created(key, by=by)
    return key, secret


def tell_created(key: ApiKey, *, by: Actor) -> None:
    """That there is a key, and what it may do."""
    expires_at = key.expires_at.isoformat() if key.expires_at else None
    tell(key.organization_id, "key.created", by=by, **_named(key), scopes=key.scopes, expires_at=expires_at)


def check_mint(*, by: Actor) -> None:
    """Raises Refused. A key that could make keys would outlive its own revocation: only people make them."""
    by.require(WRITE)
    if by.key_id is not None or by.user is None:
        raise Refused("A key makes no keys; sign in as a person.", code="KEYS_CANNOT_MINT")


def _check(wish: Wish, *, by: Actor) -> None:
    if not wish.name.strip() or not wish.name.isprintable() or len(wish.name) > 100:
        raise _invalid("name", "must be 1 to 100 characters that can be seen", wish.name[:100])
    _check_scopes(wish.scopes, by=by)
    now = timezone.now()
    if wish.expires_at is not None and not now < wish.expires_at <= now + LONGEST:
        raise _invalid("expires_in", "must be in the future, and within ten years", None)


def _check_scopes(scopes: frozenset[str], *, by: Actor) -> None:
    unknown = [scope[:60] for scope in sorted(scopes - EVERYTHING)[:10]]
    if unknown:
        said = f"permissions: there is no {' and no '.join(unknown)}; they read like vm:read."
        raise _invalid("permissions", "unknown_permission", unknown, said)
    if not scopes:
        raise _invalid("permissions", "must_not_be_empty", [])
    if scopes & FOR_PEOPLE:
        raise Refused("No key administers members: only people do.", code="FOR_PEOPLE_ONLY")
    more = sorted(scopes - by.scopes)
    if more:
        raise Refused(f"You cannot give what you do not have: {', '.join(more)}.", code="SCOPE_NOT_HELD")


def _invalid(field: str, reason: str, value: Any, said: str = "") -> Invalid:
    return Invalid(said or f"{field}: {reason}", details={"field": field, "reason": reason, "provided_value": value})


def found(token_id: str, *, by: Actor) -> ApiKey:
    """That key of the actor's organization. Raises NotFound."""
    key = ApiKey.objects.visible_to(by).select_related("owner").filter(token_id=token_id[:24]).first()
    if key is None:
        raise NotFound("There is no such key.", code="TOKEN_NOT_FOUND")
    return key


@transaction.atomic
def limit(key: ApiKey, limits: Mapping[str, Any], *, by: Actor) -> None:
    """Change what a key may have of models; the next request with it is held to that. Raises Refused."""
    check_mint(by=by)
    changed = {name: value for name, value in limits.items() if name in LIMITS}
    ApiKey.objects.filter(pk=key.pk).update(**changed)
    key.refresh_from_db()
    tell(key.organization_id, "key.limits_changed", by=by, **_named(key), **changed)


@transaction.atomic
def revoke(key: ApiKey, *, by: Actor) -> bool:
    """End a key; a key may always end itself. False when it was revoked before. Raises Refused."""
    if by.key_id != key.pk:
        by.require(WRITE)
    return end(key, by=by)


@transaction.atomic
def end(key: ApiKey, *, by: Actor) -> bool:
    """Revoke a key and tell it, for an operator too, who has no role in the organization."""
    is_new = key.revoke()
    if is_new:
        tell(key.organization_id, "key.revoked", by=by, **_named(key))
    return is_new


def _named(key: ApiKey) -> dict[str, Any]:
    return {"token_id": key.token_id, "name": key.name, "prefix": key.prefix, "lane": key.lane}


def changes_under(key: ApiKey, *, by: Actor) -> int:
    """How many events of the last day bear the name of a key: what stops when it is revoked."""
    rows = Event.objects.visible_to(by).filter(at__gt=timezone.now() - DAY, actor=key.name)
    return rows.count()
