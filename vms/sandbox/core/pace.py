"""How many times faster than on a real node things happen, changed while they happen."""

from vms.sandbox.core.model import Task
from vms.sandbox.core.world import World

SLOWEST, FASTEST = 0.01, 1000.0


def change(world: World, scale: float) -> None:
    """Tasks that run have done what they have done; what is left of them goes on at the new pace."""
    ratio, now = world.time_scale / scale, world.now()
    world.time_scale = scale
    for task in world.running.values():
        _stretch(world.state.tasks.edit(task), now, ratio)


def _stretch(task: Task, now: float, ratio: float) -> None:
    def moved(moment: float) -> float:
        return now + (moment - now) * ratio if moment > now else moment

    task.begun_at, task.due_at = moved(task.begun_at), moved(task.due_at)
    task.log = [(moved(moment), line) for moment, line in task.log]
