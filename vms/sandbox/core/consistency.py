"""Whether the books of the simulated cluster balance: what the API promises of storages, disks, locks and configurations."""

from collections import Counter
from collections.abc import Iterator

from vms.sandbox.core import drives, validation, volumes
from vms.sandbox.core.api import rows
from vms.sandbox.core.core import Core
from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.kinds import kind_of
from vms.sandbox.core.model import Config, Guest, Volume
from vms.sandbox.core.parameters import FormatError
from vms.sandbox.core.world import World

LOST = "unexpected status"
"""How a task reads that the reset of a node cut short."""


def check_consistency(core: Core) -> list[str]:
    """What does not agree, in sentences; an empty list when everything does."""
    world = core.world
    found = [*_storages(world), *_volumes(world), *_tasks(world), *_pools(world)]
    for guest in world.state.guests:
        found += [f"{guest.label} {guest.vmid}: {text}" for text in _guest(world, guest)]
    return found


def _storages(world: World) -> Iterator[str]:
    """What a storage says is used is what lies on it."""
    for storage in world.state.storages:
        for node in world.state.nodes:
            if not storage.is_on(node.name) or storage.name in world.faults.full:
                continue
            place = "" if storage.is_shared else node.name
            held = sum(one.used for one in world.state.volumes if (one.storage, one.node) == (storage.name, place))
            row = rows.storage_row(world, storage, node.name)
            if row["used"] != held + volumes.own_files(storage):
                yield f"{storage.name} on {node.name} says {row['used']} bytes are used and holds {held}"
            if row["used"] + row["avail"] != row["total"]:
                yield f"{storage.name} on {node.name}: used and available are not the total"


def _volumes(world: World) -> Iterator[str]:
    """Every volume has an owner that is there, and every linked clone the base it stands on."""
    for volume in world.state.volumes:
        if volume.storage not in world.state.storages:
            yield f"{volume.volid} lies on a storage that does not exist"
        if volume.vmid and volume.content in {"images", "rootdir"} and volume.vmid not in world.state.guests:
            yield f"{volume.volid} belongs to guest {volume.vmid}, which does not exist"
        if volume.parent and volumes.find(world, f"{volume.storage}:{volume.parent}", volume.node) is None:
            yield f"{volume.volid} stands on {volume.parent}, which does not exist"
        if volume.size < 0 or volume.used < 0:
            yield f"{volume.volid} is smaller than nothing"


def _tasks(world: World) -> Iterator[str]:
    """What runs is known to run, and what has ended says how."""
    running = {task.upid for task in world.state.tasks if task.is_running}
    if running != set(world.running):
        yield f"tasks that run and tasks that are waited for differ: {running ^ set(world.running)}"
    for task in world.state.tasks:
        if not task.is_running and not task.endtime:
            yield f"{task.upid} has ended at no time"


def _pools(world: World) -> Iterator[str]:
    """A guest is in one pool at most, and no pool has a guest that is not there."""
    members = Counter(vmid for pool in world.state.pools for vmid in pool.vms)
    for vmid, count in members.items():
        if vmid not in world.state.guests:
            yield f"guest {vmid} is in a pool and does not exist"
        if count > 1:
            yield f"guest {vmid} is in {count} pools"


def _guest(world: World, guest: Guest) -> Iterator[str]:
    yield from _lock(world, guest)
    yield from _disks(world, guest)
    yield from _options(guest)
    yield from _snapshots(guest)
    if guest.is_template and guest.is_running:
        yield "a template runs"
    if (guest.pending or guest.pending_delete) and not guest.is_running and guest.lock != "suspended":
        yield "changes are pending although it is stopped"
    if guest.node not in world.state.nodes:
        yield f"is on {guest.node}, which does not exist"


def _lock(world: World, guest: Guest) -> Iterator[str]:
    """A lock belongs to a task that runs, or to one that the reset of a node has cut short."""
    if not guest.lock:
        return
    number = str(guest.vmid)
    for task in world.state.tasks:
        is_about = number in {task.id, str(task.args.get("newid", ""))} or guest.vmid in task.flocks
        is_about = is_about or task.args.get("locked") == guest.vmid
        if is_about and (task.is_running or task.exitstatus == LOST):
            return
    if guest.lock not in {"suspended"}:
        yield f"is locked ({guest.lock}), and nothing works on it"


def _disks(world: World, guest: Guest) -> Iterator[str]:
    """Each own volume is named once; every volume that is named exists."""
    named = Counter(volid for _, volid in _named(guest, guest.config))
    for key, volid in _named(guest, guest.config):
        volume = volumes.find(world, volid, guest.node)
        if volume is None:
            yield f"{key} names {volid}, which does not exist"
        elif volume.content in {"images", "rootdir"} and named[volid] > 1:
            yield f"{volid} is attached {named[volid]} times"
    waiting = {volid for _, volid in _named(guest, guest.pending)}
    for volume in _own(world, guest):
        if not guest.lock and volume.volid not in {*named, *waiting} and not _is_kept_by_snapshot(guest, volume):
            yield f"{volume.volid} is neither attached nor unused"


def _own(world: World, guest: Guest) -> list[Volume]:
    return [volume for volume in volumes.of_guest(world, guest.vmid) if volume.content in {"images", "rootdir"}]


def _is_kept_by_snapshot(guest: Guest, volume: Volume) -> bool:
    named = {volid for one in guest.snapshots.values() for _, volid in _named(guest, one["config"])}
    return volume.volid in named or "-state-" in volume.name


def _named(guest: Guest, config: Config) -> Iterator[tuple[str, str]]:
    """Keys of drives and the volumes that they name."""
    kind = kind_of(guest)
    for key, value in config.items():
        if key in kind.drive_keys or kind.is_unused(key):
            volid = drives.parse(kind, key, str(value))[kind.file_key]
            if ":" in volid and not volid.startswith("/"):
                yield key, volid


def _options(guest: Guest) -> Iterator[str]:
    """What the configuration holds would be taken if it were given."""
    kind = kind_of(guest)
    for key, value in guest.config.items():
        shape = kind.net_shape if key in kind.net_keys else kind.drive_shape(key) if key in kind.drive_keys else None
        try:
            if shape is not None:
                validation.parse(str(value), shape)
        except (FormatError, ApiError) as error:
            yield f"{key} is not readable: {error}"
    boot = str(guest.config.get("boot", ""))
    for device in boot.removeprefix("order=").split(";") if boot.startswith("order=") else []:
        if device and device not in guest.config:
            yield f"boots from {device}, which it does not have"


def _snapshots(guest: Guest) -> Iterator[str]:
    """The snapshots are a tree, and the place that is now hangs on it."""
    now = str(guest.config.get("parent", ""))
    if now and now not in guest.snapshots:
        yield f"its parent is the snapshot {now}, which does not exist"
    for name in guest.snapshots:
        seen, at = {name}, str(guest.snapshots[name]["parent"])
        while at:
            if at in seen or at not in guest.snapshots:
                yield f"the ancestors of snapshot {name} are no line"
                break
            seen.add(at)
            at = str(guest.snapshots[at]["parent"])
