"""/cluster/sdn/fabrics: routed networks between nodes, and the nodes' part in them."""

from dataclasses import replace

from vms.sandbox.core import formats, permissions, sdn, sections
from vms.sandbox.core.api.crud import Crud, serve_changes
from vms.sandbox.core.api.sdn import FABRIC_ID, LOCK_TOKEN, STATES
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.parameters import Table, array, formatted, number, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, every, holder
from vms.sandbox.core.sections import Section

routes = Routes()
FABRICS = Section(
    "sdn/fabrics",
    "id",
    "fabric '{}' does not exist in configuration",
    "fabric '{}' already exists in configuration",
    sdn.LOCK,
)
NODES = Section("sdn/fabric-nodes", "node_id", "node '{}' does not exist", "node '{}' already exists", sdn.LOCK)
_PROTOCOL = one_of("openfabric", "ospf")
_FABRIC = {
    "protocol": _PROTOCOL.required(), "ip_prefix": formatted(formats.cidr), "ip6_prefix": formatted(formats.cidr),
    "area": text(), "hello_interval": number(1, 600), "csnp_interval": number(1, 600), "digest": text(64),
}  # fmt: skip
_SEEN = ("SDN.Audit", "SDN.Allocate")
_ALLOCATE = holder("/sdn/fabrics/{id}", "SDN.Allocate")


def _check_fabric(call: Call, entry: Entry, is_new: bool) -> None:
    sdn.check_lock(call.world, call.string("lock-token"))
    entry.values.pop("digest", None)
    if entry.values["protocol"] == "ospf" and not entry.values.get("area"):
        raise die("missing field `area`")


def _guard_fabric(call: Call, entry: Entry) -> None:
    """A fabric goes with its nodes' parts in it."""
    for node in _nodes_of(call, entry.name):
        call.world.state.entries.remove(node)


_FABRICS = Crud(
    FABRICS, "/cluster/sdn/fabrics/fabric", FABRIC_ID, _FABRIC, lists=USER, reads=holder("/sdn/fabrics/{id}", *_SEEN),
    makes=holder("/sdn/fabrics", "SDN.Allocate"), changes=_ALLOCATE, removes=_ALLOCATE, fixed=(), needed=("protocol",),
    always=LOCK_TOKEN, keeps_always=False, check=_check_fabric, guard=_guard_fabric, answer="", deletes_by_array=True,
    has_digest=False,
)  # fmt: skip
serve_changes(routes, _FABRICS)


def _fabric_rows(call: Call) -> list[dict[str, Json]]:
    return [
        _FABRICS.row(call, entry) for entry in sections.rows(call.world, FABRICS)
        if permissions.may(call.world, call.identity, f"/sdn/fabrics/{entry.name}", *_SEEN)
    ]  # fmt: skip


@routes.route("GET", "/cluster/sdn/fabrics/fabric", STATES, USER)
def fabrics(call: Call) -> Json:
    return _fabric_rows(call)


@routes.route("GET", "/cluster/sdn/fabrics/fabric/{id}", _FABRICS.keyed, _FABRICS.reads)
def fabric(call: Call) -> Json:
    return _FABRICS.row(call, sections.require(call.world, FABRICS, call.string("id")))


_IN = {"fabric_id": FABRIC_ID.required()}
_NODE_ID = {**_IN, "node_id": formatted(formats.node_name).required()}
_SETTINGS: Table = {
    "protocol": _PROTOCOL.required(), "interfaces": array().required(), "ip": formatted(formats.ipv4),
    "ip6": formatted(formats.ipv6), "digest": text(64), **LOCK_TOKEN,
}  # fmt: skip
_CHANGE = every(holder("/sdn/fabrics/{fabric_id}", "SDN.Allocate"), holder("/nodes/{node_id}", "Sys.Modify"))
_READ = every(holder("/sdn/fabrics/{fabric_id}", *_SEEN), holder("/nodes/{node_id}", "Sys.Audit", "Sys.Modify"))


def _nodes_of(call: Call, fabric_id: str = "") -> list[Entry]:
    found = sections.rows(call.world, NODES)
    return [entry for entry in found if fabric_id in {"", entry.values["fabric_id"]}]


def _node_row(call: Call, entry: Entry) -> dict[str, Json]:
    return {**entry.values, "digest": sections.digest(call.world, NODES)}


def _node(call: Call) -> Entry:
    entry = sections.find(call.world, NODES, f"{call.string('fabric_id')}_{call.string('node_id')}")
    if entry is None:
        raise die(NODES.missing.format(call.string("node_id")))
    return entry


@routes.route("GET", "/cluster/sdn/fabrics/node", STATES, USER)
def all_nodes(call: Call) -> Json:
    return [_node_row(call, entry) for entry in _nodes_of(call) if _is_seen(call, entry)]


def _is_seen(call: Call, entry: Entry) -> bool:
    return permissions.may(call.world, call.identity, f"/sdn/fabrics/{entry.values['fabric_id']}", *_SEEN)


@routes.route(
    "GET", "/cluster/sdn/fabrics/node/{fabric_id}", {**_IN, **STATES}, holder("/sdn/fabrics/{fabric_id}", "SDN.Audit")
)
def nodes(call: Call) -> Json:
    return [_node_row(call, entry) for entry in _nodes_of(call, call.string("fabric_id"))]


def _given(call: Call) -> dict[str, Json]:
    given: dict[str, Json] = {key: call.params[key] for key in ("protocol", "ip", "ip6") if key in call.params}
    named = {"fabric_id": call.string("fabric_id"), "node_id": call.string("node_id")}
    return {**given, **named, "interfaces": call.array("interfaces")}


@routes.route("POST", "/cluster/sdn/fabrics/node/{fabric_id}", {**_NODE_ID, **_SETTINGS}, _CHANGE)
def add_node(call: Call) -> Json:
    sections.require(call.world, FABRICS, call.string("fabric_id"))
    name = f"{call.string('fabric_id')}_{call.string('node_id')}"
    with sections.locked_as("", sdn.LOCK):
        sdn.check_lock(call.world, call.string("lock-token"))
        if sections.find(call.world, NODES, name) is not None:
            raise die(NODES.taken.format(call.string("node_id")))
        call.world.state.entries.put(Entry(NODES.name, name, _given(call)))
    return ""


@routes.route("GET", "/cluster/sdn/fabrics/node/{fabric_id}/{node_id}", _NODE_ID, _READ)
def node(call: Call) -> Json:
    return _node_row(call, _node(call))


@routes.route(
    "PUT", "/cluster/sdn/fabrics/node/{fabric_id}/{node_id}", {**_NODE_ID, **_SETTINGS, "delete": array()}, _CHANGE
)
def change_node(call: Call) -> Json:
    entry = _node(call)
    kept = {key: value for key, value in entry.values.items() if key not in call.array("delete")}
    call.world.state.entries.put(replace(entry, values=kept | _given(call)))
    return ""


@routes.route("DELETE", "/cluster/sdn/fabrics/node/{fabric_id}/{node_id}", _NODE_ID, _CHANGE)
def remove_node(call: Call) -> Json:
    call.world.state.entries.remove(_node(call))
    return ""


@routes.route("GET", "/cluster/sdn/fabrics", {}, holder("/sdn/fabrics", "SDN.Audit"))
def index(call: Call) -> Json:
    return [{"subdir": name} for name in ("fabric", "node", "all")]


@routes.route("GET", "/cluster/sdn/fabrics/all", STATES, USER)
def everything(call: Call) -> Json:
    return {
        "fabrics": _fabric_rows(call),
        "nodes": [_node_row(call, entry) for entry in _nodes_of(call) if _is_seen(call, entry)],
    }


_STATE = {**NODE, "fabric": FABRIC_ID.required()}
_AUDIT = holder("/sdn/fabrics/{fabric}", "SDN.Audit")


@routes.route("GET", "/nodes/{node}/sdn/fabrics/{fabric}", _STATE, _AUDIT)
def state_index(call: Call) -> Json:
    return [{"subdir": name} for name in ("routes", "neighbors", "interfaces")]


def _nothing_yet(call: Call) -> Json:
    """No routing daemon runs here: nobody is met, and no route is learnt."""
    return []


for _name in ("interfaces", "neighbors", "routes"):
    routes.route("GET", f"/nodes/{{node}}/sdn/fabrics/{{fabric}}/{_name}", _STATE, _AUDIT)(_nothing_yet)
