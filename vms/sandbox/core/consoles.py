"""Consoles of guests: a port on the node that was asked, a ticket for it, and ten seconds in which somebody may come.

Behind the socket of a screen is a VNC server; to a terminal or a port nobody comes, and its worker ends like that."""

from vms.sandbox.core import authentication, tasks
from vms.sandbox.core.errors import ApiError, TaskError, die
from vms.sandbox.core.kinds import QEMU, Kind
from vms.sandbox.core.model import Guest, Json, Task
from vms.sandbox.core.routing import Call
from vms.sandbox.core.world import World

SECONDS = 10.0
_FIRST, _LAST = 5900, 5999
_LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%+-"


def screen(call: Call, kind: Kind) -> dict[str, Json]:
    """What POST vncproxy answers: the ticket of a machine's screen begins with the password that VNC asks for."""
    guest = call.guest(kind.name)
    is_text = kind is not QEMU or _serial(guest)
    port = _free_port(call.world)
    ticket = _ticket(call, port)
    told: dict[str, Json] = {"user": call.identity.name, "port": str(port)}
    if call.flag("websocket") or not is_text:
        told["password"] = "".join(_LETTERS[byte % len(_LETTERS)] for byte in call.world.random_bytes(8))
        ticket = f"{told['password']}:{ticket}"
    end = f"command '/usr/bin/vncterm -rfbport {port} -timeout 10 -authpath /vms/{guest.vmid} -perm VM.Console"
    told["upid"] = _fork(
        call, guest, port, f"{end} -verify-port' failed: exit code 1" if is_text else "connection timed out"
    )
    return {**told, "ticket": ticket, "cert": call.world.state.setting("authority", "")}


def terminal(call: Call, kind: Kind) -> dict[str, Json]:
    """What POST termproxy answers; that a machine has no serial port shows in the worker only."""
    guest = call.guest(kind.name)
    port = _free_port(call.world)
    command = f"qm terminal {guest.vmid}" if kind is QEMU else f"dtach -A /var/run/dtach/vzctlconsole{guest.vmid}"
    proxy = f"/usr/bin/termproxy {port} --path /vms/{guest.vmid} --perm VM.Console --vncticket-endpoint --verify-port"
    upid = _fork(call, guest, port, f"command '{proxy} -- {command}' failed: exit code 1")
    return {"user": call.identity.name, "ticket": _ticket(call, port), "port": str(port), "upid": upid}


def _ticket(call: Call, port: int) -> str:
    return authentication.issue_console_ticket(call.world, call.identity.name, f"/vms/{call.vmid}", port)


def _serial(guest: Guest) -> bool:
    """Whether the machine shows its serial port in place of a screen."""
    return str(guest.config.get("vga", "")).partition(",")[0].removeprefix("type=").startswith("serial")


def _free_port(world: World) -> int:
    held = {task.args["port"] for task in world.running.values() if task.type == "vncproxy"}
    port = next((port for port in range(_FIRST, _LAST + 1) if port not in held), None)
    if port is None:
        raise die("unable to find free port (5900-6000)")
    return port


def _fork(call: Call, guest: Guest, port: int, end: str) -> str:
    """The worker runs where the call was answered: nothing of this is handed on to the guest's own node."""
    world = call.world
    work = tasks.Work("vncproxy", world.entry_node, str(guest.vmid), SECONDS, args={"port": port, "end": end})
    return tasks.fork(world, call.identity, work)


@tasks.effect("vncproxy")
def give_up(world: World, task: Task) -> None:
    """Nobody came, or somebody did."""
    if not task.args.get("is_used"):
        raise TaskError(task.args["end"])


def note_use(world: World, port: int) -> None:
    """Somebody came to the worker that waits at a port."""
    for task in world.running.values():
        if task.type == "vncproxy" and task.args["port"] == port:
            task.args["is_used"] = True


def socket(call: Call, kind: Kind) -> dict[str, Json]:
    """What GET vncwebsocket answers before it becomes a socket: the port, to the one for whom the ticket was made."""
    check(call.world, call.string("vncticket"), call.identity.name, f"/vms/{call.vmid}", call.number("port"))
    call.guest(kind.name)
    return {"port": call.string("port")}


def check(world: World, ticket: str, name: str, path: str, port: int) -> None:
    """The 401 of a ticket that is not right."""
    if not authentication.is_console_ticket(world, ticket, name, path, port):
        raise ApiError(401, "permission denied - invalid PVEVNC ticket")
