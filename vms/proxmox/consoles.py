"""Tickets for screens and terminals of guests."""

from dataclasses import dataclass, field
from typing import Any

from alma.jobs.kinds import Unknown
from vms.proxmox.answers import mapping, text, whole
from vms.proxmox.client import Api
from vms.proxmox.guests import path
from vms.proxmox.readings import GuestReading

SECONDS = 10
"""For so long Proxmox listens for whoever has a ticket."""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What Proxmox handed out. `password` is what VNC asks for, empty where it asks for none; `certificate` is the PEM of the
    cluster's CA, empty where it was not told. The secrets are in no repr, and so in no log."""

    port: int
    user: str
    ticket: str = field(repr=False)
    password: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)


def open_screen(api: Api, guest: GuestReading, *, is_direct: bool = False) -> Ticket:
    """A ticket for the screen, to be used through a websocket, or by a VNC viewer that goes to the port itself, over TLS.
    Raises Unknown, Refusal."""
    return _ticket(api.post(*path(guest), "vncproxy", websocket=None if is_direct else True))


def open_terminal(api: Api, guest: GuestReading) -> Ticket:
    """A ticket for the terminal: the serial port of a machine, the console of a container. Raises Unknown, Refusal."""
    return _ticket(api.post(*path(guest), "termproxy"))


def has_terminal(guest: GuestReading) -> bool:
    """Whether there is anything that a terminal could be connected to."""
    return guest.kind == "lxc" or any(name.startswith("serial") for name in guest.config)


def _ticket(answer: Any) -> Ticket:
    told = mapping(answer, "console")
    ticket = Ticket(
        port=whole(told, "port"), user=text(told, "user"), ticket=text(told, "ticket"), password=text(told, "password"),
        certificate=text(told, "cert"),
    )  # fmt: skip
    if not (ticket.port and ticket.ticket):
        raise Unknown("The cluster handed out no ticket.")
    return ticket
