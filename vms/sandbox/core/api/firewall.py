"""The firewalls' rules and options, wherever there is one: cluster, nodes, guests, vnets and security groups."""

from collections.abc import Callable
from dataclasses import dataclass

from vms.sandbox.core import firewall, formats, sections
from vms.sandbox.core.api.tables import GUEST, NODE
from vms.sandbox.core.api.vnets import VNET_ID, on_vnet
from vms.sandbox.core.errors import die, invalid, wrong
from vms.sandbox.core.firewall import Rule, Scope
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Param, Table, boolean, formatted, integer, listing, one_of, text
from vms.sandbox.core.routing import SUPERUSER, USER, Access, Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()
NAME = text(64, min_length=2, pattern=firewall.NAME)
DIGEST = {"digest": text(64)}
_LEVEL = one_of("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "nolog")
_POLICY, _FORWARD = one_of("ACCEPT", "REJECT", "DROP"), one_of("ACCEPT", "DROP")
_RULE = {
    "type": one_of("in", "out", "forward", "group"), "action": text(20, min_length=2, pattern=firewall.NAME),
    "enable": integer(0), "macro": text(128), "proto": formatted(formats.protocol), "dport": formatted(formats.ports),
    "sport": formatted(formats.ports), "source": Param(format=formats.addresses, max_length=512),
    "dest": Param(format=formats.addresses, max_length=512), "iface": Param(format=formats.interface, min_length=2, max_length=20),
    "log": _LEVEL, "icmp-type": text(), "comment": text(),
}  # fmt: skip
_NEW_RULE = {
    **_RULE,
    "type": _RULE["type"].required(),
    "action": _RULE["action"].required(),
    "pos": integer(0),
    **DIGEST,
}
_POS = {"pos": integer(0).required()}


@dataclass(frozen=True, slots=True)
class Place:
    """One of the firewalls: where it is served, what it is addressed by, and who may look and change."""

    path: str
    params: Table
    reads: Access
    writes: Access
    scope: Callable[[Call], Scope]
    options: Table
    children: tuple[str, ...]


def _guest_scope(kind: str) -> Callable[[Call], Scope]:
    def scope(call: Call) -> Scope:
        guest = call.guest(kind)
        return Scope("ct" if kind == "lxc" else "vm", f"vm {guest.vmid}", f"vm-{guest.vmid}")

    return scope


def _vnet_scope(call: Call) -> Scope:
    name = call.string("vnet")
    return Scope("vnet", f"vnet {name}", f"vnet-{name}")


_CLUSTER_OPTIONS = {
    "enable": integer(0), "ebtables": boolean(), "policy_in": _POLICY, "policy_out": _POLICY, "policy_forward": _FORWARD,
    "log_ratelimit": text(),
}  # fmt: skip
_NODE_OPTIONS = {
    "enable": boolean(), "log_level_in": _LEVEL, "log_level_out": _LEVEL, "log_level_forward": _LEVEL, "smurf_log_level": _LEVEL,
    "tcp_flags_log_level": _LEVEL, "nosmurfs": boolean(), "tcpflags": boolean(), "ndp": boolean(), "nftables": boolean(),
    "log_nf_conntrack": boolean(), "nf_conntrack_allow_invalid": boolean(), "nf_conntrack_helpers": text(),
    "nf_conntrack_max": integer(32768), "nf_conntrack_tcp_timeout_established": integer(7875),
    "nf_conntrack_tcp_timeout_syn_recv": integer(30, 60), "protection_synflood": boolean(),
    "protection_synflood_burst": integer(), "protection_synflood_rate": integer(),
}  # fmt: skip
_GUEST_OPTIONS = {
    "enable": boolean(), "macfilter": boolean(), "dhcp": boolean(), "ndp": boolean(), "radv": boolean(), "ipfilter": boolean(),
    "policy_in": _POLICY, "policy_out": _POLICY, "log_level_in": _LEVEL, "log_level_out": _LEVEL,
}  # fmt: skip
_VNET_OPTIONS = {"enable": boolean(), "policy_forward": _FORWARD, "log_level_forward": _LEVEL}
_ON_VM = (holder("/vms/{vmid}", "VM.Audit"), holder("/vms/{vmid}", "VM.Config.Network"))
_OF_GUEST = ("rules", "options", "aliases", "ipset", "refs", "log")
CLUSTER = Place(
    "/cluster/firewall", {}, holder("/", "Sys.Audit"), holder("/", "Sys.Modify"), lambda call: firewall.CLUSTER,
    _CLUSTER_OPTIONS, ("rules", "options", "aliases", "ipset", "groups", "macros", "refs"),
)  # fmt: skip
NODES = Place(
    "/nodes/{node}/firewall", NODE, holder("/nodes/{node}", "Sys.Audit"), holder("/nodes/{node}", "Sys.Modify"),
    lambda call: Scope("host", f"node {call.node}", f"host-{call.node}"), _NODE_OPTIONS, ("rules", "options", "log"),
)  # fmt: skip
GUESTS = tuple(
    Place(f"/nodes/{{node}}/{kind}/{{vmid}}/firewall", GUEST, *_ON_VM, _guest_scope(kind), _GUEST_OPTIONS, _OF_GUEST)
    for kind in ("qemu", "lxc")
)
VNETS = Place(
    "/cluster/sdn/vnets/{vnet}/firewall", {"vnet": VNET_ID.required()}, on_vnet("SDN.Audit", "SDN.Allocate"),
    on_vnet("SDN.Allocate"), _vnet_scope, _VNET_OPTIONS, ("rules", "options"),
)  # fmt: skip


def _rule_of(call: Call) -> Rule:
    return {key: call.params[key] for key in _RULE if key in call.params}


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a firewall, or of one of its security groups."""

    place: Place

    def kind(self, call: Call) -> str:
        return "group" if "group" in call.params else self.place.scope(call).kind

    def among(self, call: Call, values: dict[str, Json]) -> list[Rule]:
        if "group" not in call.params:
            found: list[Rule] = values["rules"]
            return found
        name = call.string("group")
        if name not in values["groups"]:
            raise die(f"no such security group '{name}'")
        grouped: list[Rule] = values["groups"][name]["rules"]
        return grouped

    def list(self, call: Call) -> Json:
        return firewall.rows(self.among(call, firewall.config(call.world, self.place.scope(call))))

    def read(self, call: Call) -> Json:
        rules = self.among(call, firewall.config(call.world, self.place.scope(call)))
        firewall.at(rules, call.number("pos"))
        return firewall.rows(rules)[call.number("pos")]

    def create(self, call: Call) -> Json:
        scope = self.place.scope(call)
        with firewall.changing(call.world, scope) as values:
            rules, rule = self.among(call, values), {"enable": 0, **_rule_of(call)}
            firewall.verify(call.world, scope, self.kind(call), rule)
            rules.insert(0, rule)

    def change(self, call: Call) -> Json:
        scope, place = self.place.scope(call), call.number("pos")
        with firewall.changing(call.world, scope) as values:
            rules = self.among(call, values)
            sections.check_digest(sections.digest_of(rules), call.string("digest"))
            rule = firewall.at(rules, place)
            if "moveto" in call.params and call.number("moveto") != place:
                rules[:] = firewall.move(rules, place, call.number("moveto"))
                return
            rule.update(_rule_of(call))
            for key in split_list(call.string("delete")):
                rule.pop(key, None)
            firewall.verify(call.world, scope, self.kind(call), rule)

    def delete(self, call: Call) -> Json:
        with firewall.changing(call.world, self.place.scope(call)) as values:
            rules = self.among(call, values)
            sections.check_digest(sections.digest_of(rules), call.string("digest"))
            rules.remove(firewall.at(rules, call.number("pos")))


def _serve_rules(place: Place, path: str, params: Table) -> None:
    rules, item = _Rules(place), f"{path}/{{pos}}"
    changed = {**_RULE, "moveto": integer(0), "delete": listing(formats.config_id), **DIGEST}
    routes.route("GET", path, params, place.reads)(rules.list)
    routes.route("POST", path, {**params, **_NEW_RULE}, place.writes)(rules.create)
    routes.route("GET", item, {**params, **_POS}, place.reads)(rules.read)
    routes.route("PUT", item, {**params, **_POS, **changed}, place.writes)(rules.change)
    routes.route("DELETE", item, {**params, **_POS, **DIGEST}, place.writes)(rules.delete)


def _serve_options(place: Place) -> None:
    path = f"{place.path}/options"

    def read(call: Call) -> Json:
        options = firewall.config(call.world, place.scope(call))["options"]
        return {**options, "digest": sections.digest_of(options)}

    def change(call: Call) -> Json:
        with firewall.changing(call.world, place.scope(call)) as values:
            options = values["options"]
            sections.check_digest(sections.digest_of(options), call.string("digest"))
            for name in split_list(call.string("delete")):
                if name not in place.options:
                    raise invalid(delete=f"no such option '{name}'")
                options.pop(name, None)
            options.update({name: call.params[name] for name in place.options if name in call.params})

    given = {**place.params, **place.options, "delete": listing(formats.config_id), **DIGEST}
    routes.route("GET", path, place.params, place.reads)(read)
    routes.route("PUT", path, given, place.writes)(change)


def _serve_index(place: Place) -> None:
    def index(call: Call) -> Json:
        return [{"name": name} for name in place.children]

    routes.route("GET", place.path, place.params, SUPERUSER if place is VNETS else USER)(index)


for _place in (CLUSTER, NODES, *GUESTS, VNETS):
    _serve_index(_place)
    _serve_rules(_place, f"{_place.path}/rules", _place.params)
    _serve_options(_place)

_GROUP = {"group": text(18, min_length=2, pattern=firewall.NAME).required()}
_serve_rules(CLUSTER, "/cluster/firewall/groups/{group}", _GROUP)


@routes.route("GET", "/cluster/firewall/groups", {}, USER)
def groups(call: Call) -> Json:
    found = firewall.config(call.world, firewall.CLUSTER)["groups"]
    shown = [{"group": name, **_comment(group)} for name, group in sorted(found.items())]
    return firewall.with_digest(shown)


def _comment(row: dict[str, Json]) -> dict[str, Json]:
    return {"comment": row["comment"]} if row.get("comment") else {}


_NEW_GROUP = {**_GROUP, "comment": text(), "rename": text(18, min_length=2, pattern=firewall.NAME), **DIGEST}


@routes.route("POST", "/cluster/firewall/groups", _NEW_GROUP, CLUSTER.writes)
def create_group(call: Call) -> Json:
    """Make a security group, or rename one, which its comment can be changed with as well."""
    name, old = call.string("group"), call.string("rename")
    with firewall.changing(call.world, firewall.CLUSTER) as values:
        found = values["groups"]
        if old and old not in found:
            raise wrong({"group": f"Security group '{old}' does not exist"})
        if name in found and name != old:
            raise wrong({"group": f"Security group '{name}' {'does already exist' if old else 'already exists'}"})
        kept = found.pop(old, {"rules": []})
        found[name] = {**kept, **_comment(call.params)}


@routes.route("DELETE", "/cluster/firewall/groups/{group}", _GROUP, CLUSTER.writes)
def delete_group(call: Call) -> Json:
    name = call.string("group")
    with firewall.changing(call.world, firewall.CLUSTER) as values:
        if values["groups"].get(name, {}).get("rules"):
            raise die(f"Security group '{name}' is not empty")
        values["groups"].pop(name, None)


@routes.route("GET", "/cluster/firewall/macros", {}, USER)
def macros(call: Call) -> Json:
    return [{"macro": name, "descr": words} for name, words in sorted(firewall.MACROS.items())]
