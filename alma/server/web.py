"""The web role: uvicorn, set up for many quick requests, long-lived sockets and callers that do not behave."""

import socket

import uvicorn
from django.conf import settings

from alma.server.protocol import BoundedHttpProtocol, QuietSocketProtocol

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 20
STOP_SECONDS = 3
MAX_SOCKET_FRAME = 64 * 1024
PING_SECONDS = 20.0
UNREAD_MILLISECONDS = 60_000
"""A peer that acknowledges nothing for this long is gone, whatever it says."""


def listening_socket(host: str, port: int) -> socket.socket:
    """The socket to serve on. Raises OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def configuration() -> uvicorn.Config:
    """How uvicorn serves ALMA."""
    return uvicorn.Config(
        "alma.asgi:application",
        loop="uvloop",
        http=BoundedHttpProtocol,
        ws=QuietSocketProtocol,
        ws_max_size=MAX_SOCKET_FRAME,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.ALMA_BEHIND_PROXY,
        forwarded_allow_ips=settings.ALMA_PROXY_ADDRESSES,
        limit_concurrency=settings.ALMA_SOCKETS + 2_000,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when the address is taken."""
    with listening_socket(host, port) as listener:
        uvicorn.Server(configuration()).run(sockets=[listener])
