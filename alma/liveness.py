"""Tells whoever started this process that it works: the protocol of systemd, which `manage.py up` speaks as well."""

import logging
import socket

from alma import env

logger = logging.getLogger(__name__)

SOCKET = "NOTIFY_SOCKET"
ALIVE = "WATCHDOG=1"
READY = "READY=1"


def tell(*words: str) -> None:
    """Send them, if anybody listens. Never waits and never raises: a starter that is gone has other ways to know."""
    address = env.text(SOCKET)
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
            speaker.setblocking(False)
            speaker.sendto("\n".join(words).encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
    except OSError as error:
        logger.debug("nobody hears that this process lives", extra={"error": str(error)})


def show_life() -> None:
    """This process works."""
    tell(ALIVE)


def is_ready() -> None:
    """This process has begun to work."""
    tell(READY, ALIVE)
