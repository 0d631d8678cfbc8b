"""/cluster/sdn: zones, controllers, IPAM and DNS servers, and the application of all of it."""

from dataclasses import replace

from vms.sandbox.core import formats, permissions, sdn, sections, tasks
from vms.sandbox.core.api.crud import Crud, Kind, serve_changes
from vms.sandbox.core.errors import die, invalid
from vms.sandbox.core.model import Entry, Json, Task
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, listing, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.sections import Section
from vms.sandbox.core.world import World

routes = Routes()
FABRIC_ID = formatted(formats.sdn_id("fabric", length=8))
LOCK_TOKEN = {"lock-token": text()}
STATES = {"pending": boolean(), "running": boolean()}
_ALLOCATE = holder("/sdn", "SDN.Allocate")
_FINGERPRINT = text(pattern="([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}")
_NODES = listing(formats.node_name)
_ZONE = {
    "type": one_of("evpn", "faucet", "qinq", "simple", "vlan", "vxlan").required(), "nodes": _NODES, "mtu": integer(),
    "dns": text(), "reversedns": text(), "dnszone": formatted(formats.dns_name), "ipam": text(), "dhcp": one_of("dnsmasq"),
    "bridge": text(), "bridge-disable-mac-learning": boolean(), "tag": integer(0), "vlan-protocol": one_of("802.1q", "802.1ad"),
    "peers": listing(formats.address), "vxlan-port": integer(1, 65536), "fabric": FABRIC_ID, "vrf-vxlan": integer(1, 16777215),
    "controller": text(), "exitnodes": _NODES, "exitnodes-local-routing": boolean(),
    "exitnodes-primary": formatted(formats.node_name), "advertise-subnets": boolean(),
    "disable-arp-nd-suppression": boolean(), "rt-import": text(), "mac": formatted(formats.mac), "dp-id": integer(),
}  # fmt: skip
_NAMING = "nodes mtu dns reversedns dnszone ipam"
_ZONE_KINDS = {
    "simple": Kind.of("", f"{_NAMING} dhcp"),
    "vlan": Kind.of("bridge", f"{_NAMING} bridge-disable-mac-learning"),
    "qinq": Kind.of("bridge tag", f"{_NAMING} bridge-disable-mac-learning vlan-protocol"),
    "vxlan": Kind.of("", f"{_NAMING} peers vxlan-port fabric"),
    "evpn": Kind.of(
        "vrf-vxlan controller", f"{_NAMING} exitnodes exitnodes-local-routing exitnodes-primary advertise-subnets "
        "disable-arp-nd-suppression bridge-disable-mac-learning rt-import vxlan-port mac",
    ),
    "faucet": Kind.of("", f"{_NAMING} dp-id controller"),
}  # fmt: skip
_CONTROLLER = {
    "type": one_of("bgp", "evpn", "faucet", "isis").required(), "asn": integer(0, 4294967295),
    "bgp-multipath-as-path-relax": boolean(), "ebgp": boolean(), "ebgp-multihop": integer(), "fabric": FABRIC_ID,
    "isis-domain": text(), "isis-ifaces": listing(formats.interface), "isis-net": text(), "loopback": text(),
    "node": formatted(formats.node_name), "peers": listing(formats.address),
}  # fmt: skip
_CONTROLLER_KINDS = {
    "bgp": Kind.of("node asn peers", "bgp-multipath-as-path-relax ebgp ebgp-multihop loopback"),
    "evpn": Kind.of("asn", "peers fabric"),
    "isis": Kind.of("isis-domain isis-net isis-ifaces node", "loopback"),
    "faucet": Kind.of("", ""),
}
_IPAM = {
    "type": one_of("netbox", "phpipam", "pve").required(), "url": text(), "token": text(), "section": integer(),
    "fingerprint": _FINGERPRINT,
}  # fmt: skip
_IPAM_KINDS = {
    "pve": Kind.of("", ""),
    "netbox": Kind.of("url token", "fingerprint"),
    "phpipam": Kind.of("url token section", "fingerprint"),
}
_DNS = {
    "type": one_of("powerdns").required(), "url": text().required(), "key": text().required(), "ttl": integer(),
    "reversemaskv6": integer(), "reversev6mask": integer(), "fingerprint": _FINGERPRINT,
}  # fmt: skip


def objects(call: Call, section: Section) -> sdn.Objects:
    """As they are configured, as they run, or with what waits: what the call asks for."""
    if call.flag("pending"):
        return sdn.pending(call.world, section)
    if call.flag("running"):
        return sdn.running(call.world, section)
    return sdn.configured(call.world, section)


def row(call: Call, section: Section, name: str, values: dict[str, Json]) -> dict[str, Json]:
    digest = {} if call.flag("pending") or call.flag("running") else {"digest": sections.digest(call.world, section)}
    return {**values, section.key: name, **digest}


def one(call: Call, section: Section) -> dict[str, Json]:
    name = call.string(section.key)
    values = objects(call, section).get(name)
    if values is None:
        raise die(section.missing.format(name))
    return row(call, section, name, values)


def check_zone(call: Call, entry: Entry, is_new: bool) -> None:
    sdn.check_lock(call.world, call.string("lock-token"))
    known = sdn.configured(call.world, sdn.DNS)
    for key in ("dns", "reversedns"):
        if call.string(key) and call.string(key) not in known:
            raise invalid(**{key: f"{call.string(key)} don't exist"})
    if call.string("dnszone") and not call.string("dns"):
        raise invalid(dnszone="missing dns server")
    if call.string("ipam") and call.string("ipam") not in sdn.configured(call.world, sdn.IPAMS):
        raise invalid(ipam=f"{call.string('ipam')} not existing")
    controller = entry.values.get("controller")
    if entry.values["type"] == "evpn" and controller not in sdn.configured(call.world, sdn.CONTROLLERS):
        raise die(f"controller {controller} don't exist")


def guard_zone(call: Call, entry: Entry) -> None:
    check_lock(call, entry, False)
    for name, values in sdn.configured(call.world, sdn.VNETS).items():
        if values.get("zone") == entry.name:
            raise die(f"zone {entry.name} is used by vnet {name}")


def check_lock(call: Call, entry: Entry, is_new: bool) -> None:
    sdn.check_lock(call.world, call.string("lock-token"))


def guard_controller(call: Call, entry: Entry) -> None:
    check_lock(call, entry, False)
    for name, values in sdn.configured(call.world, sdn.ZONES).items():
        if values.get("controller") == entry.name:
            raise die(f"controller {entry.name} is used by {name}")


def guard_server(call: Call, entry: Entry) -> None:
    """An IPAM or DNS server that a zone uses stays."""
    check_lock(call, entry, False)
    key = "ipam" if entry.section == sdn.IPAMS.name else "dns"
    for name, values in sdn.configured(call.world, sdn.ZONES).items():
        if values.get(key) == entry.name:
            raise die(f"{key} {entry.name} is used by {name}")


def _crud(section: Section, options: dict[str, Param], kinds: dict[str, Kind], changes_on: str = "") -> Crud:
    path, allocate = f"/cluster/{section.name}", holder(f"/{section.name}", "SDN.Allocate")
    changing = holder(changes_on, "SDN.Allocate") if changes_on else allocate
    return Crud(
        section, path, formatted(formats.sdn_id(section.key, length=8 if section is sdn.ZONES else 0)), options, makes=allocate, changes=changing, removes=changing, kinds=kinds, check=check_lock,
        always=LOCK_TOKEN, lists=USER, reads=holder(f"/{section.name}/{{{section.key}}}", "SDN.Allocate"),
    )  # fmt: skip


_CRUDS = (
    replace(_crud(sdn.ZONES, _ZONE, _ZONE_KINDS, "/sdn/zones/{zone}"), check=check_zone, guard=guard_zone),
    replace(_crud(sdn.CONTROLLERS, _CONTROLLER, _CONTROLLER_KINDS), guard=guard_controller),
    replace(_crud(sdn.IPAMS, _IPAM, _IPAM_KINDS), guard=guard_server),
    replace(_crud(sdn.DNS, _DNS, {}), fixed=("type", "reversev6mask"), guard=guard_server),
)


def _serve_reads(crud: Crud) -> None:
    section = crud.section
    states = STATES if section in sdn.APPLIED else {}

    def list_all(call: Call) -> Json:
        found = objects(call, section).items()
        return [row(call, section, name, values) for name, values in found if _is_shown(call, section, name, values)]

    def read(call: Call) -> Json:
        return one(call, section)

    routes.route("GET", crud.path, {"type": replace(crud.options["type"], is_required=False), **states}, USER)(list_all)
    routes.route("GET", crud.item, {**crud.keyed, **states}, crud.reads)(read)


def _is_shown(call: Call, section: Section, name: str, values: dict[str, Json]) -> bool:
    if call.string("type") not in {"", values.get("type")}:
        return False
    return permissions.may(call.world, call.identity, f"/{section.name}/{name}", "SDN.Audit", "SDN.Allocate")


for _one in _CRUDS:
    serve_changes(routes, _one)
    _serve_reads(_one)


@routes.route("GET", "/cluster/sdn", {}, holder("/sdn", "SDN.Audit"))
def index(call: Call) -> Json:
    return [{"id": name} for name in ("vnets", "zones", "controllers", "ipams", "dns", "fabrics")]


_RELEASE = {**LOCK_TOKEN, "release-lock": boolean()}


@routes.route("PUT", "/cluster/sdn", _RELEASE, _ALLOCATE)
def apply(call: Call) -> Json:
    """Make what is configured run, and let every node load it."""
    with sections.locked_as("could not commit SDN config", sdn.LOCK):
        sdn.check_lock(call.world, call.string("lock-token"))
        sdn.commit(call.world)
    _release_after(call)
    return tasks.fork(call.world, call.identity, tasks.Work("reloadnetworkall", call.world.entry_node, seconds=3.0))


def _release_after(call: Call) -> None:
    if call.string("lock-token") and call.flag("release-lock", default=True):
        call.world.state.set("sdn lock", "")


@tasks.effect("reloadnetworkall")
def finish_apply(world: World, task: Task) -> None:
    for node in world.state.nodes:
        tasks.say(task, f"{node.name}: reloading network config")


@routes.route("POST", "/cluster/sdn/rollback", _RELEASE, _ALLOCATE)
def roll_back(call: Call) -> Json:
    sdn.check_lock(call.world, call.string("lock-token"))
    sdn.roll_back(call.world)
    _release_after(call)


@routes.route("POST", "/cluster/sdn/lock", {"allow-pending": boolean()}, _ALLOCATE)
def take_lock(call: Call) -> Json:
    sdn.check_lock(call.world, "")
    if not call.flag("allow-pending") and sdn.has_pending(call.world):
        raise die("configuration has pending changes")
    token = call.world.random_uuid()
    call.world.state.set("sdn lock", token)
    return token


@routes.route("DELETE", "/cluster/sdn/lock", {**LOCK_TOKEN, "force": boolean()}, _ALLOCATE)
def release_lock(call: Call) -> Json:
    if not call.flag("force"):
        sdn.check_lock(call.world, call.string("lock-token"))
    call.world.state.set("sdn lock", "")
