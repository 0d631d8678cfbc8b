"""The simulated cluster as its parts see it: state, time, options and faults in one hand."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vms.sandbox.core.clock import Clock
from vms.sandbox.core.errors import ApiError, die
from vms.sandbox.core.faults import Faults
from vms.sandbox.core.model import Guest, Node, Storage, Task
from vms.sandbox.core.state import State, Table
from vms.sandbox.core.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Options:
    """`stats_lag` is how old the figures of cluster/resources may be, in seconds of a real node.

    `is_reset_realistic`: a process that was killed was a node that was reset; `host` names whoever runs the process
    beside others, whose own end switches the machine off under the simulation instead. See Core."""

    time_scale: float = 1.0
    stats_lag: float = 0.0
    is_reset_realistic: bool = False
    unauthorized_delay: float = 0.0
    host: str = ""
    is_reset_daily: bool = False


@dataclass(slots=True)
class World:
    state: State
    clock: Clock
    options: Options = field(default_factory=Options)
    faults: Faults = field(default_factory=Faults)
    running: dict[str, Task] = field(default_factory=dict)
    statistics: Statistics = field(init=False)
    time_scale: float = field(init=False)
    _derived: dict[str, tuple[int, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.time_scale = self.options.time_scale
        self.statistics = Statistics(self.clock, self._stats_period)

    def _stats_period(self) -> float:
        lag = self.faults.lag
        return self.scaled(self.options.stats_lag if lag is None else lag)

    def now(self) -> float:
        return self.clock.now()

    def derived(self, name: str, table: Table[Any], make: Callable[["World"], Any]) -> Any:
        """What `make` computes from a table, kept until the table changes."""
        kept = self._derived.get(name)
        if kept is None or kept[0] != table.version:
            kept = self._derived[name] = (table.version, make(self))
        return kept[1]

    def scaled(self, seconds: float) -> float:
        """How long something takes here that takes `seconds` on a real node."""
        return seconds / self.time_scale

    def serial(self) -> int:
        """A number that is never given twice, also not after a restart."""
        value = int(self.state.setting("serial", 0)) + 1
        self.state.set("serial", value)
        return value

    def random_bytes(self, count: int) -> bytes:
        """Bytes that look random and are the same in every run from the same seed."""
        seed = f"{self.state.setting('seed', '')}:{self.serial()}"
        return hashlib.shake_256(seed.encode()).digest(count)

    def random_uuid(self) -> str:
        raw = bytearray(self.random_bytes(16))
        raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
        text = raw.hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def random_mac(self) -> str:
        return "BC:24:11:" + ":".join(f"{byte:02X}" for byte in self.random_bytes(3))

    @property
    def entry_node(self) -> str:
        """The node whose API this is."""
        return min(self.state.nodes, key=lambda node: node.nodeid).name

    def node(self, name: str) -> Node:
        node = self.state.nodes.get(name)
        if node is None:
            raise die(
                f"hostname lookup '{name}' failed - failed to get address info for: {name}: Name or service not known"
            )
        return node

    def require_online(self, name: str) -> None:
        if name in self.faults.offline:
            raise ApiError(595, "No route to host")

    def guest(self, kind: str, node: str, vmid: int) -> Guest:
        """The guest on this node, or the 500 that names its missing configuration file."""
        guest = self.state.guests.get(vmid)
        if guest is None or guest.kind != kind or guest.node != node:
            folder = "lxc" if kind == "lxc" else "qemu-server"
            raise die(f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist")
        return guest

    def storage(self, name: str) -> Storage:
        storage = self.state.storages.get(name)
        if storage is None:
            raise die(f"storage '{name}' does not exist")
        return storage

    def usable_storage(self, name: str, node: str) -> Storage:
        storage = self.storage(name)
        if not storage.is_enabled:
            raise die(f"storage '{name}' is disabled")
        if not storage.is_on(node):
            raise die(f"storage '{name}' is not available on node '{node}'")
        return storage
