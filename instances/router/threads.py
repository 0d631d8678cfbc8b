"""Threads in which the data plane asks and writes the database, apart from those of the pages: a write that waits for its
turn holds up no reading."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections, connections

R = TypeVar("R")


class Threads:
    """One for reading and one for writing; each keeps its connection."""

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, "router-reads")
        self._writer = ThreadPoolExecutor(1, "router-writes")

    async def read(self, function: Callable[..., R], *args: object) -> R:
        """What a function that reads the database answers."""
        return await _run(self._reader, function, *args)

    async def write(self, function: Callable[..., R], *args: object) -> R:
        """What a function that writes to the database answers; one at a time, in their order."""
        return await _run(self._writer, function, *args)

    async def close(self) -> None:
        """Close the connections and end."""
        for pool in (self._reader, self._writer):
            await _run(pool, connections.close_all)
            pool.shutdown(wait=False)


async def _run(pool: ThreadPoolExecutor, function: Callable[..., R], *args: object) -> R:
    def work() -> R:
        close_old_connections()
        return function(*args)

    return await asyncio.get_running_loop().run_in_executor(pool, work)
