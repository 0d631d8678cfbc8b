"""One GET whose body is read in parts: to addresses that were checked, as for everything that others name, and without
redirects: where one leads is told, and whoever follows it comes here again."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from alma.outbound.client import Deadline, connect
from alma.outbound.errors import Reason, Unreached
from alma.outbound.targets import parse, resolve

OPEN_SECONDS = 15.0
SILENT_SECONDS = 20.0
PART = 256 * 1024


@dataclass
class Incoming:
    """An answer whose body has not been read yet."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; of several of one name the last."""
    _response: http.client.HTTPResponse

    def parts(self) -> Iterator[bytes]:
        """The body, until it ends. Raises Unreached when it is cut off, or silent for too long."""
        try:
            while part := self._response.read1(PART):
                yield part
            if self._response.length:  # the connection ended before the body did
                raise Unreached(Reason.NO_ANSWER)
        except TimeoutError as error:
            raise Unreached(Reason.TIMEOUT) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreached(Reason.NO_ANSWER) from error

    def whole(self, most: int) -> bytes:
        """All of a body of at most so many bytes. Raises Unreached, ValueError for a larger one."""
        body = b""
        for part in self.parts():
            body += part
            if len(body) > most:
                raise ValueError(f"The answer is larger than {most} bytes.")
        return body


@contextmanager
def get(url: str, headers: Mapping[str, str]) -> Iterator[Incoming]:
    """Ask once. Raises Invalid for a URL that may not be called, Unreached when no answer came."""
    target, deadline = parse(url), Deadline(OPEN_SECONDS)
    try:
        connected = connect(target, resolve(target, deadline.left()), deadline)
    except TimeoutError as error:
        raise Unreached(Reason.TIMEOUT) from error
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = connected
    connected.settimeout(SILENT_SECONDS)
    try:
        yield _asked(connection, target.path, {"Host": target.authority, "Connection": "close", **headers})
    finally:
        connection.close()
        connected.close()


def _asked(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> Incoming:
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
    except TimeoutError as error:
        raise Unreached(Reason.TIMEOUT) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreached(Reason.NO_ANSWER) from error
    return Incoming(response.status, {name.lower(): value for name, value in response.getheaders()}, response)
