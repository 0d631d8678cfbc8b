"""/storage and the storages of a node."""

from vms.sandbox.core import archives, formats, histories, permissions, storages
from vms.sandbox.core.api import rows
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import invalid
from vms.sandbox.core.model import Json, Storage
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, listing, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()
_STORAGE = {"storage": formatted(formats.storage_id).required()}
_ON_NODE = {**NODE, **_STORAGE}
_AUDIT = holder("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")
_DEFINE = holder("/storage", "Datastore.Allocate")
_TYPES = (
    "btrfs", "cephfs", "cifs", "dir", "esxi", "iscsi", "iscsidirect", "lvm", "lvmthin", "nfs", "pbs", "rbd", "zfs",
    "zfspool",
)  # fmt: skip
_FLAGS = (
    "create-base-path", "create-subdirs", "disable", "fuse", "krbd", "mkdir", "nocow", "nowritecache", "saferemove",
    "shared", "skip-cert-verification", "snapshot-as-volume-chain", "sparse", "tagged_only",
)  # fmt: skip
_TEXTS = (
    "blocksize", "bwlimit", "comstar_hg", "comstar_tg", "content-dirs", "data-pool", "encryption-key", "fs-name",
    "is_mountpoint", "keyring", "lio_tpg", "master-pubkey", "monhost", "mountpoint", "namespace", "options", "pool",
    "saferemove_throughput", "server", "subdir", "username", "zfs-base-path",
)  # fmt: skip
_CHANGEABLE: dict[str, Param] = {
    **_STORAGE, **dict.fromkeys(_FLAGS, boolean()), **dict.fromkeys(_TEXTS, text()), "content": text(),
    "nodes": listing(formats.node_name), "prune-backups": formatted(archives.RETENTION), "password": text(256),
    "domain": text(256), "format": one_of("raw", "qcow2", "subvol", "vmdk"), "port": integer(1, 65535),
    "max-protected-backups": integer(-1), "fingerprint": text(pattern="([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}"),
    "preallocation": one_of("off", "metadata", "falloc", "full"), "saferemove-stepsize": Param("integer", enum=("1", "2", "4", "8", "16", "32")),
    "smbversion": one_of("default", "2.0", "2.1", "3", "3.0", "3.11"),
}  # fmt: skip
_FIXED = (
    "authsupported", "base", "datastore", "export", "iscsiprovider", "path", "portal", "share", "target", "thinpool",
    "vgname",
)  # fmt: skip
_NEW = {**_CHANGEABLE, **dict.fromkeys(_FIXED, text()), "type": one_of(*_TYPES).required()}
_CHANGE = {**_CHANGEABLE, "delete": text(4096), "digest": text(64)}


def _visible(call: Call) -> list[Storage]:
    return [
        storage
        for storage in call.world.state.storages
        if permissions.may(
            call.world, call.identity, f"/storage/{storage.name}", "Datastore.Audit", "Datastore.AllocateSpace"
        )
    ]


@routes.route("GET", "/storage", {"type": one_of(*_TYPES)}, USER)
def definitions(call: Call) -> Json:
    return [storages.row(call.world, one) for one in _visible(call) if call.string("type") in {"", one.type}]


@routes.route("POST", "/storage", _NEW, _DEFINE)
def define(call: Call) -> Json:
    return storages.define(call)


@routes.route("GET", "/storage/{storage}", _STORAGE, holder("/storage/{storage}", "Datastore.Allocate"))
def definition(call: Call) -> Json:
    return storages.row(call.world, call.world.storage(call.string("storage")))


@routes.route("PUT", "/storage/{storage}", _CHANGE, _DEFINE)
def change(call: Call) -> Json:
    return storages.change(call)


@routes.route("DELETE", "/storage/{storage}", _STORAGE, _DEFINE)
def forget(call: Call) -> Json:
    storages.forget(call)


_FILTERS = {
    **NODE, "content": text(), "storage": formatted(formats.storage_id), "enabled": boolean(), "format": boolean(),
    "target": formatted(formats.node_name),
}  # fmt: skip


@routes.route("GET", "/nodes/{node}/storage", _FILTERS, USER)
def storages_of_node(call: Call) -> Json:
    wanted = call.string("storage")
    if wanted and wanted not in call.world.state.storages:
        raise invalid(storage="No such storage.")
    return [
        {"storage": storage.name, **rows.storage_row(call.world, storage, call.node), **_formats(call, storage)}
        for storage in _visible(call)
        if storage.is_on(call.node) and wanted in {"", storage.name} and _is_wanted(call, storage)
    ]


def _is_wanted(call: Call, storage: Storage) -> bool:
    kinds = set(split_list(call.string("content")))
    target = call.string("target", call.node)
    is_there = target == call.node or (storage.is_on(target) and storage.is_shared)
    return is_there and (not kinds or bool(kinds & set(storage.content))) and (
        storage.is_enabled or not call.flag("enabled")
    )  # fmt: skip


def _formats(call: Call, storage: Storage) -> dict[str, Json]:
    """With `format`: the formats of images there, and the one that is taken when none is asked for."""
    if not call.flag("format"):
        return {}
    is_file = "path" in storage.settings
    names = ("raw", "qcow2", "vmdk", "subvol") if is_file else ("raw",)
    chosen = str(storage.settings.get("format", "raw"))
    return {"formats": {"default": chosen, "supported": list(names)}, "select_existing": 0}


@routes.route("GET", "/nodes/{node}/storage/{storage}", _ON_NODE, _AUDIT)
def index(call: Call) -> Json:
    names = ("content", "download-url", "prunebackups", "rrddata", "status", "upload")
    return [{"subdir": name} for name in names]


@routes.route("GET", "/nodes/{node}/storage/{storage}/status", _ON_NODE, _AUDIT)
def storage_status(call: Call) -> Json:
    return rows.storage_row(call.world, call.world.usable_storage(call.string("storage"), call.node), call.node)


_TIMEFRAME = {"timeframe": one_of(*histories.STEPS).required(), "cf": one_of("AVERAGE", "MAX")}
_HISTORY = {**_ON_NODE, **_TIMEFRAME}


@routes.route("GET", "/nodes/{node}/storage/{storage}/rrddata", _HISTORY, _AUDIT)
def history(call: Call) -> Json:
    storage = call.world.usable_storage(call.string("storage"), call.node)
    return histories.of_storage(call.world, storage, call.node, call.string("timeframe"))


@routes.route("GET", "/nodes/{node}/rrddata", {**NODE, **_TIMEFRAME}, holder("/nodes/{node}", "Sys.Audit"))
def node_history(call: Call) -> Json:
    guests = [guest for guest in call.world.state.guests if guest.node == call.node]
    return histories.of_node(call.world, call.world.node(call.node), guests, call.string("timeframe"))
