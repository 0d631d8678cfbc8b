"""What must exist on a hypervisor when a blueprint has become real."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from blueprints.schema.images import Image
from blueprints.schema.sizes import MIB

Kind = Literal["vm", "lxc"]


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """`ip` has its prefix (10.0.0.5/24); None asks the network for an address (DHCP)."""

    bridge: str
    network: str | None = None
    vlan: int | None = None
    ip: str | None = None
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    mac: str | None = None
    mtu: int | None = None
    firewall: bool = False

    @property
    def is_ipv6(self) -> bool:
        """Whether its fixed address is one of IPv6."""
        return ":" in (self.ip or "")


@dataclass(frozen=True, slots=True)
class DataDisk:
    """A disk beside the one that the system boots from."""

    size_bytes: int
    name: str | None = None
    storage: str | None = None
    mount: str | None = None

    def path(self, number: int) -> str:
        """Where a container mounts it, the first being number 1."""
        return self.mount or f"/mnt/{self.name or f'data{number}'}"


@dataclass(frozen=True, slots=True)
class Backup:
    """How often, and for how long it is kept."""

    schedule: str
    retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """One guest. `causes` says for each field whether the document gave it ("specs.memory") or nobody ("default").

    `noted` lists keys of specs that describe the guest without changing how ALMA makes it, so that a plan can say so. Some of them
    have a place in code of other tools: these are fields beside.
    """

    key: str
    resource: str
    kind: Kind
    cores: int
    memory_bytes: int
    disk_bytes: int
    nics: tuple[NetworkCard, ...]
    role: str | None = None
    sockets: int = 1
    swap_bytes: int | None = None
    image: Image | None = None
    data_disks: tuple[DataDisk, ...] = ()
    storage_pool: str | None = None
    node: str | None = None
    pool: str | None = None
    provider: str | None = None
    description: str = ""
    software: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    timezone: str | None = None
    cpu_type: str | None = None
    min_memory_bytes: int | None = None
    unprivileged: bool = True
    nesting: bool = False
    tags: tuple[str, ...] = ()
    user: str | None = None
    ssh_keys: tuple[str, ...] = ()
    search_domain: str | None = None
    start: bool = True
    protected: bool = False
    anti_affinity: str | None = None
    gpus: int = 0
    backup: Backup | None = None
    depends_on: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)

    @property
    def network(self) -> NetworkCard:
        """The first card, the one that has the default route."""
        return self.nics[0]

    @property
    def dns(self) -> tuple[str, ...]:
        """The name servers of the first card that has any: a guest has one list."""
        return next((nic.dns for nic in self.nics if nic.dns), ())

    @property
    def memory_mib(self) -> int:
        """Whole MiB, rounded up, as hypervisors count memory."""
        return -(-self.memory_bytes // MIB)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A resource that is not a machine, and a sentence saying so."""

    resource: str
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Expansion:
    """A document as machines, and what it also asks for."""

    machines: tuple[Machine, ...]
    unsupported: tuple[Unsupported, ...]
