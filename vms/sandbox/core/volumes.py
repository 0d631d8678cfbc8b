"""Disk images and other files on storages: names, allocation, copies, room."""

import re
from dataclasses import dataclass, replace

from vms.sandbox.core.errors import ApiError, TaskError, die, invalid
from vms.sandbox.core.model import Storage, Volume
from vms.sandbox.core.sizes import MIB
from vms.sandbox.core.state import volume_key
from vms.sandbox.core.world import World

BLOCK_TYPES = {"lvm", "lvmthin", "zfspool", "rbd"}
SNAPSHOT_TYPES = {"lvmthin", "zfspool", "rbd", "btrfs"}
LINKED_CLONE_SHARE = 16
_EXTENT = 4 * MIB
_IMAGE = re.compile(r"(?:.*/)?(?:vm|base|subvol|basevol)-(\d+)-\S+")
_FOLDERS = {"iso": "iso", "vztmpl": "vztmpl", "snippets": "snippets", "backup": "backup", "import": "import"}


def split(volid: str) -> tuple[str, str]:
    """Storage and name of `local-lvm:vm-100-disk-0`."""
    storage, separator, name = volid.partition(":")
    if not separator or not name:
        raise die(f"unable to parse volume ID '{volid}'")
    return storage, name


def _place(storage: Storage, node: str) -> str:
    return "" if storage.is_shared else node


def find(world: World, volid: str, node: str) -> Volume | None:
    """The volume that a node sees under this id."""
    name, _, rest = volid.partition(":")
    storage = world.state.storages.get(name)
    if storage is None:
        return None
    return world.state.volumes.get(volume_key(name, _place(storage, node), rest))


def of_guest(world: World, vmid: int) -> list[Volume]:
    """The images that bear the guest's number; its backups are nobody's part."""
    return [one for one in world.state.volumes if one.vmid == vmid and one.content in {"images", "rootdir"}]


def content_of(storage: Storage, name: str) -> str:
    """What kind of content a volume name stands for; dies the way the storage plugin does."""
    if storage.type in BLOCK_TYPES:
        if not _IMAGE.fullmatch(name):
            plugin = "lvm" if storage.type.startswith("lvm") else storage.type.removesuffix("pool")
            raise die(f"unable to parse {plugin} volume name '{name}'")
        return "images"
    folder = name.partition("/")[0]
    if folder in _FOLDERS and "/" in name:
        return _FOLDERS[folder]
    if folder.isdecimal() and _IMAGE.fullmatch(name):
        return "images"
    raise die(f"unable to parse directory volume name '{name}'")


def require_content(storage: Storage, content: str) -> None:
    if content not in storage.content:
        noun = "vm images" if content == "images" else "container directories"
        raise invalid(storage=f"storage '{storage.name}' does not support {noun}")


def default_format(storage: Storage, content: str = "images") -> str:
    if storage.type in BLOCK_TYPES or content == "rootdir":
        return "subvol" if storage.type in {"zfspool", "btrfs"} and content == "rootdir" else "raw"
    return str(storage.settings.get("format", "raw"))


def image_name(storage: Storage, vmid: int, stem: str, format: str) -> str:
    """`vm-100-disk-0` on block storage, `100/vm-100-disk-0.qcow2` in a directory."""
    return stem if storage.type in BLOCK_TYPES else f"{vmid}/{stem}.{format}"


def free_stem(world: World, storage: Storage, vmid: int, *, format: str, prefix: str = "vm") -> str:
    """The lowest disk number that this guest does not use on the storage."""
    taken = {match[1] for volume in of_guest(world, vmid) if volume.storage == storage.name
             and (match := re.search(r"-disk-(\d+)", volume.name.rpartition("/")[2]))}  # fmt: skip
    number = next(index for index in range(10_000) if str(index) not in taken)
    return f"{'subvol' if format == 'subvol' else prefix}-{vmid}-disk-{number}"


def own_files(storage: Storage) -> int:
    """What lies on a storage that is no volume of ours: the node's system, the file server's other shares."""
    return storage.total // 50 if storage.type in {"dir", "nfs"} else 0


def used(world: World, storage: Storage, node: str) -> int:
    if storage.name in world.faults.full:
        return storage.total
    place = _place(storage, node)
    return own_files(storage) + sum(
        volume.used for volume in world.state.volumes if volume.storage == storage.name and volume.node == place
    )


def require_room(world: World, storage: Storage, node: str, wanted: int, name: str) -> None:
    available = storage.total - used(world, storage, node)
    if wanted <= available:
        return
    if storage.type in BLOCK_TYPES:
        group = storage.settings.get("vgname", storage.name)
        raise TaskError(
            f"lvcreate '{group}/{name}' error:   Volume group \"{group}\" has insufficient free space "
            f"({max(0, available) // _EXTENT} extents): {-(-wanted // _EXTENT)} required."
        )
    path = storage.settings.get("path", f"/mnt/pve/{storage.name}")
    raise TaskError(f"unable to create image: qemu-img: {path}/images/{name}: No space left on device")


def path_of(world: World, volume: Volume) -> str:
    """Where the node finds a volume."""
    storage = world.storage(volume.storage)
    settings = storage.settings
    if storage.type in {"lvm", "lvmthin"}:
        return f"/dev/{settings.get('vgname', storage.name)}/{volume.name}"
    if storage.type == "zfspool":
        root = "" if volume.format == "subvol" else "/dev/zvol"
        return f"{root}/{settings.get('pool', storage.name)}/{volume.name.rpartition('/')[2]}"
    if storage.type == "rbd":
        return f"/dev/rbd-pve/{settings.get('pool', storage.name)}/{volume.name.rpartition('/')[2]}"
    if storage.type == "pbs":
        where = f"{settings.get('username', 'root@pam')}@{settings['server']}:{settings['datastore']}"
        return f"{where}:{volume.name.removeprefix('backup/')}"
    return f"{settings.get('path', f'/mnt/pve/{storage.name}')}/{_file_of(volume)}"


_PLACES = {"iso/": "template/iso/", "vztmpl/": "template/cache/", "backup/": "dump/"}


def _file_of(volume: Volume) -> str:
    for prefix, place in _PLACES.items():
        if volume.name.startswith(prefix):
            return place + volume.name.removeprefix(prefix)
    if volume.content in {"images", "rootdir"}:
        return "images/" + "/".join(volume.name.split("/")[-2:])
    return volume.name


def creation_line(world: World, volume: Volume) -> str:
    """What the tools of a storage print when they have made an image."""
    kind = world.storage(volume.storage).type
    if kind in {"lvm", "lvmthin"}:
        return f'  Logical volume "{volume.name}" created.'
    return f"Formatting '{path_of(world, volume)}', fmt={volume.format} size={volume.size}"


def removal_line(world: World, volume: Volume) -> str:
    if world.storage(volume.storage).type in {"lvm", "lvmthin"}:
        return f'  Logical volume "{volume.name}" successfully removed.'
    return f"Removed volume '{volume.volid}'"


@dataclass(frozen=True, slots=True)
class Image:
    """A wish for a new image; `stem` names it when the lowest free disk number will not do."""

    vmid: int
    size: int
    content: str = "images"
    format: str = ""
    stem: str = ""
    system: str = ""


def allocate(world: World, storage: Storage, node: str, image: Image) -> Volume:
    """A new image; raises TaskError when the storage is full."""
    is_free = image.format and storage.type not in BLOCK_TYPES
    format = image.format if is_free else default_format(storage, image.content)
    stem = image.stem or free_stem(world, storage, image.vmid, format=format)
    name = image_name(storage, image.vmid, stem, format)
    require_room(world, storage, node, image.size, name)
    volume = Volume(
        storage.name, _place(storage, node), name, image.content, format, image.size, image.size, int(world.now()),
        vmid=image.vmid, system=image.system,
    )  # fmt: skip
    return world.state.volumes.put(volume)


def copy(world: World, source: Volume, storage: Storage, node: str, vmid: int, *, format: str = "") -> Volume:
    """A full copy of an image for another guest."""
    format = format or (source.format if storage.name == source.storage else "")
    image = Image(vmid, source.size, source.content, format, system=source.system)
    return allocate(world, storage, node, image)


def link(world: World, base: Volume, vmid: int, node: str) -> Volume:
    """A linked clone of a template's base image; it takes little room of its own."""
    storage = world.storage(base.storage)
    stem = free_stem(world, storage, vmid, format=base.format)
    name = stem if storage.type in BLOCK_TYPES else f"{base.name}/{vmid}/{stem}.qcow2"
    if storage.type in {"zfspool", "rbd"}:
        name = f"{base.name}/{stem}"
    own = base.size // LINKED_CLONE_SHARE
    require_room(world, storage, node, own, name)
    volume = replace(base, name=name, vmid=vmid, used=own, parent=base.name, ctime=int(world.now()), format="qcow2")
    volume.format = base.format if storage.type in BLOCK_TYPES else "qcow2"
    return world.state.volumes.put(volume)


def resize(world: World, volume: Volume, size: int, node: str) -> None:
    growth = size - volume.size
    require_room(world, world.storage(volume.storage), node, growth, volume.name)
    world.state.volumes.edit(volume)
    volume.size, volume.used = size, volume.used + growth


def to_base(world: World, volume: Volume) -> Volume:
    """Rename an image to the base image of a template."""
    world.state.volumes.remove(volume)
    volume.name = re.sub(r"(^|/)(?:vm|subvol)-(\d+)-disk-", r"\1base-\2-disk-", volume.name)
    return world.state.volumes.put(volume)


def rehome(world: World, volume: Volume, vmid: int) -> None:
    """Rename an image to the lowest free disk of another guest."""
    stem = free_stem(world, world.storage(volume.storage), vmid, format=volume.format)
    world.state.volumes.remove(volume)
    folder, _, last = volume.name.rpartition("/")
    extension = last[last.rindex(".") :] if "." in last else ""
    is_file = bool(extension)
    parent = re.sub(r"(^|/)\d+$", rf"\g<1>{vmid}", folder) if is_file else folder
    volume.name, volume.vmid = f"{parent}/{stem}{extension}" if parent else f"{stem}{extension}", vmid
    world.state.volumes.put(volume)


def relocate(world: World, volume: Volume, storage: Storage, node: str) -> None:
    """Carry an image with its snapshots to the storage of another node, under a free name there."""
    require_room(world, storage, node, volume.used, volume.name)
    name = volume.name if is_file_storage(storage) == is_file_storage(world.storage(volume.storage)) else ""
    if not name or volume_key(storage.name, _place(storage, node), name) in world.state.volumes:
        stem = free_stem(world, storage, volume.vmid, format=volume.format)
        name = image_name(storage, volume.vmid, stem, volume.format)
    world.state.volumes.remove(volume)
    volume.storage, volume.node, volume.name = storage.name, _place(storage, node), name
    world.state.volumes.put(volume)


def is_file_storage(storage: Storage) -> bool:
    return storage.type not in BLOCK_TYPES


def children(world: World, base: Volume) -> list[Volume]:
    return [
        volume for volume in world.state.volumes
        if volume.parent == base.name and volume.storage == base.storage and volume.node == base.node
    ]  # fmt: skip


def free(world: World, volume: Volume) -> None:
    if children(world, volume):
        raise ApiError(500, f"base volume '{volume.volid}' is still in use by linked cloned")
    world.state.volumes.remove(volume)


def can_snapshot(world: World, volume: Volume) -> bool:
    """Thin and copy-on-write storages can, and qcow2 files; thick LVM and raw files cannot."""
    storage = world.storage(volume.storage)
    if storage.type == "lvm":
        return volume.format == "qcow2" and bool(storage.settings.get("snapshot-as-volume-chain"))
    return storage.type in SNAPSHOT_TYPES or volume.format == "qcow2"


def take_snapshot(world: World, volume: Volume, name: str) -> None:
    world.state.volumes.edit(volume).snapshots[name] = volume.size


def roll_back(world: World, volume: Volume, name: str) -> None:
    """The image as it was, also in size."""
    size = volume.snapshots[name]
    world.state.volumes.edit(volume)
    volume.used, volume.size = max(0, volume.used + size - volume.size), size


def drop_snapshot(world: World, volume: Volume, name: str) -> None:
    world.state.volumes.edit(volume).snapshots.pop(name, None)


def blocks_roll_back(world: World, volume: Volume, name: str) -> bool:
    """ZFS goes back to the newest snapshot only."""
    is_newest = list(volume.snapshots)[-1:] == [name]
    return world.storage(volume.storage).type == "zfspool" and not is_newest


def can_link(world: World, volume: Volume) -> bool:
    return volume.name.rpartition("/")[2].startswith("base-") and world.storage(volume.storage).type != "lvm"
