"""From a request to its bucket, and from the bucket to what the answer says."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from alma.accounts.actors import Actor
from alma.accounts.signing_in import network_of
from alma.api.authentication import presented_key
from alma.api.dialects import Dialect
from alma.api.limits.buckets import Reading
from alma.api.limits.classes import SHOWN_IN, RateClass, allowance, class_of
from alma.api.limits.limiter import current
from alma.errors import BadRequest, DomainError, RateLimited

SLOT = "rate_charge"
"""The attribute of a request that says it has been counted: its Charge, or None where nothing is limited."""


@dataclass(frozen=True)
class Charge:
    """One request that was counted."""

    allowance: RateClass
    reading: Reading

    def headers(self, dialect: Dialect) -> dict[str, str]:
        """What the family says of it beside every answer."""
        if dialect.name not in SHOWN_IN:
            return {}
        return dialect.rate_headers(
            limit=self.allowance.limit, remaining=self.reading.remaining(self.allowance),
            reset=self.reading.reset(self.allowance), window=self.allowance.window,
        )  # fmt: skip

    def refusal(self) -> DomainError:
        """Why the request is not answered."""
        seconds = self.reading.retry_after
        words = "1 second" if seconds == 1 else f"{seconds:,} seconds"
        if self.allowance.is_sensitive:
            error = BadRequest(f"Too many requests. Try again in {words}.")
            error.retry_after = seconds
            return error
        return RateLimited(f"Rate limit exceeded. Try again in {words}.", retry_after=seconds)


def is_counted(request: HttpRequest) -> bool:
    """Whether somebody has charged it already."""
    return hasattr(request, SLOT)


def charge_of(request: HttpRequest) -> Charge | None:
    """How it was charged; None where nothing is limited."""
    return getattr(request, SLOT, None)


def charge_request(request: HttpRequest, dialect: Dialect, actor: Actor | None = None) -> None:
    """Count a request once, by its credential when that holds, else by its address. Raises what refuses it."""
    if is_counted(request):
        return
    setattr(request, SLOT, None)
    address = network_of(request.META.get("REMOTE_ADDR", ""))
    client = _client(request, actor) if actor else None
    charge = charge_client(dialect, request.path, request.method or "GET", address, client, actor.lane if actor else "")
    setattr(request, SLOT, charge)
    if charge is not None and not charge.reading.is_allowed:
        raise charge.refusal()


def charge_client(
    dialect: Dialect, path: str, method: str, address: str, client: str | None = None, lane: str = ""
) -> Charge | None:
    """Count a request of a client, or of whoever is behind an address. None where nothing is limited."""
    rate_class = class_of(path, method, dialect.name, is_known=client is not None)
    if rate_class is None or not settings.ALMA_RATE_LIMITS:
        return None
    who = client or f"address:{address}"
    if rate_class.is_sensitive and client:
        who = f"{client}@{address}"
    allowed = allowance(rate_class, lane)
    return Charge(allowed, current().charge(allowed, who))


def _client(request: Any, actor: Actor) -> str | None:
    """What stands for a credential: a stored key, a person, or a key of the server's environment."""
    if actor.key_id is not None:
        return f"key:{actor.key_id}"
    if actor.user_id is not None:
        return f"user:{actor.user_id}"
    secret = None if actor.is_anonymous else presented_key(request.headers)
    return f"key:{hashlib.sha256(secret.encode()).hexdigest()[:16]}" if secret else None
