"""/nodes/{node}/qemu/{vmid}/agent: the commands that a guest agent understands."""

import base64
import binascii
from collections.abc import Callable

from vms.sandbox.core import agent, guest_system, guests
from vms.sandbox.core.api.tables import GUEST
from vms.sandbox.core.errors import ApiError, die, invalid
from vms.sandbox.core.kinds import QEMU
from vms.sandbox.core.model import Guest, Json
from vms.sandbox.core.parameters import Param, array, boolean, integer, one_of, text
from vms.sandbox.core.routing import Call, Handler, Routes, holder
from vms.sandbox.core.world import World

routes = Routes()
_BASE = "/nodes/{node}/qemu/{vmid}/agent"
_ALL = "VM.GuestAgent.Unrestricted"
_LONGEST_FILE = 16 * 2**20
Answer = Callable[[World, Guest], Json]


def _thawed(world: World, guest: Guest) -> Json:
    return guest_system.freeze(world, guest, is_on=False)


def _frozen(world: World, guest: Guest) -> Json:
    return guest_system.freeze(world, guest, is_on=True)


def _shut_down(world: World, guest: Guest) -> Json:
    """The agent does not answer this one: the machine is on its way out."""
    guests.halt(world, guest)


_READS: dict[str, Answer] = {
    "get-fsinfo": agent.file_systems, "get-host-name": lambda world, guest: {"host-name": guest.name},
    "get-memory-block-info": lambda world, guest: {"size": agent.MEMORY_BLOCK},
    "get-memory-blocks": agent.memory_blocks, "get-osinfo": agent.os_info, "get-time": agent.time_of,
    "get-timezone": lambda world, guest: {"offset": 0, "zone": "UTC"}, "get-users": lambda world, guest: [],
    "get-vcpus": agent.processors, "network-get-interfaces": agent.interfaces,
    "info": lambda world, guest: agent.about(sorted({*_READS, *_WRITES, "exec", "exec-status", "file-read"})),
}  # fmt: skip
_WRITES: dict[str, tuple[tuple[str, ...], Answer]] = {
    "ping": (("VM.GuestAgent.Audit",), lambda world, guest: {}),
    "fsfreeze-freeze": (("VM.GuestAgent.FileSystemMgmt",), _frozen),
    "fsfreeze-thaw": (("VM.GuestAgent.FileSystemMgmt",), _thawed),
    "fsfreeze-status": (
        ("VM.GuestAgent.Audit", "VM.GuestAgent.FileSystemMgmt"),
        lambda world, guest: "frozen" if guest_system.is_frozen(guest) else "thawed",
    ),
    "fstrim": (("VM.GuestAgent.FileSystemMgmt",), agent.trimmed),
    "shutdown": (("VM.PowerMgmt",), _shut_down),
}
_UNKNOWN = {"suspend-disk", "suspend-hybrid", "suspend-ram"}


def _machine(call: Call) -> Guest:
    """The machine whose agent answers."""
    guest = call.guest(QEMU.name)
    agent.require(call.world, guest)
    return guest


def ask(answer: Answer) -> Handler:
    def handler(call: Call) -> Json:
        return {"result": answer(call.world, _machine(call))}

    return handler


for _name, _answer in _READS.items():
    routes.route("GET", f"{_BASE}/{_name}", GUEST, holder("/vms/{vmid}", "VM.GuestAgent.Audit", _ALL))(ask(_answer))
for _name, (_privileges, _answer) in _WRITES.items():
    routes.route("POST", f"{_BASE}/{_name}", GUEST, holder("/vms/{vmid}", *_privileges, _ALL))(ask(_answer))


@routes.route("GET", _BASE, GUEST, holder("/vms/{vmid}", "VM.GuestAgent.Audit", _ALL))
def index(call: Call) -> Json:
    call.guest(QEMU.name)
    names = {*_READS, *_WRITES, "exec", "exec-status", "file-read", "file-write", "set-user-password"}
    return [{"name": name} for name in sorted(names)]


_COMMAND = {**GUEST, "command": one_of(*sorted({*_READS, *_WRITES, *_UNKNOWN})).required()}


@routes.route("POST", _BASE, _COMMAND, holder("/vms/{vmid}", _ALL))
def command(call: Call) -> Json:
    """The older way to ask: the command is a parameter."""
    name = call.string("command")
    if name in _UNKNOWN:
        raise ApiError(501, f"agent command '{name}' not implemented")
    answer = _READS[name] if name in _READS else _WRITES[name][1]
    return {"result": answer(call.world, _machine(call))}


_EXEC = {**GUEST, "command": array().required(), "input-data": text(65536)}


@routes.route("POST", f"{_BASE}/exec", _EXEC, holder("/vms/{vmid}", _ALL))
def execute(call: Call) -> Json:
    guest = _machine(call)
    words = call.string("command").split("\0")
    if guest_system.is_frozen(guest):
        raise die("Agent error: Command guest-exec has been disabled: the guest agent has frozen the file systems")
    return {"pid": guest_system.execute(call.world, guest, words, call.string("input-data"))}


@routes.route("GET", f"{_BASE}/exec-status", {**GUEST, "pid": integer().required()}, holder("/vms/{vmid}", _ALL))
def execution(call: Call) -> Json:
    return guest_system.status(call.world, _machine(call), call.number("pid"))


_READ = {
    **GUEST, "file": text().required(), "count": integer(1, _LONGEST_FILE), "offset": integer(0), "decode": boolean(),
}  # fmt: skip


@routes.route("GET", f"{_BASE}/file-read", _READ, holder("/vms/{vmid}", "VM.GuestAgent.FileRead", _ALL))
def read_file(call: Call) -> Json:
    path, start = call.string("file"), call.number("offset")
    content = guest_system.read(call.world, _machine(call), path)
    if content is None:
        raise die(f"Agent error: failed to open file '{path}' (mode: 'r'): No such file or directory")
    part = content[start : start + call.number("count", _LONGEST_FILE)]
    is_text = call.flag("decode", default=True)
    shown = part.decode(errors="replace") if is_text else base64.b64encode(part).decode()
    return {"content": shown} | ({"truncated": 1} if start + len(part) < len(content) else {})


_WRITE = {**GUEST, "file": text().required(), "content": Param(is_required=True, max_length=61440), "encode": boolean()}


@routes.route("POST", f"{_BASE}/file-write", _WRITE, holder("/vms/{vmid}", "VM.GuestAgent.FileWrite", _ALL))
def write_file(call: Call) -> Json:
    content = call.string("content").encode()
    if not call.flag("encode", default=True):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise invalid(content="value is no base64") from error
    guest_system.write(call.world, _machine(call), call.string("file"), content)


_PASSWORD = {
    **GUEST, "username": text().required(), "password": Param(is_required=True, min_length=5, max_length=1024),
    "crypted": boolean(),
}  # fmt: skip


@routes.route("POST", f"{_BASE}/set-user-password", _PASSWORD, holder("/vms/{vmid}", _ALL))
def set_password(call: Call) -> Json:
    """Nobody signs in to a simulated machine; what can be wrong is the name."""
    guest = _machine(call)
    if call.string("username") not in guest_system.users(guest):
        raise die("Agent error: child process has failed to set user password")
    return {"result": {}}
