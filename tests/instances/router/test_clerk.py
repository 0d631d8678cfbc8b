"""What a process writes down of those who wait."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from instances.router.clerk import Clerk
from instances.router.line import Ticket
from tests.instances.router.test_line import TINY


async def ticket() -> Ticket:
    now = timezone.now()
    future = asyncio.get_running_loop().create_future()
    return Ticket(uuid4(), (1, "tiny"), "key", TINY, now, now + timedelta(seconds=5), future)


async def test_a_wait_too_short_to_be_written_down_asks_for_no_writing() -> None:
    clerk = Clerk(asyncio.Event())
    clerk.leave(await ticket())
    assert not clerk.bell.is_set()
    assert not clerk.collect().leaves


async def test_who_was_written_down_is_struck_off_once() -> None:
    clerk, one = Clerk(asyncio.Event()), await ticket()
    clerk.wait(one)
    assert clerk.bell.is_set()
    assert set(clerk.collect().waits) == {one.marker}
    clerk.leave(one)
    clerk.leave(one)
    assert clerk.collect().leaves == {one.marker}


async def test_who_leaves_before_the_writing_is_not_written_down() -> None:
    clerk, one = Clerk(asyncio.Event()), await ticket()
    clerk.wait(one)
    clerk.leave(one)
    batch = clerk.collect()
    assert (dict(batch.waits), batch.leaves) == ({}, set())
