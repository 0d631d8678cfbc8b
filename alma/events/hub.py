"""One hub per process: it hears the doorbell, reads what is new once, and hands the same bytes to every socket.

Behind the doorbell stands a poll, so a lost ring delays an event by two seconds and loses none.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from alma.events import doorbell, reading
from alma.events.feeds import Feed, prefix_of
from alma.events.reading import EventRow, Head
from alma.events.subscribers import Subscriber

logger = logging.getLogger(__name__)

POLL = 2.0
LOOK_BACK = timedelta(minutes=2)
"""How far a poll looks back beyond the last one: longer than any transaction, and than clocks differ."""
GLANCE_BACK = timedelta(seconds=5)
"""How far each ring looks back: it finds the streams whose own ring was lost."""
THREADS = 2
THREAD_SECONDS = 5.0

R = TypeVar("R")
Key = tuple[int, str]


class Hub:
    """All listeners of one process."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.subscribers: set[Subscriber] = set()
        self._watchers: dict[Key, set[Subscriber]] = {}
        self._loads: dict[Key, asyncio.Task[None]] = {}
        self._loaded_since: dict[Key, datetime] = {}
        self._pages: dict[tuple[Feed, int], asyncio.Task[list[EventRow]]] = {}
        self._warm: set[Feed] = set()
        self._rung: set[str] = set()
        self._bell = asyncio.Event()
        self._alarms: dict[str, list[asyncio.Event]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._is_listening = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hub")
        self._polled_at = timezone.now()
        self._poll_due = 0.0

    # -- life -----------------------------------------------------------------------------------------
    def start(self) -> None:
        """Listen; harmless when it listens already. Needs a running loop."""
        if not self._is_listening:
            self._is_listening = True
            self.spawn(doorbell.listen(doorbell.EVENTS, self.hear))
            self.spawn(self._run())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something for as long as the hub lives."""
        self._tasks.append(asyncio.create_task(work))

    async def stop(self) -> None:
        """End the tasks and close the database connections of the threads."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self._is_listening = [], False
        meeting = threading.Barrier(THREADS)
        closing = [self._threads.submit(_close_connections, meeting) for _ in range(THREADS)]
        await asyncio.gather(*map(asyncio.wrap_future, closing))
        self._threads.shutdown(wait=False)

    async def in_thread(self, function: Callable[..., R], *args: Any) -> R:
        """Run something that asks the database, in a thread that keeps its connection."""

        def run() -> R:
            close_old_connections()
            return function(*args)

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    # -- what sockets ask -----------------------------------------------------------------------------
    def join(self, subscriber: Subscriber) -> None:
        """Take a listener in; it hears nothing before it follows or watches."""
        self.start()
        if not self.subscribers:
            self._begin_anew()
        self.subscribers.add(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a listener."""
        self.subscribers.discard(subscriber)
        self.unwatch(subscriber)
        for feed in subscriber.cursors:
            feed.followers.discard(subscriber)

    async def follow(self, subscriber: Subscriber, name: str, after: int | None = None) -> bool:
        """Tell a listener of one stream, after a seq or from now on; False when it is another organization's.

        A stream that does not exist yet may be followed: it may be the next that is written."""
        feed = self.feeds.get(name) or await self._load_one(name)
        is_foreign = feed.head is not None and feed.head.organization_id != subscriber.organization_id
        if is_foreign or subscriber not in self.subscribers:
            return not is_foreign
        feed.followers.add(subscriber)
        cursor = subscriber.cursors.setdefault(feed, feed.seq if after is None else after)
        if cursor < feed.seq:
            subscriber.notice(feed, cursor)
        return True

    def unfollow(self, subscriber: Subscriber, feed: Feed) -> None:
        """No more of one stream."""
        feed.followers.discard(subscriber)
        subscriber.forget(feed)

    async def watch(self, subscriber: Subscriber, prefix: str) -> None:
        """Tell a listener of every stream of its organization that begins so, those to come included, from now on."""
        key = (subscriber.organization_id, prefix)
        if key not in self._loads:
            self._loads[key] = asyncio.create_task(self._load_all(*key))
        try:
            await asyncio.shield(self._loads[key])
        except DatabaseError:
            self._loads.pop(key, None)
            raise
        if subscriber in self.subscribers:
            self._watchers.setdefault(key, set()).add(subscriber)

    def unwatch(self, subscriber: Subscriber) -> None:
        """End all that `watch` began; streams that are followed by name stay."""
        for watchers in self._watchers.values():
            watchers.discard(subscriber)

    async def rows(self, feed: Feed, after: int) -> list[EventRow]:
        """The next rows after a seq: those kept, or a page of the log, read once for all who ask at the same time."""
        kept = feed.recent_after(after)
        if kept is not None or feed.head is None:
            return kept or []
        key = (feed, after)
        if key not in self._pages:
            self._pages[key] = asyncio.create_task(self.in_thread(reading.rows_after, feed.head, after))
            self._pages[key].add_done_callback(lambda _: self._pages.pop(key, None))
        return await asyncio.shield(self._pages[key])

    # -- what the log says ----------------------------------------------------------------------------
    def hear(self, ring: str) -> None:
        """A ring says `stream#seq`; an empty one says: look everywhere."""
        name = ring.rpartition("#")[0]
        if name:
            self._rung.add(name)
        for alarm in self._alarms.get(prefix_of(name), ()):
            alarm.set()
        self._bell.set()

    def alarm(self, prefix: str, event: asyncio.Event | None = None) -> asyncio.Event:
        """An event, new or given, that is set whenever a stream that begins so is rung for; whoever waits for it clears
        it. A ring may be lost."""
        event = event or asyncio.Event()
        self._alarms.setdefault(prefix, []).append(event)
        return event

    async def _run(self) -> None:
        while True:
            await self._rung_or_due()
            names, self._rung = self._rung, set()
            if not self.subscribers:
                continue
            try:
                await self._look(names)
            except DatabaseError:
                logger.warning("the event log cannot be read, trying again", exc_info=True)
                self._rung |= names
                await asyncio.sleep(POLL)

    async def _rung_or_due(self) -> None:
        wait = self._poll_due - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(wait if self.subscribers else None):
                await self._bell.wait()
        except TimeoutError:
            pass
        self._bell.clear()

    async def _look(self, names: set[str]) -> None:
        """Read what has come further, and tell whoever follows it."""
        now, loop = timezone.now(), asyncio.get_running_loop()
        since = now - GLANCE_BACK
        is_poll = loop.time() >= self._poll_due
        if is_poll:
            since = self._polled_at - LOOK_BACK
            names = names | {name for name, feed in self.feeds.items() if feed.followers}
        heads = await self.in_thread(reading.moved, sorted(names), since)
        await self._advance([head for head in heads if self._is_news(head)])
        if is_poll:
            self._polled_at, self._poll_due = now, loop.time() + POLL
            self._warm = {feed for feed in self._warm if not feed.cool_down()}

    def _is_news(self, head: Head) -> bool:
        feed = self.feeds.get(head.name)
        if feed is None:
            return self._is_loaded(head.organization_id, prefix_of(head.name))
        return head.seq > feed.seq

    def _is_loaded(self, organization_id: int, prefix: str) -> bool:
        load = self._loads.get((organization_id, prefix))
        return load is not None and load.done()

    async def _advance(self, heads: list[Head]) -> None:
        feeds = [self.feeds.setdefault(head.name, Feed(head.name)) for head in heads]
        read = [head for head, feed in zip(heads, feeds, strict=True) if self._is_read(feed, head)]
        before = {feed.name: feed.seq for feed in feeds}
        before |= await self._seqs_before([head for head in read if self.feeds[head.name].head is None])
        wanted = [(head, before[head.name]) for head in read]
        found = await self.in_thread(reading.newest, wanted) if wanted else []
        rows = {head.name: part for head, part in zip(read, found, strict=True)}
        for head, feed in zip(heads, feeds, strict=True):
            feed.advance(head, rows.get(head.name))
            self._warm.add(feed)
            for subscriber in self._audience(feed, head):
                subscriber.notice(feed, before[feed.name])

    def _is_read(self, feed: Feed, head: Head) -> bool:
        """Whether somebody wants the rows themselves."""
        return any(subscriber.wants_rows for subscriber in self._audience(feed, head))

    async def _seqs_before(self, heads: list[Head]) -> dict[str, int]:
        """Where streams stood that are heard of for the first time: they had been still when those of their kind were loaded,
        so whatever is younger than what was looked at then was written since."""
        asked = [
            (head, since)
            for head in heads
            if (since := self._loaded_since.get((head.organization_id, prefix_of(head.name))))
        ]
        return await self.in_thread(reading.seqs_at, asked) if asked else {}

    def _audience(self, feed: Feed, head: Head) -> set[Subscriber]:
        """Followers and watchers, of the stream's own organization only."""
        watchers = self._watchers.get((head.organization_id, feed.prefix), set())
        strangers = {one for one in feed.followers if one.organization_id != head.organization_id}
        feed.followers -= strangers
        return feed.followers | watchers

    # -- what is known --------------------------------------------------------------------------------
    async def _load_one(self, name: str) -> Feed:
        heads = await self.in_thread(reading.heads_of, [name])
        feed = self.feeds.setdefault(name, Feed(name, heads[0] if heads else None))
        self.hear(f"{name}#")  # what was written between the reading and now
        return feed

    async def _load_all(self, organization_id: int, prefix: str) -> None:
        """Those that may be moving: what has been still for longer than any poll looks back is met when it moves."""
        since = self._loaded_since[organization_id, prefix] = self._polled_at - LOOK_BACK
        for head in await self.in_thread(reading.heads_in, organization_id, prefix, since):
            self.feeds.setdefault(head.name, Feed(head.name, head))
        self.hear("")

    def _begin_anew(self) -> None:
        """Nobody listened for a while: what was known may be old."""
        self.feeds, self._watchers, self._loads, self._loaded_since, self._warm = {}, {}, {}, {}, set()
        self._polled_at, self._poll_due = timezone.now(), 0.0
        self._bell.set()


def _close_connections(meeting: threading.Barrier) -> None:
    """In each thread once: they meet first, so that none does it for another."""
    meeting.wait(THREAD_SECONDS)
    connections.close_all()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running loop, which is the hub of the process outside of tests."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
