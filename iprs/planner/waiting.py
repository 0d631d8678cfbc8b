"""Who must be up before others begin, and at which port that could be seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_interface

from blueprints.schema import Machine
from iprs.planner.draft import Item
from iprs.planner.sources import EMPTY_DISK
from vms.services import GuestRef, await_step

PORTS: Mapping[str, int] = {
    "postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306, "mongodb": 27017, "redis": 6379, "valkey": 6379,
    "memcached": 11211, "rabbitmq": 5672, "elasticsearch": 9200, "nginx": 80, "apache": 80, "caddy": 80, "haproxy": 80,
    "web": 80, "load_balancer": 80, "bastion": 22,
}  # fmt: skip
"""Where software listens when nobody says otherwise. Names as blueprints write roles and software."""


@dataclass(frozen=True)
class Awaiting:
    """Adds to items of machines that others need the step that sees them up."""

    machines: Mapping[str, Machine]
    cluster_id: int
    owner: str
    seconds: int

    def added(self, items: Iterable[Item], made_from: Mapping[str, str]) -> list[Item]:
        """The items, with a step more where a machine is started and something that changes depends on it."""
        rows = list(items)
        needed = {name for item in rows if item.steps for name in item.depends_on if name != item.key}
        return [self._awaited(item, made_from) if item.key in needed else item for item in rows]

    def _awaited(self, item: Item, made_from: Mapping[str, str]) -> Item:
        if not any(step.kind in {"guest.start", "guest.reboot"} for step in item.steps):
            return item
        machine = self.machines[item.key]
        source = _source(item) or made_from.get(item.key, "")
        guest = GuestRef(
            cluster=self.cluster_id, owner=self.owner, key=item.key, node=item.node, kind=item.kind, name=item.key
        )
        step = await_step(
            guest, max(step.level for step in item.steps) + 1, seconds=self.seconds, has_system=source != EMPTY_DISK,
            port=port_of(machine, source), address=_address(machine),
        )  # fmt: skip
        return replace(item, steps=(*item.steps, step))


def depths_of(machines: Mapping[str, Machine]) -> dict[str, int]:
    """How many others come before each machine in a chain of dependencies."""
    depths: dict[str, int] = {}

    def depth(key: str) -> int:
        if key not in depths:
            needed = [name for name in machines[key].depends_on if name in machines]
            depths[key] = 1 + max((depth(name) for name in needed), default=-1)
        return depths[key]

    for key in machines:
        depth(key)
    return depths


def port_of(machine: Machine, source: str) -> int | None:
    """The port at which a machine's software would be heard. None when it names none, and when what it is made from is an
    archive of a bare system: nobody has installed anything there when it starts."""
    names = [name.lower() for name in (*machine.software, machine.role or "")]
    known = {name: PORTS[name] for name in names if name in PORTS}
    if machine.kind == "lxc":
        known = {name: port for name, port in known.items() if name in source.lower()}
    return next(iter(known.values()), None)


def _source(item: Item) -> str:
    """What an item makes its guest from, empty when it makes none."""
    return next((str(row["after"]) for row in item.changes if row["field"] == "image"), "")


def _address(machine: Machine) -> str:
    """The address that the blueprint gives, without its prefix."""
    try:
        return str(ip_interface(machine.network.ip or "").ip)
    except ValueError:
        return ""
