"""/nodes/{node}/qemu/{vmid}/cloudinit, and a few commands of machines without a family."""

from vms.sandbox.core import cloudinit, guests, reconfigure, tasks
from vms.sandbox.core.api.tables import GUEST, SKIPLOCK
from vms.sandbox.core.errors import die
from vms.sandbox.core.kinds import QEMU
from vms.sandbox.core.model import Guest, Json
from vms.sandbox.core.parameters import boolean, one_of, text
from vms.sandbox.core.routing import Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()
_BASE = "/nodes/{node}/qemu/{vmid}"
_AUDIT = holder("/vms/{vmid}", "VM.Audit")
_DUMP = {**GUEST, "type": one_of("user", "network", "meta").required()}


@routes.route("GET", f"{_BASE}/cloudinit", GUEST, _AUDIT)
def pending(call: Call) -> Json:
    return cloudinit.pending_rows(call.guest(QEMU.name))


@routes.route("PUT", f"{_BASE}/cloudinit", GUEST, holder("/vms/{vmid}", "VM.Config.Cloudinit"))
def regenerate(call: Call) -> Json:
    guest = call.guest(QEMU.name)
    guests.wait_for_lock_file(call, guest)
    tasks.check_lock(guest)
    cloudinit.write_seed(call.world, guest)


@routes.route("GET", f"{_BASE}/cloudinit/dump", _DUMP, _AUDIT)
def dump(call: Call) -> Json:
    return cloudinit.dump(call.world, call.guest(QEMU.name), call.string("type"))


_UNLINK = {**GUEST, "idlist": text().required(), "force": boolean()}


@routes.route("PUT", f"{_BASE}/unlink", _UNLINK, holder("/vms/{vmid}", "VM.Config.Disk"))
def unlink(call: Call) -> Json:
    """The older way to detach disks: a change that only deletes."""
    call.params["delete"] = call.params.pop("idlist")
    if unknown := [key for key in split_list(call.string("delete")) if not QEMU.knows(key)]:
        raise die(f"unknown option '{unknown[0]}'")
    reconfigure.change(call, QEMU)


def _running(call: Call) -> Guest:
    guest = call.guest(QEMU.name)
    tasks.check_root_options(call.identity, call.params)
    if not guest.is_running:
        raise die(f"VM {guest.vmid} not running")
    return guest


@routes.route(
    "PUT", f"{_BASE}/sendkey", {**GUEST, **SKIPLOCK, "key": text().required()}, holder("/vms/{vmid}", "VM.Console")
)
def send_key(call: Call) -> Json:
    """A key press reaches a running machine and leaves no trace."""
    _running(call)


@routes.route("GET", f"{_BASE}/status", GUEST, _AUDIT)
def status_index(call: Call) -> Json:
    call.guest(QEMU.name)
    return [{"subdir": name} for name in ("current", "start", "stop", "reset", "shutdown", "suspend", "reboot")]
