"""The data plane as an ASGI application around the one that answers everything else."""

import asyncio
from weakref import WeakKeyDictionary

from alma.asgi_types import Application, Receive, Scope, Send
from alma.monitoring.requests import SLOT
from instances.router.inside import PLANE, within
from instances.router.origins import preflight
from instances.router.plant import Plant
from instances.router.routes import route_of
from instances.router.serving import serve


class DataPlane:
    """Answers the router's paths and passes everything else on."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self._plants: WeakKeyDictionary[asyncio.AbstractEventLoop, Plant] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = route_of(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            scope[PLANE] = self
            within(self)
            await self.app(scope, receive, send)
            return
        scope[SLOT] = route.template
        if scope["method"] == "OPTIONS":
            await preflight(scope, send)
            return
        await serve(self._plant(), route, scope, receive, send)

    async def start(self) -> None:
        """Begin to learn what there is, before the first request."""
        self._plant()

    async def stop(self) -> None:
        """End with the server."""
        plant = self._plants.pop(asyncio.get_running_loop(), None)
        if plant is not None:
            await plant.stop()

    def _plant(self) -> Plant:
        """That of the running loop, which is that of the process outside of tests."""
        loop = asyncio.get_running_loop()
        if loop not in self._plants:
            self._plants[loop] = Plant()
            self._plants[loop].start()
        return self._plants[loop]
