"""Clone, template, resize, feature, agent and interfaces."""

from collections.abc import Callable

from vms.sandbox.core import agent, clone, disks, drives, formats, rights, snapshots, volumes
from vms.sandbox.core.api.tables import GUEST, VMID
from vms.sandbox.core.errors import die, refused
from vms.sandbox.core.kinds import LXC, QEMU, Kind
from vms.sandbox.core.model import Guest, Json
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, number, one_of, text
from vms.sandbox.core.routing import Call, Handler, Routes, holder
from vms.sandbox.core.world import World

routes = Routes()
_SNAPSHOT = Param(format=formats.config_id, max_length=40)
_AUDIT = holder("/vms/{vmid}", "VM.Audit")
_CLONE = {
    **GUEST,
    "newid": VMID,
    "full": boolean(),
    "pool": formatted(formats.pool_id),
    "target": formatted(formats.node_name),
    "storage": formatted(formats.storage_id),
    "snapname": _SNAPSHOT,
    "description": text(),
}
_CLONE_TABLES = {
    "qemu": {
        **_CLONE, "name": formatted(formats.dns_name), "format": one_of("raw", "qcow2", "vmdk"), "bwlimit": integer(0),
    },
    "lxc": {**_CLONE, "hostname": formatted(formats.dns_name), "bwlimit": number(0)},
}  # fmt: skip
_RESIZE = {**GUEST, "skiplock": boolean(), "size": text(pattern=disks.SIZE_PATTERN).required(), "digest": text(40)}


def copy(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        if not rights.may_allocate(call, call.number("newid")):
            raise refused()
        return clone.clone(call, kind)

    return handler


def convert(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return disks.convert(call, kind)

    return handler


def resize(kind: Kind) -> Handler:
    def handler(call: Call) -> Json:
        return disks.resize(call, kind)

    return handler


def feature(kind: Kind) -> Handler:
    """Whether all disks of the guest can be copied, cloned or snapshotted."""

    def handler(call: Call) -> Json:
        guest, wanted = call.guest(kind.name), call.string("feature")
        checks: dict[str, Callable[[World, volumes.Volume], bool]] = {
            "snapshot": volumes.can_snapshot, "clone": volumes.can_link, "copy": lambda world, volume: True,
        }  # fmt: skip
        has_it = all(checks[wanted](call.world, volume) for volume in snapshots.featured(call.world, guest).values())
        nodes = [node.name for node in call.world.state.nodes if _can_be_on(call.world, guest, node.name)]
        return {"hasFeature": int(has_it), "nodes": nodes}

    return handler


def _can_be_on(world: World, guest: Guest, node: str) -> bool:
    return node == guest.node or all(
        world.storage(volume.storage).is_shared for volume in drives.attached(world, guest).values()
    )


_FEATURE = {
    **GUEST,
    "feature": one_of("snapshot", "clone", "copy").required(),
    "snapname": _SNAPSHOT,
}
for _kind in (QEMU, LXC):
    _base = f"/nodes/{{node}}/{_kind.name}/{{vmid}}"
    _resize = {key: param for key, param in _RESIZE.items() if _kind is QEMU or key != "skiplock"}
    _disks = one_of(*sorted(_kind.drive_keys)).required()
    routes.route("POST", f"{_base}/clone", _CLONE_TABLES[_kind.name], holder("/vms/{vmid}", "VM.Clone"))(copy(_kind))
    _table = {**GUEST, "disk": one_of(*sorted(_kind.drive_keys))} if _kind is QEMU else GUEST
    routes.route("POST", f"{_base}/template", _table, holder("/vms/{vmid}", "VM.Allocate"))(convert(_kind))
    routes.route("PUT", f"{_base}/resize", {**_resize, "disk": _disks}, holder("/vms/{vmid}", "VM.Config.Disk"))(
        resize(_kind)
    )
    routes.route("GET", f"{_base}/feature", _FEATURE, _AUDIT)(feature(_kind))


@routes.route("GET", "/nodes/{node}/lxc/{vmid}/interfaces", GUEST, _AUDIT)
def interfaces(call: Call) -> Json:
    guest = call.guest(LXC.name)
    if not guest.is_running:
        raise die(f"CT {guest.vmid} not running")
    return agent.container_interfaces(guest)
