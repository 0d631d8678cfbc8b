"""The grammar of HCL takes seconds to build where the parser's cache cannot be written, and a moment where it can."""

import asyncio

import hcl2


class Grammars:
    """Builds the grammar beside the first requests of a web process, so that none of them waits for it."""

    def __init__(self) -> None:
        self._building: asyncio.Task[object] | None = None

    async def start(self) -> None:
        """Begin, and do not wait."""
        self._building = asyncio.create_task(asyncio.to_thread(hcl2.loads, ""))

    async def stop(self) -> None:
        """A thread cannot be ended early."""
        if self._building is not None:
            await self._building
