"""From the secret in a header to an actor."""

import hmac
from datetime import timedelta

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from alma.accounts import issuers, tokens
from alma.accounts.actors import Actor, for_service
from alma.accounts.models import ApiKey, Membership
from alma.accounts.scopes import ROLE_SCOPES
from alma.errors import NotAuthenticated

LAST_USED_STEP = timedelta(minutes=1)
MAX_LENGTH = 512
MAX_TOKEN_LENGTH = 8_000
_NOBODY = "0" * 64
_ROLE = Membership.objects.filter(user=OuterRef("owner"), organization=OuterRef("organization")).values("role")


def resolve(secret: str, *, address: str = "") -> Actor:
    """The actor of a key or a token, read from the database each time so that its end holds at once.

    Raises NotAuthenticated."""
    if not secret.isascii():
        raise NotAuthenticated("Invalid API key")
    if tokens.looks_like_one(secret):
        return _of_token(secret)
    if not 0 < len(secret) <= MAX_LENGTH:
        raise NotAuthenticated("Invalid API key")
    return _of_key(secret, address) or _from_environment(secret)


def _of_token(token: str) -> Actor:
    if len(token) > MAX_TOKEN_LENGTH:
        raise NotAuthenticated("Invalid token")
    return tokens.resolve(token) if tokens.is_ours(token) else issuers.resolve(token)


def _of_key(secret: str, address: str) -> Actor | None:
    """The actor of a stored key. A key of a person can do no more than the person can today, and ends when they leave.

    Raises NotAuthenticated."""
    digest = ApiKey.digest_of(secret)
    rows = ApiKey.objects.active().filter(digest=digest).select_related("owner")
    row = rows.annotate(owner_role=Subquery(_ROLE[:1])).first()
    if not hmac.compare_digest(digest, row.digest if row else _NOBODY) or row is None:
        return None
    scopes = frozenset(row.scopes)
    if row.owner is not None:
        if not row.owner.is_active or row.owner_role is None:
            raise NotAuthenticated("Invalid API key")
        scopes &= ROLE_SCOPES[row.owner_role]
    _note_use(row, address)
    return Actor(row.organization_id, row.name, scopes, user=row.owner, key_id=row.pk, lane=row.lane)


def _from_environment(secret: str) -> Actor:
    """Keys of ALMA_API_KEYS, compared in constant time."""
    matches = [hmac.compare_digest(secret, known) for known in settings.ALMA_API_KEYS]
    if not any(matches):
        raise NotAuthenticated("Invalid API key")
    return for_service("environment key")


def _note_use(row: ApiKey, address: str) -> None:
    """Remember the last use to the minute, so that a busy key costs no write per request."""
    stale = timezone.now() - LAST_USED_STEP
    if row.last_used_at is None or row.last_used_at < stale:
        still_stale = Q(last_used_at=None) | Q(last_used_at__lt=stale)
        ApiKey.objects.filter(still_stale, pk=row.pk).update(last_used_at=timezone.now(), last_used_from=address[:45])
