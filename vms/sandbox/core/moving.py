"""Disks that move: to another storage, or to another guest of the same node."""

from dataclasses import dataclass

from vms.sandbox.core import drives, guests, permissions, rights, tasks, volumes
from vms.sandbox.core.errors import TaskError, die, invalid
from vms.sandbox.core.kinds import LXC, QEMU, Kind, kind_of
from vms.sandbox.core.model import Guest, Json, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import GIB, human
from vms.sandbox.core.world import World

_SECONDS_PER_GIB = 0.15


@dataclass(frozen=True, slots=True)
class Words:
    """How a kind of guest speaks of its disks."""

    disk: str
    guests: str
    parameter: str
    target: str
    task: str


_WORDS = {
    QEMU.name: Words("disk", "VMs", "disk", "target-disk", "qmmove"),
    LXC.name: Words("volume", "containers", "volume", "target-volume", "move_volume"),
}


def move(call: Call, kind: Kind) -> str:
    """To a storage or to another guest, whichever the request names."""
    words = _WORDS[kind.name]
    if "target-vmid" in call.params:
        return _give_away(call, kind, words)
    if "storage" not in call.params:
        raise die(
            f"Provide either a 'storage' to move the {words.disk} to a different storage or 'target-vmid' and "
            f"'{words.target}' to move the {words.disk} to another {kind.label if kind is QEMU else 'container'}"
        )
    return _move_to_storage(call, kind, words)


def _move_to_storage(call: Call, kind: Kind, words: Words) -> str:
    guest, key = call.guest(kind.name), call.string(words.parameter)
    rights.require_space(call, call.string("storage"))
    storage = call.world.usable_storage(call.string("storage"), call.node)
    volumes.require_content(storage, kind.content)
    if kind.is_unused(key):
        noun = f"{words.disk} '{key}', only configured {words.disk}s"
        raise die(f"cannot move {noun} can be moved to another storage")
    guests.wait_for_lock_file(call, guest)
    volume = _checked(call, guest, key, words)
    args: dict[str, Json] = {
        "vmid": guest.vmid, "key": key, "storage": storage.name, "format": call.string("format"),
        "delete": call.flag("delete"), "kind": kind.name,
    }  # fmt: skip
    steps = [f"transferred {human(volume.size * step / 100)} of {human(volume.size)} ({step:.2f}%)" for step in (0, 50)]
    seconds = 0.5 + _SECONDS_PER_GIB * volume.size / GIB
    work = tasks.Work(
        words.task, guest.node, str(guest.vmid), seconds, (guest.vmid,), args,
        (f"create full clone of drive {key} ({volume.volid})", *steps), lock="" if kind is QEMU else "disk",
    )  # fmt: skip
    return tasks.fork(call.world, call.identity, work)


def _checked(call: Call, guest: Guest, key: str, words: Words) -> Volume:
    """The volume that may move."""
    tasks.check_lock(guest)
    if "digest" in call.params and call.string("digest") != guests.digest(guest):
        raise die("checksum mismatch (file change by other user?)")
    if guest.kind == LXC.name and guest.is_running:
        raise die("cannot move volumes of a running container")
    if key not in guest.config:
        raise die(f"{words.disk} '{key}' does not exist")
    parts = drives.parse(kind_of(guest), key, str(guest.config[key]))
    if drives.is_cdrom(parts) and not drives.is_cloud_init(parts):
        raise die("you can't move a cdrom")
    volume = drives.attached(call.world, guest).get(key)
    if volume is None:
        raise die(f"{words.disk} '{key}' has no associated volume")
    _check_destination(call, guest, volume, words)
    return volume


def _check_destination(call: Call, guest: Guest, volume: Volume, words: Words) -> None:
    has_file = "." in volume.name.rpartition("/")[2]
    is_other_format = has_file and call.string("format") not in {"", volume.format}
    if volume.storage == call.string("storage") and not is_other_format:
        raise die("you can't move to the same storage with same format")
    if call.flag("delete") and guests.is_in_snapshot(guest, volume.volid):
        raise die(f"you can't move a {words.disk} with snapshots and delete the source")


@tasks.effect("qmmove", "move_volume")
def finish(world: World, task: Task) -> None:
    if "target" in task.args:
        finish_giving(world, task)
        return
    guest, key = world.guest(task.args["kind"], task.node, task.args["vmid"]), task.args["key"]
    tasks.check_lock(guest, task)
    source = drives.attached(world, guest).get(key)
    if source is None:
        raise TaskError(f"disk '{key}' does not exist")
    made = volumes.copy(
        world, source, world.storage(task.args["storage"]), guest.node, guest.vmid, format=task.args["format"]
    )
    tasks.say_all(task, [f"transferred {human(source.size)} of {human(source.size)} (100.00%)"])
    _swap(world, guest, key, made)
    _leave(world, guest, source, task)


def _swap(world: World, guest: Guest, key: str, made: Volume) -> None:
    kind = kind_of(guest)
    parts = drives.parse(kind, key, str(guest.config[key])) | {kind.file_key: made.volid}
    world.state.guests.edit(guest).config[key] = drives.print_drive(kind, key, parts)


def _leave(world: World, guest: Guest, source: Volume, task: Task) -> None:
    """What becomes of the volume that was copied."""
    if guests.is_in_snapshot(guest, source.volid):
        tasks.say(task, "moving disk with snapshots, snapshots will not be moved!")
    elif task.args["delete"]:
        volumes.free(world, source)
        tasks.say(task, volumes.removal_line(world, source))
    else:
        guests.list_unused(guest, source.volid)


def _give_away(call: Call, kind: Kind, words: Words) -> str:
    guest, target_id, key = call.guest(kind.name), call.number("target-vmid"), call.string(words.parameter)
    permissions.require(call.world, call.identity, f"/vms/{target_id}", "VM.Config.Disk")
    if target_id == guest.vmid:
        text = f"must be different than source VMID to reassign {words.disk}"
        raise invalid(target_vmid=text)
    target = _receiver(call, guest, target_id, words)
    target_key = call.string(words.target) or key
    volume = _giveable(call, guest, key, words)
    if target_key in target.config and not kind.is_unused(target_key):
        noun = "disk key" if kind is QEMU else "volume"
        raise die(f"Target {noun} '{target_key}' is already in use for {kind.label} '{target_id}'")
    rights.require_space(call, volume.storage)
    args: dict[str, Json] = {
        "vmid": guest.vmid, "key": key, "target": target_id, "target_key": target_key, "kind": kind.name,
    }  # fmt: skip
    name = f"{guest.vmid}-{key}>{target_id}-{target_key}"
    return tasks.fork(
        call.world, call.identity, tasks.Work(words.task, guest.node, name, 0.5, (guest.vmid, target_id), args)
    )


def _receiver(call: Call, guest: Guest, vmid: int, words: Words) -> Guest:
    target = call.world.state.guests.get(vmid)
    if target is None or target.kind != guest.kind:
        raise die(f"could not find target {guest.label} {vmid}")
    if target.node != guest.node:
        raise die(f"Both {words.guests} need to be on the same node ({guest.node} != {target.node})")
    for one in (guest, target):
        tasks.check_lock(one)
    if guest.is_template or target.is_template:
        noun = "VMs" if guest.kind == QEMU.name else "containers"
        raise die(f"Can't move {words.disk}s from or to template {noun}")
    return target


def _giveable(call: Call, guest: Guest, key: str, words: Words) -> Volume:
    noun = guest.label if guest.kind == QEMU.name else "container"
    if key not in guest.config:
        raise die(f"{words.disk.capitalize()} '{key}' for {guest.label} '{guest.vmid}' does not exist")
    if drives.is_cdrom(drives.parse(kind_of(guest), key, str(guest.config[key]))):
        raise die(f"CD drive contents can't be moved to another {noun}")
    volume = drives.attached(call.world, guest).get(key)
    if volume is None:
        raise die(f"Can't move physical {words.disk} to another {noun}")
    if guests.is_in_snapshot(guest, volume.volid):
        raise die(f"Can't move {words.disk} used by a snapshot to another {noun}")
    if guest.is_running and not kind_of(guest).is_unused(key):
        raise die(f"Cannot move {words.disk} to another {noun} while the source {noun} is running - detach first")
    return volume


def finish_giving(world: World, task: Task) -> None:
    """Rename the volume to the other guest's and attach it there."""
    kind_name, args = task.args["kind"], task.args
    guest, target = (world.guest(kind_name, task.node, args[name]) for name in ("vmid", "target"))
    for one in (guest, target):
        tasks.check_lock(one)
    volume = drives.attached(world, guest).get(args["key"])
    if volume is None or args["target_key"] in target.config:
        raise TaskError(f"cannot move '{args['key']}' to '{args['target_key']}': configuration has changed")
    tasks.say(task, f"moving disk '{args['key']}' from {guest.label} '{guest.vmid}' to '{target.vmid}'")
    text = str(world.state.guests.edit(guest).config.pop(args["key"]))
    volumes.rehome(world, volume, target.vmid)
    world.state.guests.edit(target).config[args["target_key"]] = _text_at(target, args["target_key"], text, volume)
    guests.drop_from_boot_order(guest, args["key"])


def _text_at(target: Guest, key: str, text: str, volume: Volume) -> str:
    """The drive's value under its new key: options that the new bus does not know are dropped."""
    kind = kind_of(target)
    if kind.is_unused(key):
        return volume.volid
    shape = kind.drive_shape(key)
    options = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    parts = {name: value for name, value in options.items() if name in shape.keys}
    return drives.print_drive(kind, key, {**parts, kind.file_key: volume.volid})
