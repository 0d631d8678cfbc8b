"""Moving disks and guests."""

from vms.sandbox.core import formats, migration, moving
from vms.sandbox.core.api.tables import GUEST
from vms.sandbox.core.kinds import LXC, QEMU, Kind
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Param, Table, boolean, formatted, integer, number, one_of, text
from vms.sandbox.core.routing import Call, Handler, Routes, holder

routes = Routes()
_STORAGES = text(pattern=r"1|[A-Za-z][\w.\-]*(?::[A-Za-z][\w.\-]*)?(?:[,; ]+[A-Za-z][\w.\-]*(?::[A-Za-z][\w.\-]*)?)*")
_TARGET_VMID = Param("integer", format=formats.vmid, minimum=100, maximum=999_999_999)
_MOVE = {
    **GUEST, "storage": formatted(formats.storage_id), "delete": boolean(), "digest": text(40),
    "target-digest": text(40), "target-vmid": _TARGET_VMID,
}  # fmt: skip
_TARGET = {**GUEST, "target": formatted(formats.node_name).required()}
_MIGRATE: dict[str, Table] = {
    "qemu": {
        **_TARGET, "online": boolean(), "force": boolean(), "migration_type": one_of("secure", "insecure"),
        "migration_network": text(), "with-local-disks": boolean(), "targetstorage": _STORAGES, "bwlimit": integer(0),
        "with-conntrack-state": boolean(),
    },
    "lxc": {
        **_TARGET, "online": boolean(), "restart": boolean(), "timeout": integer(), "target-storage": _STORAGES,
        "bwlimit": number(0),
    },
}  # fmt: skip


def _disks(kind: Kind) -> Param:
    unused = [f"unused{index}" for index in range(256)]
    return one_of(*sorted(kind.drive_keys), *unused)


def _move_table(kind: Kind) -> Table:
    if kind is QEMU:
        return {
            **_MOVE, "disk": _disks(kind).required(), "target-disk": _disks(kind), "bwlimit": integer(0),
            "format": one_of("raw", "qcow2", "vmdk"),
        }  # fmt: skip
    return {**_MOVE, "volume": _disks(kind).required(), "target-volume": _disks(kind), "bwlimit": number(0)}


def move(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return moving.move(call, kind)

    return handler


def migrate(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return migration.migrate(call, kind)

    return handler


def preconditions(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return migration.preconditions(call, kind)

    return handler


_MAY_MIGRATE = holder("/vms/{vmid}", "VM.Migrate")
_ASK = {**GUEST, "target": formatted(formats.node_name)}
for _kind, _word in ((QEMU, "move_disk"), (LXC, "move_volume")):
    _base = f"/nodes/{{node}}/{_kind.name}/{{vmid}}"
    routes.route("POST", f"{_base}/{_word}", _move_table(_kind), holder("/vms/{vmid}", "VM.Config.Disk"))(move(_kind))
    routes.route("GET", f"{_base}/migrate", _ASK, _MAY_MIGRATE)(preconditions(_kind))
    routes.route("POST", f"{_base}/migrate", _MIGRATE[_kind.name], _MAY_MIGRATE)(migrate(_kind))
