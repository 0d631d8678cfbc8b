"""A port that speaks TLS, and sends whoever speaks plain HTTP to the https address, as Proxmox's port 8006 does."""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Callable

_HANDSHAKE = b"\x16"
_PATIENCE = 10.0
_HEAD_LIMIT = 8192


class Listener:
    """Accepts connections, looks at their first byte, and hands those that begin a handshake to the HTTP server."""

    def __init__(self, factory: Callable[[], asyncio.BaseProtocol], context: ssl.SSLContext) -> None:
        self._factory = factory
        self._context = context
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, host: str, port: int) -> int:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=256)
        self._socket.setblocking(False)
        self._keep(asyncio.get_running_loop().create_task(self._accept_for_ever(self._socket)))
        return int(self._socket.getsockname()[1])

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept_for_ever(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listening)
            self._keep(loop.create_task(self._admit(connection)))

    async def _admit(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_PATIENCE):
                if await _peek(connection) != _HANDSHAKE:
                    await _redirect(connection)
                    connection.close()
                    return
            await loop.connect_accepted_socket(
                self._factory, connection, ssl=self._context, ssl_handshake_timeout=_PATIENCE
            )
        except (OSError, TimeoutError):
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise


async def _peek(connection: socket.socket) -> bytes:
    """The first byte, left where it is."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)


async def _redirect(connection: socket.socket) -> None:
    """301 for what can be asked again as it is, 308 for the rest."""
    loop = asyncio.get_running_loop()
    head = (await loop.sock_recv(connection, _HEAD_LIMIT)).decode("latin-1")
    line = re.match(r"([A-Z]+) (\S+) HTTP/1\.[01]\r?\n", head)
    host = re.search(r"^Host:[ \t]*([\w.:\[\]-]+)[ \t]*\r?$", head, re.MULTILINE | re.IGNORECASE)
    if not line or not host:
        answer = "HTTP/1.1 400 Bad Request"
    else:
        status = "301 Moved Permanently" if line[1] in {"GET", "HEAD"} else "308 Permanent Redirect"
        answer = f"HTTP/1.1 {status}\r\nLocation: https://{host[1]}{line[2]}"
    await loop.sock_sendall(connection, f"{answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
