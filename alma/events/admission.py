"""How many sockets an actor may hold, and whether they may still: asked again every few seconds."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError

from alma.accounts.actors import Actor
from alma.errors import DomainError
from alma.events.credentials import Credential
from alma.events.hub import Hub

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 10.0
PAUSE_SECONDS = 1.0


def identity_of(actor: Actor) -> str:
    """Whose allowance a socket counts against; who is neither a person nor a key of ours shares that of the process."""
    if actor.key_id is not None:
        return f"key:{actor.key_id}"
    return f"user:{actor.user_id}" if actor.user_id is not None else ""


@dataclass(eq=False)
class Guest:
    """An open socket: who it was opened for, and how to end it."""

    credential: Credential
    actor: Actor
    dismiss: Callable[[], Awaitable[None]]
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        self.identity = identity_of(self.actor)


class Doorman:
    """Counts the sockets of a process and shows out those whose right has ended or changed."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.guests: set[Guest] = set()
        self._counts: Counter[str] = Counter()

    def admit(self, guest: Guest) -> bool:
        """Take a socket in, unless there are too many."""
        is_crowd = bool(guest.identity) and self._counts[guest.identity] >= settings.ALMA_SOCKETS_PER_ACTOR
        if is_crowd or len(self.guests) >= settings.ALMA_SOCKETS:
            return False
        self.guests.add(guest)
        self._counts[guest.identity] += 1
        return True

    def leave(self, guest: Guest) -> None:
        """A socket has closed."""
        if guest in self.guests:
            self.guests.discard(guest)
            self._counts[guest.identity] -= 1
            self._counts += Counter()  # drops those at zero

    async def watch(self) -> None:
        """Recheck for as long as the hub lives: by the clock, and when something of an organization's keys, members or
        rules has changed, but not more often than once a second."""
        changed = self.hub.alarm("organization:")
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECHECK_SECONDS):
                    await changed.wait()
            changed.clear()
            try:
                await self.recheck()
            except DatabaseError:
                logger.warning("the rights of open sockets cannot be read, trying again", exc_info=True)
            await asyncio.sleep(min(PAUSE_SECONDS, RECHECK_SECONDS))

    async def recheck(self) -> None:
        """Ask for each credential once whether it still stands for the same actor."""
        credentials = list({guest.credential for guest in self.guests})
        now = dict(zip(credentials, await self.hub.in_thread(_actors, credentials), strict=True))
        gone = [guest for guest in self.guests if now.get(guest.credential, guest.actor) != guest.actor]
        await asyncio.gather(*(guest.dismiss() for guest in gone), return_exceptions=True)


def _actors(credentials: list[Credential]) -> list[Actor | None]:
    return [_actor(credential) for credential in credentials]


def _actor(credential: Credential) -> Actor | None:
    try:
        return credential.actor()
    except DomainError:
        return None


_doormen: WeakKeyDictionary[Hub, Doorman] = WeakKeyDictionary()


def doorman_of(hub: Hub) -> Doorman:
    """The one doorman of a hub, at work."""
    if hub not in _doormen:
        _doormen[hub] = Doorman(hub)
        hub.spawn(_doormen[hub].watch())
    return _doormen[hub]
