"""The bounds of a key, with as many processes as a test likes: each is a gate with a marker and threads of its own."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.models import ApiKey
from alma.errors import PaymentRequired, RateLimited
from instances.models import GONE_AFTER, KeyLoad, Router, TokenUse
from instances.router.callers import Caller, Limits
from instances.router.clerk import Clerk
from instances.router.gate import Gate
from instances.router.threads import Threads
from tests.factories.accounts import make_key

pytestmark = pytest.mark.django_db(transaction=True)


class Process:
    """What is counted of one web process."""

    def __init__(self) -> None:
        self.clerk, self.threads = Clerk(asyncio.Event()), Threads()
        self.gate = Gate(self.clerk, self.threads)

    async def begin(self) -> "Process":
        await Router.objects.acreate(marker=self.clerk.marker, node="main", pid=1)
        return self

    async def enters(self, caller: Caller) -> bool:
        try:
            await self.gate.enter(caller)
        except RateLimited as error:
            assert (error.code, error.retry_after) == ("TOO_MANY_AT_ONCE", 1)
            return False
        return True

    async def end(self) -> None:
        await self.gate.close()
        await self.threads.close()


async def caller_with(**limits: int) -> tuple[Caller, ApiKey]:
    key, _ = await sync_to_async(make_key)(frozenset({"inference:use"}))
    return Caller(Actor(key.organization_id, "key", key_id=key.pk), Limits(**limits)), key


async def test_two_processes_never_let_in_more_than_the_bound() -> None:
    caller, _ = await caller_with(requests_at_once=5)
    processes = [await Process().begin() for _ in range(3)]
    for _ in range(3):
        inside = await asyncio.gather(*(processes[n % 3].enters(caller) for n in range(24)))
        assert 1 <= sum(inside) <= 5
        for number, is_inside in enumerate(inside):
            if is_inside:
                processes[number % 3].gate.leave(caller)
        for one in processes:
            await one.gate.close()
        assert [row.inside async for row in KeyLoad.objects.exclude(inside=0)] == []
    entered = [await processes[n % 3].enters(caller) for n in range(6)]
    assert entered == [True] * 5 + [False], "one after another all places are given"
    for one in processes:
        await one.end()


async def test_what_a_dead_process_had_under_way_does_not_count() -> None:
    caller, _ = await caller_with(requests_at_once=1)
    dead, living = await Process().begin(), await Process().begin()
    assert await dead.enters(caller)
    assert not await living.enters(caller)
    gone = timezone.now() - GONE_AFTER - timedelta(seconds=1)
    await Router.objects.filter(pk=dead.clerk.marker).aupdate(seen_at=gone)
    assert await living.enters(caller)
    await dead.end()
    await living.end()


async def test_who_was_refused_takes_no_place_and_a_deleted_key_is_nobody() -> None:
    caller, key = await caller_with(requests_at_once=1)
    one = await Process().begin()
    assert [await one.enters(caller) for _ in range(3)] == [True, False, False]
    one.gate.leave(caller)
    assert await one.enters(caller)
    await sync_to_async(key.delete)()
    one.gate.leave(caller)
    await one.end()


async def test_tokens_that_another_process_wrote_count_at_once() -> None:
    caller, key = await caller_with(tokens_per_day=20, tokens_per_month=30)
    one = await Process().begin()
    await one.gate.enter(caller)
    today = timezone.now().date()
    await TokenUse.objects.acreate(key=key, day=today, prompt_tokens=10, completion_tokens=9)
    await one.gate.enter(caller)
    one.clerk.unwritten[key.pk] = 1
    with pytest.raises(PaymentRequired, match="20 tokens that this key has for a day"):
        await one.gate.enter(caller)
    await one.end()
