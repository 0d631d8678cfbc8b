"""A ring from one process to those that wait: something is new, look in the database.

A lost ring delays a reader until its next poll and loses nothing. Without Redis each listener owns a UNIX datagram
socket `<data dir>/bells/<topic>.<pid>.<number>`; with ALMA_REDIS_URL a topic is a Redis channel.
"""

import asyncio
import hashlib
import itertools
import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import redis
import redis.asyncio
from django.conf import settings

logger = logging.getLogger(__name__)

EVENTS = "events"
QUEUE = "queue"
_MAX_PAYLOAD = 2048
_LONGEST_ADDRESS = 107
_PAUSE_AFTER_FAILURE = 2.0
_numbers = itertools.count(1)


def folder() -> Path:
    """Where the sockets of listeners lie, readable by nobody else."""
    path = _place(settings.ALMA_DATA_DIR)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


@cache
def _place(data_dir: Path) -> Path:
    """In the data directory, or in the temporary one when a UNIX address could not hold the path."""
    path = data_dir / "bells"
    if len(str(path / f"{EVENTS}.4194304.1000000")) <= _LONGEST_ADDRESS:
        return path
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"alma-bells-{os.getuid()}-{digest}"


def ring(topic: str, payload: str = "") -> None:
    """Wake every listener of a topic. Never raises and hardly ever waits: the log is the truth, this is a hint."""
    if settings.ALMA_REDIS_URL:
        _ring_redis(topic, payload)
        return
    try:
        _ring_sockets(topic, payload.encode()[:_MAX_PAYLOAD])
    except OSError as error:
        logger.warning("the doorbell could not be rung, readers will poll", extra={"error": str(error)})


def _ring_sockets(topic: str, payload: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        for listener in folder().glob(f"{topic}.*"):
            try:
                bell.sendto(payload, str(listener))
            except ConnectionRefusedError:
                listener.unlink(missing_ok=True)  # its process is gone
            except OSError as error:
                logger.debug("ring not heard", extra={"listener": listener.name, "error": str(error)})


class _Publisher:
    """A Redis connection of this process that is left alone for a moment after it failed."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.rest_until = 0.0
        self.client = redis.Redis.from_url(settings.ALMA_REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)

    def publish(self, topic: str, payload: str) -> None:
        """Ring once, or not at all while Redis is out of reach."""
        if time.monotonic() < self.rest_until:
            return
        try:
            self.client.publish(_channel(topic), payload)
        except redis.RedisError as error:
            self.rest_until = time.monotonic() + _PAUSE_AFTER_FAILURE
            logger.warning("the doorbell could not be rung, readers will poll", extra={"error": str(error)})


_publishers: dict[str, _Publisher] = {}


def _ring_redis(topic: str, payload: str) -> None:
    publisher = _publishers.get(settings.ALMA_REDIS_URL)
    if publisher is None or publisher.pid != os.getpid():  # a forked child makes its own
        publisher = _publishers[settings.ALMA_REDIS_URL] = _Publisher()
    publisher.publish(topic, payload)


def _channel(topic: str) -> str:
    return f"alma:{topic}"


class Listener:
    """Hears rings of a topic in a synchronous process: `wait(seconds)` returns early when one came."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._socket: socket.socket | None = None
        self._channel: redis.client.PubSub | None = None
        if settings.ALMA_REDIS_URL:
            client = redis.Redis.from_url(settings.ALMA_REDIS_URL, socket_connect_timeout=0.5)
            self._channel = client.pubsub(ignore_subscribe_messages=True)
        else:
            self._socket = bind(topic)

    def wait(self, seconds: float) -> bool:
        """Whether a ring came within the time; all rings so far count as one."""
        return self._wait_socket(seconds) if self._socket else self._wait_redis(seconds)

    def close(self) -> None:
        """Hear no more."""
        if self._socket:
            unbind(self._socket)
        if self._channel:
            self._channel.close()

    def _wait_socket(self, seconds: float) -> bool:
        assert self._socket is not None
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(_MAX_PAYLOAD)
        except TimeoutError:
            return False
        drain(self._socket)
        return True

    def _wait_redis(self, seconds: float) -> bool:
        assert self._channel is not None
        started = time.monotonic()
        try:
            if not self._channel.subscribed:
                self._channel.subscribe(_channel(self.topic))
            heard = self._channel.get_message(timeout=seconds) is not None
            while heard and self._channel.get_message(timeout=0) is not None:
                continue
        except redis.RedisError:
            time.sleep(max(0.0, seconds - (time.monotonic() - started)))
            return False
        return heard


def bind(topic: str) -> socket.socket:
    """A socket of this process under the topic's name."""
    address = folder() / f"{topic}.{os.getpid()}.{next(_numbers)}"
    address.unlink(missing_ok=True)
    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bell.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    bell.bind(str(address))
    address.chmod(0o600)
    return bell


def unbind(bell: socket.socket) -> None:
    """Close a socket and remove its name."""
    Path(bell.getsockname()).unlink(missing_ok=True)
    bell.close()


def drain(bell: socket.socket) -> list[bytes]:
    """All rings that have come so far, without waiting for more."""
    bell.setblocking(False)
    rings: list[bytes] = []
    try:
        while True:
            rings.append(bell.recv(_MAX_PAYLOAD))
    except BlockingIOError:
        return rings


async def listen(topic: str, hear: Callable[[str], None]) -> None:
    """Call `hear` with the payload of every ring of a topic, until cancelled."""
    await (_listen_redis if settings.ALMA_REDIS_URL else _listen_socket)(topic, hear)


async def _listen_socket(topic: str, hear: Callable[[str], None]) -> None:
    bell, loop = bind(topic), asyncio.get_running_loop()

    def readable() -> None:
        for payload in drain(bell):
            hear(payload.decode(errors="replace"))

    loop.add_reader(bell.fileno(), readable)
    try:
        await loop.create_future()  # for ever
    finally:
        loop.remove_reader(bell.fileno())
        unbind(bell)


async def _listen_redis(topic: str, hear: Callable[[str], None]) -> None:
    while True:
        client = redis.asyncio.Redis.from_url(settings.ALMA_REDIS_URL, socket_connect_timeout=0.5)
        try:
            async with client, client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(_channel(topic))
                hear("")  # whatever was rung before we listened
                async for message in channel.listen():
                    hear(message["data"].decode(errors="replace"))
        except redis.RedisError as error:
            logger.warning("the doorbell is out of reach, polling", extra={"error": str(error)})
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
