"""Growing disks, and turning a guest into a template."""

from vms.sandbox.core import drives, guests, rights, tasks, volumes
from vms.sandbox.core.errors import TaskError, die
from vms.sandbox.core.kinds import LXC, QEMU, Kind, kind_of
from vms.sandbox.core.model import Guest, Task
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import parse, show
from vms.sandbox.core.world import World

SIZE_PATTERN = r"\+?\d+(\.\d+)?[KMGT]?"


def resize(call: Call, kind: Kind) -> str:
    """A machine's worker checks everything itself; a container is checked before the fork."""
    guest = call.guest(kind.name)
    tasks.check_root_options(call.identity, call.params)
    if "digest" in call.params and call.string("digest") != guests.digest(guest):
        raise die("checksum mismatch (file change by other user?)")
    grown = drives.attached(call.world, guest).get(call.string("disk"))
    if grown is not None:
        rights.require_space(call, grown.storage)
    args = {
        "disk": call.string("disk"),
        "size": call.string("size"),
        "kind": kind.name,
        "skiplock": call.flag("skiplock"),
    }
    if kind is LXC:
        tasks.check_lock(guest)
        try:
            _wanted(call.world, guest, call.string("disk"), call.string("size"))
        except TaskError as error:
            raise die(str(error)) from error
    seconds = 0.3 if kind is QEMU else 2.0
    work = tasks.Work("resize", guest.node, str(guest.vmid), seconds, (guest.vmid,), args)
    return tasks.fork(call.world, call.identity, work)


def _wanted(world: World, guest: Guest, disk: str, size: str) -> int:
    """The new size in bytes; raises TaskError for what cannot be grown."""
    if disk not in guest.config:
        raise TaskError(f"disk '{disk}' does not exist" if guest.kind == "qemu" else f"no options specified: '{disk}'")
    parts = drives.parse(kind_of(guest), disk, str(guest.config[disk]))
    if drives.is_cdrom(parts):
        raise TaskError("you can't resize a cdrom")
    present = _volume(world, guest, disk).size
    wanted = present + parse(size[1:]) if size.startswith("+") else parse(size)
    if wanted < present:
        raise TaskError("shrinking disks is not supported" if guest.kind == "qemu" else "unable to shrink disk size")
    if wanted == present and guest.kind == "lxc":
        raise TaskError("disk is already at specified size")
    return wanted


def _volume(world: World, guest: Guest, disk: str) -> volumes.Volume:
    volume = drives.attached(world, guest).get(disk)
    if volume is None:
        raise TaskError(f"volume of disk '{disk}' does not exist")
    return volume


@tasks.effect("resize")
def finish_resize(world: World, task: Task) -> None:
    guest = world.guest(task.args["kind"], task.node, int(task.id))
    if not task.args["skiplock"]:
        tasks.check_lock(guest)
    disk, kind = task.args["disk"], kind_of(guest)
    wanted = _wanted(world, guest, disk, task.args["size"])
    volume = _volume(world, guest, disk)
    if wanted > volume.size:
        volumes.resize(world, volume, wanted, guest.node)
    parts = drives.parse(kind, disk, str(guest.config[disk])) | {"size": show(wanted)}
    world.state.guests.edit(guest).config[disk] = drives.print_drive(kind, disk, parts)


def convert(call: Call, kind: Kind) -> str | None:
    """Make a template: a worker for a machine, at once for a container."""
    call.refuse("disk")
    guest = call.guest(kind.name)
    tasks.check_lock(guest)
    noun = "VM" if kind is QEMU else "CT"
    if guest.snapshots:
        raise die(f"unable to create template, because {noun} contains snapshots")
    if guest.is_template:
        raise die(f"you can't convert a template to a {'template' if kind is QEMU else 'CT'}")
    if guest.is_running:
        raise die(f"you can't convert a {noun} to template if {noun} is running")
    if kind is LXC:
        make_template(call.world, guest)
        return None
    work = tasks.Work("qmtemplate", guest.node, str(guest.vmid), 1.0, (guest.vmid,))
    return tasks.fork(call.world, call.identity, work)


@tasks.effect("qmtemplate")
def finish_convert(world: World, task: Task) -> None:
    guest = world.guest("qemu", task.node, int(task.id))
    tasks.check_lock(guest)
    make_template(world, guest)


def make_template(world: World, guest: Guest) -> None:
    drives.make_bases(world, world.state.guests.edit(guest))
    guest.config["template"] = 1
