"""Websockets over the event log: the base that every route shares, and the nudges for pages.

A consumer decides who may connect and which streams they may follow; the hub does the rest.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, ClassVar

from channels.consumer import get_handler_name
from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer

from alma.accounts.actors import Actor, permit
from alma.accounts.scopes import OVERVIEW
from alma.api.parsers import body_object, loads
from alma.api.permissions import READS
from alma.api.renderers import dumps
from alma.asgi_types import Receive, Scope, Send
from alma.errors import BadRequest, DomainError, NotFound, Refused
from alma.events.admission import Guest, doorman_of
from alma.events.credentials import Credential, presented
from alma.events.feeds import prefix_of
from alma.events.hub import Hub, current_hub
from alma.events.origins import is_foreign, is_known_host
from alma.events.reading import EventRow
from alma.events.subscribers import NudgeSubscriber, RowSubscriber, Subscriber

logger = logging.getLogger(__name__)

MAX_FRAME = 64 * 1024
MAX_TOPICS = 200
MAX_SEQ = 2**63 - 1
FRAMES_PER_WINDOW = 100
WINDOW_SECONDS = 10.0
GRACE_SECONDS = 0.5
TRY_LATER, BREAKS_RULES, RIGHT_ENDED = 1013, 1008, 4403

Request = dict[str, Any]


class LiveConsumer(AsyncWebsocketConsumer):
    """A socket of one actor with one subscriber of the hub. Subclasses say who may connect and what they may ask."""

    requires: ClassVar[tuple[str, ...]]
    """The scopes that an actor needs."""
    is_public = False
    """Whether everybody may connect, where reads are public at all."""
    has_ended = False
    """Whether we have closed it: frames that were on their way are not answered any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._let_go()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does, without its thread hop through one global thread before every message."""
        await getattr(self, get_handler_name(message))(message)

    # -- coming ---------------------------------------------------------------------------------------
    async def connect(self) -> None:
        """Identify, count, accept; what is refused before the handshake is answered with 403."""
        self.hub: Hub = current_hub()
        self._window: tuple[float, int] = (0.0, 0)
        if not is_known_host(self.scope) or is_foreign(self.scope):
            raise DenyConnection
        try:
            credential = presented(self.scope)
            self.actor: Actor = await self.hub.in_thread(self._identify, credential)
        except DomainError as error:
            raise DenyConnection from error
        self.guest = Guest(credential, self.actor, self.dismiss)
        if doorman_of(self.hub).admit(self.guest):
            await self._open()
        else:
            await self.accept()
            await self._end("TOO_MANY_SOCKETS", "Too many sockets are open already.", TRY_LATER)

    def _identify(self, credential: Credential) -> Actor:
        actor = credential.actor()
        if actor.organization_id is None:
            raise Refused("This socket needs an account.")
        permit(actor, *self.requires, opened_by=READS if self.is_public else ())
        return actor

    async def _open(self) -> None:
        """Listen before the handshake is over: what happens from then on reaches the client."""
        self.topics: set[str] = set()
        self._spoken = asyncio.Event()
        self.subscriber = self.make_subscriber()
        self.hub.join(self.subscriber)
        await self.prepare()
        await self.accept()
        self._pump = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        """Give the client a moment to say what it wants before anything is sent unasked; nothing is lost by waiting."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._spoken.wait()
        self._spoken.set()
        await self.subscriber.pump()

    def make_subscriber(self) -> Subscriber:
        """The listener of this socket."""
        raise NotImplementedError

    async def prepare(self) -> None:
        """What the subscriber gets without being asked."""

    # -- talking --------------------------------------------------------------------------------------
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One request of the client: an action by name. What is wrong with it is said, and the socket stays open."""
        if self.has_ended:
            return
        if not self._is_within_rate():
            await self._end("TOO_MANY_FRAMES", "Too many frames in a short time.", BREAKS_RULES)
            return
        try:
            await self._obey(text_data.encode(errors="replace") if text_data is not None else bytes_data or b"")
        except DomainError as error:
            await self.say(self.error_frame(error))
        self._spoken.set()

    async def _obey(self, frame: bytes) -> None:
        if len(frame) > MAX_FRAME:
            raise BadRequest("The frame is larger than 64 KB.", code="FRAME_TOO_LARGE")
        request = body_object(loads(frame))
        name = request.get("action")
        action = self.actions().get(name) if isinstance(name, str) else None
        if action is None:
            raise BadRequest(f"action must be one of: {', '.join(sorted(self.actions()))}.", code="UNKNOWN_ACTION")
        await action(request)

    def actions(self) -> dict[str, Callable[[Request], Awaitable[None]]]:
        """What a client may ask, by the value of `action`."""
        return {}

    def add_topic(self, name: str) -> None:
        """Count a topic of this socket. Raises BadRequest for one too many."""
        if name not in self.topics and len(self.topics) >= MAX_TOPICS:
            raise BadRequest(f"At most {MAX_TOPICS} topics per socket.", code="TOO_MANY_TOPICS")
        self.topics.add(name)

    def error_frame(self, error: DomainError) -> dict[str, Any]:
        """How this socket words an error."""
        return {"type": "error", "message": error.message, "code": error.code}

    async def say(self, frame: dict[str, Any]) -> None:
        """Send a frame of our own, outside of the event log."""
        await self.send(text_data=dumps(frame).decode())

    def _is_within_rate(self) -> bool:
        started, count = self._window
        now = time.monotonic()
        self._window = (now, 1) if now - started > WINDOW_SECONDS else (started, count + 1)
        return self._window[1] <= FRAMES_PER_WINDOW

    # -- going ----------------------------------------------------------------------------------------
    async def dismiss(self) -> None:
        """The actor's right has ended or changed: say so and close; a new connection gets the new rights."""
        await self._end("RIGHT_ENDED", "Your access has changed; connect again.", RIGHT_ENDED)

    async def _end(self, code: str, message: str, close_code: int) -> None:
        if self.has_ended:
            return
        self.has_ended = True
        self._let_go()
        await self.say(self.error_frame(DomainError(message, code=code)))
        await self.close(close_code)

    def _let_go(self) -> None:
        if hasattr(self, "guest"):
            doorman_of(self.hub).leave(self.guest)
        if hasattr(self, "subscriber"):
            self.hub.leave(self.subscriber)
        if hasattr(self, "_pump"):
            self._pump.cancel()


class StreamConsumer(LiveConsumer):
    """Rows of one kind of stream, gap-free and resumable.

    A subclass names `prefix`, says with `stream_of` which stream a request means and whether the actor may see it, and
    words a row with `render`. Until the first `subscribe` a client gets everything of its organization from now on."""

    prefix = ""
    is_public = True

    @staticmethod
    def render(row: EventRow) -> bytes | str | None:
        """The frame for a row, or None to leave it out. Called once per row, whatever the number of sockets."""
        raise NotImplementedError

    def stream_of(self, request: Request) -> str:
        """The stream that a `subscribe` or `unsubscribe` is about. Runs in a thread and may ask the database.

        Raises DomainError, NotFound when the actor may not see it."""
        raise NotImplementedError

    def make_subscriber(self) -> Subscriber:
        assert self.actor.organization_id is not None
        return RowSubscriber(self.hub, self.actor.organization_id, self.base_send, type(self).render)

    async def prepare(self) -> None:
        await self.hub.watch(self.subscriber, self.prefix)

    def actions(self) -> dict[str, Callable[[Request], Awaitable[None]]]:
        return {"subscribe": self.subscribe, "unsubscribe": self.unsubscribe}

    async def subscribe(self, request: Request) -> None:
        """Narrow to one more stream: after `last_seq`, or its whole story when the client has had nothing of it."""
        after = seq_of(request.get("last_seq"))
        name = await self.hub.in_thread(self.stream_of, request)
        self.add_topic(name)
        self._narrow(name)
        if after is not None and name in self.hub.feeds:
            self.hub.unfollow(self.subscriber, self.hub.feeds[name])
        if not await self.hub.follow(self.subscriber, name, after or 0):
            raise NotFound("There is no such stream.")

    async def unsubscribe(self, request: Request) -> None:
        """No more of one stream."""
        name = await self.hub.in_thread(self.stream_of, request)
        self.topics.discard(name)
        if name in self.hub.feeds:
            self.hub.unfollow(self.subscriber, self.hub.feeds[name])

    def _narrow(self, name: str) -> None:
        """With the first subscription ends what comes unasked; a stream that came already goes on where it is."""
        self.hub.unwatch(self.subscriber)
        has_begun = self._spoken.is_set()
        for feed in list(self.subscriber.cursors):
            if self.subscriber not in feed.followers and not (has_begun and feed.name == name):
                self.subscriber.forget(feed)


class PagesConsumer(LiveConsumer):
    """Nudges for pages: `watch` topics, get `changed`, fetch the part again.

    A topic is a stream name (`ipr:12`), a kind of streams (`ipr:*`), or a name with the seq that the page was rendered
    at (`ipr:12#7`), which is answered at once when there is more by now."""

    requires = OVERVIEW

    def make_subscriber(self) -> Subscriber:
        assert self.actor.organization_id is not None
        return NudgeSubscriber(self.hub, self.actor.organization_id, self.base_send)

    def actions(self) -> dict[str, Callable[[Request], Awaitable[None]]]:
        return {"watch": self.watch}

    async def watch(self, request: Request) -> None:
        """Add topics to what this page wants to know of."""
        for topic in topics_of(request.get("topics")):
            name, _, seq = topic.partition("#")
            self.add_topic(name)
            if name.endswith(":*"):
                await self.hub.watch(self.subscriber, prefix_of(name))
            else:
                await self.hub.follow(self.subscriber, name, int(seq) if seq.isdecimal() else None)


def seq_of(value: Any) -> int | None:
    """A sequence number, or None when none is given. Raises BadRequest."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEQ:
        raise BadRequest("last_seq must be a whole number from 0.", code="INVALID_PARAMETER")
    return value


def topics_of(value: Any) -> list[str]:
    """A list of topic names. Raises BadRequest."""
    if not isinstance(value, list) or not all(isinstance(name, str) and 0 < len(name) <= 100 for name in value):
        raise BadRequest("topics must be a list of names.", code="INVALID_PARAMETER")
    return value
