"""Back to the beginning: the cluster that was planted or imported, and nothing of what was done to it since."""

from vms.sandbox.core import seed
from vms.sandbox.core.world import World

DAY = 86_400
_KEPT_SETTINGS = (
    "ticket_key",
    "fingerprint",
    "authority",
    "serial",
    "own_user",
    "own_token",
    "host",
    "stopped",
    "origin",
    "seed",
)


def reset(world: World, seed_name: str = "") -> None:
    """The same cluster again, or that of another seed. Whoever came in by the sandbox's own credentials still may."""
    state = world.state
    kept = {name: row.value for name in _KEPT_SETTINGS if (row := state.settings.get(name)) is not None}
    user, token = state.users.get(kept.get("own_user", "")), state.tokens.get(kept.get("own_token", ""))
    world.running.clear()
    world.faults.clear()
    state.clear()
    if seed_name:
        kept.pop("origin", None)
    for name, value in kept.items():
        state.set(name, value)
    if user is not None:
        state.users.put(user)
    if token is not None:
        state.tokens.put(token)
    plant(world, seed_name or str(kept.get("seed", seed.DEFAULT_SEED)))


def plant(world: World, seed_name: str = seed.DEFAULT_SEED) -> None:
    """The first content of an empty state: what was imported into it, else what the seed gives.

    Numbers begin anew, so that the same seed gives the same addresses, and go on where they were, so that no task
    has the id of one from before."""
    state = world.state
    last = int(state.setting("serial", 0))
    origin = state.setting("origin")
    if origin:
        state.take_in(origin)
    else:
        state.set("serial", 0)
        seed.plant(world, seed_name)
    state.set("serial", max(last, int(state.setting("serial", 0))))
    state.set("reset_at", world.now())


def is_due(world: World) -> bool:
    """Whether 00:00 UTC has passed since the last reset, while the sandbox was up or not."""
    midnight = world.now() // DAY * DAY
    return world.options.is_reset_daily and float(world.state.setting("reset_at", world.now())) < midnight


def next_at(world: World) -> float | None:
    """When the next daily reset is, in seconds since the epoch."""
    return world.now() // DAY * DAY + DAY if world.options.is_reset_daily else None
