"""Bearer tokens of an identity provider (OpenID Connect): signed by the configured issuer, meant for us, and of a
person whom this installation knows. Nobody comes into being by showing a token."""

import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib.auth.models import User

from alma.accounts.actors import Actor, for_user
from alma.accounts.models import Membership
from alma.accounts.scopes import EVERYTHING
from alma.accounts.tokens import narrowed
from alma.errors import NotAuthenticated, Unavailable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a private key alone: nothing that the public key could be made to verify as a shared secret."""
TIMEOUT = 5.0
SILENCE = 10.0
LEEWAY = 30
DISCOVERY = "/.well-known/openid-configuration"


@dataclass
class Issuer:
    """An identity provider and its keys. They are read when first needed, kept for five minutes, and read again for a
    key that is new; after a failure nobody is kept waiting for a while."""

    name: str
    jwks_url: str = ""
    _client: jwt.PyJWKClient | None = field(default=None, repr=False)
    _failed_at: float = field(default=float("-inf"), repr=False)

    def key_of(self, token: str) -> jwt.PyJWK:
        """The key that a token says it was signed with. Raises NotAuthenticated, Unavailable."""
        if time.monotonic() - self._failed_at < SILENCE:
            raise self._unavailable()
        try:
            return self._keys().get_signing_key_from_jwt(token)
        except (jwt.PyJWKClientConnectionError, requests.RequestException, ValueError) as error:
            self._failed_at = time.monotonic()
            raise self._unavailable() from error
        except jwt.PyJWTError as error:
            raise NotAuthenticated("Invalid token") from error

    def _keys(self) -> jwt.PyJWKClient:
        if self._client is None:
            self._client = jwt.PyJWKClient(self.jwks_url or self._discovered(), timeout=TIMEOUT)
        return self._client

    def _discovered(self) -> str:
        """Where the issuer says that its keys are. Raises RequestException, ValueError."""
        address = self.name.rstrip("/") + DISCOVERY
        answer = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict) or found.get("issuer") != self.name or not found.get("jwks_uri"):
            raise ValueError("The discovery document is not of this issuer.")
        return str(found["jwks_uri"])

    def _unavailable(self) -> Unavailable:
        return Unavailable("The identity provider does not answer.", code="IDENTITY_PROVIDER_UNAVAILABLE")


@cache
def _issuer(name: str, jwks_url: str) -> Issuer:
    return Issuer(name, jwks_url)


def resolve(token: str) -> Actor:
    """The actor of a token of the configured issuer. Raises NotAuthenticated, Unavailable."""
    if not settings.ALMA_OIDC_ISSUER or not settings.ALMA_OIDC_AUDIENCE:
        raise NotAuthenticated("Invalid token")
    claims = _claims(token)
    user = _person(claims)
    if user is None:
        raise NotAuthenticated("Invalid token")
    actor = for_user(user, _organization_id(user, claims))
    granted = _scopes(claims)
    return narrowed(actor, granted) if granted else actor


def _claims(token: str) -> dict[str, Any]:
    unverified = _unverified(token)
    if unverified.get("iss") != settings.ALMA_OIDC_ISSUER:
        raise NotAuthenticated("Invalid token")
    key = _issuer(settings.ALMA_OIDC_ISSUER, settings.ALMA_OIDC_JWKS_URL).key_of(token)
    try:
        return jwt.decode(
            token, key, algorithms=ALGORITHMS, issuer=settings.ALMA_OIDC_ISSUER, audience=settings.ALMA_OIDC_AUDIENCE,
            leeway=LEEWAY, options={"require": ["iss", "aud", "exp", settings.ALMA_OIDC_USER_CLAIM]},
        )  # fmt: skip
    except jwt.PyJWTError as error:
        raise NotAuthenticated("Invalid token") from error


def _unverified(token: str) -> dict[str, Any]:
    """What a token says, before anything of it is believed: enough to ask nobody about tokens of strangers."""
    try:
        if jwt.get_unverified_header(token).get("alg") not in ALGORITHMS:
            raise NotAuthenticated("Invalid token")
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise NotAuthenticated("Invalid token") from error


def _person(claims: dict[str, Any]) -> User | None:
    """Whom the claim names. An address of mail counts only when the issuer has verified it."""
    name = claims.get(settings.ALMA_OIDC_USER_CLAIM)
    if not isinstance(name, str) or not name:
        return None
    if settings.ALMA_OIDC_USER_CLAIM == "email" and claims.get("email_verified") is not True:
        return None
    return User.objects.filter(username=name, is_active=True).first()


def _organization_id(user: User, claims: dict[str, Any]) -> int | None:
    """The organization that the token is for. Raises NotAuthenticated when its person does not belong there."""
    if not settings.ALMA_OIDC_ORGANIZATION_CLAIM:
        return None
    slug = claims.get(settings.ALMA_OIDC_ORGANIZATION_CLAIM)
    rows = Membership.objects.filter(user=user, organization__slug=slug) if isinstance(slug, str) else None
    membership = rows.first() if rows is not None else None
    if membership is None:
        raise NotAuthenticated("Invalid token")
    return membership.organization_id


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Those of our scopes that the token was granted; a token that speaks of none of ours leaves the role as it is."""
    said = claims.get("scope") or claims.get("scp") or ()
    words = said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
    return EVERYTHING & {word for word in words if isinstance(word, str)}
