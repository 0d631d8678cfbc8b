"""Buckets in Redis: one sorted set per class, in which each client stands at the moment of its next request."""

import os
from typing import Any, cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from alma.api.limits.buckets import FORGOTTEN_AFTER, Known, Reading
from alma.api.limits.classes import CLASSES, HOUR, RateClass

PATIENCE_SECONDS = 0.5
KEEP_SECONDS = 2 * HOUR
PREFIX = "alma:limits:"
# Redis runs a script without anything in between. Its numbers are doubles, which hold microseconds exactly until 2255.
_TAKE = """
local clock = redis.call('TIME')
local now = tonumber(ARGV[4]) or clock[1] * 1000000 + clock[2]
local interval, unused = tonumber(ARGV[2]), tonumber(ARGV[3])
local ready = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
if ready > now then return {0, ready, now} end
ready = math.max(ready, now - unused) + interval
redis.call('ZADD', KEYS[1], string.format('%.0f', ready), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return {1, ready, now}
"""


class RedisBuckets:
    """Shared by whoever shares the server, on its clock."""

    faults: tuple[type[Exception], ...] = (redis.RedisError,)

    def __init__(self, url: str = "", prefix: str = PREFIX) -> None:
        self._url = url or settings.ALMA_REDIS_URL
        self._prefix = prefix
        self._client: redis.Redis | None = None
        self._pid = 0

    def take(self, allowance: RateClass, client: str, now: int | None) -> Reading:
        """One round trip."""
        self._connected()
        unused = allowance.depth - allowance.interval
        arguments: list[Any] = [client, allowance.interval, unused, "" if now is None else now, KEEP_SECONDS]
        is_allowed, ready_at, moment = cast(
            "list[int]", self._take(keys=[self._prefix + allowance.name], args=arguments)
        )
        return Reading(bool(is_allowed), ready_at, moment)

    def known(self, now: int | None) -> tuple[Known, int]:
        """One round trip for the rows, one for the time."""
        pipe = self._connected().pipeline(transaction=False)
        for rate_class in CLASSES:
            pipe.zrange(self._prefix + rate_class.name, 0, -1, withscores=True)
        found = zip(CLASSES, pipe.execute(), strict=True)
        return {kind.name: {who.decode(): int(at) for who, at in rows} for kind, rows in found}, self._clock(now)

    def sweep(self, now: int | None) -> None:
        """A class that nobody uses goes by itself; in one that is used the old have to be taken out."""
        oldest = self._clock(now) - FORGOTTEN_AFTER
        for rate_class in CLASSES:
            self._connected().zremrangebyscore(self._prefix + rate_class.name, "-inf", f"({oldest}")

    def _clock(self, now: int | None) -> int:
        if now is not None:
            return now
        seconds, micros = self._connected().time()
        return seconds * 1_000_000 + micros

    def _connected(self) -> redis.Redis:
        """The client of this process: a connection must not be shared with one that was forked."""
        if self._client is None or self._pid != os.getpid():
            self._client = redis.Redis.from_url(
                self._url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS,
                retry=Retry(NoBackoff(), 1),
            )  # fmt: skip
            self._take = self._client.register_script(_TAKE)
            self._pid = os.getpid()
        return self._client
