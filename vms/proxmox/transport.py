"""Connections to checked addresses alone, over verified TLS, with a deadline for the whole of each call."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from django.conf import settings
from requests.adapters import BaseAdapter
from urllib3 import BaseHTTPResponse, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from vms.proxmox.addresses import resolve

MAX_BODY = 32 * 1024 * 1024


class Unreadable(HTTPError):
    """An answer of a form that Proxmox never gives."""


class DeadlineSocket(ssl.SSLSocket):
    """Every read and write gets what is left of the call's time and of its bytes."""

    context: "CallContext"

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read within the call's budget. Raises TimeoutError."""
        self.settimeout(self.context.time_left())
        count = super().recv_into(buffer, nbytes, flags)
        self.context.received(count)
        return count

    def send(self, data: Any, flags: int = 0) -> int:
        """Write within the call's budget. Raises TimeoutError."""
        self.settimeout(self.context.time_left())
        return super().send(data, flags)


class CallContext(ssl.SSLContext):
    """A TLS context that also holds the budget of the call that is under way."""

    sslsocket_class = DeadlineSocket
    is_sandbox = False
    """Whether loopback may be called: by the built-in sandbox alone."""
    _ends_at = 0.0
    _bytes = 0

    def begin(self, seconds: float) -> None:
        """A new call starts now."""
        self._ends_at = time.monotonic() + seconds
        self._bytes = 0

    def time_left(self) -> float:
        """Seconds that the call still has. Raises TimeoutError when there are none."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("The call took longer than its total deadline.")
        return left

    def received(self, count: int) -> None:
        """Count what came in. Raises Unreadable past the limit."""
        self._bytes += count
        if self._bytes > MAX_BODY + 65536:
            raise Unreadable("The answer is larger than any answer of Proxmox.")


@dataclass(frozen=True)
class Trust:
    """How a cluster proves who it is: by one pinned certificate, by a bundle, by the system's CAs, or not at all."""

    ca_pem: str = ""
    fingerprint: str = ""
    is_verified: bool = True

    def context(self) -> CallContext:
        """A context for it. With a pinned certificate the adapter compares it, before anything is sent."""
        context = CallContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the chain and the host name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.fingerprint or not self.is_verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif self.ca_pem:
            context.load_verify_locations(cadata=self.ca_pem)
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a pinned server certificate is enough
        else:
            context.load_default_certs()
        return context

    @staticmethod
    def context_unchecked() -> ssl.SSLContext:
        """To look at a certificate, with nothing said to who shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def pool_options(self) -> dict[str, Any]:
        """The same for urllib3."""
        if self.fingerprint:
            pinned = self.fingerprint.replace(":", "").lower()
            return {"cert_reqs": "CERT_NONE", "assert_hostname": False, "assert_fingerprint": pinned}
        if self.is_verified:
            return {"cert_reqs": "CERT_REQUIRED"}
        return {"cert_reqs": "CERT_NONE", "assert_hostname": False}


class CheckedConnection(HTTPSConnection):
    """A connection to an address that was looked up once and found allowed."""

    def _new_conn(self) -> socket.socket:
        """Connect to the address itself: the name is not looked up again. Raises OSError."""
        context = self.ssl_context
        assert isinstance(context, CallContext)
        assert isinstance(self.timeout, float | int)
        seconds = min(self.timeout, context.time_left())
        addresses = resolve(self.host, self.port, seconds, is_sandbox=context.is_sandbox)
        connected = _first(addresses, self.port, seconds / len(addresses))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected


def _first(addresses: list[str], port: int, seconds: float) -> socket.socket:
    """A connection to the first address that takes one. Raises OSError."""
    *others, last = addresses
    for address in others:
        with suppress(OSError):
            return socket.create_connection((address, port), seconds)
    return socket.create_connection((last, port), seconds)


class CheckedPool(HTTPSConnectionPool):
    """Such connections. What is not verified was allowed by the operator and is told where it is opened."""

    ConnectionCls = CheckedConnection

    def _validate_conn(self, conn: Any) -> None:
        if conn.is_closed:
            conn.connect()


@dataclass(frozen=True)
class Answer:
    """What proxmoxer reads of a response."""

    status_code: int
    reason: str
    content: bytes


class Session:
    """proxmoxer's session on one host, without the environment: no proxy, no netrc, no other CA bundle, no redirect.

    A deployment makes thousands of calls, so there is nothing between the call and the connection, which stays open.
    """

    def __init__(self, place: tuple[str, int], context: CallContext, trust: Trust, authorization: str) -> None:
        timeout = Timeout(connect=settings.ALMA_CLUSTER_CONNECT_SECONDS, read=settings.ALMA_CLUSTER_TOTAL_SECONDS)
        self._pool = CheckedPool(
            *place, maxsize=1, timeout=timeout, retries=False, ssl_context=context, **trust.pool_options()
        )
        self._adapter: BaseAdapter | None = None
        self._turn = threading.Lock()
        self._headers = {
            "Accept": "application/json", "Accept-Encoding": "identity", "Authorization": authorization,
            "Connection": "keep-alive", "User-Agent": "ALMA",
        }  # fmt: skip

    def carry(self, adapter: BaseAdapter) -> None:
        """From now on, calls go through this adapter, one at a time, and none to the host."""
        self._adapter = adapter

    def request(self, method: str, url: str, data: Any = None, params: Any = None) -> Answer:
        """One call. Raises HTTPError, OSError."""
        if self._adapter is not None:
            return self._carried(self._adapter, requests.Request(method, url, self._headers, data=data, params=params))
        path, headers, body = urlsplit(url).path, self._headers, None
        if params:
            path += f"?{urlencode(params)}"
        if data:
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(data).encode()
        response = self._pool.urlopen(
            method, path, body, headers, redirect=False, assert_same_host=False, preload_content=False
        )
        try:
            _check(response)
            return Answer(response.status, response.reason or "", response.read())
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()

    def _carried(self, adapter: BaseAdapter, request: requests.Request) -> Answer:
        with self._turn:
            response = adapter.send(request.prepare())
            return Answer(response.status_code, response.reason, response.content)

    def close(self) -> None:
        """Close the connection that is kept open."""
        self._pool.close()


def _check(response: BaseHTTPResponse) -> None:
    """Refuse what cannot be an answer of Proxmox before its body is read. Raises Unreadable."""
    if 300 <= response.status < 400:
        raise Unreadable(f"Proxmox does not redirect, yet this answered {response.status}.")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreadable("The answer is encoded, which was not asked for.")
    length = response.headers.get("Content-Length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        raise Unreadable("The answer is larger than any answer of Proxmox.")
