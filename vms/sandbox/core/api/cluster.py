"""/version and /cluster."""

from vms.sandbox.core import formats, permissions, sdn, volumes
from vms.sandbox.core.api import datacenter, rows
from vms.sandbox.core.errors import invalid
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Param, one_of
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.world import World

routes = Routes()
CLUSTER_NAME = "sandbox"
_OPTIONAL_VMID = Param("integer", format=formats.vmid, minimum=100, maximum=999_999_999)


@routes.route("GET", "/", {}, USER)
def index(call: Call) -> Json:
    names = ("access", "cluster", "nodes", "pools", "storage", "version")
    return [{"subdir": name} for name in names]


@routes.route("GET", "/version", {}, USER)
def version(call: Call) -> Json:
    return {"version": "9.2.4", "release": "9.2", "repoid": "5e5ae681198514d4"}


@routes.route("GET", "/cluster/status", {}, holder("/", "Sys.Audit"))
def status(call: Call) -> Json:
    world, nodes = call.world, list(call.world.state.nodes)
    head = {
        "type": "cluster", "id": "cluster", "name": CLUSTER_NAME, "nodes": len(nodes), "version": len(nodes),
        "quorate": int(not world.faults.is_without_quorum),
    }  # fmt: skip
    return [head, *(_status_row(world, node.name, node.nodeid, node.ip) for node in nodes)]


def _status_row(world: World, name: str, nodeid: int, ip: str) -> dict[str, Json]:
    return {
        "type": "node", "id": f"node/{name}", "name": name, "nodeid": nodeid, "ip": ip, "level": "",
        "online": int(name not in world.faults.offline), "local": int(name == world.entry_node),
    }  # fmt: skip


@routes.route("GET", "/cluster/nextid", {"vmid": _OPTIONAL_VMID}, USER)
def next_id(call: Call) -> Json:
    """The lowest free number, or a check of a given one. It reserves nothing."""
    guests = call.world.state.guests
    if "vmid" in call.params:
        if call.vmid in guests:
            raise invalid(vmid=f"VM {call.vmid} already exists")
        return str(call.vmid)
    return str(datacenter.lowest_free_id(call.world))


@routes.route("GET", "/cluster/resources", {"type": one_of("vm", "storage", "node", "sdn")}, USER)
def resources(call: Call) -> Json:
    wanted = call.string("type")
    parts = {"node": _nodes, "vm": _guests, "storage": _storages, "sdn": _networks}
    if wanted:
        return parts[wanted](call)
    return [row for part in parts.values() for row in part(call)] + _pools(call)


def _nodes(call: Call) -> list[dict[str, Json]]:
    by_node = rows.guests_by_node(call.world)
    return [
        rows.node_row(call.world, node, by_node[node.name]) | {"hastate": "online", "cgroup-mode": 2}
        for node in call.world.state.nodes
    ]


def _guests(call: Call) -> list[dict[str, Json]]:
    world, pools = call.world, rows.pool_of(call.world)
    world.statistics.collect(list(world.state.guests))
    return [
        rows.resource_row(world, guest, pools.get(guest.vmid, ""))
        for guest in world.state.guests
        if permissions.may(world, call.identity, f"/vms/{guest.vmid}", "VM.Audit")
    ]


def _storages(call: Call) -> list[dict[str, Json]]:
    world, used = call.world, _usage(call.world)
    return [
        rows.storage_resource_row(world, storage, node.name, used[storage.name, "" if storage.is_shared else node.name])
        for storage in world.state.storages
        for node in world.state.nodes
        if storage.is_on(node.name)
        and permissions.may(world, call.identity, f"/storage/{storage.name}", "Datastore.Audit")
    ]


def _usage(world: World) -> dict[tuple[str, str], int]:
    """Used bytes of every storage on every node, in one pass over the volumes."""
    places = [
        (storage, "" if storage.is_shared else node.name)
        for storage in world.state.storages
        for node in world.state.nodes
    ]
    totals = {(storage.name, place): volumes.own_files(storage) for storage, place in places}
    for volume in world.state.volumes:
        if (volume.storage, volume.node) in totals:
            totals[volume.storage, volume.node] += volume.used
    full = {(storage.name, place): storage.total for storage, place in places if storage.name in world.faults.full}
    return totals | full


def _networks(call: Call) -> list[dict[str, Json]]:
    return [
        {
            "id": f"network/{node.name}/zone/{zone}", "type": "network", "network": zone, "network-type": "zone",
            "node": node.name, "status": "ok",
        }
        for node in call.world.state.nodes
        for zone, values in {"localnetwork": {}, **sdn.running(call.world, sdn.ZONES)}.items()
        if sdn.is_on(values, node.name)
    ]  # fmt: skip


def _pools(call: Call) -> list[dict[str, Json]]:
    return [{"id": f"/pool/{pool.poolid}", "pool": pool.poolid, "type": "pool"} for pool in call.world.state.pools]
