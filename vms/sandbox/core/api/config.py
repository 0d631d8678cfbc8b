"""Configuration of guests: read, pending, change."""

from vms.sandbox.core import formats, guests, reconfigure
from vms.sandbox.core.api.tables import GUEST
from vms.sandbox.core.errors import die
from vms.sandbox.core.kinds import LXC, QEMU, Kind
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, text
from vms.sandbox.core.routing import Call, Handler, Routes, holder

routes = Routes()
_AUDIT = holder("/vms/{vmid}", "VM.Audit")
_CHANGE = holder(
    "/vms/{vmid}", "VM.Config.Disk", "VM.Config.CDROM", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network",
    "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit",
)  # fmt: skip
_SNAPSHOT = Param(format=formats.config_id, max_length=40)
_EXTRA = {"delete": text(), "revert": text(), "digest": text(40)}
_QEMU_EXTRA = {
    **_EXTRA,
    "skiplock": boolean(),
    "force": Param("boolean", requires="delete"),
    "cdrom": QEMU.options["ide2"],
}


def read(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        guest = call.guest(kind.name)
        if "snapshot" not in call.params:
            return guests.shown_config(guest, is_current=call.flag("current"))
        snapshot = guest.snapshots.get(call.string("snapshot"))
        if snapshot is None:
            raise die(f"snapshot '{call.string('snapshot')}' does not exist")
        return snapshot["config"] | {"digest": guests.digest(guest)}

    return handler


def pending(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return reconfigure.pending_rows(call.guest(kind.name))

    return handler


def change(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        reconfigure.change(call, kind)

    return handler


def change_in_background(call: Call) -> Json:
    return reconfigure.change_in_background(call, QEMU)


for _kind in (QEMU, LXC):
    _base = f"/nodes/{{node}}/{_kind.name}/{{vmid}}"
    _extra = _QEMU_EXTRA if _kind is QEMU else _EXTRA
    routes.route("GET", f"{_base}/config", {**GUEST, "current": boolean(), "snapshot": _SNAPSHOT}, _AUDIT)(read(_kind))
    routes.route("GET", f"{_base}/pending", GUEST, _AUDIT)(pending(_kind))
    routes.route("PUT", f"{_base}/config", {**_kind.options, **_extra, **GUEST}, _CHANGE)(change(_kind))
routes.route(
    "POST", "/nodes/{node}/qemu/{vmid}/config",
    {**QEMU.options, **_QEMU_EXTRA, **GUEST, "background_delay": integer(1, 30), "import-working-storage": formatted(formats.storage_id)}, _CHANGE,
)(change_in_background)  # fmt: skip
