"""/cluster/ha/status: the manager, its agents on the nodes, and the resources as they see them."""

from datetime import UTC, datetime

from vms.sandbox.core import ha, sections
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.parameters import one_of
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.world import World

routes = Routes()
_AUDIT, _CONSOLE = holder("/", "Sys.Audit"), holder("/", "Sys.Console")
Row = dict[str, Json]


@routes.route("GET", "/cluster/ha", {}, _AUDIT)
def index(call: Call) -> Json:
    return [{"id": name} for name in ("status", "resources", "groups", "rules")]


@routes.route("GET", "/cluster/ha/status", {}, USER)
def status_index(call: Call) -> Json:
    return [{"name": name} for name in ("current", "manager_status", "arm-ha", "disarm-ha")]


@routes.route("GET", "/cluster/ha/status/current", {}, _AUDIT)
def current(call: Call) -> Json:
    world = call.world
    services = [_service(world, entry) for entry in sections.rows(world, ha.RESOURCES)]
    return [_quorum(world), *_master(world), _fencing(world), *_agents(world), *services]


def _quorum(world: World) -> Row:
    node, is_quorate = world.entry_node, not world.faults.is_without_quorum
    text = "OK" if is_quorate else f"No quorum on node '{node}'!"
    return {"id": "quorum", "type": "quorum", "node": node, "status": text, "quorate": int(is_quorate)}


def _clock(world: World) -> tuple[int, str]:
    """The last round of the manager."""
    stamp = int(world.now()) // 10 * 10
    return stamp, datetime.fromtimestamp(stamp, UTC).strftime("%a %b %e %H:%M:%S %Y")


def _master(world: World) -> list[Row]:
    if not ha.is_used(world):
        return []
    stamp, told = _clock(world)
    state, mode = ha.arming(world)
    extra = f" - {state}, resource mode: {mode}" if mode else ""
    node = world.entry_node
    return [
        {
            "id": "master",
            "type": "master",
            "node": node,
            "status": f"{node} (active, {told}){extra}",
            "timestamp": stamp,
        }
    ]


def _fencing(world: World) -> Row:
    state, mode = ha.arming(world)
    watchdog = {"armed": "active", "disarming": "active", "standby": "standby", "disarmed": "released"}[state]
    shown = f"{state}, resource mode: {mode}" if mode else state
    row = {"id": "fencing", "type": "fencing", "node": world.entry_node, "armed-state": state}
    return row | {"status": f"{shown} (CRM watchdog {watchdog})"} | ({"resource_mode": mode} if mode else {})


def _agents(world: World) -> list[Row]:
    if not ha.is_used(world):
        return []
    stamp, told = _clock(world)
    guests = [ha.guest_of(world, entry.name) for entry in sections.rows(world, ha.RESOURCES)]
    busy = {guest.node for guest in guests if guest is not None and not ha.arming(world)[1]}
    rows = []
    for node in world.state.nodes:
        text = "active, watchdog active" if node.name in busy else "idle, watchdog standby"
        row = {"id": f"lrm:{node.name}", "type": "lrm", "node": node.name, "timestamp": stamp}
        rows.append(row | {"status": f"{node.name} ({text}, {told})"})
    return rows


def _service(world: World, entry: Entry) -> Row:
    guest = ha.guest_of(world, entry.name)
    node = guest.node if guest is not None else "---"
    state = ha.service_state(world, guest, entry) if guest is not None else "not found"
    kept: Row = {
        key: entry.values[key] for key in ("max_restart", "max_relocate", "failback", "comment") if key in entry.values
    }
    return {
        "id": f"service:{entry.name}", "type": "service", "sid": entry.name, "node": node, "state": state,
        "crm_state": _crm_state(state), "request_state": ha.requested(entry), "status": f"{entry.name} ({node}, {state})",
        "max_restart": 1, "max_relocate": 1, "failback": 1, "auto-rebalance": 1, **kept,
    }  # fmt: skip


def _crm_state(state: str) -> str:
    """The state machine's own word for what is shown."""
    return {"starting": "started", "stopping": "request_stop", "disabled": "stopped", "ignored": "freeze"}.get(
        state, state
    )


@routes.route("GET", "/cluster/ha/status/manager_status", {}, _AUDIT)
def manager_status(call: Call) -> Json:
    world = call.world
    quorum = {"node": world.entry_node, "quorate": str(int(not world.faults.is_without_quorum))}
    if not ha.is_used(world):
        return {"manager_status": {"node_status": {}}, "quorum": quorum}
    stamp, _ = _clock(world)
    services = {entry.name: _service(world, entry) for entry in sections.rows(world, ha.RESOURCES)}
    return {
        "manager_status": {
            "master_node": world.entry_node, "timestamp": stamp,
            "node_status": dict.fromkeys(ha.known_nodes(world), "online"),
            "service_status": {sid: {"node": row["node"], "state": row["crm_state"]} for sid, row in services.items()},
        },
        "lrm_status": {
            node.name: {"mode": "active", "state": "active", "results": {}, "timestamp": stamp} for node in world.state.nodes
        },
        "quorum": quorum,
    }  # fmt: skip


@routes.route(
    "POST", "/cluster/ha/status/disarm-ha", {"resource-mode": one_of("freeze", "ignore").required()}, _CONSOLE
)
def disarm(call: Call) -> Json:
    ha.command(call.world, call.string("resource-mode"))


@routes.route("POST", "/cluster/ha/status/arm-ha", {}, _CONSOLE)
def arm(call: Call) -> Json:
    ha.command(call.world, "")
