"""What was read: values without behaviour beyond looking things up in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class NodeReading:
    """A machine of the cluster. Figures of an offline node are 0."""

    name: str
    is_online: bool
    cores: int = 0
    memory_bytes: int = 0
    memory_used: int = 0
    cpu_load: float = 0.0
    uptime: int = 0


@dataclass(frozen=True, kw_only=True)
class StorageReading:
    """A storage as one node sees it."""

    name: str
    node: str
    plugin: str
    content: frozenset[str]
    is_shared: bool
    is_active: bool
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class GuestRow:
    """A guest as the list of the cluster shows it; statistics may be some seconds old. `net_in` and `net_out` are bytes since
    its start. None is what the list does not tell."""

    vmid: int
    kind: str
    node: str
    name: str
    status: str
    is_template: bool
    cores: int
    memory_bytes: int
    disk_bytes: int
    memory_used: int
    cpu_load: float
    uptime: int
    tags: str
    lock: str
    disk_used: int | None = None
    net_in: int | None = None
    net_out: int | None = None


@dataclass(frozen=True, kw_only=True)
class OsTemplate:
    """An archive that containers are made from."""

    volid: str
    node: str
    storage: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """A task of the cluster's list. `status` is empty while it runs; `log` is None when it was not read."""

    upid: str
    node: str
    kind: str
    subject: str
    user: str
    started_at: datetime
    ended_at: datetime | None
    status: str
    log: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What one look at a cluster shows for its pages. `tasks` is None when they could not be read: nothing is known."""

    guests: tuple[GuestRow, ...]
    nodes: tuple[NodeReading, ...] = ()
    storages: tuple[StorageReading, ...] = ()
    tasks: tuple[TaskRow, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ClusterReading:
    """A whole cluster at one moment."""

    version: str
    nodes: tuple[NodeReading, ...]
    storages: tuple[StorageReading, ...]
    templates: tuple[GuestRow, ...]
    guests: tuple[GuestRow, ...]
    bridges: Mapping[str, tuple[str, ...]]
    ostemplates: tuple[OsTemplate, ...]
    at: datetime
    shared_templates: frozenset[int] = frozenset()
    """Templates of VMs whose disks all lie on shared storage: they can be cloned to any node."""

    def online_nodes(self) -> tuple[NodeReading, ...]:
        """Nodes that can take guests now."""
        return tuple(node for node in self.nodes if node.is_online)

    def storages_for(self, node: str, content: str = "images") -> tuple[StorageReading, ...]:
        """Active storages of a node that take such content, the one with most room first."""
        fit = [one for one in self.storages if one.node == node and one.is_active and content in one.content]
        return tuple(sorted(fit, key=lambda one: (-one.free_bytes, one.name)))

    def bridges_on(self, node: str) -> tuple[str, ...]:
        """Bridges of a node, sorted."""
        return self.bridges.get(node, ())

    def template(self, wanted: str | int) -> GuestRow | None:
        """A template by name or VMID."""
        return next((one for one in self.templates if str(wanted) in {one.name, str(one.vmid)}), None)


@dataclass(frozen=True, kw_only=True)
class CardReading:
    """A network card. `ip` is `dhcp`, an address with its prefix length, or empty where nothing is said of it."""

    bridge: str
    vlan: int | None = None
    ip: str = ""
    gateway: str = ""
    mac: str = ""
    mtu: int | None = None
    has_firewall: bool = False


@dataclass(frozen=True, kw_only=True)
class GuestReading:
    """One guest read closely: its config and whether it runs."""

    vmid: int
    kind: str
    node: str
    name: str
    status: str
    config: Mapping[str, Any] = field(repr=False)
    digest: str
    lock: str
    marker: str
    cores: int
    memory_bytes: int
    disk: str
    disk_bytes: int
    disks: Mapping[str, int]
    tags: tuple[str, ...]
    cards: Mapping[str, CardReading]
    is_template: bool
    pending: tuple[str, ...] = ()
