"""One POST: to an address that was checked, within one deadline, without redirects, proxies or a look at the body."""

import http.client
import io
import logging
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from alma.outbound.errors import Reason, Unreached
from alma.outbound.targets import Target, parse, resolve

logger = logging.getLogger(__name__)

TOTAL_SECONDS = 15.0
CONNECT_SECONDS = 5.0
MOST_READ = 64 * 1024
MOST_ADDRESSES = 4
LINGER_SECONDS = 1.0


@dataclass(frozen=True)
class Answer:
    """What a receiver said. Of the body nothing is kept: it could show what only our network can see."""

    status: int
    seconds: float
    retry_after: str = ""


class Deadline:
    """When all of it must be over, the look-up of the name included."""

    def __init__(self, seconds: float) -> None:
        self._began = time.monotonic()
        self._end = self._began + seconds

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def shorten(self, seconds: float) -> None:
        """From now on wait no longer than this."""
        self._end = min(self._end, time.monotonic() + seconds)

    def left(self, most: float = TOTAL_SECONDS) -> float:
        """Seconds that the next wait may take. Raises TimeoutError when none is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)


class Reader(io.RawIOBase):
    """The bytes of an answer. After 64 KB it counts as ended."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline
        self._room = MOST_READ

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes, 0 at the end."""
        if self._room <= 0:
            return 0
        self._socket.settimeout(self._deadline.left())
        count = self._socket.recv_into(memoryview(buffer)[: self._room])
        self._room -= count
        return count


class Wire:
    """A connected socket as http.client wants one: the deadline is over all reads and writes, not over each."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def makefile(self, *_: Any) -> io.BufferedReader:
        """What the answer is read from."""
        return io.BufferedReader(Reader(self._socket, self._deadline))

    def sendall(self, data: bytes) -> None:
        """Write all of it."""
        view = memoryview(data)
        while view:
            self._socket.settimeout(self._deadline.left())
            view = view[self._socket.send(view) :]

    def close(self) -> None:
        """http.client has the headers and wants no more; whoever connected closes after the body."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = TOTAL_SECONDS) -> Answer:
    """Send it once. Raises Invalid for a URL that may not be called, Unreached when no answer came."""
    target = parse(url)
    deadline = Deadline(seconds)
    try:
        connected = connect(target, resolve(target, deadline.left()), deadline)
        with closing(connected):
            return _exchange(Wire(connected, deadline), target, body, headers, deadline)
    except TimeoutError as error:
        raise Unreached(Reason.TIMEOUT) from error


def connect(target: Target, addresses: list[str], deadline: Deadline) -> socket.socket:
    """A connection to one of the checked addresses themselves: the name is not looked up again."""
    for address in addresses[:MOST_ADDRESSES]:
        try:
            plain = socket.create_connection((address, target.port), deadline.left(CONNECT_SECONDS))
        except OSError as error:
            logger.info("no connection", extra={"host": target.host, "address": address, "error": str(error)})
            continue
        return _encrypted(plain, target, deadline) if target.is_tls else plain
    deadline.left()
    raise Unreached(Reason.NO_CONNECTION)


def _encrypted(plain: socket.socket, target: Target, deadline: Deadline) -> socket.socket:
    """TLS, verified for the name in the URL. The timeout of a handshake covers all of it."""
    try:
        plain.settimeout(deadline.left())
        return tls_context(settings.ALMA_OUTBOUND_CA).wrap_socket(plain, server_hostname=target.host)
    except TimeoutError:
        plain.close()
        raise
    except OSError as error:
        plain.close()
        logger.info("no TLS", extra={"host": target.host, "error": str(error)})
        raise Unreached(Reason.TLS) from error


@lru_cache(maxsize=4)
def tls_context(extra_ca: str) -> ssl.SSLContext:
    """The system's certificate authorities, and the operator's own beside them."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if extra_ca:
        context.load_verify_locations(extra_ca)
    return context


def _exchange(wire: Wire, target: Target, body: bytes, headers: Mapping[str, str], deadline: Deadline) -> Answer:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = wire
    try:
        connection.request("POST", target.path, body, {"Host": target.authority, "Connection": "close", **headers})
        response = connection.getresponse()
        answer = Answer(response.status, deadline.spent, response.getheader("Retry-After") or "")
        deadline.shorten(LINGER_SECONDS)
        with suppress(OSError, http.client.HTTPException):
            response.read(MOST_READ)  # the answer is known; this only lets the receiver finish writing it
        return answer
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise Unreached(Reason.NO_ANSWER) from error
