"""Where a new guest goes: the node whose narrowest resource is least full afterwards, with the reason in words."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from blueprints.schema import Machine
from blueprints.schema.cards import DEFAULT_BRIDGE
from vms.services import ClusterReading, GuestReading, NodeReading, StorageReading

GIB = 1024**3
CONTENT = {"vm": "images", "lxc": "rootdir"}
MOST_OTHERS = 3
"""Nodes that were not chosen and that a reason names."""


@dataclass(frozen=True)
class Place:
    """A node, a storage on it, a bridge for each network card, and why."""

    node: str
    storage: str
    bridges: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Candidate:
    """A node on which a machine fits, and what would be the narrowest there."""

    neighbours: int
    fullness: float
    """Of the narrowest resource afterwards, 0 to 1; more when guests share cores."""
    bottleneck: str
    node: NodeReading
    storage: StorageReading

    @property
    def rank(self) -> tuple[int, float, str]:
        """Machines of a role keep apart first; then what is least full afterwards; then the name."""
        return self.neighbours, round(self.fullness, 4), self.node.name


@dataclass
class Placer:
    """Places machines one after the other, remembering what the earlier ones take."""

    reading: ClusterReading
    preferred_storage: str = ""
    default_bridge: str = ""
    chosen_nodes: tuple[str, ...] = ()
    chosen_storages: tuple[str, ...] = ()
    cores: Counter[str] = field(default_factory=Counter)
    memory: Counter[str] = field(default_factory=Counter)
    disk: Counter[tuple[str, str]] = field(default_factory=Counter)
    groups: Counter[tuple[str, str]] = field(default_factory=Counter)

    def place(self, machine: Machine, *, holders: frozenset[str] = frozenset(), is_shared: bool = False) -> Place | str:
        """A place for a machine, or a sentence saying why there is none. `holders` are the nodes that have what it is
        made from, none means any; `is_shared` says that the others reach it, for disks on shared storage."""
        candidates, refusals = [], []
        for node in self.reading.online_nodes():
            is_away = bool(holders) and node.name not in holders
            storage = self._storage(node, machine, must_be_shared=is_away)
            refusal = self._refusal(node, storage, machine, is_out_of_reach=is_away and not is_shared)
            if refusal:
                refusals.append(refusal)
            elif storage is not None:
                candidates.append(self._candidate(node, storage, machine))
        if not candidates:
            return f"{machine.key} fits nowhere: {'; '.join(refusals) or 'no node is online'}."
        best, *others = sorted(candidates, key=lambda candidate: candidate.rank)
        self._take(best, machine)
        reason = self._reason(best, others, refusals, machine)
        return Place(best.node.name, best.storage.name, self.bridges(best.node.name, machine), reason)

    def grow(self, guest: GuestReading, needs: Mapping[str, int], *, lies_on: Collection[str]) -> list[str]:
        """Room on the storages of a node for a guest that is there and shall have so many bytes more on each: sentences
        on where there is none. On storages that ALMA may not use it takes more only where its disks lie already."""
        usable = {one.name: one for one in self.reading.storages_for(guest.node, CONTENT[guest.kind])}
        node = next((one for one in self.reading.nodes if one.name == guest.node), None)
        refusals = []
        for name, size in needs.items():
            is_allowed = not self.chosen_storages or name in self.chosen_storages or name in lies_on
            pool = usable.get(name) if is_allowed else None
            if pool is None or node is None:
                refusals.append(f"{guest.node} has no storage {name or 'for its disks'} that can be used")
            elif self._free_disk(node, pool) < size:
                refusals.append(self._too_full(node, pool, size))
            else:
                self.disk[self._pool(node.name, pool)] += size
        return refusals

    def _storage(self, node: NodeReading, machine: Machine, *, must_be_shared: bool) -> StorageReading | None:
        usable = [
            storage
            for storage in self.reading.storages_for(node.name, CONTENT[machine.kind])
            if (storage.is_shared or not must_be_shared)
            and (not self.chosen_storages or storage.name in self.chosen_storages)
        ]
        wanted = machine.storage_pool or self.preferred_storage
        named = [storage for storage in usable if storage.name == wanted]
        if machine.storage_pool:
            return named[0] if named else None
        return next(iter(named or usable), None)

    def _refusal(
        self, node: NodeReading, storage: StorageReading | None, machine: Machine, *, is_out_of_reach: bool
    ) -> str:
        """Why a machine cannot go to a node, or nothing when it can."""
        if machine.node and machine.node != node.name:
            return f"{node.name} is not {machine.node}"
        if self.chosen_nodes and node.name not in self.chosen_nodes:
            return f"{node.name} is not among the nodes that ALMA may use"
        if is_out_of_reach:
            return f"{node.name} does not hold its template"
        if storage is None:
            return f"{node.name} has no storage {machine.storage_pool or 'for guests'} that can be used"
        absent = self.absent_bridges(node.name, machine)
        return f"{node.name} has no bridge {absent[0]}" if absent else self._shortage(node, storage, machine)

    def absent_bridges(self, node: str, machine: Machine) -> list[str]:
        """Bridges that a machine names and a node does not have; nothing when those of the node are not known."""
        known = self.reading.bridges_on(node)
        return [nic.bridge for nic in machine.nics if known and nic.bridge not in (*known, DEFAULT_BRIDGE)]

    def _shortage(self, node: NodeReading, storage: StorageReading, machine: Machine) -> str:
        memory, free_memory = machine.memory_bytes / GIB, self._free_memory(node) / GIB
        for name, size in _disks(machine, storage).items():
            pool = self._named(node, machine, name, storage)
            if pool is None:
                return f"{node.name} has no storage {name} that can be used"
            if self._free_disk(node, pool) < size:
                return self._too_full(node, pool, size)
        if free_memory < memory:
            return f"{node.name} has {free_memory:.1f} GiB of memory free, needs {memory:.1f}"
        return f"{node.name} has {node.cores} cores, needs {machine.cores}" if machine.cores > node.cores else ""

    def _too_full(self, node: NodeReading, pool: StorageReading, size: int) -> str:
        free = self._free_disk(node, pool) / GIB
        return f"{pool.name} on {node.name} has {free:.0f} GiB free, needs {size / GIB:.0f}"

    def _named(self, node: NodeReading, machine: Machine, name: str, storage: StorageReading) -> StorageReading | None:
        """The storage of a disk: the machine's own, or another one of the node that ALMA may use."""
        if name == storage.name:
            return storage
        usable = self.reading.storages_for(node.name, CONTENT[machine.kind])
        named = [one for one in usable if one.name == name]
        return named[0] if named and (not self.chosen_storages or name in self.chosen_storages) else None

    def _free_memory(self, node: NodeReading) -> float:
        return node.memory_bytes - node.memory_used - self.memory[node.name]

    def _free_disk(self, node: NodeReading, storage: StorageReading) -> float:
        return storage.free_bytes - self.disk[self._pool(node.name, storage)]

    @staticmethod
    def _pool(node: str, storage: StorageReading) -> tuple[str, str]:
        """Shared storage is one pool, however many nodes show it."""
        return ("" if storage.is_shared else node, storage.name)

    def _candidate(self, node: NodeReading, storage: StorageReading, machine: Machine) -> Candidate:
        busy = node.cpu_load * node.cores + self.cores[node.name] + machine.cores
        shares = {
            "memory": 1 - (self._free_memory(node) - machine.memory_bytes) / max(1, node.memory_bytes),
            "CPU": busy / max(1, node.cores),
        }
        for name, size in _disks(machine, storage).items():
            pool = self._named(node, machine, name, storage) or storage
            shares[name] = 1 - (self._free_disk(node, pool) - size) / max(1, pool.total_bytes)
        bottleneck = max(shares, key=lambda name: shares[name])
        neighbours = self.groups[(self._group(machine), node.name)]
        return Candidate(neighbours, shares[bottleneck], bottleneck, node, storage)

    @staticmethod
    def _group(machine: Machine) -> str:
        return machine.anti_affinity or machine.role or machine.resource

    def _take(self, best: Candidate, machine: Machine) -> None:
        name = best.node.name
        self.cores[name] += machine.cores
        self.memory[name] += machine.memory_bytes
        for store, size in _disks(machine, best.storage).items():
            pool = self._named(best.node, machine, store, best.storage) or best.storage
            self.disk[self._pool(name, pool)] += size
        self.groups[(self._group(machine), name)] += 1

    def bridges(self, node: str, machine: Machine) -> tuple[str, ...]:
        """The bridge of each card of a machine there: the one it names, or the preferred one when it names none."""
        return tuple(self._bridge(node, nic.bridge) for nic in machine.nics)

    def _bridge(self, node: str, wanted: str) -> str:
        known = self.reading.bridges_on(node)
        if wanted in known or wanted != DEFAULT_BRIDGE:
            return wanted
        return self.default_bridge or (known[0] if known else wanted)

    def _reason(self, best: Candidate, others: list[Candidate], refusals: list[str], machine: Machine) -> str:
        """What is narrowest there afterwards, and what spoke against the others."""
        said = [self._against(best, other, machine) for other in others]
        against = [*said, *refusals]
        more = [f"{len(against) - MOST_OTHERS} more are no better"] if len(against) > MOST_OTHERS else []
        words = "; ".join([_fullness(best), *against[:MOST_OTHERS], *more])
        return f"On {best.node.name}: {words}."

    def _against(self, best: Candidate, other: Candidate, machine: Machine) -> str:
        name = other.node.name
        if other.neighbours > best.neighbours:
            return f"{name} has {other.neighbours} of {self._group(machine)} already"
        return f"{name}: {_fullness(other)}"


def _disks(machine: Machine, storage: StorageReading) -> dict[str, int]:
    """Bytes that a machine takes on each storage, by name: the first disk and those that name none lie together."""
    sizes = {storage.name: machine.disk_bytes}
    for disk in machine.data_disks:
        name = disk.storage or storage.name
        sizes[name] = sizes.get(name, 0) + disk.size_bytes
    return sizes


def _fullness(candidate: Candidate) -> str:
    return f"{candidate.bottleneck} {candidate.fullness * 100:.0f} % full afterwards"
