"""The worker that carries a guest to another node, whoever sends it: a caller, or the manager of high availability."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vms.sandbox.core import metrics, tasks
from vms.sandbox.core.kinds import QEMU, kind_of
from vms.sandbox.core.model import Guest
from vms.sandbox.core.sizes import GIB
from vms.sandbox.core.world import World

_SECONDS_PER_GIB = 0.4
TYPES = {"qemu": "qmigrate", "lxc": "vzmigrate"}


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Where to, and how: `moved` are bytes of local disks, `storages` says where the volumes of each storage go."""

    target: str
    is_online: bool = False
    is_restarted: bool = False
    has_disks: bool = False
    moved: int = 0
    storages: Mapping[str, str] = field(default_factory=dict)


def work_of(world: World, guest: Guest, journey: Journey) -> tasks.Work:
    """The task; the memory of what runs is carried as well."""
    live = metrics.memory(guest) if guest.is_running else 0
    label = kind_of(guest).label
    line = f"starting migration of {label} {guest.vmid} to node '{journey.target}' ({world.node(journey.target).ip})"
    return tasks.Work(
        TYPES[guest.kind], guest.node, str(guest.vmid), 2.0 + _SECONDS_PER_GIB * (journey.moved + live) / GIB,
        (guest.vmid,),
        {
            "target": journey.target, "online": journey.is_online, "restart": journey.is_restarted,
            "disks": journey.has_disks, "storages": dict(journey.storages), "kind": guest.kind,
        },
        (stamped(world.now(), line),), lock="migrate",
    )  # fmt: skip


def managed(guest: Guest, target: str) -> Journey:
    """How the manager moves: machines with their memory, containers with a restart."""
    is_machine = guest.kind == QEMU.name
    return Journey(
        target=target,
        is_online=guest.is_running and is_machine,
        is_restarted=guest.is_running and not is_machine,
    )


def stamped(moment: float, line: str) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} {line}"
