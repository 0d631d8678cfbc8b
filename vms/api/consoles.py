"""Looking at the screen of one machine of `/v1/vms`."""

from datetime import datetime
from typing import Any, Literal

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from vms.api.finding import VM_ID, machine_of
from vms.api.operations import MachineOperation
from vms.machines import public_id
from vms.models import Guest
from vms.operations.consoles import Console, Look, open_console


class ConsoleWish(BaseModel):
    """What to look at: the screen, through a websocket (`vnc`) or by a viewer that goes to the port itself over TLS (`vnc-direct`),
    or the serial port of a machine and the console of a container (`terminal`)."""

    model_config = ConfigDict(strict=True, extra="forbid")

    type: Literal["vnc", "vnc-direct", "terminal"] = "vnc"


class ConsoleTicket(BaseModel):
    """A ticket of the cluster's. `host` and `websocket_port` are those of its API, `port` is the one that waits there until
    `expires_at`; `user` is for whom the ticket was made, `password` what VNC asks for, `certificate` the CA of the cluster. Without a websocket its two fields are null."""

    vm_id: str
    type: str
    host: str
    port: int
    user: str
    ticket: str
    password: str | None
    certificate: str | None
    expires_at: datetime
    websocket_port: int | None
    websocket_path: str | None


class OpenConsole(BaseModel):
    """What was handed out."""

    console: ConsoleTicket


def shown(guest: Guest, console: Console, type: str) -> dict[str, Any]:
    """A ticket as clients read it."""
    ticket, cluster = console.ticket, guest.cluster
    return {
        "vm_id": public_id(guest), "type": type, "host": cluster.host, "port": ticket.port, "user": ticket.user,
        "ticket": ticket.ticket, "password": ticket.password or None, "certificate": ticket.certificate or None,
        "expires_at": console.expires_at, "websocket_port": cluster.port if console.path else None,
        "websocket_path": console.path or None,
    }  # fmt: skip


class ConsoleOfMachine(MachineOperation):
    """Handing out tickets. An answer holds a secret, so it is kept nowhere: each request gets a ticket of its own."""

    @property
    def keeps_answers(self) -> bool:
        """A repeated request is a new one."""
        return False

    @extend_schema(
        operation_id="vms_console", parameters=[VM_ID], request=ConsoleWish, responses={200: OpenConsole}, tags=["vms"]
    )
    def post(self, request: Request, vm_id: str) -> Response:
        """A ticket for the screen or the terminal of a machine that runs, good for some seconds."""
        guest = machine_of(request, vm_id)
        wish = read_body(ConsoleWish, request)
        console = open_console(guest, look=Look(wish.type), by=actor_of(request))
        return Response({"console": shown(guest, console, wish.type)}, headers={"Cache-Control": "no-store"})
