"""/nodes/{node}/{qemu,lxc}/{vmid}/snapshot."""

from vms.sandbox.core import formats, snapshots
from vms.sandbox.core.api.tables import GUEST
from vms.sandbox.core.errors import die
from vms.sandbox.core.kinds import LXC, QEMU, Kind
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Param, boolean, text
from vms.sandbox.core.routing import USER, Call, Handler, Routes, holder

routes = Routes()
_SNAPSHOT = {**GUEST, "snapname": Param(format=formats.config_id, max_length=40, is_required=True)}


def listing(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return snapshots.listing(call.guest(kind.name))

    return handler


def take(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return snapshots.take(call, kind)

    return handler


def roll_back(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return snapshots.roll_back(call, kind)

    return handler


def remove(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return snapshots.remove(call, kind)

    return handler


def _snapshot(call: Call, kind: Kind) -> dict[str, Json]:
    found = call.guest(kind.name).snapshots.get(call.string("snapname"))
    if found is None:
        raise die(f"snapshot '{call.string('snapname')}' does not exist")
    return found


def read(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        found = _snapshot(call, kind)
        return found["config"] | {"snaptime": found["snaptime"], "description": found["description"]}

    return handler


def describe(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        found = _snapshot(call, kind)
        call.world.state.guests.edit(call.guest(kind.name))
        found["description"] = call.string("description", found["description"])

    return handler


def index(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        call.guest(kind.name)
        return [{"cmd": "rollback"}, {"cmd": "config"}]

    return handler


def _register(kind: Kind) -> None:
    base = f"/nodes/{{node}}/{kind.name}/{{vmid}}/snapshot"
    change = holder("/vms/{vmid}", "VM.Snapshot")
    taking = {**_SNAPSHOT, "description": text()} | ({"vmstate": boolean()} if kind is QEMU else {})
    routes.route("GET", base, GUEST, holder("/vms/{vmid}", "VM.Audit"))(listing(kind))
    routes.route("POST", base, taking, change)(take(kind))
    routes.route("DELETE", f"{base}/{{snapname}}", {**_SNAPSHOT, "force": boolean()}, change)(remove(kind))
    routes.route(
        "POST", f"{base}/{{snapname}}/rollback", {**_SNAPSHOT, "start": boolean()},
        holder("/vms/{vmid}", "VM.Snapshot", "VM.Snapshot.Rollback"),
    )(roll_back(kind))  # fmt: skip
    reading = holder("/vms/{vmid}", "VM.Snapshot", "VM.Snapshot.Rollback", "VM.Audit")
    routes.route("GET", f"{base}/{{snapname}}", _SNAPSHOT, USER)(index(kind))
    routes.route("GET", f"{base}/{{snapname}}/config", _SNAPSHOT, reading)(read(kind))
    routes.route("PUT", f"{base}/{{snapname}}/config", {**_SNAPSHOT, "description": text()}, change)(describe(kind))


for _kind in (QEMU, LXC):
    _register(_kind)
