"""What rrddata tells: figures of the past, at the steps in which a node keeps them."""

import math

from vms.sandbox.core import drives, metrics, status, volumes
from vms.sandbox.core.kinds import QEMU
from vms.sandbox.core.model import Guest, Json, Node, Storage
from vms.sandbox.core.sizes import GIB
from vms.sandbox.core.world import World

STEPS = {
    "hour": (60, 60), "day": (60, 1440), "week": (1800, 336), "month": (1800, 1440), "year": (21_600, 1440),
    "decade": (604_800, 570),
}  # fmt: skip


_SLOWLY = 400 * 86_400.0


def of_storage(world: World, storage: Storage, node: str, timeframe: str) -> list[dict[str, Json]]:
    """The rows of a storage's rrddata: it has filled up slowly to what is used now."""
    step, count = STEPS[timeframe]
    now, used = world.now(), volumes.used(world, storage, node)
    last = int(now) // step * step
    swing = metrics.swing(f"{storage.name} {node}")
    rows: list[dict[str, Json]] = []
    for back in range(count - 1, -1, -1):
        moment = last - step * back
        share = math.exp((moment - now) / _SLOWLY) * (0.995 + 0.005 * swing.at(moment))
        rows.append({"time": moment, "total": storage.total, "used": int(used * share)})
    return rows


def of_guest(world: World, guest: Guest, timeframe: str) -> list[dict[str, Json]]:
    """The rows of rrddata; moments at which the guest was off carry only their time."""
    step, count = STEPS[timeframe]
    last = int(world.now()) // step * step
    return [_history_row(world, guest, last - step * back) for back in range(count - 1, -1, -1)]


def _history_row(world: World, guest: Guest, moment: int) -> dict[str, Json]:
    if not guest.is_running or moment < guest.started_at:
        return {"time": moment}
    used = metrics.mem(guest, moment)
    row: dict[str, Json] = {
        "time": moment,
        "cpu": metrics.cpu(guest, moment),
        "maxcpu": metrics.cpus(world, guest),
        "mem": used,
        "maxmem": metrics.memory(guest),
        "disk": metrics.disk_used(world, guest),
        "maxdisk": drives.boot_size(guest),
    }
    if guest.kind == QEMU.name:
        row["memhost"] = int(used * 1.05)
    return row | metrics.rates(guest, moment) | status.pressures(guest, moment)


def of_node(world: World, node: Node, guests: list[Guest], timeframe: str) -> list[dict[str, Json]]:
    """The rows of a node's rrddata; before its boot it has told nothing."""
    step, count = STEPS[timeframe]
    last = int(world.now()) // step * step
    return [_node_row(world, node, guests, last - step * back) for back in range(count - 1, -1, -1)]


def _node_row(world: World, node: Node, guests: list[Guest], moment: int) -> dict[str, Json]:
    if moment < node.booted_at:
        return {"time": moment}
    up = [guest for guest in guests if guest.is_running and guest.started_at <= moment]
    load = sum(metrics.cpu(guest, moment) * metrics.cpus(world, guest) for guest in up)
    busy = min(1.0, 0.01 + 0.02 * metrics.swing(node.name).at(moment) + load / node.cpus)
    used = min(node.memory, int(node.memory * 0.035) + sum(metrics.mem(guest, moment) for guest in up))
    traffic = [metrics.rates(guest, moment) for guest in up]
    return {
        "time": moment, "cpu": busy, "maxcpu": node.cpus, "loadavg": round(busy * node.cpus, 2), "iowait": busy / 50,
        "memtotal": node.memory, "memused": used, "memavailable": node.memory - used, "arcsize": 0,
        "swaptotal": 8 * GIB, "swapused": 0, "roottotal": node.rootfs, "rootused": node.rootfs // 5,
        "netin": sum(one["netin"] for one in traffic), "netout": sum(one["netout"] for one in traffic),
        "pressurecpusome": round(busy * 2, 2), "pressureiosome": round(busy / 10, 2), "pressureiofull": 0,
        "pressurememorysome": 0, "pressurememoryfull": 0,
    }  # fmt: skip
