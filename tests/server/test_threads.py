"""Which thread is lent to whom, and when."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from alma.server import threads
from alma.server.threads import AT_ONCE, LentThreads

ENDLESS = 3600.0


async def borrow(lent: LentThreads, count: int, stack: AsyncExitStack) -> set[object]:
    """As many threads, until the stack closes."""
    return {await stack.enter_async_context(lent.lend()) for _ in range(count)}


async def test_quick_requests_keep_to_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "HURRY", ENDLESS)
    lent = LentThreads(AT_ONCE + 4)
    async with AsyncExitStack() as late:
        async with AsyncExitStack() as stack:
            first = await borrow(lent, AT_ONCE, stack)
            waiting = asyncio.ensure_future(borrow(lent, 1, late))
            await asyncio.sleep(0)
            assert not waiting.done()
        assert await waiting <= first


async def test_a_request_behind_slow_ones_gets_a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "HURRY", 0)
    lent = LentThreads(AT_ONCE + 4)
    async with AsyncExitStack() as stack:
        assert len(await borrow(lent, AT_ONCE + 4, stack)) == AT_ONCE + 4


async def test_a_request_beyond_all_threads_waits_for_the_first_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "HURRY", 0)
    lent = LentThreads(2)
    async with AsyncExitStack() as late:
        async with AsyncExitStack() as stack:
            both = await borrow(lent, 2, stack)
            waiting = asyncio.ensure_future(borrow(lent, 1, late))
            await asyncio.sleep(0.01)
            assert not waiting.done()
        assert await waiting <= both


async def test_a_request_that_stops_waiting_keeps_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "HURRY", ENDLESS)
    lent = LentThreads(1)
    async with AsyncExitStack() as late:
        async with AsyncExitStack() as stack:
            only = await borrow(lent, 1, stack)
            waiting = asyncio.ensure_future(borrow(lent, 1, late))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        assert await borrow(lent, 1, late) == only
