"""What instances take, read for all sockets of a process at once: however many listen, the database is asked once a while."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from weakref import WeakKeyDictionary

from django.db import DatabaseError

from alma.events.hub import Hub
from instances.models import Instance

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""As often as supervisors measure."""
Round = Mapping[int, Sequence[Instance]]


class Watch:
    """Of one hub. It looks while anybody listens."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._listeners: Counter[int] = Counter()
        self._next: asyncio.Future[Round] | None = None
        self._task: asyncio.Task[None] | None = None

    def join(self, organization_id: int) -> None:
        """Somebody listens to the instances of an organization; `leave` has to follow."""
        self._listeners[organization_id] += 1
        if self._task is None:
            self._task = asyncio.create_task(self._look())

    def leave(self, organization_id: int) -> None:
        """And does no more."""
        self._listeners[organization_id] -= 1
        self._listeners += Counter()
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def measured(self, organization_id: int) -> Sequence[Instance]:
        """The instances of an organization as they are measured next. Who is slow misses rounds and not others their own."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return (await asyncio.shield(self._next)).get(organization_id, ())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                found = await self._hub.in_thread(read, set(self._listeners))
            except DatabaseError:
                logger.warning("what instances take cannot be read, trying again", exc_info=True)
                continue
            if self._next is not None:
                self._next.set_result(found)
                self._next = None


def read(organizations: Collection[int]) -> Round:
    """The instances of these organizations of which it is known what they take."""
    found: dict[int, list[Instance]] = defaultdict(list)
    rows = Instance.objects.filter(organization__in=organizations).exclude(wanted=Instance.Wish.REMOVED)
    for row in rows.exclude(memory_bytes=None).exclude(checked_at=None):
        found[row.organization_id].append(row)
    return found


_watches: WeakKeyDictionary[Hub, Watch] = WeakKeyDictionary()


def watch_of(hub: Hub) -> Watch:
    """The one watch of a hub."""
    return _watches.setdefault(hub, Watch(hub))
