"""/cluster/ha: resources, rules, and what the manager makes of them."""

from dataclasses import replace

from vms.sandbox.core import formats, ha, sections
from vms.sandbox.core.api.crud import Crud, Kind, change, make, serve
from vms.sandbox.core.errors import ApiError, die
from vms.sandbox.core.model import Entry, Guest, Json
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, listing, one_of, text
from vms.sandbox.core.routing import Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()
_AUDIT, _CONSOLE = holder("/", "Sys.Audit"), holder("/", "Sys.Console")
_SID = formatted(formats.ha_resource_or_vm)
_STATES = one_of("started", "stopped", "enabled", "disabled", "ignored")
_RESOURCE = {
    "type": one_of("ct", "vm"), "state": _STATES, "group": formatted(formats.config_id), "comment": text(4096),
    "max_restart": integer(0), "max_relocate": integer(0), "failback": boolean(),
}  # fmt: skip
_RULE = {
    "type": one_of("node-affinity", "resource-affinity").required(), "comment": text(4096), "disable": boolean(),
    "resources": listing(formats.ha_resource).required(), "nodes": listing(formats.ha_node), "strict": boolean(),
    "affinity": one_of("positive", "negative"),
}  # fmt: skip
_GROUP = {
    "nodes": listing(formats.ha_node), "comment": text(4096), "nofailback": boolean(), "restricted": boolean(),
}  # fmt: skip


def _sid(call: Call) -> str:
    """`vm:100` of `100` as well."""
    given = call.string("sid")
    if not given.isdecimal():
        return given
    guest = call.world.state.guests.get(given)
    if guest is None:
        raise die(f"unable to detect SID from VMID - VM/CT {given} does not exist")
    return ha.sid_of(guest)


def _require_guest(call: Call, sid: str) -> Guest:
    kind, _, vmid = sid.partition(":")
    guest = call.world.state.guests.get(vmid)
    if guest is None:
        raise die(f"resource '{sid}' does not exist in cluster")
    if ha.sid_of(guest) != sid:
        raise die(f"resource '{sid}' - guest with ID {vmid} is not a {'VM' if kind == 'vm' else 'CT'}")
    return guest


_RESOURCES = Crud(
    ha.RESOURCES, "/cluster/ha/resources", _SID, _RESOURCE, lists=_AUDIT, reads=_AUDIT, makes=_CONSOLE, changes=_CONSOLE,
    removes=_CONSOLE, filters={"type": one_of("ct", "vm")},
)  # fmt: skip


@routes.route("GET", "/cluster/ha/resources", {"type": one_of("ct", "vm")}, _AUDIT)
def resources(call: Call) -> Json:
    found = [_RESOURCES.row(call, entry) for entry in sections.rows(call.world, ha.RESOURCES)]
    return [row for row in found if call.string("type") in {"", row["type"]}]


@routes.route("GET", "/cluster/ha/resources/{sid}", _RESOURCES.keyed, _AUDIT)
def resource(call: Call) -> Json:
    return _RESOURCES.row(call, sections.require(call.world, ha.RESOURCES, _sid(call)))


def _check_group(call: Call) -> None:
    if "group" in call.params:
        raise die("invalid parameter 'group': ha groups have been migrated to rules")


@routes.route("POST", "/cluster/ha/resources", {**_RESOURCES.keyed, **_RESOURCE}, _CONSOLE)
def create_resource(call: Call) -> Json:
    sid = _sid(call)
    kind = sid.partition(":")[0]
    if call.string("type") not in {"", kind}:
        raise die("types does not match")
    _check_group(call)
    _require_guest(call, sid)
    ha.wake(call.world)
    with sections.locked("create", ha.RESOURCES):
        if sections.find(call.world, ha.RESOURCES, sid) is not None:
            raise die(ha.RESOURCES.taken.format(sid))
        values = {"type": kind, "state": "started", **_RESOURCES.given(call)}
        call.world.state.entries.put(Entry(ha.RESOURCES.name, sid, values))
    ha.plan(call.world, sid)


_CHANGE = {key: param for key, param in _RESOURCE.items() if key != "type"}


@routes.route(
    "PUT", "/cluster/ha/resources/{sid}",
    {**_RESOURCES.keyed, **_CHANGE, "delete": replace(listing(formats.config_id), max_length=4096), "digest": text(64)},
    _CONSOLE,
)  # fmt: skip
def change_resource(call: Call) -> Json:
    sid = _sid(call)
    _check_group(call)
    with sections.locked("update", ha.RESOURCES):
        sections.check_digest(sections.digest(call.world, ha.RESOURCES), call.string("digest"))
        entry = sections.require(call.world, ha.RESOURCES, sid)
        values, given = dict(entry.values), _RESOURCES.given(call)
        sections.drop_options(values, _RESOURCE, given, split_list(call.string("delete")))
        call.world.state.entries.put(replace(entry, values=values | given))
    ha.plan(call.world, sid)


@routes.route("DELETE", "/cluster/ha/resources/{sid}", {**_RESOURCES.keyed, "purge": boolean()}, _CONSOLE)
def delete_resource(call: Call) -> Json:
    sid = _sid(call)
    if sections.find(call.world, ha.RESOURCES, sid) is None:
        raise die(f"cannot delete service '{sid}', not HA managed!")
    ha.forget(call.world, sid, is_purged=call.flag("purge", default=True))


def _move(call: Call, word: str) -> Json:
    """Ask the manager to bring a resource to a node; it answers what that means for others."""
    sid, node = _sid(call), call.string("node")
    entry = sections.find(call.world, ha.RESOURCES, sid)
    if entry is None or ha.requested(entry) == "ignored":
        raise die(f"resource '{sid}' is not HA managed")
    answer: dict[str, Json] = {"sid": sid, "requested-node": node}
    together = ha.companions(call.world, sid, "positive")
    apart = [name for name in ha.companions(call.world, sid, "negative") if _is_on(call, name, node)]
    if together:
        answer["comigrated-resources"] = together
    if apart:
        return answer | {"blocking-resources": [{"sid": name, "cause": "resource-affinity"} for name in apart]}
    for name in [sid, *together]:
        ha.plan(call.world, name, target=node, move=word)
    return answer


def _is_on(call: Call, sid: str, node: str) -> bool:
    guest = ha.guest_of(call.world, sid)
    return guest is not None and guest.node == node


_TO = {**_RESOURCES.keyed, "node": formatted(formats.node_name).required()}


@routes.route("POST", "/cluster/ha/resources/{sid}/migrate", _TO, _CONSOLE)
def migrate(call: Call) -> Json:
    return _move(call, "migrate")


@routes.route("POST", "/cluster/ha/resources/{sid}/relocate", _TO, _CONSOLE)
def relocate(call: Call) -> Json:
    return _move(call, "relocate")


def _check_rule(call: Call, entry: Entry, is_new: bool) -> None:
    values = entry.values
    if not values.get("disable"):
        values.pop("disable", None)
    for key in ("resources", "nodes"):
        if key in values:
            values[key] = ",".join(sorted(split_list(str(values[key]))))
    unmanaged = [sid for sid in ha.resources_of(entry) if sections.find(call.world, ha.RESOURCES, sid) is None]
    if unmanaged:
        raise die(f"cannot use unmanaged resource(s) {', '.join(unmanaged)}.")
    nodes = [node.partition(":")[0] for node in split_list(str(values.get("nodes", "")))]
    unknown = [node for node in nodes if node not in call.world.state.nodes]
    if unknown:
        raise die(f"cannot use non-existent node(s) {', '.join(unknown)}.")
    found = ha.problems(call.world, entry, sections.rows(call.world, ha.RULES))
    if found:
        raise ApiError(400, f"Rule '{entry.name}' is invalid.", errors=found)


def _rule_row(call: Call, entry: Entry) -> dict[str, Json]:
    place = [rule.name for rule in sections.rows(call.world, ha.RULES)].index(entry.name)
    return {"order": place + 1} | (
        {"strict": entry.values.get("strict", 0)} if entry.values["type"] == "node-affinity" else {}
    )


def _create_rule(call: Call) -> Json:
    make(_RULES)(call)
    ha.spread(call.world)


def _change_rule(call: Call) -> Json:
    change(_RULES)(call)
    ha.spread(call.world)


_RULES = Crud(
    ha.RULES, "/cluster/ha/rules", formatted(formats.config_id), _RULE, lists=_AUDIT, reads=_AUDIT, makes=_CONSOLE,
    changes=_CONSOLE, removes=_CONSOLE, fixed=(), needed=("type",), check=_check_rule, listed=_rule_row, shown=_rule_row, forgets_missing=True,
    filters={"type": one_of("node-affinity", "resource-affinity"), "resource": text()},
    kinds={
        "node-affinity": Kind.of("resources nodes", "comment disable strict"),
        "resource-affinity": Kind.of("resources affinity", "comment disable"),
    },
)  # fmt: skip
serve(routes, _RULES, making=_create_rule, changing=_change_rule)


def _refuse_groups(verb: str) -> None:
    """Groups became rules: nothing is left of them but their refusal."""
    table: dict[str, Param] = {"group": formatted(formats.config_id).required()}
    item, collection = "/cluster/ha/groups/{group}", "/cluster/ha/groups"
    method, path, parameters = {
        "index groups": ("GET", collection, {}),
        "create group": ("POST", collection, {**table, **_GROUP, "nodes": _GROUP["nodes"].required(), "type": one_of("group")}),
        "read group": ("GET", item, table),
        "update group": (
            "PUT", item, {**table, **_GROUP, "digest": text(64), "delete": replace(listing(formats.config_id), max_length=4096)},
        ),
        "delete group": ("DELETE", item, table),
    }[verb]  # fmt: skip

    def handler(call: Call) -> Json:
        raise die(f"cannot {verb}: ha groups have been migrated to rules")

    routes.route(method, path, parameters, _AUDIT if method == "GET" else _CONSOLE)(handler)


for _verb in ("index groups", "create group", "read group", "update group", "delete group"):
    _refuse_groups(_verb)
