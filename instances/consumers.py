"""`/api/ws`: instances as they change and what they take, and alerts of the installation."""

import asyncio
from typing import Any

from alma.api.renderers import dumps
from alma.errors import BadRequest
from alma.events.consumers import StreamConsumer
from alma.events.reading import EventRow
from instances import services
from instances.messages import message, stats
from instances.watching import watch_of

ALERTS = "installation:"


class InstancesConsumer(StreamConsumer):
    """Without `subscribe` all instances of the organization from now on, and alerts; with `name` one instance."""

    prefix = "instance:"
    requires = ("instance:read",)
    is_public = False

    @staticmethod
    def render(row: EventRow) -> bytes | None:
        """A documented message, or nothing."""
        words = message(row)
        return dumps(words) if words else None

    def stream_of(self, request: dict[str, Any]) -> str:
        """The stream of the instance `name`. Raises BadRequest, NotFound."""
        name = request.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= 50:
            raise BadRequest("name must be the name of an instance.", code="INVALID_PARAMETER")
        return services.find(name, by=self.actor).stream

    async def prepare(self) -> None:
        """Listen to the instances and to the installation, and begin to look at what they take."""
        await super().prepare()
        await self.hub.watch(self.subscriber, ALERTS)
        self._home = self.actor.organization_id or 0
        self._watch = watch_of(self.hub)
        self._watch.join(self._home)
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Tell what instances take whenever their supervisor has measured anew."""
        seen: dict[int, Any] = {}
        while True:
            rows = await self._watch.measured(self._home)
            for row in rows:
                if seen.get(row.pk) != row.checked_at and (not self.topics or row.stream in self.topics):
                    await self.say(stats(row))
            seen = {row.pk: row.checked_at for row in rows}

    def _let_go(self) -> None:
        if hasattr(self, "_looking"):
            self._looking.cancel()
            self._watch.leave(self._home)
        super()._let_go()
