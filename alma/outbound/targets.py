"""From a URL that somebody typed to addresses that may be connected to."""

import queue
import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from alma.errors import Invalid
from alma.outbound.addresses import all_may_be_connected, may_connect, may_name
from alma.outbound.errors import Reason, Unreached

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST = 2000
_PLAIN = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?")


@dataclass(frozen=True)
class Target:
    """A URL taken apart. `host` is lower case and without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted and the receiver's name verified."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Refuse what is no plain http(s) URL to a port that is open. Looks nothing up. Raises Invalid."""
    if len(url) > LONGEST:
        raise _invalid(f"A URL has at most {LONGEST} characters.")
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise _invalid("Write the URL in plain ASCII without spaces; international names in their xn-- form.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _invalid("This is not a URL.") from error
    if parts.scheme not in DEFAULT_PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise _invalid("Only https:// and http:// URLs can be called.")
    if "#" in url:
        raise _invalid("Leave the part after # out.")
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    target = Target(parts.scheme, _host(parts), port, _path(parts))
    if not may_name(target.host, port):
        raise _invalid(f"Requests to port {port} are not allowed here.")
    _check_literal(target)
    return target


def _host(parts: SplitResult) -> str:
    if "@" in parts.netloc:
        raise _invalid("A URL with a user name or password in it is not called.")
    host = (parts.hostname or "").lower()
    if not (_NAME.fullmatch(host) or _is_v6(host)):
        raise _invalid("This is not a host name.")
    return host.removesuffix(".")


def _is_v6(host: str) -> bool:
    try:
        return ip_address(host).version == 6 and "%" not in host
    except ValueError:
        return False


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _check_literal(target: Target) -> None:
    """An address in the URL itself can be judged at once; a name is judged at each connection."""
    try:
        ip_address(target.host)
    except ValueError:
        return
    if not may_connect(target.host, target.host, target.port):
        raise _invalid("Requests to this address are not allowed here.")


def _invalid(message: str) -> Invalid:
    return Invalid(message, details={"field": "url", "reason": message})


def resolve(target: Target, seconds: float) -> list[str]:
    """All addresses of the host, looked up once. Raises Unreached when there is none or any of them is forbidden."""
    addresses = look_up(target.host, target.port, seconds)
    if not all_may_be_connected(target.host, addresses, target.port):
        raise Unreached(Reason.NO_ADDRESS)
    return addresses


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host, none when it has none. In a thread, for the system's resolver knows no deadline.

    Raises Unreached when that takes too long."""
    found: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            infos = []
        found.put(list(dict.fromkeys(str(info[4][0]) for info in infos)))

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    try:
        return found.get(timeout=max(0.01, seconds))
    except queue.Empty as error:
        raise Unreached(Reason.TIMEOUT) from error
