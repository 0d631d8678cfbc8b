"""Threads that are lent to one request at a time, each with the database connection that it keeps."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

AT_ONCE = 4
"""So many requests are worked on side by side while they are quick: more threads only contend for the interpreter."""
HURRY = 0.03
"""Seconds that a request waits for one of those before it gets a further thread: they wait for something else then."""


def _single(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)


class LentThreads:
    """A fixed number of threads; the one used last is lent first, for its caches and connection are warm."""

    def __init__(self, size: int) -> None:
        self._spare = max(size - AT_ONCE, 0)
        self._idle = [_single(f"request-{number}") for number in range(size)]
        self._waiting: deque[asyncio.Future[ThreadPoolExecutor]] = deque()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[ThreadPoolExecutor]:
        """One thread for the length of the block. A block that breaks off returns it when its work has really ended."""
        thread = self._idle.pop() if len(self._idle) > self._spare else await self._wait()
        try:
            yield thread
        except BaseException:
            self._return_when_idle(thread)
            raise
        else:
            self._return(thread)

    async def _wait(self) -> ThreadPoolExecutor:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[ThreadPoolExecutor] = loop.create_future()
        self._waiting.append(waiter)
        timer = loop.call_later(HURRY, self._hurry, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._return(waiter.result())
            raise
        finally:
            timer.cancel()

    def _hurry(self, waiter: "asyncio.Future[ThreadPoolExecutor]") -> None:
        if self._idle and not waiter.done():
            waiter.set_result(self._idle.pop())

    def _return(self, thread: ThreadPoolExecutor) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(thread)
                return
        self._idle.append(thread)

    def _return_when_idle(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()

        def is_idle(_: Future[None]) -> None:
            with suppress(RuntimeError):  # the loop, and with it the process, has come to its end meanwhile
                loop.call_soon_threadsafe(self._return, thread)

        thread.submit(lambda: None).add_done_callback(is_idle)


class SharedThreads:
    """Threads that long-lived streams take turns on, so that none of them holds one of those that answer requests."""

    def __init__(self, size: int) -> None:
        self._turns = itertools.cycle([_single(f"stream-{number}") for number in range(size)])

    def next(self) -> ThreadPoolExecutor:
        """The thread whose turn it is."""
        return next(self._turns)
