"""What virtual machines and containers answer alike: lists, status, power, configuration, removal."""

from vms.sandbox.core import create, destroy, formats, histories, permissions, power, rights, status
from vms.sandbox.core.api import rows
from vms.sandbox.core.api.tables import GUEST, NODE
from vms.sandbox.core.errors import refused
from vms.sandbox.core.kinds import LXC, QEMU, Kind
from vms.sandbox.core.model import Guest, Json
from vms.sandbox.core.parameters import Param, Table, boolean, formatted, integer, number, one_of, text
from vms.sandbox.core.routing import USER, Call, Handler, Routes, holder

routes = Routes()
_AUDIT, _POWER = holder("/vms/{vmid}", "VM.Audit"), holder("/vms/{vmid}", "VM.PowerMgmt")
_SKIPLOCK = {**GUEST, "skiplock": boolean()}
_MIGRATION = {"migratedfrom": formatted(formats.node_name)}
_STATE_STORAGE = Param(format=formats.storage_id, requires="todisk")
_QEMU_POWER: dict[str, Table] = {
    "start": {
        **_SKIPLOCK, "timeout": integer(0), "force-cpu": text(), "machine": QEMU.options["machine"], **_MIGRATION,
        "stateuri": text(128), "migration_network": text(), "migration_type": one_of("secure", "insecure"),
        "targetstorage": text(), "nets-host-mtu": text(pattern=r"net\d+=\d+(,net\d+=\d+)*"),
        "with-conntrack-state": boolean(),
    },
    "stop": {
        **_SKIPLOCK, "timeout": integer(0), "overrule-shutdown": boolean(), "keepActive": boolean(), **_MIGRATION,
    },
    "shutdown": {**_SKIPLOCK, "timeout": integer(0), "forceStop": boolean(), "keepActive": boolean()},
    "reboot": {**GUEST, "timeout": integer(0)},
    "reset": _SKIPLOCK,
    "suspend": {**_SKIPLOCK, "todisk": boolean(), "statestorage": _STATE_STORAGE},
    "resume": {**_SKIPLOCK, "nocheck": boolean()},
}  # fmt: skip
_LXC_POWER: dict[str, Table] = {
    "start": {**_SKIPLOCK, "debug": boolean()},
    "stop": {**_SKIPLOCK, "overrule-shutdown": boolean()},
    "shutdown": {**GUEST, "timeout": integer(0), "forceStop": boolean()},
    "reboot": {**GUEST, "timeout": integer(0)},
    "suspend": GUEST,
    "resume": GUEST,
}
_POWER_TABLES = {"qemu": _QEMU_POWER, "lxc": _LXC_POWER}


def list_guests(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        found = _visible(call, kind)
        if not call.flag("full"):
            return [rows.guest_row(call.world, guest) for guest in found]
        return [
            rows.guest_row(call.world, guest)
            | {"qmpstatus": status.qmp_status(guest), **status.running_machine(call.world, guest)}
            for guest in found
        ]

    return handler


def _visible(call: Call, kind: Kind) -> list[Guest]:
    return [
        guest for guest in call.world.state.guests
        if guest.kind == kind.name and guest.node == call.node
        and permissions.may(call.world, call.identity, f"/vms/{guest.vmid}", "VM.Audit")
    ]  # fmt: skip


def index(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        call.guest(kind.name)
        return [{"subdir": name} for name in ("config", "pending", "rrddata", "snapshot", "status")]

    return handler


def current(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        guest = call.guest(kind.name)
        row = rows.guest_row(call.world, guest) | {"ha": rows.ha_row(call.world, guest)}
        return row | status.of_machine(call.world, guest) if kind is QEMU else row

    return handler


def switch(kind: Kind, action: str) -> Handler:
    def handler(call: Call) -> Json:
        is_pause = action == "suspend" and kind is QEMU and not call.flag("todisk")
        return power.switch(call, kind, "pause" if is_pause else action)

    return handler


def remove(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return destroy.destroy(call, kind)

    return handler


def history(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return histories.of_guest(call.world, call.guest(kind.name), call.string("timeframe"))

    return handler


def make(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        _require_allocation(call)
        return create.create(call, kind)

    return handler


def _require_allocation(call: Call) -> None:
    is_own = call.flag("force") and call.vmid in call.world.state.guests
    may_replace = is_own and permissions.may(call.world, call.identity, f"/vms/{call.vmid}", "VM.Backup")
    if not may_replace and not rights.may_allocate(call, call.vmid):
        raise refused()


_REMOVE = {**GUEST, "purge": boolean(), "destroy-unreferenced-disks": boolean()}
_HISTORY = {**GUEST, "timeframe": one_of(*histories.STEPS).required(), "cf": one_of("AVERAGE", "MAX")}
_CREATION = {
    **GUEST, "start": boolean(), "pool": formatted(formats.pool_id), "storage": formatted(formats.storage_id),
    "force": boolean(), "bwlimit": integer(0), "ha-managed": boolean(),
}  # fmt: skip
_CREATE_TABLES: dict[str, Table] = {
    "qemu": {
        **QEMU.options,
        **_CREATION,
        "archive": text(255),
        "cdrom": QEMU.options["ide2"],
        "live-restore": boolean(),
        "import-working-storage": formatted(formats.storage_id),
        "force": Param("boolean", requires="archive"),
        "unique": Param("boolean", requires="archive"),
    },
    "lxc": {
        **LXC.options,
        **_CREATION,
        "ostemplate": text(255).required(),
        "password": text(min_length=5),
        "ssh-public-keys": text(),
        "bwlimit": number(0),
        "restore": boolean(),
        "unique": Param("boolean", requires="restore"),
        "ignore-unpack-errors": boolean(),
    },
}


def _register(kind: Kind) -> None:
    base = f"/nodes/{{node}}/{kind.name}"
    one = f"{base}/{{vmid}}"
    force = {"force": boolean()} if kind is LXC else {"skiplock": boolean()}
    routes.route("GET", base, {**NODE, "full": boolean()} if kind is QEMU else NODE, USER)(list_guests(kind))
    routes.route("POST", base, _CREATE_TABLES[kind.name], USER)(make(kind))
    routes.route("GET", one, GUEST, USER)(index(kind))
    routes.route("DELETE", one, {**_REMOVE, **force}, holder("/vms/{vmid}", "VM.Allocate"))(remove(kind))
    routes.route("GET", f"{one}/status/current", GUEST, _AUDIT)(current(kind))
    routes.route("GET", f"{one}/rrddata", _HISTORY, _AUDIT)(history(kind))
    for action, table in _POWER_TABLES[kind.name].items():
        routes.route("POST", f"{one}/status/{action}", table, _POWER)(switch(kind, action))


for _kind in (QEMU, LXC):
    _register(_kind)
