"""Memory of virtual machines on storages: suspend to disk, and the state that a snapshot keeps."""

from datetime import UTC, datetime

from vms.sandbox.core import drives, guests, ha, metrics, permissions, tasks, volumes
from vms.sandbox.core.errors import TaskError, die
from vms.sandbox.core.model import Guest, Storage, Task, Volume
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import MIB
from vms.sandbox.core.world import World

_DEVICE_STATE = 500 * MIB
RUNNING_MACHINE = "pc-i440fx-10.1+pve0"
_RUNNING_CPU = "kvm64,enforce,+kvm_pv_eoi,+kvm_pv_unhalt,+lahf_lm,+sep"


def storage_for(world: World, guest: Guest, wished: str = "") -> Storage:
    """Where memory goes: as asked, as configured, else a shared storage of the disks, else one of theirs."""
    name = wished or str(guest.config.get("vmstatestorage", ""))
    if name:
        return world.usable_storage(name, guest.node)
    held = [world.storage(volume.storage) for volume in drives.attached(world, guest).values()]
    return next(iter([*(one for one in held if one.is_shared), *held]), None) or world.usable_storage(
        "local", guest.node
    )


def save(world: World, guest: Guest, name: str, storage: Storage) -> Volume:
    """Write the guest's memory to a volume of its own."""
    size = metrics.memory(guest) * 2 + _DEVICE_STATE
    image = volumes.Image(guest.vmid, size, stem=f"vm-{guest.vmid}-state-{name}", format="raw")
    return volumes.allocate(world, storage, guest.node, image)


def running_with() -> dict[str, str]:
    """What has to be the same when the memory is loaded again."""
    return {"runningmachine": RUNNING_MACHINE, "runningcpu": _RUNNING_CPU}


def check(call: Call, guest: Guest) -> None:
    """What is refused before a machine is suspended to disk."""
    if ha.is_managed(call.world, guest):
        raise die("Cannot suspend HA managed VM to disk")
    storage = storage_for(call.world, guest, call.string("statestorage"))
    permissions.require(call.world, call.identity, f"/storage/{storage.name}", "Datastore.AllocateSpace")
    if not call.flag("skiplock"):
        tasks.check_lock(guest)


@tasks.effect("qmsuspend")
def finish(world: World, task: Task) -> None:
    guest = world.guest("qemu", task.node, int(task.id))
    tasks.check_lock(guest, task)
    if not guest.is_running:
        raise TaskError(f"VM {guest.vmid} not running")
    name = f"suspend-{datetime.fromtimestamp(task.due_at, UTC):%Y-%m-%d}"
    volume = save(world, guest, name, storage_for(world, guest, task.args["statestorage"]))
    tasks.say_all(
        task, [volumes.creation_line(world, volume), f"State saved, quitting: {metrics.mem(guest, task.due_at)} bytes"]
    )
    guests.halt(world, guest, is_applying=False)
    guest.config |= {"vmstate": volume.volid, **running_with(), "lock": "suspended"}


def wake(world: World, guest: Guest, task: Task) -> None:
    """After a start: forget the memory that it was started from."""
    if guest.lock != "suspended":
        return
    forget(world, guest)
    tasks.say(task, "Resumed VM, removing state")


def forget(world: World, guest: Guest) -> None:
    """Free the memory of a suspended machine and unlock it."""
    world.state.guests.edit(guest)
    volume = volumes.find(world, str(guest.config.pop("vmstate", "")), guest.node)
    if volume is not None:
        world.state.volumes.remove(volume)
    for key in ("runningmachine", "runningcpu", "lock"):
        guest.config.pop(key, None)
