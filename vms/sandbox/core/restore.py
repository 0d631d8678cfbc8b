"""Guests from backup archives, new or in the place of an old one."""

from vms.sandbox.core import archives, cloudinit, drives, guests, permissions, power, rights, tasks, validation, volumes
from vms.sandbox.core.errors import ApiError, TaskError, die, invalid, refused
from vms.sandbox.core.kinds import KINDS, LXC, QEMU, Kind, kind_of
from vms.sandbox.core.model import Config, Guest, Json, Storage, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import GIB, MIB
from vms.sandbox.core.world import World

NOT_CONFIG = {
    "node", "vmid", "start", "pool", "storage", "force", "unique", "archive", "bwlimit", "live-restore", "ha-managed",
    "ostemplate", "password", "ssh-public-keys", "restore", "ignore-unpack-errors", "import-working-storage",
}  # fmt: skip
_SECONDS_PER_GIB = 0.3


def restore(call: Call, kind: Kind) -> str:
    """The checks before the fork, the locked configuration, and the worker."""
    call.refuse("live-restore", "ha-managed")
    volid = call.string("archive") or call.string("ostemplate")
    if call.string("pool") and call.string("pool") not in call.world.state.pools:
        raise refused(f"pool '{call.string('pool')}' does not exist")
    given: Config = {key: value for key, value in call.params.items() if key not in NOT_CONFIG}
    rights.check(call, kind, given, pool=call.string("pool"))
    _check_archive(call, volid)
    _check_storage(call, kind)
    is_new = _take_place(call, kind)
    archive = volumes.find(call.world, volid, call.node)
    size = sum(one["size"] for one in archive.archive.get("disks", {}).values() if one["system"]) if archive else 0
    args: dict[str, Json] = {
        "archive": volid, "given": given, "storage": call.string("storage"), "unique": call.flag("unique"),
        "start": call.flag("start"), "pool": call.string("pool"), "new": is_new, "kind": kind.name,
    }  # fmt: skip
    seconds = 1.0 + _SECONDS_PER_GIB * size / GIB
    work = tasks.Work(f"{kind.verb}restore", call.node, str(call.vmid), seconds, (call.vmid,), args)
    return tasks.fork(call.world, call.identity, work)


def _check_archive(call: Call, volid: str) -> None:
    if volid == "-" or volid.startswith("/"):
        raise die("pipe requires cli environment" if volid == "-" else "Only root can pass arbitrary filesystem paths.")
    storage, name = volumes.split(volid)
    wanted = ("Datastore.AllocateSpace", "Datastore.Allocate")
    volumes.content_of(call.world.usable_storage(storage, call.node), name)
    permissions.require(call.world, call.identity, f"/storage/{storage}", *wanted)
    if not archives.is_backup(name):
        raise invalid(archive=f"'{volid}' is no backup archive")


def _check_storage(call: Call, kind: Kind) -> None:
    """A container goes to `local` when nothing else is asked, a machine to where its disks were."""
    name = call.string("storage") or ("local" if kind is LXC else "")
    if name:
        rights.require_space(call, name)
        volumes.require_content(call.world.usable_storage(name, call.node), kind.content)


def _take_place(call: Call, kind: Kind) -> bool:
    """Lock the number, and say whether it was free."""
    prefix = "" if kind is LXC else f"unable to restore VM {call.vmid} - "
    other = call.world.state.guests.get(call.vmid)
    if other is None:
        call.world.state.guests.put(Guest(call.vmid, kind.name, call.node, {"lock": "create"}))
        return True
    if not call.flag("force") or other.kind != kind.name or other.node != call.node:
        raise die(prefix + guests.taken_text(other))
    if other.lock:
        raise die(f"{prefix}{other.label} is locked ({other.lock})")
    if kind is LXC and other.is_running:
        raise die("can't overwrite running container")
    call.world.state.guests.edit(other).config["lock"] = "create"
    return False


@tasks.effect("qmrestore", "vzrestore")
def finish(world: World, task: Task) -> None:
    guest = world.state.guests.get(task.id)
    if guest is None:
        raise TaskError(f"unable to restore guest {task.id} - configuration vanished")
    try:
        _unpack(world, world.state.guests.edit(guest), task)
    except (TaskError, ApiError) as error:
        raise TaskError(f"unable to restore {guest.label} {guest.vmid} - {error}") from error
    pool = world.state.pools.get(task.args["pool"])
    if pool is not None and guest.vmid not in pool.vms:
        world.state.pools.edit(pool).vms.append(guest.vmid)
    if task.args["start"]:
        power.boot(world, guest, task)


def _unpack(world: World, guest: Guest, task: Task) -> None:
    archive = _archive(world, task)
    if guest.is_running:
        raise TaskError("vm is running")
    if guest.config.get("protection"):
        raise TaskError("protection mode enabled")
    wanted = _wanted(world, guest, task, archive)
    old = guests.referenced(world, guest)
    _require_room(world, guest, archive, wanted, old)
    _tell_archive(world, task, archive)
    for volume in sorted(old.values(), key=lambda volume: not volume.parent):
        volumes.free(world, volume)
    guest.config, guest.snapshots, guest.pending, guest.pending_delete = {"lock": "create"}, {}, {}, []
    _fill(world, guest, task, archive, wanted)
    guest.config.pop("lock")


def _archive(world: World, task: Task) -> Volume:
    archive = volumes.find(world, task.args["archive"], task.node)
    if archive is None:
        storage, name = volumes.split(task.args["archive"])
        folder = world.storage(storage).settings.get("path", f"/mnt/pve/{storage}")
        raise TaskError(f"can't find archive file '{folder}/dump/{name.partition('/')[2]}'")
    if archive.archive.get("kind") != task.args["kind"]:
        raise TaskError(
            f"archive '{archive.volid}' holds no {'container' if task.args['kind'] == 'lxc' else 'machine'}"
        )
    return archive


def _wanted(world: World, guest: Guest, task: Task, archive: Volume) -> dict[str, Storage]:
    """The storage of each image in the archive."""
    chosen = task.args["storage"] or ("local" if guest.kind == LXC.name else "")
    disks = archive.archive["disks"].items()
    return {key: world.usable_storage(chosen or one["storage"], guest.node) for key, one in disks}


def _require_room(
    world: World, guest: Guest, archive: Volume, wanted: dict[str, Storage], old: dict[str, Volume]
) -> None:
    """Nothing of the old guest is given up for a restore that cannot succeed."""
    for volume in old.values():
        if volumes.children(world, volume):
            raise TaskError(f"base volume '{volume.volid}' is still in use by linked cloned")
    for storage in {one.name: one for one in wanted.values()}.values():
        volumes.require_content(storage, kind_of(guest).content)
        needed = sum(archive.archive["disks"][key]["size"] for key, one in wanted.items() if one is storage)
        freed = sum(volume.used for volume in old.values() if volume.storage == storage.name)
        volumes.require_room(world, storage, guest.node, needed - freed, f"vm-{guest.vmid}-disk-0")


def _tell_archive(world: World, task: Task, archive: Volume) -> None:
    path = volumes.path_of(world, archive)
    if task.args["kind"] == QEMU.name:
        tasks.say_all(task, [f"restore vma archive: {path}", "CFG: size: 512 name: qemu-server.conf"])
        return
    tasks.say_all(
        task, [f"recovering backed-up configuration from '{archive.volid}'", f"restoring '{archive.volid}' now.."]
    )
    tasks.say(task, f"extracting archive '{path}'")


def _fill(world: World, guest: Guest, task: Task, archive: Volume, wanted: dict[str, Storage]) -> None:
    kind, held = KINDS[guest.kind], archive.archive
    for key, value in held["config"].items():
        if key not in kind.drive_keys:
            guest.config[key] = value
        elif key in wanted:
            made = _made(world, guest, held["disks"][key], wanted[key])
            tasks.say_all(task, [volumes.creation_line(world, made), f"new volume ID is '{made.volid}'"])
            guest.config[key] = _attached(kind, key, str(value), made)
        elif drives.is_cdrom(drives.parse(kind, key, str(value))):
            guest.config[key] = _cdrom(world, guest, task, key, str(value))
    _renew_identity(world, guest, task)
    for key, value in task.args["given"].items():
        guests.set_option(world, guest, key, guests.stored_value(world, guest, key, value, task.args["storage"]))
    if guest.is_template:
        drives.make_bases(world, guest)
    tasks.say(task, "rescan volumes..." if kind is QEMU else "merging backed-up and given configuration..")
    cloudinit.write_seed(world, guest)


def _made(world: World, guest: Guest, image: dict[str, Json], storage: Storage) -> Volume:
    is_subvolume = image["format"] == "subvol" or storage.type in volumes.BLOCK_TYPES
    wish = volumes.Image(
        guest.vmid, image["size"], kind_of(guest).content, "" if is_subvolume else image["format"],
        system=image["system"],
    )  # fmt: skip
    return volumes.allocate(world, storage, guest.node, wish)


def _attached(kind: Kind, key: str, value: str, made: Volume) -> str:
    return drives.print_drive(kind, key, {**drives.parse(kind, key, value), kind.file_key: made.volid})


def _cdrom(world: World, guest: Guest, task: Task, key: str, value: str) -> str:
    """An image in the drive stays; the cloud-init disk is made anew."""
    parts = drives.parse(QEMU, key, value)
    if not drives.is_cloud_init(parts):
        return value
    storage = world.usable_storage(task.args["storage"] or parts["file"].partition(":")[0], guest.node)
    format = "raw" if storage.type in volumes.BLOCK_TYPES else "qcow2"
    image = volumes.Image(guest.vmid, 4 * MIB, format=format, stem=f"vm-{guest.vmid}-cloudinit")
    return _attached(QEMU, key, value, volumes.allocate(world, storage, guest.node, image))


def _renew_identity(world: World, guest: Guest, task: Task) -> None:
    """A generation id is never used twice; addresses are new only when asked."""
    kind = kind_of(guest)
    if "vmgenid" in guest.config:
        guest.config["vmgenid"] = world.random_uuid()
    if not task.args["unique"]:
        return
    for key in kind.net_keys & guest.config.keys():
        parts = validation.parse(str(guest.config[key]), kind.net_shape)
        parts.pop(kind.mac_key, None)
        guest.config[key] = guests.normal_net(world, kind, validation.show(parts, kind.net_shape))
    if kind is QEMU:
        guest.config["smbios1"] = f"uuid={world.random_uuid()}"


@tasks.undoing("qmrestore", "vzrestore")
def undo(world: World, task: Task) -> None:
    """A failed restore takes back a new guest, and leaves an old one as far as it had come."""
    guest = world.state.guests.get(task.id)
    if guest is None:
        return
    if task.args["new"]:
        guests.erase(world, guest)
    else:
        world.state.guests.edit(guest).config.pop("lock", None)
