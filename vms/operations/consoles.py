"""Looking at the screen of a machine: a ticket of Proxmox's, which is handed on and kept nowhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.events.services import emit
from vms.machines import public_id
from vms.models import Guest, GuestClaim
from vms.operations.rights import not_ours, own_claim, refuse_gated
from vms.proxmox import consoles, guests
from vms.proxmox.client import Api, connect, disconnect
from vms.proxmox.consoles import Ticket
from vms.proxmox.readings import GuestReading
from vms.services import clear_answers

DEADLINE = 8.0
"""Seconds that a cluster has for an answer while somebody waits."""


class Look(StrEnum):
    """At what, and how: the screen through a websocket or by a viewer that goes to its port, or the terminal."""

    SCREEN = "vnc"
    DIRECT = "vnc-direct"
    TERMINAL = "terminal"


@dataclass(frozen=True, kw_only=True)
class Console:
    """A ticket, and the way to where it is good: `path` is below the API of the cluster, and empty where there is no websocket."""

    ticket: Ticket
    path: str
    expires_at: datetime


def open_console(guest: Guest, *, look: Look, by: Actor) -> Console:
    """A ticket for the screen or the terminal of a machine that runs. Raises Refused as every operation does, WrongState, and
    Unavailable when the cluster gives no clear answer in time. Nothing is written but that it was asked for."""
    claim = own_claim(guest, by=by)
    refuse_gated(claim)
    if guest.status != "running":
        raise WrongState(f"{guest.name} is {guest.status}; start it first.", code="GUEST_STOPPED")
    now = timezone.now()
    try:
        with clear_answers(guest.cluster):
            api = connect(guest.cluster, seconds=DEADLINE)
            reading = _ours(api, guest, claim)
            ticket = _ask(api, reading, look)
    finally:
        disconnect()
    _tell(guest, look, by=by)
    asked = urlencode({"port": ticket.port, "vncticket": ticket.ticket})
    where = "/".join(map(str, guests.path(reading)))
    return Console(
        ticket=ticket, path="" if look == Look.DIRECT else f"/api2/json/{where}/vncwebsocket?{asked}",
        expires_at=now + timedelta(seconds=consoles.SECONDS),
    )  # fmt: skip


def _ours(api: Api, guest: Guest, claim: GuestClaim) -> GuestReading:
    """The machine, with its mark read again. Raises Refused, WrongState, Unknown, Refusal."""
    reading = guests.find(api, claim)
    if reading is None:
        raise WrongState(f"{guest.name} is no longer on {guest.cluster.name}.", code="GUEST_MISSING")
    if reading.marker != claim.marker:
        raise not_ours(guest)
    if reading.status != "running":
        raise WrongState(f"{guest.name} is {reading.status}; start it first.", code="GUEST_STOPPED")
    return reading


def _ask(api: Api, reading: GuestReading, look: Look) -> Ticket:
    if look != Look.TERMINAL:
        return consoles.open_screen(api, reading, is_direct=look == Look.DIRECT)
    if not consoles.has_terminal(reading):
        raise WrongState(f"{reading.name} has no serial port; ask for its screen.", code="NO_SERIAL_PORT")
    return consoles.open_terminal(api, reading)


def _tell(guest: Guest, look: Look, *, by: Actor) -> None:
    """Who looked, and when, without what they were given."""
    emit(
        guest.cluster.stream, "vm.console_opened", organization_id=guest.organization_id, actor=by.label,
        cluster=guest.cluster.slug, id=public_id(guest), vmid=guest.vmid, name=guest.name,
        console=look.value,
    )  # fmt: skip
