"""Drive values: `store:32` allocates, `store:cloudinit` makes a seed disk, anything else names a volume."""

import re
from functools import lru_cache

from vms.sandbox.core import permissions, validation, volumes
from vms.sandbox.core.errors import ApiError, TaskError, die, invalid
from vms.sandbox.core.kinds import KINDS, Kind, kind_of
from vms.sandbox.core.model import Config, Guest, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import GIB, KIB, MIB, show, whole
from vms.sandbox.core.sizes import parse as parse_size
from vms.sandbox.core.world import World

_NEW_DISK = re.compile(r"(?:([^/:\s]+):)?(\d+(?:\.\d+)?)")
_NO_VOLUME = {"none", "cdrom"}
Parts = dict[str, str]


def parse(kind: Kind, key: str, value: str) -> Parts:
    """The parts of a drive of a stored configuration."""
    if kind.is_unused(key):
        return {kind.file_key: value}
    return validation.parse(value, kind.drive_shape(key))


def print_drive(kind: Kind, key: str, parts: Parts) -> str:
    return validation.show(
        {name: value for name, value in parts.items() if name != "import-from"}, kind.drive_shape(key)
    )


def is_cdrom(parts: Parts) -> bool:
    return parts.get("media") == "cdrom" or parts.get("file") in _NO_VOLUME


def is_cloud_init(parts: Parts) -> bool:
    return is_cdrom(parts) and bool(re.search(r"[:/](?:vm-\d+-)?cloudinit", parts.get("file", "")))


def new_disk(text: str, default_storage: str) -> tuple[str, float] | None:
    """Storage and size in GiB of a value that asks for a new disk."""
    match = _NEW_DISK.fullmatch(text)
    return (match[1] or default_storage, float(match[2])) if match else None


def check(call: Call, kind: Kind, node: str, key: str, value: str, default_storage: str = "") -> None:
    """What is refused before a worker is forked."""
    parts = parse(kind, key, value)
    wanted = parts[kind.file_key]
    _check_syntax(key, parts, wanted)
    if wanted in _NO_VOLUME:
        if wanted == "cdrom":
            permissions.require(call.world, call.identity, "/", "Sys.Console")
        return
    made = new_disk(wanted, default_storage)
    if made or wanted.endswith(":cloudinit"):
        _check_storage(call, kind, node, made[0] if made else wanted.partition(":")[0])
        _check_import(call, node, key, parts)
        return
    _check_existing(call, node, parts, wanted)


def _check_storage(call: Call, kind: Kind, node: str, name: str) -> None:
    if not name:
        raise die("no storage ID specified (and no default storage)")
    permissions.require(call.world, call.identity, f"/storage/{name}", "Datastore.AllocateSpace")
    volumes.require_content(call.world.usable_storage(name, node), kind.content)


def _refuse_path(call: Call, path: str) -> None:
    if path.startswith("/"):
        if call.identity.is_root_ticket:
            raise ApiError(501, f"path '{path}' of the host not implemented")
        raise die("Only root can pass arbitrary filesystem paths.")


def _check_syntax(key: str, parts: Parts, wanted: str) -> None:
    made = new_disk(wanted, "")
    if "import-from" in parts and (made is None or made[1]):
        words = "'import-from' requires special syntax - use <storage ID>:0,import-from=<source>"
        raise invalid(**{key: words})


def _check_import(call: Call, node: str, key: str, parts: Parts) -> None:
    source = parts.get("import-from", "")
    _refuse_path(call, source)
    if source:
        storage, name = volumes.split(source)
        content = volumes.content_of(call.world.usable_storage(storage, node), name)
        if content not in {"images", "import"}:
            raise invalid(**{key: f"{source} has wrong type '{content}' - needs to be 'images' or 'import'"})
    if source and volumes.find(call.world, source, node) is None:
        raise die(f"volume '{source}' does not exist")
    if source:
        _require_reading(call, source.partition(":")[0])


def _require_reading(call: Call, storage: str) -> None:
    wanted = ("Datastore.Audit", "Datastore.AllocateSpace", "Datastore.Allocate")
    permissions.require(call.world, call.identity, f"/storage/{storage}", *wanted)


def _check_existing(call: Call, node: str, parts: Parts, volid: str) -> None:
    _refuse_path(call, volid)
    storage, name = volumes.split(volid)
    content = volumes.content_of(call.world.usable_storage(storage, node), name)
    _require_reading(call, storage)
    if content == "iso" and parts.get("media") != "cdrom":
        raise invalid(media="explicit 'media=cdrom' is required for iso images")


def realise(world: World, guest: Guest, key: str, value: str, default_storage: str = "") -> str:
    """The value as it is stored, after making the volume that it asks for."""
    kind = kind_of(guest)
    parts = parse(kind, key, value)
    wanted = parts[kind.file_key]
    if wanted in _NO_VOLUME:
        return print_drive(kind, key, parts)
    made = new_disk(wanted, default_storage)
    if wanted.endswith(":cloudinit"):
        volume = _make_seed(world, guest, key, wanted.partition(":")[0], parts.get("format", ""))
        parts["media"] = "cdrom"
    elif made:
        volume = _make_disk(world, guest, key, parts, *made)
    else:
        volume = _existing(world, guest, wanted)
    parts[kind.file_key] = volume.volid
    if made or wanted.endswith(":cloudinit"):
        parts.pop("format", None)
    if volume.content != "rootdir" or volume.size:
        parts["size"] = show(volume.size)
    return print_drive(kind, key, parts)


def _make_seed(world: World, guest: Guest, key: str, storage_name: str, format: str) -> Volume:
    for other in kind_of(guest).drive_keys - {key}:
        value = str(guest.config.get(other, ""))
        if value and is_cloud_init(parse(kind_of(guest), other, value)):
            raise die(f"{key} - cloud-init drive is already attached at '{other}'")
    storage = world.usable_storage(storage_name, guest.node)
    stem = f"vm-{guest.vmid}-cloudinit"
    format = format or ("raw" if storage.type in volumes.BLOCK_TYPES else "qcow2")
    name = volumes.image_name(storage, guest.vmid, stem, format)
    old = volumes.find(world, f"{storage.name}:{name}", guest.node)
    image = volumes.Image(guest.vmid, 4 * MIB, stem=stem, format=format)
    return old or volumes.allocate(world, storage, guest.node, image)


def _make_disk(world: World, guest: Guest, key: str, parts: Parts, storage_name: str, gigabytes: float) -> Volume:
    storage = world.usable_storage(storage_name, guest.node)
    source = volumes.find(world, parts["import-from"], guest.node) if "import-from" in parts else None
    size = _size(storage.type, key, source, gigabytes)
    image = volumes.Image(
        guest.vmid, size, kind_of(guest).content, parts.get("format", ""), system=source.system if source else ""
    )
    return volumes.allocate(world, storage, guest.node, image)


def _size(storage_type: str, key: str, source: Volume | None, gigabytes: float) -> int:
    if key == "tpmstate0":
        return 4 * MIB
    if key == "efidisk0":
        return 4 * MIB if storage_type in volumes.BLOCK_TYPES else 528 * KIB
    return source.size if source else whole(gigabytes, GIB)


def _existing(world: World, guest: Guest, volid: str) -> Volume:
    volume = volumes.find(world, volid, guest.node)
    if volume is None:
        raise TaskError(f"volume '{volid}' does not exist")
    if volume.vmid and volume.vmid != guest.vmid and volume.content in {"images", "rootdir"}:
        raise TaskError(f"unable to use volume '{volid}' - owned by VM {volume.vmid}")
    return volume


def held(world: World, guest: Guest, config: Config) -> dict[str, Volume]:
    """The guest's own volumes that a configuration names, by key; other guests' and ISO images left out."""
    kind, found = kind_of(guest), {}
    for key, value in config.items():
        if key in kind.drive_keys or kind.is_unused(key):
            volume = volumes.find(world, parse(kind, key, str(value))[kind.file_key], guest.node)
            if volume is not None and volume.vmid == guest.vmid:
                found[key] = volume
    return found


def attached(world: World, guest: Guest) -> dict[str, Volume]:
    """The volumes that the guest's configuration names now."""
    return held(world, guest, guest.config)


def boot_size(guest: Guest) -> int:
    """Bytes of the disk that the guest starts from."""
    config = guest.config
    for key in ("rootfs", *str(config.get("boot", "")).removeprefix("order=").split(";")):
        if key in config and (size := _disk_size(guest.kind, key, str(config[key]))):
            return size
    kind = kind_of(guest)
    sizes = (_disk_size(guest.kind, key, str(config[key])) for key in sorted(kind.drive_keys & config.keys()))
    return next((size for size in sizes if size), 0)


@lru_cache(maxsize=65_536)
def _disk_size(kind_name: str, key: str, value: str) -> int:
    """Bytes of a disk by its value in the configuration; 0 for what is no disk."""
    kind = KINDS[kind_name]
    if key not in kind.drive_keys:
        return 0
    parts = parse(kind, key, value)
    return 0 if is_cdrom(parts) else parse_size(parts.get("size", "0"))


def system(world: World, guest: Guest) -> str:
    """The operating system on the guest's disks, empty when nothing is installed."""
    return next((volume.system for volume in attached(world, guest).values() if volume.system), "")


def missing(world: World, guest: Guest) -> list[str]:
    """The volume ids in the configuration that no storage of the guest's node holds."""
    kind, lost = kind_of(guest), []
    for key in sorted(kind.drive_keys & guest.config.keys()):
        volid = parse(kind, key, str(guest.config[key]))[kind.file_key]
        if volid not in _NO_VOLUME and volumes.find(world, volid, guest.node) is None:
            lost.append(volid)
    return lost


def make_bases(world: World, guest: Guest) -> None:
    """Turn the disks of a guest into the base images of a template."""
    kind = kind_of(guest)
    for key, volume in attached(world, guest).items():
        parts = parse(kind, key, str(guest.config[key]))
        if not is_cloud_init(parts) and not kind.is_unused(key):
            base = volumes.to_base(world, volume)
            guest.config[key] = print_drive(kind, key, {**parts, kind.file_key: base.volid})
