"""Screens and terminals of guests."""

from vms.sandbox.core import consoles
from vms.sandbox.core.api.tables import GUEST
from vms.sandbox.core.kinds import LXC, QEMU, Kind
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Table, boolean, integer, one_of, text
from vms.sandbox.core.routing import Call, Handler, Routes, holder

routes = Routes()
_CONSOLE = holder("/vms/{vmid}", "VM.Console")
_SCREEN: dict[str, Table] = {
    "qemu": {**GUEST, "websocket": boolean(), "generate-password": boolean()},
    "lxc": {**GUEST, "websocket": boolean(), "width": integer(16, 4096), "height": integer(16, 2160)},
}
_TERMINAL: dict[str, Table] = {
    "qemu": {**GUEST, "serial": one_of("serial0", "serial1", "serial2", "serial3")}, "lxc": GUEST,
}  # fmt: skip
_SOCKET = {**GUEST, "vncticket": text(512).required(), "port": integer(5900, 5999).required()}


def screen(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return consoles.screen(call, kind)

    return handler


def terminal(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return consoles.terminal(call, kind)

    return handler


def socket(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return consoles.socket(call, kind)

    return handler


for _kind in (QEMU, LXC):
    _base = f"/nodes/{{node}}/{_kind.name}/{{vmid}}"
    routes.route("POST", f"{_base}/vncproxy", _SCREEN[_kind.name], _CONSOLE)(screen(_kind))
    routes.route("POST", f"{_base}/termproxy", _TERMINAL[_kind.name], _CONSOLE)(terminal(_kind))
    routes.route("GET", f"{_base}/vncwebsocket", _SOCKET, _CONSOLE)(socket(_kind))
