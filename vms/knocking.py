"""Whether a TCP port answers: opened and closed again, with nothing sent."""

import socket

from vms.proxmox.addresses import refusal_of

SECONDS = 2.0


def objection(address: str) -> str:
    """Why ALMA does not connect to an address, in a sentence; nothing when it may. The rule is that of clusters."""
    try:
        return refusal_of(address, address)
    except ValueError:
        return f"{address[:60]} is no address."


def knock(address: str, port: int) -> str:
    """Empty when the connection was accepted, else why not. Takes at most SECONDS."""
    try:
        with socket.create_connection((address, port), timeout=SECONDS):
            return ""
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return (error.strerror or "no connection").lower()
