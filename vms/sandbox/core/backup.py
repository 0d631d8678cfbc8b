"""vzdump: one job after the other on each node, one guest after the other in each job."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from vms.sandbox.core import archives, containers, drives, guests, permissions, rights, tasks, volumes
from vms.sandbox.core.errors import ApiError, TaskError, invalid
from vms.sandbox.core.kinds import LXC, QEMU
from vms.sandbox.core.model import Guest, Json, Storage, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import GIB, KIB, MIB, human, show
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World

_LONGEST_WAIT = 3 * 3600.0
_SECONDS_PER_GIB = 0.25
Step = Callable[[World, Task, int], None]
_NOT_SHOWN = {"node", "vmid"}
_ROOT_ONLY = ("dumpdir", "tmpdir", "script")


def start(call: Call) -> str:
    """Fork the job of this node; the word OK when none of the guests is here."""
    _check(call)
    vmids = _vmids(call)
    if not vmids and not call.flag("all"):
        return "OK"
    storage = call.string("storage", "local")
    if "storage" in call.params:
        rights.require_space(call, storage)
    args: dict[str, Json] = {
        "vmids": vmids, "storage": storage, "mode": call.string("mode", "snapshot"), "stage": 0, "failed": 0,
        "compress": call.string("compress", "0"), "notes": call.string("notes-template"),
        "protected": call.flag("protected"), "remove": call.flag("remove", default=True),
        "prune": call.string("prune-backups"), "command": _command(call, vmids),
    }  # fmt: skip
    name = str(vmids[0]) if len(vmids) == 1 else ""
    queue = (-call.world.node(call.node).nodeid,)
    work = tasks.Work("vzdump", call.node, name, 0.0, queue, args, patience=_LONGEST_WAIT)
    return tasks.fork(call.world, call.identity, work)


def _check(call: Call) -> None:
    _check_selection(call, [name for name in ("all", "pool") if call.params.get(name)])
    refused = [name for name in _ROOT_ONLY if name in call.params]
    if refused and not call.identity.is_root_ticket:
        raise invalid(**dict.fromkeys(refused, "Only root may set this option."))
    if {"bwlimit", "ionice", "performance"} & call.params.keys():
        permissions.require(call.world, call.identity, "/", "Sys.Modify")
    call.refuse("stdout", "fleecing", *_ROOT_ONLY)


def _check_selection(call: Call, named: list[str]) -> None:
    """The guests are named by number, or all of them or those of a pool are meant."""
    if "vmid" not in call.params and not named:
        raise invalid(vmid="property is missing")
    if "vmid" in call.params and named:
        raise invalid(**{named[0]: "option conflicts with option 'vmid'"})
    if "vmid" in call.params and "exclude" in call.params:
        raise invalid(exclude="option conflicts with options 'vmid'")


def _vmids(call: Call) -> list[int]:
    """The guests of the job on this node; a number that no node knows is here, and fails for all to see."""
    is_wide = call.params.get("all") or "pool" in call.params
    wanted = _chosen(call) if is_wide else [int(vmid) for vmid in split_list(call.string("vmid"))]
    found = [(vmid, call.world.state.guests.get(vmid)) for vmid in wanted]
    local = [vmid for vmid, guest in found if guest is None or guest.node == call.node]
    for vmid in local if "vmid" in call.params else ():
        permissions.require(call.world, call.identity, f"/vms/{vmid}", "VM.Backup")
    return local


def _chosen(call: Call) -> list[int]:
    """Of all guests, or of those of a pool, the ones that may be backed up and are not excluded."""
    pool = call.world.state.pools.get(call.string("pool"))
    members = set(pool.vms) if pool else set()
    excluded = set(map(int, split_list(call.string("exclude"))))
    here = {guest.vmid for guest in call.world.state.guests}
    rows = here & members if "pool" in call.params else here
    return [vmid for vmid in sorted(rows - excluded) if _may(call, vmid)]


def _may(call: Call, vmid: int) -> bool:
    return permissions.may(call.world, call.identity, f"/vms/{vmid}", "VM.Backup")


def _command(call: Call, vmids: list[int]) -> str:
    """The command line that the log begins with."""
    shown = {"node": call.node, **{name: value for name, value in call.params.items() if name not in _NOT_SHOWN}}
    options = " ".join(f"--{name} {_quoted(str(value))}" for name, value in shown.items())
    numbers = " ".join(map(str, vmids)) if "vmid" in call.params else ""
    return f"vzdump {numbers} {options}".replace("  ", " ")


def _quoted(value: str) -> str:
    return f"'{value}'" if any(character in value for character in " {}") else value


def _info(task: Task, *lines: str) -> None:
    tasks.say_all(task, [f"INFO: {line}" for line in lines])


@tasks.effect("vzdump")
def advance(world: World, task: Task) -> None:
    """Finish the guest at hand, then begin with the next."""
    args = task.args
    if not args["stage"]:
        _info(task, f"starting new backup job: {args['command']}")
        _usable_storage(world, task)
    elif "file" in args:
        _try(world, task, args["vmids"][args["stage"] - 1], _finish_guest)
    while args["stage"] < len(args["vmids"]):
        args["stage"] += 1
        if _try(world, task, args["vmids"][args["stage"] - 1], _begin_guest):
            raise tasks.Later(args["seconds"])
    if args["failed"]:
        _info(task, "Backup job finished with errors")
        raise TaskError("job errors")
    _info(task, "Backup job finished successfully")


def _usable_storage(world: World, task: Task) -> Storage:
    name = task.args["storage"]
    try:
        storage = world.usable_storage(name, task.node)
    except ApiError as error:
        raise TaskError(f"could not get storage information for '{name}': {error}") from error
    if "backup" not in storage.content:
        text = f"can't use storage '{name}' for backups - wrong content type"
        raise TaskError(f"could not get storage information for '{name}': {text}")
    return storage


def _try(world: World, task: Task, vmid: int, step: Step) -> bool:
    """Run one step; a guest that fails leaves the others alone."""
    try:
        step(world, task, vmid)
    except (TaskError, ApiError) as error:
        guest = world.state.guests.get(vmid)
        _release(world, task)
        task.args["failed"] += 1
        tasks.say(task, f"ERROR: Backup of {guest.label if guest else 'VM'} {vmid} failed - {error}")
        _info(task, f"Failed at {_stamp(task.due_at)}")
        return False
    return True


def _stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"


def _begin_guest(world: World, task: Task, vmid: int) -> None:
    args, guest = task.args, world.state.guests.get(vmid)
    label = guest.kind if guest else "qemu"
    _info(task, f"Starting Backup of {guest.label if guest else 'VM'} {vmid} ({label})")
    _info(task, f"Backup started at {_stamp(task.due_at)}")
    if guest is None or guest.node != task.node:
        raise TaskError(f"unable to find VM '{vmid}'")
    tasks.check_lock(guest)
    world.state.guests.edit(guest).config["lock"] = "backup"
    disks = archives.included(world, guest)
    storage = world.storage(args["storage"])
    if storage.type == archives.SERVER:
        args["compress"] = "zstd"
    name = archives.file_name(guest, task.due_at, args["compress"], storage)
    args |= {"file": name, "begun": task.due_at, "locked": vmid}
    args["seconds"] = 0.5 + _SECONDS_PER_GIB * sum(volume.size for volume in disks.values() if volume.system) / GIB
    _tell_beginning(world, task, guest, disks)


def _mode(world: World, task: Task, guest: Guest, disks: dict[str, Volume]) -> str:
    """How the guest is treated while it is copied."""
    mode = str(task.args["mode"])
    if not guest.is_running:
        return "stop"
    can_snapshot = all(volumes.can_snapshot(world, volume) for volume in disks.values())
    if guest.kind == LXC.name and mode == "snapshot" and not can_snapshot:
        _info(task, "mode failure - some volumes do not support snapshots", "trying 'suspend' mode instead")
        return "suspend"
    return mode


def _tell_beginning(world: World, task: Task, guest: Guest, disks: dict[str, Volume]) -> None:
    _info(task, f"status = {'running' if guest.is_running else 'stopped'}")
    _info(task, f"{'CT' if guest.kind == LXC.name else 'VM'} Name: {guest.name}")
    for key, volume in disks.items():
        if guest.kind == QEMU.name:
            _info(task, f"include disk '{key}' '{volume.volid}' {show(volume.size)}")
        else:
            place = drives.parse(LXC, key, str(guest.config[key])).get("mp", "/")
            _info(task, f"including mount point {key} ('{place}') in backup")
    mode = _mode(world, task, guest, disks)
    storage = world.storage(task.args["storage"])
    _info(task, f"backup mode: {mode}", "ionice priority: 7")
    if mode == "stop" and guest.is_running:
        _info(task, "stopping virtual guest")
        guests.halt(world, guest)
        task.args["restart"] = True
    _info(task, archives.creation_line(storage, task.args["file"]))


def _finish_guest(world: World, task: Task, vmid: int) -> None:
    args, guest = task.args, world.state.guests.get(vmid)
    if guest is None:
        raise TaskError(f"unable to find VM '{vmid}'")
    disks = archives.included(world, guest)
    size = archives.size_of(disks, args["compress"])
    storage = _usable_storage(world, task)
    volumes.require_room(world, storage, task.node, size, args["file"])
    name, archive = args["file"], archives.contents(guest, disks)
    _release(world, task)
    _store(world, task, Archive(storage, name, guest, size, archive))
    total = sum(one.size for one in disks.values())
    if guest.kind == QEMU.name and total:
        seconds = max(1, int(task.due_at - args["begun"]))
        _info(task, f"100% ({human(total)} of {human(total)}) in {seconds}s", f"transferred {human(total)}")
    _info(task, f"archive file size: {_megabytes(size)}")
    _prune(world, task, storage, guest)
    _info(task, f"Finished Backup of {guest.label} {vmid} ({_duration(task)})")
    _info(task, f"Backup finished at {_stamp(task.due_at)}")


@dataclass(frozen=True, slots=True)
class Archive:
    """A file to write."""

    storage: Storage
    name: str
    guest: Guest
    size: int
    contents: dict[str, Json]


def _store(world: World, task: Task, archive: Archive) -> None:
    args, storage = task.args, archive.storage
    place = "" if storage.is_shared else task.node
    world.state.volumes.put(
        Volume(
            storage.name, place, f"backup/{archive.name}", "backup", archives.format_of(archive.name), archive.size,
            archive.size, int(args["begun"]), vmid=archive.guest.vmid, notes=_notes(args["notes"], archive.guest),
            is_protected=bool(args["protected"]), archive=archive.contents,
        )
    )  # fmt: skip


def _notes(template: str, guest: Guest) -> str:
    values = {"guestname": guest.name, "vmid": guest.vmid, "node": guest.node, "cluster": "sandbox"}
    for name, value in values.items():
        template = template.replace("{{" + name + "}}", str(value))
    return template.replace("\\n", "\n").replace("\\\\", "\\")


def _megabytes(size: int) -> str:
    if size >= GIB:
        return f"{size / GIB:.2f}GB"
    return f"{size // MIB}MB" if size >= MIB else f"{size // KIB}KB"


def _duration(task: Task) -> str:
    seconds = int(task.due_at - task.args["begun"])
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _prune(world: World, task: Task, storage: Storage, guest: Guest) -> None:
    text = task.args["prune"] or str(storage.settings.get("prune-backups", ""))
    keeps = archives.retention(text)
    if not (keeps and task.args["remove"]):
        return
    shown = ",".join(f"{name}={count}" for name, count in keeps.items())
    _info(task, f"prune older backups with retention: {shown}")
    backups = archives.of_guest(world, storage, task.node, guest.vmid)
    marked = archives.marks(backups, keeps)
    gone = [volume for volume in backups if marked[volume.volid] == "remove"]
    for volume in gone:
        world.state.volumes.remove(volume)
        _info(task, f"removing backup '{volume.volid}'")
    _info(task, f"pruned {len(gone)} backup(s) not covered by keep-retention policy")


def _release(world: World, task: Task) -> None:
    """Unlock the guest at hand, and start it again when the backup has stopped it."""
    guest = world.state.guests.get(task.args.pop("locked", 0))
    task.args.pop("file", None)
    if guest is None or guest.lock != "backup":
        return
    world.state.guests.edit(guest).config.pop("lock")
    if task.args.pop("restart", False) and not drives.missing(world, guest):
        _info(task, "restarting vm")
        guests.power_up(world, guest, task.due_at)
        containers.warn_of_nesting(world, guest, task)


@tasks.undoing("vzdump")
def undo(world: World, task: Task) -> None:
    _release(world, task)
