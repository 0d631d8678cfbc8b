"""All that the router of one process consists of, and what it does in the background."""

import asyncio
import logging
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError

from alma.events.hub import current_hub
from instances.models import Router, Waiter
from instances.router.backends import Backends
from instances.router.board import Board
from instances.router.callers import Callers
from instances.router.clerk import Clerk, write
from instances.router.gate import Gate
from instances.router.line import Line
from instances.router.threads import Threads

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0
PAUSE_SECONDS = 0.02
"""Between two turns at least, so that what comes at once is written at once."""
MOST_WAITING = 10_000


class Plant:
    """The router of one process, at work from `start` until `stop`."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.threads = Threads()
        self.board = Board(self.threads)
        self.clerk = Clerk(self.bell)
        self.line = Line(self.board, self.clerk)
        self.callers = Callers(self.threads)
        self.gate = Gate(self.clerk, self.threads)
        self.backends = Backends()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Listen and keep up; harmless when it does already."""
        if not self._tasks:
            hub = current_hub()
            hub.start()
            hub.alarm("instance:", self.bell)
            self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self.callers.watch(hub))]

    async def stop(self) -> None:
        """Write what is left and let go of everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.backends.close()
        await self.gate.close()
        with suppress(DatabaseError):
            await self._write()
            await self.threads.write(_sign_off, self.clerk.marker)
        await self.threads.close()

    async def _run(self) -> None:
        while True:
            try:
                await self.turn()
            except DatabaseError:
                logger.warning("the router cannot use the database, trying again", exc_info=True)
            await asyncio.sleep(PAUSE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_SECONDS):
                    await self.bell.wait()
            self.bell.clear()

    async def turn(self) -> None:
        """Learn what has changed, let go on who can, and write down what happened."""
        await self.board.refresh()
        self.line.review()
        await self._write()
        if self.line.has_waiting:
            self.line.note_places(*await self.threads.read(_waiting, self.clerk.marker))

    async def _write(self) -> None:
        self.clerk.note_loads(self.line.outstanding, self.line.ended)
        batch = self.clerk.collect()
        try:
            full = await self.threads.write(write, batch, self.clerk.marker, self.board.read_at)
        except (OperationalError, InterfaceError):  # it is away, or busy
            self.clerk.put_back(batch)
            raise
        except (DatabaseError, ValueError):  # it will not take this, however often it is tried
            logger.exception("what happened in the router could not be written down and is given up")
            self.clerk.give_up()
            return
        self.clerk.written(batch)
        self.line.turn_away(full)


def _waiting(own: UUID) -> tuple[dict[UUID, int], dict[int, int]]:
    """The place of each request that waits, and by instance how many wait in other processes."""
    ranks: dict[UUID, int] = {}
    totals: dict[int, int] = {}
    others: dict[int, int] = {}
    rows = Waiter.objects.order_by("since", "pk").values_list("instance_id", "router_id", "request_id")[:MOST_WAITING]
    for instance_id, router_id, request_id in rows:
        totals[instance_id] = totals.get(instance_id, 0) + 1
        if router_id == own:
            ranks[UUID(request_id)] = totals[instance_id]
        else:
            others[instance_id] = others.get(instance_id, 0) + 1
    return ranks, others


def _sign_off(marker: UUID) -> None:
    """With its row go its loads and whoever waited here."""
    Router.objects.filter(pk=marker).delete()
