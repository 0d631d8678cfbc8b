"""How guests, nodes and storages appear in lists."""

from vms.sandbox.core import ha, metrics, status, volumes
from vms.sandbox.core.model import Guest, Json, Node, Storage
from vms.sandbox.core.world import World

_SERIALS = frozenset(f"serial{index}" for index in range(4))


def guest_row(world: World, guest: Guest) -> dict[str, Json]:
    """A row of /nodes/{node}/qemu or lxc."""
    row: dict[str, Json] = {
        "vmid": guest.vmid, "name": guest.name, "status": "running" if guest.is_running else "stopped",
        "cpus": metrics.cpus(world, guest), **metrics.figures(world, guest), **status.pressures(guest, world.now()),
    }  # fmt: skip
    if guest.kind == "qemu" and not _SERIALS.isdisjoint(guest.config):
        row["serial"] = 1
    if guest.is_template:
        row["template"] = 1
    if guest.is_running:
        row["pid"] = guest.pid
    if guest.kind == "lxc":
        row |= {"type": "lxc", "maxswap": int(guest.config.get("swap", 512)) * 2**20, "swap": 0}
    return row | _marks(guest)


def _marks(guest: Guest) -> dict[str, Json]:
    return {key: guest.config[key] for key in ("lock", "tags") if guest.config.get(key)}


def resource_row(world: World, guest: Guest, pool: str) -> dict[str, Json]:
    """A row of /cluster/resources; without statistics yet, only what the configuration's place tells."""
    row: dict[str, Json] = {
        "id": f"{guest.kind}/{guest.vmid}", "type": guest.kind, "vmid": guest.vmid, "node": guest.node,
    }  # fmt: skip
    told = None if guest.node in world.faults.offline else world.statistics.told(guest)
    if told is not None:
        row["name"] = told[0]
        row["status"] = "running" if told[1] else "stopped"
        row["template"] = int(guest.is_template)
        row["maxcpu"] = metrics.cpus(world, guest)
        row.update(metrics.figures(world, guest))
    else:
        row["status"] = "unknown"
    if pool:
        row["pool"] = pool
    if state := ha.told_state(world, guest):
        row["hastate"] = state
    return row | _marks(guest)


def ha_row(world: World, guest: Guest) -> dict[str, Json]:
    """What the status of a guest says of high availability."""
    resource = ha.resource_of(world, guest)
    if resource is None or not ha.is_managed(world, guest):
        return {"managed": 0}
    return {"managed": 1, **resource.values, "sid": resource.name, "state": ha.requested(resource)}


def node_row(world: World, node: Node, guests: list[Guest]) -> dict[str, Json]:
    row: dict[str, Json] = {
        "id": f"node/{node.name}",
        "node": node.name,
        "type": "node",
        "status": "offline",
        "level": "",
    }
    if node.name in world.faults.offline:
        return row
    load, used = metrics.node_figures(world, node, guests)
    return row | {
        "status": "online", "cpu": load, "maxcpu": node.cpus, "mem": used, "maxmem": node.memory, "disk": node.rootfs // 5,
        "maxdisk": node.rootfs, "uptime": int(world.now() - node.booted_at),
    }  # fmt: skip


def storage_resource_row(world: World, storage: Storage, node: str, used: int) -> dict[str, Json]:
    is_offline = node in world.faults.offline
    return {
        "id": f"storage/{node}/{storage.name}",
        "type": "storage",
        "storage": storage.name,
        "node": node,
        "plugintype": storage.type,
        "status": "unknown" if is_offline else "available",
        "shared": int(storage.is_shared),
        "content": ",".join(storage.content),
        "maxdisk": storage.total,
        "disk": used,
    }


def storage_row(world: World, storage: Storage, node: str) -> dict[str, Json]:
    """A row of /nodes/{node}/storage, without the storage's name."""
    used = volumes.used(world, storage, node)
    return {
        "type": storage.type, "content": ",".join(storage.content), "active": int(storage.is_enabled),
        "enabled": int(storage.is_enabled), "shared": int(storage.is_shared), "total": storage.total, "used": used,
        "avail": max(0, storage.total - used), "used_fraction": used / storage.total,
    }  # fmt: skip


def guests_by_node(world: World) -> dict[str, list[Guest]]:
    found: dict[str, list[Guest]] = {node.name: [] for node in world.state.nodes}
    for guest in world.state.guests:
        found[guest.node].append(guest)
    return found


def pool_of(world: World) -> dict[int, str]:
    return {vmid: pool.poolid for pool in world.state.pools for vmid in pool.vms}
