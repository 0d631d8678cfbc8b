"""/nodes/{node}/storage/{storage}: what lies on a storage."""

import re

from vms.sandbox.core import archives, files, formats, permissions, tasks, volumes
from vms.sandbox.core.api.tables import NODE, VMID
from vms.sandbox.core.errors import TaskError, die, invalid
from vms.sandbox.core.model import Json, Storage, Task, Volume
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.sizes import KIB, parse
from vms.sandbox.core.world import World

routes = Routes()
_ENDING = re.compile(r"\.(raw|qcow2|vmdk|subvol)$", re.ASCII)
_ODD = re.compile(r"[^\w.-]", re.ASCII)
_ON_NODE = {**NODE, "storage": formatted(formats.storage_id).required()}
_BASE = "/nodes/{node}/storage/{storage}"
_VOLUME = {**_ON_NODE, "volume": text().required()}
_AUDIT = holder("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")
_SPACE = holder("/storage/{storage}", "Datastore.AllocateSpace")
_CHANGE = holder("/storage/{storage}", "Datastore.AllocateSpace", "Datastore.Allocate")
_TEMPLATES = holder("/storage/{storage}", "Datastore.AllocateTemplate")
_CONTENT = one_of("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none")


def _content_row(volume: Volume, storage: Storage) -> dict[str, Json]:
    is_file = volume.content == "import"  # listed by the size of the file, which may be far less than that of its disk
    row: dict[str, Json] = {
        "volid": volume.volid, "content": volume.content, "format": volume.format,
        "size": volume.used if is_file else volume.size, "ctime": volume.ctime,
    }  # fmt: skip
    if volume.content in {"images", "rootdir"}:
        row |= {"vmid": volume.vmid, "used": volume.used}
    if volume.content == "backup":
        row |= {"vmid": volume.vmid, "subtype": archives.subtype(volume)}
        key = archives.encryption_of(storage)
        row |= {"encrypted": key} if key else {}
    if volume.parent:
        row["parent"] = volume.parent
    if volume.notes:
        row["notes"] = volume.notes
    return row | ({"protected": 1} if volume.is_protected else {})


def _on(call: Call) -> tuple[Storage, list[Volume]]:
    storage = call.world.usable_storage(call.string("storage"), call.node)
    place = "" if storage.is_shared else call.node
    found = [volume for volume in call.world.state.volumes if (volume.storage, volume.node) == (storage.name, place)]
    return storage, found


@routes.route("GET", f"{_BASE}/content", {**_ON_NODE, "content": _CONTENT, "vmid": integer(100, 999_999_999)}, _AUDIT)
def content(call: Call) -> Json:
    storage, found = _on(call)
    return [
        _content_row(volume, storage) for volume in sorted(found, key=lambda volume: volume.volid)
        if call.string("content") in {"", volume.content} and ("vmid" not in call.params or volume.vmid == call.vmid)
    ]  # fmt: skip


_ALLOCATION = {
    **_ON_NODE, "vmid": VMID, "filename": text().required(), "size": text(pattern=r"\d+[MG]?").required(),
    "format": Param(enum=("raw", "qcow2", "subvol", "vmdk"), requires="size"),
}  # fmt: skip


@routes.route("POST", f"{_BASE}/content", _ALLOCATION, _SPACE)
def allocate(call: Call) -> Json:
    """A volume by name, of a size in KiB or with a unit; answers its id."""
    storage = call.world.usable_storage(call.string("storage"), call.node)
    size, name = call.string("size"), call.string("filename")
    wanted = int(size) * KIB if size.isdecimal() else parse(size)
    stem, format = _named(storage, call.vmid, name, call.string("format"))
    if volumes.find(call.world, f"{storage.name}:{name}", call.node) is not None:
        raise die(f"unable to create '{name}': volume already exists")
    image = volumes.Image(call.vmid, wanted, format=format, stem=stem)
    try:
        return volumes.allocate(call.world, storage, call.node, image).volid
    except TaskError as error:
        raise die(str(error)) from error


def _named(storage: Storage, vmid: int, name: str, format: str) -> tuple[str, str]:
    """The name without its ending, and the format that either says. Raises ApiError for what no plugin takes."""
    ending = _ENDING.search(name)
    if ending and format and format != ending[1]:
        raise invalid(format=f"different storage formats ({format} != {ending[1]})")
    if volumes.is_file_storage(storage):
        if not ending or "/" in name or len(name.split()) != 1:
            raise die(f"unable to parse volume filename '{name}'\n")
        return name[: ending.start()], ending[1]
    prefix = f"{'subvol' if format == 'subvol' else 'vm'}-{vmid}-"
    if not name.startswith(prefix) or _ODD.search(name):
        raise die(f"illegal name '{name}' - should be '{prefix}*'\n")
    return name, format


def _volume(call: Call) -> Volume:
    name = call.string("volume").removeprefix(f"{call.string('storage')}:")
    volid = f"{call.string('storage')}:{name}"
    storage = call.world.usable_storage(call.string("storage"), call.node)
    volumes.content_of(storage, name)
    volume = volumes.find(call.world, volid, call.node)
    if volume is None:
        raise die(f"volume '{volid}' does not exist")
    return volume


@routes.route("GET", f"{_BASE}/content/{{volume...}}", _VOLUME, _AUDIT)
def volume_details(call: Call) -> Json:
    volume = _volume(call)
    row: dict[str, Json] = {
        "path": volumes.path_of(call.world, volume), "size": volume.size, "used": volume.used, "format": volume.format,
    }  # fmt: skip
    if volume.content == "backup":
        row["protected"] = int(volume.is_protected)
    return row | ({"notes": volume.notes} if volume.notes else {})


@routes.route("PUT", f"{_BASE}/content/{{volume...}}", {**_VOLUME, "notes": text(), "protected": boolean()}, _CHANGE)
def describe(call: Call) -> Json:
    """Notes and protection, which only backups have."""
    volume = _volume(call)
    for name in ("notes", "protected"):
        if name in call.params and volume.content != "backup":
            raise die(f"only backups support attribute '{name}'")
    call.world.state.volumes.edit(volume)
    volume.notes = call.string("notes", volume.notes)
    volume.is_protected = call.flag("protected", default=volume.is_protected)


@routes.route("DELETE", f"{_BASE}/content/{{volume...}}", {**_VOLUME, "delay": integer(1, 30)}, _CHANGE)
def delete_volume(call: Call) -> Json:
    volume = _volume(call)
    owner = str(volume.vmid) if volume.vmid else ""
    work = tasks.Work("imgdel", call.node, f"{owner}@{volume.storage}", 0.2, args={"volid": volume.volid})
    return tasks.fork(call.world, call.identity, work)


@tasks.effect("imgdel")
def finish_delete_volume(world: World, task: Task) -> None:
    volume = volumes.find(world, task.args["volid"], task.node)
    if volume is None:
        raise TaskError(f"volume '{task.args['volid']}' does not exist")
    if volume.is_protected:
        raise TaskError(f"cannot remove protected volume '{volume.volid}' on '{volume.storage}'")
    if volume.snapshots:
        raise TaskError(f"unable to remove volume '{volume.volid}' - it has snapshots")
    volumes.free(world, volume)
    tasks.say(task, f"Removed volume '{volume.volid}'")


_RETENTION = {
    **_ON_NODE, "prune-backups": formatted(archives.RETENTION), "type": one_of("qemu", "lxc"), "vmid": integer(100, 999_999_999),
}  # fmt: skip


def _prunable(call: Call) -> tuple[list[Volume], dict[str, str]]:
    """The backups that are asked about, each with what becomes of it."""
    storage = call.world.usable_storage(call.string("storage"), call.node)
    keeps = archives.retention(call.string("prune-backups") or str(storage.settings.get("prune-backups", "")))
    found = [
        volume for volume in archives.of_guest(call.world, storage, call.node, call.number("vmid"))
        if call.string("type") in {"", archives.subtype(volume)}
    ]  # fmt: skip
    return found, archives.marks(found, keeps)


@routes.route("GET", f"{_BASE}/prunebackups", _RETENTION, _AUDIT)
def prune_preview(call: Call) -> Json:
    found, marked = _prunable(call)
    return [
        {
            "volid": volume.volid, "ctime": volume.ctime, "mark": marked[volume.volid], "vmid": volume.vmid,
            "type": archives.subtype(volume),
        }
        for volume in found
    ]  # fmt: skip


@routes.route("DELETE", f"{_BASE}/prunebackups", _RETENTION, USER)
def prune(call: Call) -> Json:
    name = call.string("storage")
    permissions.require(call.world, call.identity, f"/storage/{name}", "Datastore.AllocateSpace", "Datastore.Allocate")
    found, marked = _prunable(call)
    gone = [volume.volid for volume in found if marked[volume.volid] == "remove"]
    number = str(call.vmid) if "vmid" in call.params else ""
    work = tasks.Work("prunebackups", call.node, f"{number}@{name}", 0.3, args={"volids": gone})
    return tasks.fork(call.world, call.identity, work)


@tasks.effect("prunebackups")
def finish_prune(world: World, task: Task) -> None:
    for volid in task.args["volids"]:
        volume = volumes.find(world, volid, task.node)
        if volume is not None and not volume.is_protected:
            world.state.volumes.remove(volume)
            tasks.say(task, f"Removed volume '{volid}'")


_FILE = {
    **_ON_NODE, "content": one_of("iso", "vztmpl", "import").required(), "filename": text(255).required(),
    "checksum": Param(requires="checksum-algorithm"),
    "checksum-algorithm": Param(enum=("md5", "sha1", "sha224", "sha256", "sha384", "sha512"), requires="checksum"),
}  # fmt: skip
_UPLOAD = {**_FILE, "tmpfilename": text()}
_DOWNLOAD = {
    **_FILE, "url": text(pattern="https?://.*").required(), "verify-certificates": boolean(), "compression": text(),
}  # fmt: skip


@routes.route("POST", f"{_BASE}/upload", _UPLOAD, _TEMPLATES)
def upload(call: Call) -> Json:
    return files.upload(call)


@routes.route("POST", f"{_BASE}/download-url", _DOWNLOAD, _TEMPLATES)
def download(call: Call) -> Json:
    return files.download(call)
