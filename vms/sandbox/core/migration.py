"""Migration of guests between nodes: what stands in its way, and the journey."""

from vms.sandbox.core import drives, guests, ha, journeys, metrics, permissions, tasks, validation, volumes
from vms.sandbox.core.errors import TaskError, die, invalid
from vms.sandbox.core.kinds import LXC, QEMU, Kind, kind_of
from vms.sandbox.core.model import Guest, Json, Storage, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import human
from vms.sandbox.core.world import World

_ROOT_ONLY = ("force", "migration_type", "migration_network")


def preconditions(call: Call, kind: Kind) -> dict[str, Json]:
    """What GET migrate tells before anybody tries."""
    world, guest = call.world, call.guest(kind.name)
    others = [node.name for node in world.state.nodes if node.name != guest.node]
    missing = {name: _missing_storages(world, guest, name) for name in others}
    allowed = [name for name in others if not missing[name] and name not in world.faults.offline]
    refused = {name: {"unavailable_storages": found} for name, found in missing.items() if found}
    if kind is LXC:
        renamed = {name: {"unavailable-storages": found} for name, found in missing.items() if found}
        return {"running": int(guest.is_running), "allowed-nodes": allowed, "not-allowed-nodes": renamed}
    return {
        "running": int(guest.is_running), "allowed_nodes": allowed, "not_allowed_nodes": refused,
        "local_disks": [
            _disk_row(guest, key, volume) for key, volume in (_local(world, guest) | _images(world, guest)).items()
        ],
        "local_resources": local_devices(guest), "mapped-resources": [], "mapped-resource-info": {},
        "has-dbus-vmstate": 0,
    }  # fmt: skip


def _disk_row(guest: Guest, key: str, volume: Volume) -> dict[str, Json]:
    is_unused = kind_of(guest).is_unused(key)
    parts = drives.parse(kind_of(guest), key, str(guest.config[key]))
    row: dict[str, Json] = {
        "volid": volume.volid, "size": volume.size, "cdrom": int(drives.is_cdrom(parts)), "drivename": key,
        "shared": 0, "replicate": int(parts.get("replicate", "1")), "is_attached": int(not is_unused),
    }  # fmt: skip
    return row | ({"is_unused": 1} if is_unused else {})


def _local(world: World, guest: Guest) -> dict[str, Volume]:
    """The guest's volumes that only its node sees, by key."""
    held = drives.attached(world, guest)
    return {key: volume for key, volume in held.items() if not world.storage(volume.storage).is_shared}


def _missing_storages(world: World, guest: Guest, node: str) -> list[str]:
    names = sorted({volume.storage for volume in drives.attached(world, guest).values()})
    return [name for name in names if not world.storage(name).is_on(node)]


def local_devices(guest: Guest) -> list[str]:
    """Real hardware of the node that the machine is tied to."""
    config = guest.config
    found = [key for key in config if key.startswith(("usb", "hostpci")) and "mapping=" not in str(config[key])]
    found = [key for key in found if not str(config[key]).lower().startswith(("spice", "host=spice"))]
    return sorted(found + [key for key in config if key.startswith("serial") and config[key] != "socket"])


def migrate(call: Call, kind: Kind) -> str:
    target, guest = _target(call, kind), call.guest(kind.name)
    _check_root_options(call)
    tasks.check_lock(guest)
    if guest.is_running and not (call.flag("online") or call.flag("restart")):
        text = "can't migrate running VM without --online"
        raise die(text if kind is QEMU else "can't migrate running container without --online or --restart")
    given = call.string("targetstorage") or call.string("target-storage")
    storages = _storage_map(call, guest, target, given)
    if ha.is_managed(call.world, guest):
        work = tasks.Work("hamigrate", guest.node, str(guest.vmid), 0.5, args={"target": target})
        return tasks.fork(call.world, call.identity, work)
    moved = 0 if kind is QEMU and guest.is_running and not call.flag("with-local-disks") else _local_bytes(call, guest)
    journey = journeys.Journey(
        target=target, is_online=guest.is_running and call.flag("online"), is_restarted=call.flag("restart"),
        has_disks=call.flag("with-local-disks"), moved=moved, storages=storages,
    )  # fmt: skip
    return tasks.fork(call.world, call.identity, journeys.work_of(call.world, guest, journey))


@tasks.effect("hamigrate")
def request(world: World, task: Task) -> None:
    """The migration of a managed guest: the manager is told, and sees to it in its next round."""
    guest = world.state.guests.get(task.id)
    if guest is None or not ha.is_managed(world, guest):
        raise TaskError(f"resource '{task.id}' is not HA managed")
    tasks.say(task, f"Requesting HA migration for {guest.label} {guest.vmid} to node {task.args['target']}")
    ha.plan(world, ha.sid_of(guest), target=task.args["target"], move="migrate")


def _target(call: Call, kind: Kind) -> str:
    target = call.string("target")
    if target == call.node:
        raise invalid(target="target is local node." if kind is QEMU else "Target is local node.")
    if target not in call.world.state.nodes:
        raise die(f"no such cluster node '{target}'")
    call.world.require_online(target)
    return target


def _check_root_options(call: Call) -> None:
    refused = [name for name in _ROOT_ONLY if call.params.get(name)]
    if refused and not call.identity.is_root_ticket:
        raise invalid(**dict.fromkeys(refused, "Only root may use this option."))


def _local_bytes(call: Call, guest: Guest) -> int:
    return sum(volume.used for volume in _local(call.world, guest).values())


def _storage_map(call: Call, guest: Guest, target: str, given: str) -> dict[str, str]:
    """Where the volumes of each storage go; every storage keeps its name when nothing is asked."""
    used = {volume.storage for volume in guests.referenced(call.world, guest).values()}
    chosen = _mapped(used, validation.split_list(given))
    for name in sorted(set(chosen.values())):
        storage = call.world.usable_storage(name, target)
        if given and given != "1":
            permissions.require(call.world, call.identity, f"/storage/{name}", "Datastore.AllocateSpace")
            volumes.require_content(storage, kind_of(guest).content)
    return chosen


def _mapped(used: set[str], given: list[str]) -> dict[str, str]:
    """By pairs `old:new`; what no pair names goes to the one name without a colon, if there is one. The first counts."""
    named = dict(part.split(":", 1) for part in reversed(given) if ":" in part)
    single = next((part for part in given if ":" not in part and part != "1"), "")
    return {name: named.get(name, single or name) for name in used}


def _say(task: Task, line: str) -> None:
    tasks.say(task, journeys.stamped(task.due_at, line))


def _duration(task: Task) -> str:
    seconds = int(task.due_at - task.begun_at)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


@tasks.effect("qmigrate", "vzmigrate")
def finish(world: World, task: Task) -> None:
    guest = world.guest(task.args["kind"], task.node, int(task.id))
    tasks.check_lock(guest, task)
    try:
        _check_devices(guest)
        _check_disks(world, guest, task)
        _carry(world, guest, task)
    except TaskError as error:
        _say(task, f"ERROR: migration aborted (duration {_duration(task)}): {error}")
        raise TaskError("migration aborted") from error
    _say(task, f"migration finished successfully (duration {_duration(task)})")


def _check_devices(guest: Guest) -> None:
    if guest.kind == QEMU.name and (devices := local_devices(guest)):
        raise TaskError(f"can't migrate VM which uses local devices: {', '.join(devices)}")
    if guest.kind == LXC.name and any(str(guest.config[key]).startswith("/") for key in _mounts(guest)):
        raise TaskError("cannot migrate local bind mount point")


def _mounts(guest: Guest) -> list[str]:
    return sorted(kind_of(guest).drive_keys & guest.config.keys())


def _check_disks(world: World, guest: Guest, task: Task) -> None:
    problems = _image_problems(world, guest)
    local = _local(world, guest)
    seeds = {volume.volid for key, volume in local.items() if _is_seed(guest, key)}
    attached = {volume.volid for key, volume in local.items() if not kind_of(guest).is_unused(key)}
    for volume in _travelling(world, guest):
        if volume.volid in seeds:
            _say(task, f"found generated disk '{volume.volid}' (in current VM config)")
        else:
            problems += _problems_of(world, guest, task, volume, is_attached=volume.volid in attached)
    for line in problems:
        _say(task, line)
    if problems:
        raise TaskError("Problem found while scanning volumes - can't migrate VM - check log")
    if guest.kind == LXC.name and task.args["online"] and not task.args["restart"]:
        raise TaskError("lxc live migration is currently not implemented")


def _problems_of(world: World, guest: Guest, task: Task, volume: Volume, *, is_attached: bool) -> list[str]:
    """Why a volume cannot travel, after the line that says that it was found."""
    noun = "disk" if guest.kind == QEMU.name else "volume"
    _say(task, f"found local {noun} '{volume.volid}' ({'attached' if is_attached else 'unused'})")
    text = _disk_problem(world, guest, volume)
    is_live = task.args["online"] and guest.kind == QEMU.name and not task.args["disks"]
    if is_live and is_attached:
        text = "can't live migrate attached local disks without with-local-disks option"
    return [f"can't migrate local disk '{volume.volid}': {text}"] if text else []


def _travelling(world: World, guest: Guest) -> list[Volume]:
    found = guests.referenced(world, guest).values()
    return [volume for volume in found if not world.storage(volume.storage).is_shared]


def _is_seed(guest: Guest, key: str) -> bool:
    """Whether a drive is the one that cloud-init reads, which is made anew wherever the guest goes."""
    kind = kind_of(guest)
    return key in kind.drive_keys and drives.is_cloud_init(drives.parse(kind, key, str(guest.config[key])))


def _image_problems(world: World, guest: Guest) -> list[str]:
    images = _images(world, guest).values()
    return [f"can't migrate local disk '{volume.volid}': local cdrom image" for volume in images]


def _images(world: World, guest: Guest) -> dict[str, Volume]:
    """ISO images that only this node has, by the drive that they are in."""
    found = {}
    for key in _mounts(guest):
        volid = drives.parse(kind_of(guest), key, str(guest.config[key]))[kind_of(guest).file_key]
        volume = volumes.find(world, volid, guest.node)
        if volume is not None and volume.vmid != guest.vmid and not world.storage(volume.storage).is_shared:
            found[key] = volume
    return found


def _disk_problem(world: World, guest: Guest, volume: Volume) -> str:
    if volume.parent:
        return f"can't migrate '{volume.volid}' as it's a clone of '{volume.parent}'"
    if volumes.children(world, volume):
        return f"base volume '{volume.volid}' is still in use by linked cloned"
    is_carried = volume.format == "qcow2" or world.storage(volume.storage).type == "zfspool"
    return "non-migratable snapshot exists" if volume.snapshots and not is_carried else ""


def _carry(world: World, guest: Guest, task: Task) -> None:
    target, travelling = task.args["target"], _travelling(world, guest)
    if travelling:
        _say(task, "copying local disk images")
    _require_room(world, task, travelling)
    names = {}
    for volume in travelling:
        before = volume.volid
        volumes.relocate(world, volume, _destination(world, task, volume), target)
        names[before] = volume.volid
        _say(task, f"volume '{before}' is '{volume.volid}' on the target")
    world.state.guests.edit(guest)
    guests.rename_volumes(guest, names)
    if guest.is_running:
        _carry_running(world, guest, task)
    guest.node = target


def _destination(world: World, task: Task, volume: Volume) -> Storage:
    return world.storage(task.args["storages"].get(volume.storage, volume.storage))


def _require_room(world: World, task: Task, travelling: list[Volume]) -> None:
    """Everything fits, or nothing moves."""
    wanted: dict[str, int] = {}
    for volume in travelling:
        name = _destination(world, task, volume).name
        wanted[name] = wanted.get(name, 0) + volume.used
    for name, size in wanted.items():
        volumes.require_room(world, world.storage(name), task.args["target"], size, travelling[0].name)


def _carry_running(world: World, guest: Guest, task: Task) -> None:
    if task.args["restart"]:
        guests.halt(world, guest)
        _say(task, f"shutdown CT {guest.vmid}")
        guests.power_up(world, guest, task.due_at)
        _say(task, f"start container on node '{task.args['target']}'")
        return
    _say(task, f"starting VM {guest.vmid} on remote node '{task.args['target']}'")
    _say(task, f"starting online/live migration on unix:/run/qemu-server/{guest.vmid}.migrate")
    _say(task, f"migration completed, transferred {human(metrics.mem(guest, task.due_at))} VM-state")
    _say(task, "migration status: completed")
    guest.pid = 1000 + world.serial() % 4_000_000
