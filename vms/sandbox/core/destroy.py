"""Removal of guests."""

from dataclasses import replace

from vms.sandbox.core import firewall, guests, ha, tasks, volumes
from vms.sandbox.core.errors import TaskError, die
from vms.sandbox.core.kinds import Kind
from vms.sandbox.core.model import Task
from vms.sandbox.core.routing import Call
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World


def destroy(call: Call, kind: Kind) -> str:
    guest = call.guest(kind.name)
    tasks.check_root_options(call.identity, call.params)
    if guest.config.get("protection"):
        raise die(f"can't remove {kind.label} {guest.vmid} - protection mode enabled")
    if ha.resource_of(call.world, guest) is not None and not call.flag("purge"):
        raise die(f"unable to remove {kind.label} {guest.vmid} - used in HA resources and purge parameter not set.")
    if guest.is_running and not call.flag("force"):
        text = f"VM {guest.vmid} is running - destroy failed"
        raise die(text if kind.name == "qemu" else f"unable to destroy CT {guest.vmid} - container is running")
    work = tasks.Work(
        f"{kind.verb}destroy",
        guest.node,
        str(guest.vmid),
        0.5,
        (guest.vmid,),
        {
            "force": call.flag("force"),
            "skiplock": call.flag("skiplock"),
            "thorough": call.flag("destroy-unreferenced-disks"),
            "purge": call.flag("purge"),
        },
    )
    return tasks.fork(call.world, call.identity, work)


@tasks.effect("qmdestroy", "vzdestroy")
def finish_destroy(world: World, task: Task) -> None:
    guest = world.state.guests.get(task.id)
    if guest is None:
        raise TaskError(f"unable to remove guest {task.id} - it does not exist")
    if not task.args["skiplock"]:
        tasks.check_lock(guest)
    if guest.is_running and not task.args["force"]:
        raise TaskError(f"{guest.label} {guest.vmid} is running - destroy failed")
    for volume in guests.referenced(world, guest).values():
        if volumes.children(world, volume):
            raise TaskError(f"base volume '{volume.volid}' is still in use by linked cloned")
    if task.args.get("purge"):
        _leave_jobs(world, guest.vmid)
    ha.forget(world, ha.sid_of(guest))
    firewall.forget(world, f"vm {guest.vmid}")
    gone = guests.erase(world, guest, is_thorough=bool(task.args.get("thorough")))
    tasks.say_all(task, [volumes.removal_line(world, volume) for volume in gone])


def _leave_jobs(world: World, vmid: int) -> None:
    """Take the number out of the backup jobs that name it; one that names no other goes with it."""
    for entry in [one for one in world.state.entries if one.section == "jobs/vzdump" and one.values.get("vmid")]:
        named = split_list(str(entry.values["vmid"]))
        left = [one for one in named if one != str(vmid)]
        if not left:
            world.state.entries.remove(entry)
        elif left != named:
            world.state.entries.put(replace(entry, values={**entry.values, "vmid": ",".join(left)}))
