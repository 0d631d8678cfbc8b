"""`/ws/console`: the screen of a machine, carried between a browser and its cluster. The browser never sees the cluster's token,
and the cluster never sees the browser."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from django.db import close_old_connections
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from alma.errors import BadRequest, NotFound, Unavailable
from alma.events.consumers import BREAKS_RULES, MAX_FRAME, LiveConsumer
from alma.events.subscribers import NudgeSubscriber, Subscriber
from alma.jobs.kinds import Unknown
from vms.models import Guest
from vms.operations.consoles import Look, open_console
from vms.proxmox import relay
from vms.proxmox.relay import Door

LONGEST = 4 * 3600.0
"""Seconds after which a console is closed, whoever looks."""
_ASKING = ThreadPoolExecutor(4, thread_name_prefix="console")
"""Clusters are asked for tickets here, so that a slow one keeps no other socket waiting."""


class ConsoleConsumer(LiveConsumer):
    """`open` with the number of a machine is answered with `ready` and the password of its screen; from then on all frames are
    those of VNC, in both directions. A machine that the actor does not see is as if it had never been."""

    requires = ("vm:write",)
    _inside: ClientConnection | None = None
    _carrying: asyncio.Task[None] | None = None
    _is_opening = False

    def make_subscriber(self) -> Subscriber:
        """Of the event log nothing is told here."""
        assert self.actor.organization_id is not None
        return NudgeSubscriber(self.hub, self.actor.organization_id, self.base_send)

    def actions(self) -> dict[str, Callable[[dict[str, Any]], Awaitable[None]]]:
        return {"open": self.open}

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What is typed goes to the machine, once there is a console; before, it is a request."""
        if self._inside is None:
            await super().receive(text_data, bytes_data)
        elif bytes_data is None or len(bytes_data) > MAX_FRAME:
            await self._end("FRAME_TOO_LARGE", "A console takes binary frames of 64 KB at most.", BREAKS_RULES)
        else:
            with suppress(ConnectionClosed):
                await self._inside.send(bytes_data)

    async def open(self, request: dict[str, Any]) -> None:
        """Enter the console of one machine. Raises BadRequest, NotFound, and what `open_console` does."""
        number = request.get("vm")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**63:
            raise BadRequest("vm must be the number of a machine.", code="INVALID_PARAMETER")
        if self._is_opening:
            raise BadRequest("This socket has a console already.", code="ALREADY_OPEN")
        self._is_opening = True
        try:
            password, door = await asyncio.get_running_loop().run_in_executor(_ASKING, self._ask, number)
            inside = await relay.enter(door)
        except Unknown as error:
            raise Unavailable(str(error), code="CLUSTER_UNREACHABLE") from error
        finally:
            self._is_opening = self._inside is not None
        if self.has_ended:
            await inside.close()
            return
        await self.say({"type": "ready", "password": password})
        self._inside, self._is_opening = inside, True
        self._carrying = asyncio.create_task(self._carry(inside))

    def _ask(self, number: int) -> tuple[str, Door]:
        """A ticket of the cluster's for a machine that the actor sees, and the way to it."""
        close_old_connections()
        try:
            guest = Guest.objects.visible_to(self.actor).present().select_related("cluster").filter(pk=number).first()
            if guest is None:
                raise NotFound("There is no such machine.", code="VM_NOT_FOUND")
            console = open_console(guest, look=Look.SCREEN, by=self.actor)
            return console.ticket.password or console.ticket.ticket, relay.door_to(guest.cluster, console.path)
        finally:
            close_old_connections()

    async def _carry(self, inside: ClientConnection) -> None:
        """What the machine shows goes to the browser, as fast as that takes it, until one of both has enough."""
        try:
            async with asyncio.timeout(LONGEST):
                async for frame in inside:
                    if isinstance(frame, bytes):
                        await self.send(bytes_data=frame)
        except (ConnectionClosed, TimeoutError):
            pass
        finally:
            await inside.close()
        if not self.has_ended:
            self.has_ended = True
            await self.close(1000)

    def _let_go(self) -> None:
        if self._carrying is not None:
            self._carrying.cancel()
        super()._let_go()
