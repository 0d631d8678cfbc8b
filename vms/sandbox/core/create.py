"""New guests: what is refused at once, and what the worker makes."""

from typing import Any

from vms.sandbox.core import (
    cloudinit,
    containers,
    drives,
    guests,
    ha,
    permissions,
    power,
    restore,
    rights,
    tasks,
    validation,
    volumes,
)
from vms.sandbox.core.errors import ApiError, TaskError, die, invalid, refused
from vms.sandbox.core.kinds import KINDS, LXC, QEMU, Kind
from vms.sandbox.core.model import Config, Guest, Task
from vms.sandbox.core.options_qemu import BOOTABLE_KEYS, NET_KEYS
from vms.sandbox.core.routing import Call
from vms.sandbox.core.world import World


def create(call: Call, kind: Kind) -> str:
    """The checks before the fork, the locked configuration, and the worker."""
    if "archive" in call.params or call.flag("restore"):
        return restore.restore(call, kind)
    if call.flag("ha-managed"):
        permissions.require(call.world, call.identity, "/", "Sys.Console")
    config = _given_config(call, kind)
    check_pool(call.world, call.string("pool"))
    rights.check(call, kind, config, pool=call.string("pool"))
    if "sshkeys" in config:
        cloudinit.check_keys(str(config["sshkeys"]))
    _check_drives(call, kind, config)
    other = call.world.state.guests.get(call.vmid)
    if other is not None:
        prefix = "" if kind is LXC else f"unable to create VM {call.vmid} - "
        raise die(prefix + guests.taken_text(other))
    call.world.state.guests.put(Guest(call.vmid, kind.name, call.node, {"lock": "create"}))
    return tasks.fork(call.world, call.identity, _creation(call, kind, config))


def _creation(call: Call, kind: Kind, config: Config) -> tasks.Work:
    seconds = (1.0 if kind is QEMU else 2.0) + (1.0 if call.flag("start") else 0.0)
    args = {
        "config": config, "storage": call.string("storage"), "start": call.flag("start"),
        "pool": call.string("pool"), "ostemplate": call.string("ostemplate"), "ha": call.flag("ha-managed"),
    }  # fmt: skip
    return tasks.Work(
        f"{kind.verb}create", call.node, str(call.vmid), seconds, flocks=(call.vmid,), args=args,
        progress=() if kind is QEMU else (f"extracting archive '{call.string('ostemplate')}'",),
    )  # fmt: skip


def _given_config(call: Call, kind: Kind) -> Config:
    config = {key: value for key, value in call.params.items() if key not in restore.NOT_CONFIG}
    if "cdrom" in config:
        if "ide2" in config:
            raise invalid(cdrom="option '-cdrom' conflicts with '-ide2'")
        parts = validation.parse(str(config.pop("cdrom")), QEMU.drive_shape("ide2"))
        config["ide2"] = drives.print_drive(QEMU, "ide2", {**parts, "media": "cdrom"})
    if kind is LXC:
        config.setdefault("rootfs", f"{call.string('storage', 'local')}:4")
    return config


def check_pool(world: World, name: str) -> None:
    if name and name not in world.state.pools:
        raise refused(f"pool '{name}' does not exist")


def _check_drives(call: Call, kind: Kind, config: Config) -> None:
    default = call.string("storage")
    if default:
        call.world.usable_storage(default, call.node)
    for key, value in config.items():
        if key in kind.drive_keys:
            drives.check(call, kind, call.node, key, str(value), default)


@tasks.effect("qmcreate", "vzcreate")
def finish_create(world: World, task: Task) -> None:
    guest = _locked_guest(world, task)
    try:
        _fill(world, guest, task)
    except (TaskError, ApiError) as error:
        raise TaskError(f"unable to create {guest.label} {guest.vmid} - {error}") from error
    if task.args["pool"]:
        add_to_pool(world, task.args["pool"], guest.vmid)
    if task.args["start"]:
        tasks.say(task, "Execute autostart")
        power.boot(world, guest, task)
    if task.args.get("ha"):
        tasks.say(task, "Add as HA resource")
        ha.manage(world, guest, "started" if task.args["start"] else "stopped")


def _locked_guest(world: World, task: Task) -> Guest:
    guest = world.state.guests.get(task.id)
    if guest is None:
        raise TaskError(f"unable to create guest {task.id} - configuration vanished")
    return world.state.guests.edit(guest)


def _fill(world: World, guest: Guest, task: Task) -> None:
    kind, given = KINDS[guest.kind], task.args["config"]
    if kind is LXC:
        _unpack(world, guest, task, given)
    for key, value in given.items():
        guest.config[key] = guests.stored_value(world, guest, key, value, task.args["storage"])
    guests.tell_new_disks(world, task, guest, given)
    if kind is LXC:
        _set_system(world, guest, task.args["ostemplate"])
        containers.tell_creation(world, guest, task)
    else:
        _add_qemu_identity(world, guest, int(task.starttime))
    guest.config.pop("lock", None)


def _add_qemu_identity(world: World, guest: Guest, ctime: int) -> None:
    config = guest.config
    config.setdefault("boot", default_boot(config))
    config.setdefault("meta", f"creation-qemu={guests.CREATION_QEMU},ctime={ctime}")
    config.setdefault("smbios1", f"uuid={world.random_uuid()}")
    if config.get("vmgenid") in {None, "1"}:
        config["vmgenid"] = world.random_uuid()


def default_boot(config: Config) -> str:
    """The first disk, the first CD-ROM and the first network card."""
    present = [key for key in BOOTABLE_KEYS if key in config]
    cdroms = [key for key in present if drives.is_cdrom(drives.parse(QEMU, key, str(config[key])))]
    disks = [key for key in present if key not in cdroms]
    nets = [key for key in NET_KEYS if key in config]
    first = [*disks[:1], *[key for key in cdroms if not _is_seed(config, key)][:1], *nets[:1]]
    return "order=" + ";".join(first) if first else ""


def _is_seed(config: Config, key: str) -> bool:
    return drives.is_cloud_init(drives.parse(QEMU, key, str(config[key])))


def _unpack(world: World, guest: Guest, task: Task, given: dict[str, Any]) -> None:
    """A container begins as the archive it is made from."""
    template = volumes.find(world, task.args["ostemplate"], guest.node)
    if template is None:
        raise TaskError(f"volume '{task.args['ostemplate']}' does not exist")
    defaults: Config = {"arch": "amd64", "hostname": f"CT{guest.vmid}", "memory": 512, "swap": 512, "unprivileged": 1}
    guest.config.update({**defaults, "ostype": template.system.partition("-")[0] or "unmanaged"})
    guest.config.update({key: value for key, value in given.items() if key in defaults})


def _set_system(world: World, guest: Guest, ostemplate: str) -> None:
    template = volumes.find(world, ostemplate, guest.node)
    root = drives.attached(world, guest).get("rootfs")
    if template is not None and root is not None:
        world.state.volumes.edit(root).system = template.system


def add_to_pool(world: World, name: str, vmid: int) -> None:
    pool = world.state.pools.get(name)
    if pool is not None and vmid not in pool.vms:
        world.state.pools.edit(pool).vms.append(vmid)


@tasks.undoing("qmcreate", "vzcreate")
def undo_create(world: World, task: Task) -> None:
    """A failed create leaves neither configuration nor volumes."""
    guest = world.state.guests.get(task.id)
    if guest is not None:
        guests.erase(world, guest)
