"""Full and linked clones of machines and containers."""

from vms.sandbox.core import cloudinit, create, drives, firewall, guests, rights, tasks, validation, volumes
from vms.sandbox.core.errors import ApiError, TaskError, die
from vms.sandbox.core.kinds import LXC, QEMU, Kind, kind_of
from vms.sandbox.core.model import Config, Guest, Storage, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import GIB, MIB, human
from vms.sandbox.core.world import World

_SECONDS_PER_GIB = {"qemu": 0.15, "lxc": 0.6}
_BASE_SECONDS = {"qemu": 0.8, "lxc": 2.0}
_NOT_COPIED = {"lock", "template", "parent", "snaptime", "vmstate", "runningmachine", "runningcpu", "digest"}


def clone(call: Call, kind: Kind) -> str:
    """The checks of a clone in their order, the locked new configuration, and the worker."""
    source, newid = call.guest(kind.name), call.number("newid")
    create.check_pool(call.world, call.string("pool"))
    target = _target(call)
    storage = _storage(call, kind, target)
    if source.is_running:
        guests.wait_for_lock_file(call, source)
    tasks.check_lock(source)
    is_full = call.flag("full", default=not source.is_template)
    config = _source_config(call, source)
    _check_wishes(call, is_full=is_full)
    _check_bridges(call, kind, config)
    _check_place(call, source, config, storage)
    _check_new_id(call, kind, newid)
    _check_features(call, source, config, is_full=is_full)
    _lock(call, source, Guest(newid, kind.name, target, _first_config(call, kind)))
    return tasks.fork(call.world, call.identity, _work(call, source, config, is_full=is_full))


def _target(call: Call) -> str:
    target = call.string("target") or call.node
    if target not in call.world.state.nodes:
        raise die(f"no such cluster node '{target}'")
    call.world.require_online(target)
    return target


def _storage(call: Call, kind: Kind, target: str) -> Storage | None:
    if "storage" not in call.params:
        return None
    rights.require_space(call, call.string("storage"))
    storage = call.world.usable_storage(call.string("storage"), call.node)
    volumes.require_content(call.world.usable_storage(storage.name, target), kind.content)
    if target != call.node and not storage.is_shared:
        raise die(f"can't clone to non-shared storage '{storage.name}'")
    return storage


def _source_config(call: Call, source: Guest) -> Config:
    name = call.string("snapname")
    if not name or name == "current":
        return source.config
    if name not in source.snapshots:
        raise die(f"snapshot '{name}' does not exist")
    config: Config = source.snapshots[name]["config"]
    return config


def _check_wishes(call: Call, *, is_full: bool) -> None:
    for name in ("storage", "format"):
        if name in call.params and not is_full:
            raise die(f"parameter '{name}' not allowed for linked clones")


def _check_new_id(call: Call, kind: Kind, newid: int) -> None:
    other = call.world.state.guests.get(newid)
    if other is not None:
        raise die(f"unable to create {kind.label} {newid}: config file already exists")


def _drives(world: World, source: Guest, config: Config) -> dict[str, tuple[drives.Parts, Volume | None]]:
    """The drives of a configuration with the source's own volumes; None where a drive holds none of its own."""
    kind, found = kind_of(source), {}
    for key in config:
        if key in kind.drive_keys:
            parts = drives.parse(kind, key, str(config[key]))
            volume = volumes.find(world, parts[kind.file_key], source.node)
            found[key] = (parts, volume if volume and volume.vmid == source.vmid else None)
    return found


def _check_bridges(call: Call, kind: Kind, config: Config) -> None:
    for key in kind.net_keys & config.keys():
        rights.check_bridge(call, kind, config[key])


def _check_place(call: Call, source: Guest, config: Config, storage: Storage | None) -> None:
    """Another node must see the disks that are read and those that are written."""
    if (
        source.kind == LXC.name
        and source.is_running
        and "snapname" not in call.params
        and call.flag("full", default=True)
    ):
        raise die("Cannot do full clones on a running container without snapshots")
    for _, volume in _drives(call.world, source, config).values():
        if volume is None or _target(call) == call.node:
            continue
        held_on = storage or call.world.storage(volume.storage)
        if not (held_on.is_shared and call.world.storage(volume.storage).is_shared):
            raise die(f"can't clone {source.label} to node '{_target(call)}' ({source.label} uses local storage)")


def _check_features(call: Call, source: Guest, config: Config, *, is_full: bool) -> None:
    for key, (parts, volume) in _drives(call.world, source, config).items():
        is_linked = volume is not None and not is_full and not drives.is_cloud_init(parts)
        if volume is not None and is_linked and not volumes.can_link(call.world, volume):
            raise die(f"Linked clone feature is not supported for '{volume.volid}' ({key})")
        if volume is not None and not is_linked and not drives.is_cloud_init(parts):
            _require_space_beside(call, volume)


def _require_space_beside(call: Call, volume: Volume) -> None:
    """A full clone without a storage of its own lies beside its source."""
    if "storage" not in call.params:
        rights.require_space(call, volume.storage)


def _first_config(call: Call, kind: Kind) -> Config:
    return {"lock": "clone" if kind is QEMU else "create"}


def _lock(call: Call, source: Guest, new: Guest) -> None:
    """A copied container is locked as well as its copy, so containers are cloned one after the other."""
    call.world.state.guests.put(new)
    if source.kind == LXC.name:
        call.world.state.guests.edit(source).config["lock"] = "disk"


def _work(call: Call, source: Guest, config: Config, *, is_full: bool) -> tasks.Work:
    found = _drives(call.world, source, config)
    own = {key: volume for key, (parts, volume) in found.items() if volume and not drives.is_cloud_init(parts)}
    copied = sum(volume.size for volume in own.values()) if is_full else 0
    name = call.string("name") or call.string("hostname")
    args = {
        "newid": call.number("newid"),
        "full": is_full,
        "storage": call.string("storage"),
        "format": call.string("format"),
        "name": name,
        "description": call.string("description"),
        "pool": call.string("pool"),
        "snapname": call.string("snapname"),
    }
    seconds = _BASE_SECONDS[source.kind] + _SECONDS_PER_GIB[source.kind] * copied / GIB
    flocks = (call.number("newid"), *((source.vmid,) if source.is_running else ()))
    shared = () if source.is_running else (source.vmid,)
    return tasks.Work(
        f"{kind_of(source).verb}clone",
        source.node,
        str(source.vmid),
        seconds,
        flocks,
        args,
        tuple(_announced(own, is_full=is_full) + _progress(copied)),
        shared,
    )


def _announced(own: dict[str, Volume], *, is_full: bool) -> list[str]:
    """What the log tells before the first byte."""
    word = "full" if is_full else "linked"
    return [f"create {word} clone of drive {key} ({volume.volid})" for key, volume in own.items()]


def _progress(copied: int) -> list[str]:
    """What the log tells while bytes are copied."""
    steps = (0, 25, 50, 75) if copied else ()
    return [f"transferred {human(copied * step / 100)} of {human(copied)} ({step:.2f}%)" for step in steps]


@tasks.effect("qmclone", "vzclone")
def finish_clone(world: World, task: Task) -> None:
    new, source = world.state.guests.get(task.args["newid"]), world.state.guests.get(task.id)
    if new is None or source is None:
        raise TaskError("clone failed: configuration vanished")
    try:
        _copy(world, task, source, world.state.guests.edit(new))
    except (TaskError, ApiError) as error:
        raise TaskError(f"clone failed: {error}") from error
    firewall.copy(world, f"vm {source.vmid}", f"vm {new.vmid}")
    if task.args["pool"]:
        create.add_to_pool(world, task.args["pool"], new.vmid)
    _unlock_source(world, source)


def _copy(world: World, task: Task, source: Guest, new: Guest) -> None:
    name = task.args["snapname"]
    config = source.snapshots[name]["config"] if name and name != "current" else source.config
    copied: Config = {
        key: value for key, value in config.items() if key not in _NOT_COPIED and not key.startswith("unused")
    }
    copied.pop("description", None)
    new.config = {**copied, "lock": new.lock}
    for key, (parts, volume) in _drives(world, source, config).items():
        if volume is not None:
            new.config[key] = _copied_drive(world, task, new, key, parts, volume)
    _rename(world, source, new, task)
    new.config.pop("lock")
    if kind_of(new) is QEMU:
        cloudinit.write_seed(world, new)


def _copied_drive(world: World, task: Task, new: Guest, key: str, parts: drives.Parts, volume: Volume) -> str:
    kind = kind_of(new)
    if drives.is_cloud_init(parts):
        return _new_seed(world, task, new, key, parts, volume)
    storage = world.storage(task.args["storage"] or volume.storage)
    if task.args["full"]:
        made = volumes.copy(world, volume, storage, new.node, new.vmid, format=task.args["format"])
        made.size = made.used = volume.snapshots.get(task.args["snapname"], made.size)
    else:
        made = volumes.link(world, volume, new.vmid, new.node)
    return drives.print_drive(kind, key, {**parts, kind.file_key: made.volid})


def _new_seed(world: World, task: Task, new: Guest, key: str, parts: drives.Parts, volume: Volume) -> str:
    storage = world.storage(task.args["storage"] or volume.storage)
    image = volumes.Image(new.vmid, 4 * MIB, format=volume.format, stem=f"vm-{new.vmid}-cloudinit")
    made = volumes.allocate(world, storage, new.node, image)
    return drives.print_drive(kind_of(new), key, {**parts, "file": made.volid})


def _rename(world: World, source: Guest, new: Guest, task: Task) -> None:
    """A copy has its own name, network cards and identity."""
    kind, name = kind_of(new), task.args["name"]
    name_key = "name" if kind is QEMU else "hostname"
    new.config[name_key] = name or f"Copy-of-{kind.label}-{source.config.get(name_key, source.vmid)}"
    if task.args["description"]:
        new.config["description"] = task.args["description"]
    for key in kind.net_keys & new.config.keys():
        parts = validation.parse(str(new.config[key]), kind.net_shape)
        parts.pop(kind.mac_key, None)
        new.config[key] = guests.normal_net(world, kind, validation.show(parts, kind.net_shape))
    if kind is QEMU:
        new.config["smbios1"] = f"uuid={world.random_uuid()}"
        if "vmgenid" in new.config:
            new.config["vmgenid"] = world.random_uuid()


def _unlock_source(world: World, source: Guest) -> None:
    if source.kind == LXC.name and source.lock == "disk":
        world.state.guests.edit(source).config.pop("lock")


@tasks.undoing("qmclone", "vzclone")
def undo_clone(world: World, task: Task) -> None:
    new, source = world.state.guests.get(task.args["newid"]), world.state.guests.get(task.id)
    if new is not None:
        guests.erase(world, new)
    if source is not None:
        _unlock_source(world, source)
