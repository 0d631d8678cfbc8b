"""Who calls: a key or a token from the headers, kept in memory for a moment, and forgotten as soon as anything changes of an
organization's keys or members."""

import hashlib
import time
from dataclasses import dataclass, replace

from django.conf import settings

from alma.accounts.actors import Actor, for_anonymous
from alma.accounts.keys import resolve
from alma.accounts.models import ApiKey
from alma.api.authentication import presented_key
from alma.errors import NotAuthenticated
from alma.events.hub import Hub
from instances.router.backends import Headers
from instances.router.threads import Threads

KEPT_SECONDS = 2.0
MOST_KEPT = 10_000
_CREDENTIALS = {b"authorization": "Authorization", b"x-api-key": "X-API-Key"}


@dataclass(frozen=True)
class Limits:
    """What a key may have of models."""

    requests_per_minute: int | None = None
    requests_at_once: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    instances: frozenset[str] = frozenset()

    @property
    def has_quota(self) -> bool:
        """Whether tokens are counted against it."""
        return self.tokens_per_day is not None or self.tokens_per_month is not None


@dataclass(frozen=True)
class Caller:
    """An actor and the limits of their key."""

    actor: Actor
    limits: Limits = Limits()

    def may_use(self, name: str) -> bool:
        """Whether the key reaches the instance of this name."""
        return not self.limits.instances or name in self.limits.instances


class Callers:
    """The callers that this process knows."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self._generation = 0

    async def watch(self, hub: Hub) -> None:
        """Forget all whenever something is told of keys, members or roles; until cancelled."""
        changed = hub.alarm("organization:")
        while True:
            await changed.wait()
            changed.clear()
            self.forget()

    def forget(self) -> None:
        """Look everybody up again; also whom somebody is looking up right now."""
        self._known = {}
        self._generation += 1

    async def of(self, headers: Headers, address: str) -> Caller:
        """Who sent these headers. Raises NotAuthenticated, and BadRequest for two different credentials."""
        given = {
            _CREDENTIALS[name.lower()]: value.decode("latin-1")
            for name, value in headers
            if name.lower() in _CREDENTIALS
        }
        secret = presented_key(given)
        if secret is None:
            if settings.ALMA_AUTH_ENABLED:
                raise NotAuthenticated("Send a key: Authorization: Bearer …, or X-API-Key.", code="INVALID_API_KEY")
            secret = ""
        digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
        caller, until = self._known.get(digest, (None, 0.0))
        if caller is not None and time.monotonic() < until:
            return caller
        return await self._look_up(digest, secret, address)

    async def inside(self, actor: Actor) -> Caller:
        """Whom a page asks a model for: the bounds of a key hold there as well, but for which instances it reaches, since it did
        not choose one. Raises NotAuthenticated for a key that is gone."""
        if actor.key_id is None:
            return Caller(actor)
        return Caller(actor, replace(await self._threads.read(_limits_of, actor.key_id), instances=frozenset()))

    async def _look_up(self, digest: bytes, secret: str, address: str) -> Caller:
        generation = self._generation
        caller = await self._threads.read(_read, secret, address)
        if generation == self._generation:
            if len(self._known) >= MOST_KEPT:
                self._known = {}
            self._known[digest] = (caller, time.monotonic() + KEPT_SECONDS)
        return caller


def _read(secret: str, address: str) -> Caller:
    actor = resolve(secret, address=address) if secret else for_anonymous()
    if actor.key_id is None:
        return Caller(actor)
    return Caller(actor, _limits_of(actor.key_id))


def _limits_of(key_id: int) -> Limits:
    key = ApiKey.objects.filter(pk=key_id).first()
    if key is None:
        raise NotAuthenticated("This key is gone.", code="INVALID_API_KEY")
    return Limits(
        key.requests_per_minute, key.requests_at_once, key.tokens_per_day, key.tokens_per_month,
        frozenset(key.instances),
    )  # fmt: skip
