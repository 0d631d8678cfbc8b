"""Snapshots of guests: a tree of configurations with one place in it that is now."""

from vms.sandbox.core import drives, guests, hibernation, tasks, volumes
from vms.sandbox.core.errors import TaskError, die
from vms.sandbox.core.kinds import QEMU, Kind, kind_of
from vms.sandbox.core.model import Config, Guest, Json, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.world import World

_NOT_KEPT = {"description", "lock", "parent", "digest"}
_OF_MEMORY = ("vmstate", "runningmachine", "runningcpu")
_RESERVED = {"current", "pending"}


def take(call: Call, kind: Kind) -> str:
    guest, name = call.guest(kind.name), call.string("snapname")
    if name in _RESERVED:
        raise die(f"unable to use snapshot name '{name}' (reserved name)")
    has_memory = call.flag("vmstate") and guest.is_running
    args = {"name": name, "description": call.string("description"), "kind": kind.name, "vmstate": has_memory}
    return _fork(call, guest, "snapshot", args, lock="snapshot", seconds=3.0 if has_memory else 0.3)


def _fork(call: Call, guest: Guest, word: str, args: dict[str, Json], *, lock: str = "", seconds: float = 0.3) -> str:
    name = f"{kind_of(guest).verb}{word}"
    work = tasks.Work(name, guest.node, str(guest.vmid), seconds, (guest.vmid,), args, lock=lock)
    return tasks.fork(call.world, call.identity, work)


def held(world: World, guest: Guest, config: Config) -> dict[str, Volume]:
    """The volumes of its own that a configuration of the guest attaches, by key."""
    found = drives.held(world, guest, config)
    return {key: volume for key, volume in found.items() if not kind_of(guest).is_unused(key)}


def featured(world: World, guest: Guest) -> dict[str, Volume]:
    """The volumes that decide what can be done with the guest: its disks, but no cloud-init drive."""
    kind = kind_of(guest)
    return {
        key: volume
        for key, volume in held(world, guest, guest.config).items()
        if not drives.is_cdrom(drives.parse(kind, key, str(guest.config[key])))
    }


@tasks.effect("qmsnapshot", "vzsnapshot")
def finish_take(world: World, task: Task) -> None:
    guest, name = world.guest(task.args["kind"], task.node, int(task.id)), task.args["name"]
    _check_possible(world, guest, task)
    config = {key: value for key, value in guest.config.items() if _is_kept(key)}
    if task.args.get("vmstate") and guest.is_running:
        tasks.say(task, f"saving VM state and RAM using storage '{hibernation.storage_for(world, guest).name}'")
        memory = hibernation.save(world, guest, name, hibernation.storage_for(world, guest))
        config |= {"vmstate": memory.volid, **hibernation.running_with()}
    for key, volume in held(world, guest, guest.config).items():
        if not volumes.can_snapshot(world, volume):
            continue
        volumes.take_snapshot(world, volume, name)
        tasks.say(task, f"snapshotting '{key}' ({volume.volid})")
    world.state.guests.edit(guest).snapshots[name] = {
        "config": config, "snaptime": int(task.due_at), "description": task.args["description"],
        "parent": guest.config.get("parent", ""),
    }  # fmt: skip
    guest.config["parent"] = name


def _is_kept(key: str) -> bool:
    return key not in _NOT_KEPT and not key.startswith("unused")


def _check_possible(world: World, guest: Guest, task: Task) -> None:
    tasks.check_lock(guest, task)
    if guest.is_template:
        raise TaskError("you can't take a snapshot if it's a template")
    if task.args["name"] in guest.snapshots:
        raise TaskError(f"snapshot name '{task.args['name']}' already used")
    if not all(volumes.can_snapshot(world, volume) for volume in featured(world, guest).values()):
        raise TaskError("snapshot feature is not available")


def roll_back(call: Call, kind: Kind) -> str:
    guest = call.guest(kind.name)
    args = {"name": call.string("snapname"), "start": call.flag("start"), "kind": kind.name}
    return _fork(call, guest, "rollback", args, lock="rollback", seconds=1.0)


def named(guest: Guest, name: str) -> dict[str, Json]:
    if name not in guest.snapshots:
        raise TaskError(f"snapshot '{name}' does not exist")
    return guest.snapshots[name]


@tasks.effect("qmrollback", "vzrollback")
def finish_roll_back(world: World, task: Task) -> None:
    guest, name = world.guest(task.args["kind"], task.node, int(task.id)), task.args["name"]
    snapshot = named(guest, name)
    if guest.is_template:
        raise TaskError("you can't rollback if vm is a template")
    tasks.check_lock(guest, task)
    images = held(world, guest, snapshot["config"])
    images = {key: volume for key, volume in images.items() if name in volume.snapshots}
    for volume in images.values():
        if volumes.blocks_roll_back(world, volume, name):
            raise TaskError(f"can't rollback, '{name}' is not most recent snapshot on '{volume.volid}'")
    for key, volume in images.items():
        volumes.roll_back(world, volume, name)
        tasks.say(task, f"rolling back '{key}' ({volume.volid}) to '{name}'")
    _go_back(world, guest, name, snapshot)
    if task.args["start"] or "vmstate" in snapshot["config"]:
        guests.power_up(world, guest, task.due_at)


def _go_back(world: World, guest: Guest, name: str, snapshot: dict[str, Json]) -> None:
    """Power off and take the snapshot's configuration; disks that it does not know stay as unused ones."""
    guests.halt(world, guest)
    before, kind = guest.config, kind_of(guest)
    kept: Config = {key: value for key, value in before.items() if key == "description" or key.startswith("unused")}
    present = drives.held(world, guest, before).values()
    restored = {key: value for key, value in snapshot["config"].items() if key not in _OF_MEMORY}
    guest.config = {**restored, **kept, "parent": name}
    attached = {volume.volid for volume in held(world, guest, guest.config).values()}
    for key in [key for key, value in guest.config.items() if kind.is_unused(key) and value in attached]:
        del guest.config[key]
    for volume in present:
        if volume.volid not in attached:
            guests.list_unused(guest, volume.volid)
    if "vmgenid" in guest.config:
        guest.config["vmgenid"] = world.random_uuid()


def remove(call: Call, kind: Kind) -> str:
    guest = call.guest(kind.name)
    args = {"name": call.string("snapname"), "kind": kind.name}
    return _fork(call, guest, "delsnapshot", args, lock="snapshot-delete")


@tasks.effect("qmdelsnapshot", "vzdelsnapshot")
def finish_remove(world: World, task: Task) -> None:
    guest, name = world.guest(task.args["kind"], task.node, int(task.id)), task.args["name"]
    snapshot = named(guest, name)
    tasks.check_lock(guest, task)
    _drop_images(world, guest, name, snapshot)
    grandparent = snapshot["parent"]
    del world.state.guests.edit(guest).snapshots[name]
    for other in guest.snapshots.values():
        if other["parent"] == name:
            other["parent"] = grandparent
    if guest.config.get("parent") == name:
        guest.config.pop("parent")
        if grandparent:
            guest.config["parent"] = grandparent


def _drop_images(world: World, guest: Guest, name: str, snapshot: dict[str, Json]) -> None:
    """Free what only this snapshot held; a disk that is attached nowhere else is listed as unused."""
    memory = volumes.find(world, str(snapshot["config"].get("vmstate", "")), guest.node)
    if memory is not None:
        world.state.volumes.remove(memory)
    present = {volume.volid for volume in drives.held(world, guest, {**guest.config, **guest.pending}).values()}
    for volume in held(world, guest, snapshot["config"]).values():
        volumes.drop_snapshot(world, volume, name)
        if volume.volid not in present:
            guests.list_unused(guest, volume.volid)


def listing(guest: Guest) -> list[dict[str, Json]]:
    """All snapshots, and last the place that is now."""
    rows = [_row(name, snapshot, is_machine=guest.kind == QEMU.name) for name, snapshot in guest.snapshots.items()]
    now: dict[str, Json] = {
        "name": "current",
        "description": "You are here!",
        "digest": guests.digest(guest),
        "running": int(guest.is_running),
    }
    return [*rows, now | ({"parent": guest.config["parent"]} if "parent" in guest.config else {})]


def _row(name: str, snapshot: dict[str, Json], *, is_machine: bool) -> dict[str, Json]:
    row: dict[str, Json] = {"name": name, "snaptime": snapshot["snaptime"], "description": snapshot["description"]}
    if is_machine:
        row["vmstate"] = int("vmstate" in snapshot["config"])
    return row | ({"parent": snapshot["parent"]} if snapshot["parent"] else {})
