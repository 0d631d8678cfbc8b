"""Start, stop, shutdown, reboot, reset, suspend and resume of guests."""

from vms.sandbox.core import cloudinit, containers, drives, guests, ha, hibernation, tasks
from vms.sandbox.core.errors import TaskError, die
from vms.sandbox.core.kinds import LXC, QEMU, Kind, kind_of
from vms.sandbox.core.model import Guest, Json, Task
from vms.sandbox.core.routing import Call
from vms.sandbox.core.world import World

SECONDS = {
    "qmstart": 1.0, "qmstop": 1.0, "qmshutdown": 3.0, "qmreboot": 4.0, "qmreset": 0.3, "qmpause": 0.3, "qmresume": 0.3,
    "qmsuspend": 3.0, "vzstart": 2.0, "vzstop": 1.5, "vzshutdown": 2.0, "vzreboot": 4.0, "vzsuspend": 0.5,
    "vzresume": 0.5,
}  # fmt: skip
DEFAULT_SHUTDOWN_SECONDS = 60
_NEED_RUNNING = {
    "qm": {"reboot", "reset", "pause", "suspend", "resume"},
    "vz": {"stop", "shutdown", "reboot", "suspend"},
}


def switch(call: Call, kind: Kind, action: str) -> str:
    """Fork the worker of `start`, `stop`, ... after the checks that come before it."""
    guest = call.guest(kind.name)
    tasks.check_root_options(call.identity, call.params)
    call.refuse("machine", "force-cpu")
    _check(call, kind, guest, action)
    if action in {"start", "stop", "shutdown"} and ha.is_managed(call.world, guest):
        return ha.request(call.world, call.identity, guest, action)
    args: dict[str, Json] = {
        "skiplock": call.flag("skiplock"),
        "force": call.flag("forceStop"),
        "timeout": call.number("timeout", DEFAULT_SHUTDOWN_SECONDS),
        "statestorage": call.string("statestorage"),
    }
    if call.flag("overrule-shutdown"):
        _end_shutdowns(call, guest)
    seconds = _seconds(call.world, guest, action, args)
    lock = "suspending" if action == "suspend" and kind is QEMU else ""
    name = f"{kind.verb}{action}"
    work = tasks.Work(name, guest.node, str(guest.vmid), seconds, (guest.vmid,), args, lock=lock)
    return tasks.fork(call.world, call.identity, work)


def _check(call: Call, kind: Kind, guest: Guest, action: str) -> None:
    if _lacks_process(kind, guest, action):
        raise die(f"{kind.label} {guest.vmid} not running")
    if guest.is_paused and action in {"shutdown", "reboot"}:
        raise die(f"VM is paused - cannot {action}")
    if kind is LXC and action == "start" and guest.is_running:
        raise die(f"CT {guest.vmid} already running")
    if kind is not LXC and action == "suspend":
        hibernation.check(call, guest)


def _lacks_process(kind: Kind, guest: Guest, action: str) -> bool:
    """Whether the action is for one that runs, and this one does not; one that sleeps on disk is resumed all the same."""
    if guest.is_running or action not in _NEED_RUNNING[kind.verb]:
        return False
    return not (action == "resume" and guest.lock == "suspended")


def _end_shutdowns(call: Call, guest: Guest) -> None:
    """A stop that overrules ends the shutdown that waits for the guest."""
    for task in tasks.holders(call.world, [guest.vmid]):
        if task.type in {"qmshutdown", "vzshutdown"}:
            tasks.interrupt(call.world, task)


def _seconds(world: World, guest: Guest, action: str, args: dict[str, Json]) -> float:
    """How long it takes; a machine without a system never hears the power button."""
    usual = SECONDS[f"{kind_of(guest).verb}{action}"]
    is_deaf = guest.is_running and not hears_power_button(world, guest)
    return float(args["timeout"]) if is_deaf and action in {"shutdown", "reboot"} else usual


def hears_power_button(world: World, guest: Guest) -> bool:
    return guest.kind == "lxc" or bool(drives.system(world, guest))


def _found(world: World, task: Task) -> Guest:
    guest = world.state.guests.get(task.id)
    if guest is None:
        folder = "lxc" if task.type.startswith("vz") else "qemu-server"
        raise TaskError(f"Configuration file 'nodes/{task.node}/{folder}/{task.id}.conf' does not exist")
    return guest


def _guest(world: World, task: Task) -> Guest:
    guest = _found(world, task)
    if not task.args["skiplock"]:
        tasks.check_lock(guest)
    return guest


@tasks.effect("qmstart", "vzstart")
def start(world: World, task: Task) -> None:
    guest = _found(world, task)
    if guest.is_template:
        noun = "CT" if guest.kind == "lxc" else "vm"
        raise TaskError(f"you can't start a {noun} if it's a template")
    if guest.lock != "suspended" and not task.args["skiplock"]:
        tasks.check_lock(guest)
    if guest.is_running:
        raise TaskError(f"{guest.label} {guest.vmid} already running")
    boot(world, guest, task)


def boot(world: World, guest: Guest, task: Task) -> None:
    """Power a guest up as a start does, from its memory when it was suspended to disk."""
    for volume in drives.missing(world, guest):
        raise TaskError(f"start failed: volume '{volume}' does not exist")
    if guest.lock == "suspended":
        tasks.say(task, "resuming suspended VM")
    elif guest.kind == "qemu" and cloudinit.seed_key(guest.config):
        tasks.say(task, "generating cloud-init ISO")
    guests.power_up(world, guest, task.due_at)
    hibernation.wake(world, guest, task)
    containers.warn_of_nesting(world, guest, task)


@tasks.effect("qmstop", "vzstop")
def stop(world: World, task: Task) -> None:
    if _found(world, task).is_running:
        guests.halt(world, _guest(world, task))


@tasks.effect("qmshutdown", "vzshutdown")
def shut_down(world: World, task: Task) -> None:
    if _found(world, task).is_running:
        _power_off(world, _guest(world, task), task)


def _power_off(world: World, guest: Guest, task: Task) -> None:
    if not hears_power_button(world, guest):
        if not task.args["force"]:
            raise TaskError("VM quit/powerdown failed - got timeout")
        tasks.say(task, "VM quit/powerdown failed - terminating now with SIGTERM")
    guests.halt(world, guest)


@tasks.effect("qmreboot", "vzreboot")
def reboot(world: World, task: Task) -> None:
    guest = _guest(world, task)
    if not guest.is_running:
        raise TaskError(f"{guest.label} {guest.vmid} not running")
    _power_off(world, guest, task)
    boot(world, guest, task)


@tasks.effect("qmreset")
def reset(world: World, task: Task) -> None:
    """The virtual reset button: the guest boots again with the configuration that it runs with."""
    guest = _guest(world, task)
    if not guest.is_running:
        raise TaskError(f"VM {guest.vmid} not running")
    world.state.guests.edit(guest).started_at = task.due_at
    guest.agent_memory = {}


@tasks.effect("qmpause")
def pause(world: World, task: Task) -> None:
    guest = _guest(world, task)
    if not guest.is_running:
        raise TaskError(f"VM {guest.vmid} not running")
    world.state.guests.edit(guest).is_paused = True


@tasks.effect("qmresume")
def resume(world: World, task: Task) -> None:
    guest = _found(world, task)
    if guest.lock == "suspended":
        boot(world, guest, task)
    else:
        tasks.check_lock(guest)
        world.state.guests.edit(guest).is_paused = False


@tasks.effect("vzsuspend", "vzresume")
def checkpoint(world: World, task: Task) -> None:
    """Containers cannot be frozen to disk on a node as it is installed: CRIU is missing."""
    _guest(world, task)
    way = "-s " if task.type == "vzsuspend" else "-r -F "
    raise TaskError(f"command 'lxc-checkpoint -n {task.id} {way}-D /var/lib/vz/dump' failed: exit code 1")
