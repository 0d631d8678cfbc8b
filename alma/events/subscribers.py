"""One listener of the hub: it holds a cursor per stream and nothing else, so a slow one costs no memory."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from django.db import DatabaseError

from alma.events.feeds import Feed, Frame, text_frame
from alma.events.reading import EventRow

if TYPE_CHECKING:
    from alma.events.hub import Hub

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
SendFrame = Callable[[Frame], Awaitable[None]]
Renderer = Callable[[EventRow], bytes | str | None]


class Subscriber:
    """Told by the hub what has come further; sends what its socket has not had yet, in order."""

    wants_rows = True
    """Whether the hub should read new rows at once for this kind of listener."""

    def __init__(self, hub: "Hub", organization_id: int, send: SendFrame) -> None:
        self.hub = hub
        self.organization_id = organization_id
        self.send = send
        self.cursors: dict[Feed, int] = {}
        self._due: dict[Feed, None] = {}
        self._bell = asyncio.Event()

    def notice(self, feed: Feed, before: int) -> None:
        """A stream has come further; who had no place in it yet starts at `before`."""
        self.cursors.setdefault(feed, before)
        self._due[feed] = None
        self._bell.set()

    def forget(self, feed: Feed) -> None:
        """No more of this stream."""
        self.cursors.pop(feed, None)
        self._due.pop(feed, None)

    async def pump(self) -> None:
        """Send, until the socket is gone."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._due:
                feed = next(iter(self._due))
                del self._due[feed]
                try:
                    await self.forward(feed)
                except DatabaseError:
                    logger.warning("the event log cannot be read, trying again", exc_info=True)
                    self._due[feed] = None
                    await asyncio.sleep(RETRY_SECONDS)
                except OSError:  # the socket is gone
                    return

    async def forward(self, feed: Feed) -> None:
        """Send what is new in a stream."""
        raise NotImplementedError


class RowSubscriber(Subscriber):
    """Gets every row after its cursor, as its renderer words them."""

    def __init__(self, hub: "Hub", organization_id: int, send: SendFrame, render: Renderer) -> None:
        super().__init__(hub, organization_id, send)
        self.render = render

    async def forward(self, feed: Feed) -> None:
        while (cursor := self.cursors.get(feed)) is not None and cursor < feed.seq:
            rows = await self.hub.rows(feed, cursor)
            if not rows:
                self._move(feed, cursor, feed.seq)  # these rows are no longer in the log
            for row in rows:
                if self.cursors.get(feed) != cursor:
                    break  # the client has asked for another place meanwhile
                await self._give(row)
                cursor = self._move(feed, cursor, row.seq)

    def _move(self, feed: Feed, before: int, after: int) -> int:
        if self.cursors.get(feed) == before:
            self.cursors[feed] = after
        return after

    async def _give(self, row: EventRow) -> None:
        frame = self._frame(row)
        if frame is not None:
            await self.send(frame)

    def _frame(self, row: EventRow) -> Frame | None:
        if self.render not in row.frames:
            row.frames[self.render] = self._rendered(row)
        frame: Frame | None = row.frames[self.render]
        return frame

    def _rendered(self, row: EventRow) -> Frame | None:
        """A row that cannot be worded is logged and left out: it must not hold up those after it."""
        try:
            content = self.render(row)
        except Exception:
            logger.exception("event %s#%s cannot be worded", row.stream, row.seq)
            return None
        return None if content is None else text_frame(content)


class NudgeSubscriber(Subscriber):
    """Gets one frame per stream that has changed, however many rows there were: the page asks again."""

    wants_rows = False

    async def forward(self, feed: Feed) -> None:
        if self.cursors.get(feed, feed.seq) < feed.seq:
            self.cursors[feed] = feed.seq
            await self.send(feed.nudge())
