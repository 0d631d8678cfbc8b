"""Our own bearer tokens: what a program gets for a person's name and password. Nothing of them is stored.

A token ends by its time, with the password it was got by, when its person is disabled, and when the person leaves the
organization. It is signed with a key that is derived from the secret key and used for nothing else.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from alma.accounts.actors import Actor, for_user
from alma.accounts.signing_in import stamp_of
from alma.errors import NotAuthenticated

ISSUER: Final = "alma"
AUDIENCE: Final = "alma-api"
ALGORITHM: Final = "HS256"
ACCESS: Final = "access"
REFRESH: Final = "refresh"
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "typ", "stamp", "auth_time"]


@dataclass(frozen=True)
class Login:
    """A person who gave the password at a time, and the organization they act in."""

    user: User
    organization_id: int | None
    at: datetime

    @property
    def ends_at(self) -> datetime:
        """After this the password is asked for again, however often the token was renewed."""
        return self.at + timedelta(seconds=settings.ALMA_LOGIN_SECONDS)


@dataclass(frozen=True)
class Token:
    """A signed text and until when it is good."""

    text: str
    expires_at: datetime


def looks_like_one(secret: str) -> bool:
    """Whether a credential is a JSON Web Token and not a key."""
    return secret.startswith("eyJ") and secret.count(".") == 2


def is_ours(token: str) -> bool:
    """Whether a token says that we signed it; whether that is true is another question."""
    try:
        return bool(jwt.decode(token, options={"verify_signature": False}).get("iss") == ISSUER)
    except jwt.PyJWTError:
        return True


def log_in(user: User) -> Login:
    """The login of a person whose password was right just now."""
    return Login(user, for_user(user).organization_id, timezone.now().replace(microsecond=0))


def access_token(login: Login) -> Token:
    """What opens the API for a while."""
    return _signed(login, ACCESS, timedelta(seconds=settings.ALMA_ACCESS_TOKEN_SECONDS))


def refresh_token(login: Login) -> Token:
    """What opens nothing but a new access token."""
    return _signed(login, REFRESH, timedelta(seconds=settings.ALMA_LOGIN_SECONDS))


def resolve(token: str) -> Actor:
    """The actor of an access token. Raises NotAuthenticated."""
    login = _verified(token, {ACCESS})
    actor = for_user(login.user, login.organization_id)
    if actor.organization_id != login.organization_id:
        raise NotAuthenticated("Invalid token")
    return actor


def renew(token: str) -> Login:
    """The login behind a refresh token, or behind an access token that is still good. Raises NotAuthenticated."""
    return _verified(token, {ACCESS, REFRESH})


def _signed(login: Login, kind: str, lifetime: timedelta) -> Token:
    now = timezone.now().replace(microsecond=0)
    expires_at = min(now + lifetime, login.ends_at)
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(login.user.pk), "org": login.organization_id, "typ": kind,
        "stamp": stamp_of(login.user), "auth_time": int(login.at.timestamp()), "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()), "jti": secrets.token_hex(8),
    }  # fmt: skip
    return Token(jwt.encode(claims, _key(settings.SECRET_KEY), ALGORITHM), expires_at)


def _key(secret_key: str | bytes) -> bytes:
    return salted_hmac("alma.accounts.tokens", "signature", secret=secret_key, algorithm="sha256").digest()


def _verified(token: str, kinds: set[str]) -> Login:
    claims = _claims(token)
    user = _person(claims["sub"])
    if user is None or claims["typ"] not in kinds or not constant_time_compare(claims["stamp"], stamp_of(user)):
        raise NotAuthenticated("Invalid token")
    organization_id = claims.get("org")
    return Login(user, organization_id, datetime.fromtimestamp(claims["auth_time"], UTC))


def _claims(token: str) -> dict[str, Any]:
    """What a token says, signed with the present secret key or with one that is being replaced."""
    for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return jwt.decode(
                token, _key(secret_key), algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE,
                options={"require": _REQUIRED},
            )  # fmt: skip
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError as error:
            raise NotAuthenticated("The token has expired.") from error
        except jwt.PyJWTError as error:
            raise NotAuthenticated("Invalid token") from error
    raise NotAuthenticated("Invalid token")


def _person(subject: str) -> User | None:
    if not subject.isdigit() or len(subject) > 18:
        return None
    return User.objects.filter(pk=int(subject), is_active=True).first()


def narrowed(actor: Actor, scopes: frozenset[str]) -> Actor:
    """The actor with no more than these rights."""
    return replace(actor, scopes=actor.scopes & scopes)
