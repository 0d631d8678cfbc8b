"""/cluster/sdn/vnets: virtual networks in zones, and their subnets; /nodes/{node}/sdn: what runs of them."""

import re
from dataclasses import replace

from vms.sandbox.core import access, formats, permissions, sdn, sections
from vms.sandbox.core.api.crud import DELETE, DIGEST, Crud, Kind, serve_changes
from vms.sandbox.core.api.sdn import LOCK_TOKEN, STATES, check_lock, objects, one, row
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import die, invalid
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.parameters import Param, array, boolean, formatted, integer, one_of, optional, text
from vms.sandbox.core.routing import USER, Access, Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()
VNET_ID = formatted(formats.sdn_id("vnet", length=8))
_VNET = {
    "type": one_of("vnet"), "zone": text().required(), "tag": integer(1, 16777215), "vlanaware": boolean(),
    "alias": text(256, pattern=r"[()\-_.\w\d\s]{0,256}"), "isolate-ports": boolean(),
}  # fmt: skip
_SUBNET = {
    "type": one_of("subnet").required(), "vnet": text().required(), "gateway": formatted(formats.address), "snat": boolean(),
    "dnszoneprefix": formatted(formats.dns_name), "dhcp-dns-server": formatted(formats.address),
    "dhcp-range": array(),
}  # fmt: skip
_TAG_LIMITS = {
    "vlan": ("vlan", 4096),
    "qinq": ("VLAN", 4096),
    "vxlan": ("vxlan", 16777216),
    "evpn": ("vxlan", 16777216),
}


def _check_vnet(call: Call, entry: Entry, is_new: bool) -> None:
    sdn.check_lock(call.world, call.string("lock-token"))
    entry.values["type"] = "vnet"
    zones = sdn.configured(call.world, sdn.ZONES)
    if entry.values["zone"] not in zones:
        raise die(f"sdn '{entry.values['zone']}' does not exist")
    _check_tag(call, entry, str(zones[entry.values["zone"]]["type"]))
    if entry.values.get("vlanaware") and _subnets_of(call, entry.name):
        raise invalid(vlanaware="vlanaware vnet is not compatible with subnets")


def _check_tag(call: Call, entry: Entry, type: str) -> None:
    tag = entry.values.get("tag")
    if type == "simple" and tag is not None:
        raise invalid(tag="vlan tag is not allowed on simple zone")
    if type not in _TAG_LIMITS:
        return
    word, limit = _TAG_LIMITS[type]
    if tag is not None:
        _check_number(
            call, entry, int(tag), f"{word} tag max{'imal' if type == 'qinq' else ''} value is {limit}", limit
        )
    elif type != "qinq":
        raise invalid(tag=f"missing {word} tag")


def _check_number(call: Call, entry: Entry, tag: int, words: str, limit: int) -> None:
    """A tag within its limit, and not another's in the zone."""
    if tag > limit:
        raise invalid(tag=words)
    mine = (entry.values["tag"], entry.values["zone"])
    for name, values in sdn.configured(call.world, sdn.VNETS).items():
        if name != entry.name and (values.get("tag"), values["zone"]) == mine:
            raise invalid(tag=f"tag {tag} already exist in zone {values['zone']} vnet {name}")


def _subnets_of(call: Call, vnet: str) -> sdn.Objects:
    found = objects(call, sdn.SUBNETS)
    return {name: values for name, values in found.items() if values.get("vnet") == vnet}


def _guard_vnet(call: Call, entry: Entry) -> None:
    check_lock(call, entry, False)
    if _subnets_of(call, entry.name):
        raise invalid(vnet="Can't delete vnet if subnets exists")


def on_vnet(*privileges: str) -> Access:
    """Privileges on the vnet in the zone that it lies in."""

    def check(world: access.World, identity: access.Identity, params: access.Params) -> None:
        name = str(params.get("vnet"))
        values = sdn.configured(world, sdn.VNETS).get(name)
        if values is None:
            raise die(sdn.VNETS.missing.format(name))
        permissions.require(world, identity, f"/sdn/zones/{values['zone']}/{name}", *privileges)

    return Access(check)


_ALLOCATE, _AUDIT = on_vnet("SDN.Allocate"), on_vnet("SDN.Audit", "SDN.Allocate")
_VNETS = Crud(
    sdn.VNETS, "/cluster/sdn/vnets", VNET_ID, _VNET, lists=USER, reads=USER, makes=holder("/sdn/zones/{zone}", "SDN.Allocate"),
    changes=_ALLOCATE, removes=_ALLOCATE, always=LOCK_TOKEN, check=_check_vnet, guard=_guard_vnet,
    kinds={"vnet": Kind.of("", "zone tag vlanaware alias isolate-ports")},
)  # fmt: skip
serve_changes(routes, _VNETS)


@routes.route("GET", "/cluster/sdn/vnets", STATES, USER)
def vnets(call: Call) -> Json:
    return [
        row(call, sdn.VNETS, name, values) for name, values in objects(call, sdn.VNETS).items()
        if permissions.may(call.world, call.identity, f"/sdn/zones/{values.get('zone')}/{name}", "SDN.Audit", "SDN.Allocate")
    ]  # fmt: skip


@routes.route("GET", "/cluster/sdn/vnets/{vnet}", {"vnet": VNET_ID.required(), **STATES}, _AUDIT)
def vnet(call: Call) -> Json:
    return one(call, sdn.VNETS)


_BELOW = {"vnet": VNET_ID.required()}
_SUBNET_ID = {**_BELOW, "subnet": formatted(formats.subnet_id).required()}


def _subnet_row(call: Call, name: str, values: dict[str, Json]) -> dict[str, Json]:
    ranges = [dict(part.split("=", 1) for part in span.split(",")) for span in values.get("dhcp-range") or []]
    return {**row(call, sdn.SUBNETS, name, values), **sdn.subnet_parts(name), "dhcp-range": ranges}


@routes.route("GET", "/cluster/sdn/vnets/{vnet}/subnets", {**_BELOW, **STATES}, _AUDIT)
def subnets(call: Call) -> Json:
    return [_subnet_row(call, name, values) for name, values in _subnets_of(call, call.string("vnet")).items()]


def _subnet_name(call: Call) -> str:
    zone = sdn.configured(call.world, sdn.VNETS)[call.string("vnet")]["zone"]
    return sdn.subnet_id(str(zone), call.string("subnet"))


@routes.route("GET", "/cluster/sdn/vnets/{vnet}/subnets/{subnet}", {**_SUBNET_ID, **STATES}, _AUDIT)
def subnet(call: Call) -> Json:
    name = _subnet_name(call)
    found = objects(call, sdn.SUBNETS).get(name)
    if found is None:
        raise die(sdn.SUBNETS.missing.format(name))
    if found["vnet"] != call.string("vnet"):
        raise invalid(vnet="wrong vnet")
    return _subnet_row(call, name, found)


def _given(call: Call) -> dict[str, Json]:
    given: dict[str, Json] = {key: call.params[key] for key in _SUBNET if key in call.params}
    return given | ({"dhcp-range": call.array("dhcp-range")} if "dhcp-range" in call.params else {})


@routes.route("POST", "/cluster/sdn/vnets/{vnet}/subnets", {**_SUBNET_ID, **_SUBNET, **LOCK_TOKEN}, _ALLOCATE)
def create_subnet(call: Call) -> Json:
    name = _subnet_name(call)
    with sections.locked("create", sdn.SUBNETS):
        sdn.check_lock(call.world, call.string("lock-token"))
        if sections.find(call.world, sdn.SUBNETS, name) is not None:
            raise die(sdn.SUBNETS.taken.format(name))
        entry = Entry(sdn.SUBNETS.name, name, _given(call))
        _check_subnet(call, entry)
        call.world.state.entries.put(entry)


def _check_subnet(call: Call, entry: Entry) -> None:
    cidr, gateway = sdn.subnet_parts(entry.name)["cidr"], str(entry.values.get("gateway") or "")
    if sdn.configured(call.world, sdn.VNETS)[call.string("vnet")].get("vlanaware"):
        raise invalid(vnet="you can't add a subnet on a vlanaware vnet")
    if gateway and not cidr.endswith("/32") and not sdn.is_within(cidr, gateway):
        raise invalid(gateway=f"{gateway} is not in subnet {cidr}")
    for span in entry.values.get("dhcp-range") or []:
        _check_range(cidr, span)


def _check_range(cidr: str, span: str) -> None:
    for word in ("start", "end"):
        match = re.search(rf"{word}-address=([^,]+)", span)
        address = match[1] if match else ""
        try:
            is_within = sdn.is_within(cidr, address)
        except ValueError as error:
            raise invalid(dhcp_range=f"{word}-address is not a valid IP {address}") from error
        if not is_within:
            raise invalid(dhcp_range=f"{word}-address {address} is not in subnet {cidr}")


def _existing(call: Call) -> Entry:
    return sections.require(call.world, sdn.SUBNETS, _subnet_name(call))


@routes.route(
    "PUT", "/cluster/sdn/vnets/{vnet}/subnets/{subnet}",
    {**_SUBNET_ID, **optional({key: param for key, param in _SUBNET.items() if key != "type"}), **DELETE, **DIGEST, **LOCK_TOKEN},
    _ALLOCATE,
)  # fmt: skip
def change_subnet(call: Call) -> Json:
    with sections.locked("update", sdn.SUBNETS):
        sdn.check_lock(call.world, call.string("lock-token"))
        sections.check_digest(sections.digest(call.world, sdn.SUBNETS), call.string("digest"))
        entry = _existing(call)
        values, given = dict(entry.values), _given(call)
        sections.drop_options(values, _SUBNET, given, split_list(call.string("delete")))
        wanted = replace(entry, values=values | given)
        _check_subnet(call, wanted)
        call.world.state.entries.put(wanted)


@routes.route("DELETE", "/cluster/sdn/vnets/{vnet}/subnets/{subnet}", {**_SUBNET_ID, **LOCK_TOKEN}, _ALLOCATE)
def delete_subnet(call: Call) -> Json:
    with sections.locked("delete", sdn.SUBNETS):
        sdn.check_lock(call.world, call.string("lock-token"))
        call.world.state.entries.remove(_existing(call))


_ZONE = {**NODE, "zone": Param(format=formats.sdn_id("zone", length=8), is_required=True)}


@routes.route("GET", "/nodes/{node}/sdn/zones", NODE, USER)
def zones_of_node(call: Call) -> Json:
    """The zones that run on a node."""
    return [
        {"zone": name, "status": "available"} for name, values in sdn.running(call.world, sdn.ZONES).items()
        if sdn.is_on(values, call.node)
        and permissions.may(call.world, call.identity, f"/sdn/zones/{name}", "SDN.Audit", "SDN.Allocate")
    ]  # fmt: skip


@routes.route("GET", "/nodes/{node}/sdn/zones/{zone}", _ZONE, holder("/sdn/zones/{zone}", "SDN.Audit"))
def zone_index(call: Call) -> Json:
    return [{"subdir": name} for name in ("content", "bridges", "ip-vrf")]


@routes.route("GET", "/nodes/{node}/sdn/zones/{zone}/content", _ZONE, holder("/sdn/zones/{zone}", "SDN.Audit"))
def zone_content(call: Call) -> Json:
    found = sdn.running(call.world, sdn.VNETS).items()
    return [{"vnet": name, "status": "available"} for name, values in found if values["zone"] == call.string("zone")]
