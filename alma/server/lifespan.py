"""What a web process does before its first request and after its last."""

import asyncio
import gc
import logging
from typing import Protocol

from django.db import connections
from django.template import engines
from django.urls import get_resolver

from alma import liveness
from alma.asgi_types import Receive, Scope, Send
from alma.events.hub import current_hub
from alma.monitoring.tallies import Keeper, tallies

logger = logging.getLogger(__name__)

GC_THRESHOLDS = (50_000, 20, 50)
LIFE_SECONDS = 2.0


class Companion(Protocol):
    """What lives as long as the server."""

    async def start(self) -> None:
        """Before the first request."""

    async def stop(self) -> None:
        """After the last one."""


class Lifespan:
    """The ASGI lifespan protocol: warm up, start listening for events and keeping tallies, and stop both at the end; and the
    same for what the wiring adds."""

    def __init__(self, *companions: Companion) -> None:
        self.companions = companions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        keeper = Keeper(tallies)
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(warm_up)
                current_hub().start()
                keeper.start()
                for companion in self.companions:
                    await companion.start()
                living = asyncio.ensure_future(show_life())
                await send({"type": "lifespan.startup.complete"})
            else:
                living.cancel()
                for companion in self.companions:
                    await companion.stop()
                await current_hub().stop()
                await asyncio.to_thread(keeper.stop)
                await send({"type": "lifespan.shutdown.complete"})
                return


async def show_life() -> None:
    """Say that the event loop turns, until cancelled."""
    liveness.is_ready()
    while True:
        await asyncio.sleep(LIFE_SECONDS)
        liveness.show_life()


def warm_up() -> None:
    """Load what the first requests would load, then keep all of it out of the garbage collector's rounds."""
    _ = get_resolver().url_patterns
    engines.all()
    connections.close_all()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
