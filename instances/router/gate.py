"""What a key may have of models: requests a minute and at once, and tokens a day and a month. All of it counts for all processes
together."""

import asyncio
import logging
from collections import Counter
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction

from alma.accounts.models import ApiKey
from alma.api.limits.classes import MINUTE, RateClass
from alma.api.limits.limiter import current
from alma.errors import PaymentRequired, RateLimited
from instances.models import KeyLoad, TokenUse
from instances.models.record import until_next_month, until_tomorrow
from instances.router.callers import Caller, Limits
from instances.router.clerk import Clerk
from instances.router.threads import Threads

logger = logging.getLogger(__name__)


class Gate:
    """Of one process. Who is inside is written down for the others where a key has a bound for that."""

    def __init__(self, clerk: Clerk, threads: Threads) -> None:
        self._clerk = clerk
        self._threads = threads
        self._inside: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def enter(self, caller: Caller) -> None:
        """Let a request in; `leave` has to follow. Raises RateLimited, PaymentRequired."""
        key_id, limits = caller.actor.key_id, caller.limits
        if key_id is None:
            return
        if limits.has_quota:
            await self._check_quota(limits, key_id)
        if limits.requests_per_minute is not None:
            await self._threads.read(_charge, key_id, limits.requests_per_minute)
        if limits.requests_at_once is None:
            return
        if self._inside[key_id] >= limits.requests_at_once:
            raise _too_many(limits.requests_at_once)
        self._inside[key_id] += 1
        try:
            if not await self._threads.write(self._claim, key_id, limits.requests_at_once):
                raise _too_many(limits.requests_at_once)
        except BaseException:
            self.leave(caller)
            raise

    def leave(self, caller: Caller) -> None:
        """A request that was let in is over."""
        key_id = caller.actor.key_id
        if key_id is None or caller.limits.requests_at_once is None:
            return
        self._inside[key_id] -= 1
        self._inside += Counter()
        task = asyncio.create_task(self._tell(key_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _claim(self, key_id: int, most: int) -> bool:
        """Write down how many are inside here, in a thread; False when they are too many together. Two processes never both
        have the last place: the row of the key is locked."""
        with transaction.atomic():
            ApiKey.objects.select_for_update().filter(pk=key_id).first()
            inside = self._inside[key_id]
            if inside + KeyLoad.elsewhere(key_id, self._marker) > most:
                return False
            KeyLoad.put(key_id, self._marker, inside)
        return True

    async def _tell(self, key_id: int) -> None:
        try:
            await self._threads.write(self._put, key_id)
        except IntegrityError:
            logger.debug("a key was deleted while its requests were under way")
        except DatabaseError:  # the next request of the key writes it again
            logger.warning("how many requests a key has under way could not be written down", exc_info=True)

    def _put(self, key_id: int) -> None:
        KeyLoad.put(key_id, self._marker, max(0, self._inside[key_id]))

    @property
    def _marker(self) -> UUID:
        return self._clerk.marker

    async def _check_quota(self, limits: Limits, key_id: int) -> None:
        """Raises PaymentRequired. What other processes have not written down yet is at most a second old."""
        used = await self._threads.read(TokenUse.of, key_id)
        fresh = self._clerk.unwritten[key_id]
        for bound, so_far, word, wait in (
            (limits.tokens_per_day, used[0], "day", until_tomorrow),
            (limits.tokens_per_month, used[1], "month", until_next_month),
        ):
            if bound is not None and so_far + fresh >= bound:
                error = PaymentRequired(f"The {bound:,} tokens that this key has for a {word} are used up.")
                error.retry_after = wait()
                raise error


def _too_many(most: int) -> RateLimited:
    said = f"This key may have {most} requests under way at a time."
    return RateLimited(said, retry_after=1, code="TOO_MANY_AT_ONCE")


def _charge(key_id: int, limit: int) -> None:
    reading = current().charge(RateClass("inference", "/v1/* (by key)", limit, MINUTE, limit), f"key:{key_id}")
    if not reading.is_allowed:
        raise RateLimited(f"This key may ask models {limit} times a minute.", retry_after=reading.retry_after)
