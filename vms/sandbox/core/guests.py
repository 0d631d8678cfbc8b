"""Things that hold for every guest: showing and changing its configuration, its locks, its removal."""

import hashlib
import re
from collections.abc import Mapping

from vms.sandbox.core import cloudinit, drives, tasks, validation, volumes
from vms.sandbox.core.errors import NeedsTime, die
from vms.sandbox.core.kinds import Kind, kind_of, typed_option
from vms.sandbox.core.model import Config, Guest, Json, Task, Value, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.world import World

CREATION_QEMU = "10.1.2"


def taken_text(guest: Guest) -> str:
    return f"{guest.label} {guest.vmid} already exists on node '{guest.node}'"


def wait_for_lock_file(call: Call, guest: Guest) -> None:
    """Wait, like flock, until no worker holds the guest's lock file; give up after ten seconds."""
    held_until = max((task.due_at for task in tasks.holders(call.world, [guest.vmid])), default=0.0)
    if not held_until:
        return
    give_up_at = call.received_at + call.world.scaled(tasks.FLOCK_SECONDS)
    if call.world.now() >= give_up_at:
        raise die(tasks.flock_timeout(call.world, guest.vmid))
    raise NeedsTime(min(held_until, give_up_at))


def digest(guest: Guest) -> str:
    """The SHA-1 of the configuration file."""
    lines = [f"{key}: {value}" for key, value in guest.config.items()]
    lines += ["[PENDING]", *(f"{key}: {value}" for key, value in guest.pending.items()), *guest.pending_delete]
    return hashlib.sha1("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


def shown_config(guest: Guest, *, is_current: bool = False) -> dict[str, Json]:
    """The configuration as the API answers it: pending values merged unless the current ones are asked for."""
    config: Config = dict(guest.config)
    if not is_current:
        config.update(guest.pending)
        for key in guest.pending_delete:
            config.pop(key, None)
    shown = {key: _shown_value(kind_of(guest), key, value) for key, value in config.items()}
    return {**shown, "digest": digest(guest)}


def _shown_value(kind: Kind, key: str, value: Value) -> Json:
    if key == "cipassword":
        return "**********"
    if key == "description":
        return str(value).rstrip()
    return validation.typed(typed_option(kind, key), str(value))


def normal_tags(value: str) -> str:
    """Unique, lower case, sorted, joined by semicolons."""
    return ";".join(sorted({tag.lower() for tag in validation.split_list(value)}))


def normal_net(world: World, kind: Kind, value: str, old: str = "") -> str:
    """A network card with its MAC; a change that names no MAC gets a new one, as on a real node."""
    parts = validation.parse(value, kind.net_shape)
    parts[kind.mac_key] = parts.get(kind.mac_key, "").upper() or world.random_mac()
    if kind.name == "lxc":
        parts.setdefault("type", "veth")
        return validation.show(parts, kind.net_shape)
    card = f"{parts.pop('model')}={parts.pop('macaddr')}"
    return ",".join([card, *(f"{key}={parts[key]}" for key in sorted(parts))])


def stored_value(world: World, guest: Guest, key: str, value: Value, default_storage: str = "") -> Value:
    """What the configuration holds for a given value; allocates the disks that it asks for."""
    kind = kind_of(guest)
    if key in kind.drive_keys:
        return drives.realise(world, guest, key, str(value), default_storage)
    if key in kind.net_keys:
        return normal_net(world, kind, str(value))
    if key == "cipassword":
        return cloudinit.crypted(world, str(value))
    if key == "vmgenid" and value == "1":
        return world.random_uuid()
    return normal_tags(str(value)) if key == "tags" else value


def tell_new_disks(world: World, task: Task, guest: Guest, given: Config) -> None:
    """What the log of a worker says about the disks that it made."""
    kind = kind_of(guest)
    for key in given:
        value = str(guest.pending.get(key, guest.config.get(key, "")))
        if key in kind.drive_keys and drives.new_disk(str(given[key]).partition(",")[0], "-"):
            volume = volumes.find(world, drives.parse(kind, key, value)[kind.file_key], guest.node)
            lines = [volumes.creation_line(world, volume)] if volume else []
            tasks.say_all(task, [*lines, f"{key}: successfully created disk '{value}'"])


def set_option(world: World, guest: Guest, key: str, value: Value) -> None:
    """Store an option; the volume of a drive that is replaced stays as an unused one."""
    kind = kind_of(guest)
    old = guest.config.get(key)
    if old is not None and key in kind.drive_keys:
        keep_unused(world, guest, key, str(old), str(value))
    guest.config[key] = value


def delete_option(world: World, guest: Guest, key: str, *, is_forced: bool = False) -> None:
    """Drop an option; an attached disk becomes unused, an unused one and a seed disk are freed; nothing boots from it."""
    kind = kind_of(guest)
    old = guest.config.pop(key, None)
    if old is None:
        return
    if kind.is_unused(key):
        _free(world, guest, str(old))
    elif key in kind.drive_keys:
        volid = drives.parse(kind, key, str(old))[kind.file_key]
        if is_forced and not is_in_snapshot(guest, volid):
            _free(world, guest, volid)
        else:
            keep_unused(world, guest, key, str(old), "")
    drop_from_boot_order(guest, key)


def is_in_snapshot(guest: Guest, volid: str) -> bool:
    """Whether a snapshot of the guest names this volume as a drive."""
    kind = kind_of(guest)
    return any(
        drives.parse(kind, key, str(value))[kind.file_key] == volid
        for snapshot in guest.snapshots.values()
        for key, value in snapshot["config"].items()
        if key in kind.drive_keys
    )


def _free(world: World, guest: Guest, volid: str) -> None:
    volume = volumes.find(world, volid, guest.node)
    if volume is not None and volume.vmid == guest.vmid:
        volumes.free(world, volume)


def keep_unused(world: World, guest: Guest, key: str, old: str, new: str) -> None:
    """The volume of a drive value that is gone becomes unused; a seed disk is freed."""
    kind = kind_of(guest)
    parts = drives.parse(kind, key, old)
    volid = parts[kind.file_key]
    if new and drives.parse(kind, key, new)[kind.file_key] == volid:
        return
    if drives.is_cloud_init(parts):
        _free(world, guest, volid)
    elif not drives.is_cdrom(parts) and volumes.find(world, volid, guest.node):
        list_unused(guest, volid)


def list_unused(guest: Guest, volid: str) -> None:
    """Note a volume of the guest that no drive uses, once, under the lowest free number."""
    listed = {value for key, value in guest.config.items() if kind_of(guest).is_unused(key)}
    if volid not in listed:
        free_key = next(f"unused{index}" for index in range(256) if f"unused{index}" not in guest.config)
        guest.config[free_key] = volid


def drop_from_boot_order(guest: Guest, key: str) -> None:
    match = re.fullmatch(r"order=(.*)", str(guest.config.get("boot", "")))
    if match:
        guest.config["boot"] = "order=" + ";".join(device for device in match[1].split(";") if device != key)


def rename_volumes(guest: Guest, names: Mapping[str, str]) -> None:
    """Write other volume ids wherever the guest's configurations name them."""
    configs = [guest.config, guest.pending, *(snapshot["config"] for snapshot in guest.snapshots.values())]
    for config in configs:
        for key, value in config.items():
            volid, comma, rest = str(value).partition(",")
            if volid in names:
                config[key] = f"{names[volid]}{comma}{rest}"


def apply_pending(world: World, guest: Guest) -> None:
    """What a stop does: the values that waited become the configuration."""
    world.state.guests.edit(guest)
    for key in guest.pending_delete:
        delete_option(world, guest, key, is_forced=key in guest.pending_forced)
    for key, value in guest.pending.items():
        set_option(world, guest, key, value)
    guest.pending, guest.pending_delete, guest.pending_forced = {}, [], []


def halt(world: World, guest: Guest, *, is_applying: bool = True) -> None:
    """Power off; what waited for it becomes the configuration, unless the guest only sleeps."""
    world.state.guests.edit(guest)
    guest.is_running, guest.is_paused, guest.started_at, guest.pid = False, False, 0.0, 0
    if is_applying:
        apply_pending(world, guest)


def power_up(world: World, guest: Guest, moment: float) -> None:
    world.state.guests.edit(guest)
    if guest.lock != "suspended":
        apply_pending(world, guest)
        cloudinit.write_seed(world, guest)
    guest.agent_memory = {}
    guest.is_running, guest.is_paused, guest.started_at = True, False, moment
    guest.pid = 1000 + world.serial() % 4_000_000


def referenced(world: World, guest: Guest) -> dict[str, Volume]:
    """The guest's own volumes that its configuration, what waits for it, or a snapshot names, by volume id."""
    found: dict[str, Volume] = {}
    snapshots = [snapshot["config"] for snapshot in guest.snapshots.values()]
    for config in (guest.config, guest.pending, *snapshots):
        found |= {volume.volid: volume for volume in drives.held(world, guest, config).values()}
        memory = volumes.find(world, str(config.get("vmstate", "")), guest.node)
        found |= {memory.volid: memory} if memory else {}
    return found


def images_of(world: World, guest: Guest) -> list[Volume]:
    """Every image on the guest's node that bears its number, named by its configuration or not."""
    return [volume for volume in volumes.of_guest(world, guest.vmid) if volume.node in {"", guest.node}]


def erase(world: World, guest: Guest, *, is_thorough: bool = False) -> list[Volume]:
    """Remove the guest, its volumes and its membership of pools; answers the volumes."""
    gone = images_of(world, guest) if is_thorough else list(referenced(world, guest).values())
    gone.sort(key=lambda volume: not volume.parent)
    for volume in gone:
        world.state.volumes.remove(volume)
    for pool in world.state.pools:
        if guest.vmid in pool.vms:
            world.state.pools.edit(pool).vms.remove(guest.vmid)
    world.state.guests.remove(guest)
    return gone
