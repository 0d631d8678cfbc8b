"""High availability: resources that the cluster manager keeps in the state one asks for, some seconds later."""

from collections.abc import Iterable

from vms.sandbox.core import journeys, sections, tasks
from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.kinds import kind_of
from vms.sandbox.core.model import Entry, Guest, Json, Task
from vms.sandbox.core.sections import Section
from vms.sandbox.core.world import World

LOCK = "domain-ha"
RESOURCES = Section(
    "ha/resources", "sid", "no such resource '{}'", "resource ID '{}' already defined", LOCK, "resource",
    nouns={"update": "resources config"},
)  # fmt: skip
RULES = Section(
    "ha/rules", "rule", "no such ha rule '{}'", "HA rule '{}' already defined", LOCK, "ha rule",
    gone="HA rule '{}' does not exist", nouns={"update": "HA rules"},
)  # fmt: skip
ROUND_SECONDS = 5.0
_ROUNDS_TO_FORGET = 4
_ROUNDS_TO_WAKE = 2
MANAGER = Identity("root@pam")
_STOPPED = {"stopped", "disabled"}


def sid_of(guest: Guest) -> str:
    return f"{'ct' if guest.kind == 'lxc' else 'vm'}:{guest.vmid}"


def guest_of(world: World, sid: str) -> Guest | None:
    kind, _, vmid = sid.partition(":")
    guest = world.state.guests.get(vmid)
    return guest if guest is not None and (guest.kind == "lxc") == (kind == "ct") else None


def resource_of(world: World, guest: Guest) -> Entry | None:
    return sections.find(world, RESOURCES, sid_of(guest))


def is_managed(world: World, guest: Guest) -> bool:
    """Whether power of this guest is a wish to the manager instead of a deed."""
    entry = resource_of(world, guest)
    return entry is not None and requested(entry) != "ignored"


def requested(entry: Entry) -> str:
    state = str(entry.values.get("state", "started"))
    return "started" if state == "enabled" else state


def service_state(world: World, guest: Guest, entry: Entry) -> str:
    """What the manager says of a resource: a wish that is not fulfilled yet shows at once."""
    wish, plan = requested(entry), plans(world).get(entry.name)
    if wish == "ignored":
        return "ignored"
    if plan is not None and plan.get("move"):
        return str(plan["move"])
    if wish in _STOPPED:
        return "stopping" if guest.is_running else wish
    return "started" if guest.is_running else "starting"


def told_state(world: World, guest: Guest) -> str:
    """The state that lists tell of a guest; of one that is managed no more, until the manager has noticed."""
    if not (sections.rows(world, RESOURCES) or plans(world)):
        return ""
    entry = resource_of(world, guest)
    if entry is not None:
        return service_state(world, guest, entry)
    return str(plans(world).get(sid_of(guest), {}).get("gone", ""))


def plans(world: World) -> dict[str, dict[str, Json]]:
    """What the manager will do next: when, and for a move where to."""
    found: dict[str, dict[str, Json]] = world.state.setting("ha plans") or {}
    return found


def plan(world: World, sid: str, **move: Json) -> None:
    """Let the next round of the manager see to a resource."""
    rounds = _ROUNDS_TO_FORGET if "gone" in move else 1
    due = world.now() + world.scaled(ROUND_SECONDS * rounds)
    world.state.set("ha plans", {**plans(world), sid: {"due": due, **move}})


def arming(world: World) -> tuple[str, str]:
    """Whether fencing is armed, on standby, disarming or disarmed, and how resources are handled while it is not armed."""
    command = world.state.setting("ha command") or {"wish": "", "before": "", "at": 0.0}
    age, pace = world.now() - command["at"], world.scaled(ROUND_SECONDS)
    mode = str(command["before"] if age < pace else command["wish"])
    if mode:
        return ("disarming" if not command["before"] and age < 2 * pace else "disarmed"), mode
    return ("armed" if is_used(world) else "standby"), ""


def command(world: World, wish: str) -> None:
    """Tell the manager to disarm (in a mode) or to arm again; it follows in its next round."""
    wake(world)
    world.state.set("ha command", {"wish": wish, "before": arming(world)[1], "at": world.now()})


def is_used(world: World) -> bool:
    """Whether there is a master: from the first command or resource on."""
    return world.state.setting("ha command") is not None or bool(sections.rows(world, RESOURCES))


def wake(world: World) -> None:
    """Have a master from now on; the first command or resource does it."""
    if not is_used(world) and world.state.setting("ha awake") is None:
        world.state.set("ha awake", world.now())


def known_nodes(world: World) -> list[str]:
    """The nodes that the manager counts on: none until the master has been awake for a round."""
    rounds = world.scaled(ROUND_SECONDS * _ROUNDS_TO_WAKE)
    is_awake = is_used(world) and world.now() - float(world.state.setting("ha awake", 0.0)) >= rounds
    return [node.name for node in world.state.nodes] if is_awake else []


def spread(world: World) -> None:
    """Move what a rule wants elsewhere: together to where the first is, or each away from the others."""
    for rule in sections.rows(world, RULES):
        if rule.values["type"] != "resource-affinity" or rule.values.get("disable"):
            continue
        guests = [guest for sid in resources_of(rule) if (guest := guest_of(world, sid)) is not None]
        for guest, target in _moves(world, guests, str(rule.values.get("affinity"))):
            if guest.node != target:
                plan(world, sid_of(guest), target=target, move="migrate")


def _moves(world: World, guests: list[Guest], affinity: str) -> list[tuple[Guest, str]]:
    if affinity == "positive":
        return [(guest, guests[0].node) for guest in guests]
    taken: list[str] = []
    moves = []
    for guest in guests:
        free = [node.name for node in world.state.nodes if node.name not in {*taken, *world.faults.offline}]
        target = guest.node if guest.node not in taken or not free else free[-1]
        taken.append(target)
        moves.append((guest, target))
    return moves


def next_due(world: World) -> float | None:
    return min((each["due"] for each in plans(world).values()), default=None)


def work(world: World) -> None:
    """What the manager does when its time has come: workers of its own start, stop or move guests."""
    due = [sid for sid, each in plans(world).items() if each["due"] <= world.now()]
    if not due:
        return
    taken = {sid: plans(world)[sid] for sid in due}
    world.state.set("ha plans", {sid: each for sid, each in plans(world).items() if sid not in taken})
    for sid, each in taken.items():
        guest, entry = guest_of(world, sid), sections.find(world, RESOURCES, sid)
        if guest is not None and entry is not None:
            move, target = str(each.get("move", "")), str(each.get("target", ""))
            if not _is_moving(world, guest, move, target):
                _see_to(world, guest, entry)


def _is_moving(world: World, guest: Guest, move: str, target: str) -> bool:
    """Whether a move keeps the manager busy: it sends a worker, to relocate after a shutdown, and looks again when that has
    ended, whether well or not."""
    sid = sid_of(guest)
    if move and any(task.id == str(guest.vmid) for task in world.running.values()):
        plan(world, sid, move=move, target=target)
        return True
    if target == guest.node or target not in world.state.nodes or target in world.faults.offline:
        return False
    if move == "relocate" and guest.is_running:
        fork_power(world, guest, "shutdown")
        plan(world, sid, target=target, move=move)
        return True
    tasks.fork(world, MANAGER, journeys.work_of(world, guest, journeys.managed(guest, target)))
    plan(world, sid, move=move)
    return True


def _see_to(world: World, guest: Guest, entry: Entry) -> None:
    wish = requested(entry)
    if wish == "started" and not guest.is_running and not guest.is_template:
        fork_power(world, guest, "start")
    elif wish in _STOPPED and guest.is_running:
        fork_power(world, guest, "shutdown")


def fork_power(world: World, guest: Guest, action: str) -> None:
    """A worker of the system itself that starts a guest or shuts it down, by force when it does not hear."""
    args: dict[str, Json] = {"skiplock": False, "force": True, "timeout": 60, "statestorage": ""}
    work_type = f"{kind_of(guest).verb}{action}"
    tasks.fork(
        world,
        MANAGER,
        tasks.Work(work_type, guest.node, str(guest.vmid), 1.0 if action == "start" else 3.0, (guest.vmid,), args),
    )


def request(world: World, identity: Identity, guest: Guest, action: str) -> str:
    """Start or stop of a managed guest: a task that tells the manager, and is done at once."""
    wish = "started" if action == "start" else "stopped"
    kind = "hastart" if wish == "started" else "hastop"
    return tasks.fork(world, identity, tasks.Work(kind, guest.node, str(guest.vmid), 0.5, args={"state": wish}))


@tasks.effect("hastart", "hastop")
def finish_request(world: World, task: Task) -> None:
    guest = world.state.guests.get(task.id)
    entry = resource_of(world, guest) if guest is not None else None
    if guest is None or entry is None:
        raise ApiError(500, f"resource '{task.id}' is not HA managed")
    verb = "start" if task.type == "hastart" else "stop"
    tasks.say(task, f"Requesting HA {verb} for {guest.label} {guest.vmid}")
    world.state.entries.edit(entry).values["state"] = task.args["state"]
    plan(world, entry.name)


def manage(world: World, guest: Guest, state: str) -> None:
    """Put a guest in the manager's care, unless it is there already."""
    if resource_of(world, guest) is None:
        kind = sid_of(guest).partition(":")[0]
        world.state.entries.put(Entry(RESOURCES.name, sid_of(guest), {"type": kind, "state": state}))


def forget(world: World, sid: str, *, is_purged: bool = True) -> None:
    """Remove a resource, and with `is_purged` its traces in rules."""
    entry, guest = sections.find(world, RESOURCES, sid), guest_of(world, sid)
    if entry is not None:
        if guest is not None:
            plan(world, sid, gone=service_state(world, guest, entry))
        world.state.entries.remove(entry)
    for rule in sections.rows(world, RULES) if is_purged else ():
        left = [name for name in str(rule.values["resources"]).split(",") if name != sid]
        if not left:
            world.state.entries.remove(rule)
        else:
            world.state.entries.edit(rule).values["resources"] = ",".join(left)


def resources_of(rule: Entry) -> list[str]:
    return sorted(filter(None, str(rule.values.get("resources", "")).split(",")))


def problems(world: World, rule: Entry, others: Iterable[Entry]) -> dict[str, str]:
    """What makes a rule useless, per setting."""
    named = resources_of(rule)
    if rule.values["type"] == "resource-affinity":
        if len(named) < 2:
            return {"resources": "rule is ineffective as there are less than two resources"}
        if rule.values.get("affinity") == "negative" and len(named) > len(known_nodes(world)):
            return {"resources": "rule defines more resources than available nodes"}
        return {}
    for other in others:
        shared = set(named) & set(resources_of(other))
        if other.name != rule.name and other.values["type"] == "node-affinity" and shared:
            return {"resources": f"resource '{min(shared)}' is already used in another node affinity rule"}
    return {}


def companions(world: World, sid: str, affinity: str) -> list[str]:
    """The resources that a rule binds to a resource, or keeps away from it."""
    found: set[str] = set()
    for rule in sections.rows(world, RULES):
        if rule.values.get("affinity") == affinity and not rule.values.get("disable") and sid in resources_of(rule):
            found |= set(resources_of(rule))
    return sorted(found - {sid})
