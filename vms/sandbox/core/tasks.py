"""Workers: a task begins when the locks it needs are free, takes its time, and has its effect at its end.

The effect is a function named by the task's type and fed from `task.args`, so a task that was running when the
sandbox process ended goes on after its restart: the virtual node did not reboot, only its host process did.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from vms.sandbox.core.errors import ApiError, TaskError, invalid
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.model import Guest, Json, Task
from vms.sandbox.core.world import World

logger = logging.getLogger(__name__)
Effect = Callable[[World, Task], None]
FLOCK_SECONDS = 10.0
KEPT_TASKS = 5000


class Later(Exception):
    """Raised by an effect that is not done: it is run again when these seconds of a real node have passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


_effects: dict[str, Effect] = {}
_undoings: dict[str, Effect] = {}


@dataclass(frozen=True, slots=True)
class Work:
    """What to fork: `flocks` and `shared` are the guests whose lock files the worker holds, alone or with others.

    `lock` is what the configuration of the guest carries while the worker runs.
    """

    type: str
    node: str
    id: str = ""
    seconds: float = 1.0
    flocks: tuple[int, ...] = ()
    args: dict[str, Json] = field(default_factory=dict)
    progress: tuple[str, ...] = ()
    shared: tuple[int, ...] = ()
    lock: str = ""
    patience: float = FLOCK_SECONDS


def effect(*types: str) -> Callable[[Effect], Effect]:
    """Register what tasks of these types do at their end."""

    def register(function: Effect) -> Effect:
        _effects.update(dict.fromkeys(types, function))
        return function

    return register


def undoing(*types: str) -> Callable[[Effect], Effect]:
    """Register what a failed task of these types takes back."""

    def register(function: Effect) -> Effect:
        _undoings.update(dict.fromkeys(types, function))
        return function

    return register


def fork(world: World, identity: Identity, work: Work) -> str:
    """Start a worker and answer its UPID."""
    now = world.now()
    begun_at = max([now, *(task.due_at for task in holders(world, work.flocks, work.shared))])
    patience = world.scaled(work.patience)
    task = _new_task(world, identity, work, begun_at)
    if begun_at - now > patience:
        task.args["flock_timeout"] = flock_timeout(world, [*work.shared, *work.flocks][0])
        task.begun_at, task.due_at, task.flocks, task.shared = now, now + patience, [], []
    elif work.lock and begun_at == now:
        _lock_guest(world, task, work.lock)
    _schedule_progress(task, work.progress)
    world.state.tasks.put(task)
    world.running[task.upid] = task
    return task.upid


def _lock_guest(world: World, task: Task, lock: str) -> None:
    guest = world.state.guests.get(task.id)
    if guest is not None and not guest.lock:
        world.state.guests.edit(guest).config["lock"] = lock
        task.args["lock"] = lock


def _unlock_guest(world: World, task: Task) -> None:
    guest = world.state.guests.get(task.id) if task.args.get("lock") else None
    if guest is not None and guest.lock == task.args["lock"]:
        world.state.guests.edit(guest).config.pop("lock")


def _new_task(world: World, identity: Identity, work: Work, begun_at: float) -> Task:
    serial = world.serial()
    pid, start = 1000 + serial % 4_000_000, int(world.now())
    pstart = max(0, int((world.now() - world.node(work.node).booted_at) * 100)) & 0xFFFFFFFF
    upid = f"UPID:{work.node}:{pid:08X}:{pstart:08X}:{start:08X}:{work.type}:{work.id}:{identity.name}:"
    due_at = begun_at + world.scaled(work.seconds) * world.faults.factor(work.type)
    return Task(
        upid, work.node, pid, pstart, start, work.type, work.id, identity.user, identity.tokenid, begun_at, due_at,
        args=dict(work.args), flocks=list(work.flocks), shared=list(work.shared),
    )  # fmt: skip


def _schedule_progress(task: Task, lines: tuple[str, ...]) -> None:
    step = (task.due_at - task.begun_at) / (len(lines) + 1)
    task.log.extend((task.begun_at + step * index, line) for index, line in enumerate(lines))


def holders(world: World, alone: Iterable[int], shared: Iterable[int] = ()) -> list[Task]:
    """The running tasks that hold a lock file which a worker wants alone, or alone one that it wants to share."""
    wanted, mild = set(alone), set(shared)
    return [
        task
        for task in world.running.values()
        if wanted.intersection(task.flocks) or wanted.intersection(task.shared) or mild.intersection(task.flocks)
    ]


def flock_timeout(world: World, vmid: int) -> str:
    guest = world.state.guests.get(vmid)
    is_container = guest is not None and guest.kind == "lxc"
    path = f"/run/lock/lxc/pve-config-{vmid}.lock" if is_container else f"/var/lock/qemu-server/lock-{vmid}.conf"
    return f"can't lock file '{path}' - got timeout"


def next_due(world: World) -> float | None:
    return min((task.due_at for task in world.running.values()), default=None)


def finish_due(world: World) -> None:
    """End every task whose time has come, oldest first; an end may start another that is due as well."""
    while due := [task for task in world.running.values() if task.due_at <= world.now()]:
        _finish(world, min(due, key=lambda task: task.due_at))


def _finish(world: World, task: Task) -> None:
    try:
        _run_effect(world, task)
    except Later as stage:
        task.due_at += world.scaled(stage.seconds) * world.faults.slowness
        world.state.tasks.edit(task)
    except (TaskError, ApiError) as error:
        fail(world, task, str(error))
    except Exception as error:
        # A fault of ours in one worker must not stop the clock of all others.
        logger.exception("sandbox worker failed", extra={"upid": task.upid})
        fail(world, task, f"internal error: {error}")
    else:
        _close(world, task, f"WARNINGS: {task.warnings}" if task.warnings else "OK")


def _run_effect(world: World, task: Task) -> None:
    injected = world.faults.task_failure(task.type, task.id)
    if injected or "flock_timeout" in task.args:
        raise TaskError(injected or task.args["flock_timeout"])
    _effects[task.type](world, task)


def fail(world: World, task: Task, text: str) -> None:
    """End a task with an error after taking back what it had begun."""
    undo = _undoings.get(task.type)
    if undo is not None:
        undo(world, task)
    _close(world, task, " ".join(text.split("\n")).strip())


def interrupt(world: World, task: Task) -> None:
    """What a client's DELETE does to a running worker."""
    task.due_at = world.now()
    fail(world, task, "received interrupt")


def lose(world: World, task: Task) -> None:
    """What the reset of a node does: nobody takes anything back."""
    task.due_at = world.now()
    task.endtime, task.exitstatus = task.due_at, "unexpected status"
    world.state.tasks.edit(task)
    world.running.pop(task.upid, None)


def _close(world: World, task: Task, exitstatus: str) -> None:
    task.log = [line for line in task.log if line[0] <= task.due_at]
    task.endtime, task.exitstatus = task.due_at, exitstatus
    _unlock_guest(world, task)
    prefix = "" if exitstatus == "OK" or exitstatus.startswith("WARNINGS: ") else "ERROR: "
    say(task, f"TASK {prefix}{exitstatus}")
    world.state.tasks.edit(task)
    world.running.pop(task.upid, None)
    _forget_oldest(world)


def _forget_oldest(world: World) -> None:
    if len(world.state.tasks) > KEPT_TASKS * 1.1:
        ended = sorted((task for task in world.state.tasks if not task.is_running), key=lambda task: task.endtime)
        for task in ended[: len(world.state.tasks) - KEPT_TASKS]:
            world.state.tasks.remove(task)


def say(task: Task, line: str) -> None:
    """A line of the task log, written at the task's end."""
    task.log.append((task.due_at, line))


def say_all(task: Task, lines: Iterable[str]) -> None:
    for line in lines:
        say(task, line)


def warn(task: Task, line: str) -> None:
    task.warnings += 1
    say(task, f"WARN: {line}")


def check_lock(guest: Guest, task: Task | None = None) -> None:
    """The error of a guest whose configuration carries a lock, other than this worker's own."""
    if guest.lock and (task is None or task.args.get("lock") != guest.lock):
        raise ApiError(500, f"{guest.label} is locked ({guest.lock})")


def check_root_options(identity: Identity, params: Mapping[str, Json]) -> None:
    """Some options are for root with a ticket alone, not even for root's tokens."""
    refused = [name for name in ("skiplock", "keepActive", "migratedfrom") if params.get(name)]
    if refused and not identity.is_root_ticket:
        raise invalid(**dict.fromkeys(refused, "Only root may use this option."))
