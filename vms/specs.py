"""What the apps above say about a guest: values that become the parameters of steps."""

from dataclasses import asdict, dataclass
from typing import Any

from vms.proxmox.readings import GuestReading


@dataclass(frozen=True, kw_only=True)
class CloudInit:
    """What a new guest learns about itself. `ip` is `dhcp` or an address with its prefix length."""

    user: str = ""
    ssh_keys: tuple[str, ...] = ()
    ip: str = "dhcp"
    gateway: str = ""
    nameserver: str = ""


@dataclass(frozen=True, kw_only=True)
class GuestRef:
    """Which guest: the ledger knows it by cluster, owner and key."""

    cluster: int
    owner: str
    key: str
    node: str
    kind: str = "vm"
    name: str = ""

    def params(self) -> dict[str, Any]:
        """What every step about the guest needs."""
        return {"cluster": self.cluster, "owner": self.owner, "node": self.node, "kind": self.kind}


@dataclass(frozen=True, kw_only=True)
class GuestSpec(GuestRef):
    """A guest as it shall be. From a template, an archive (containers) or from scratch."""

    cores: int
    memory_bytes: int
    disk_bytes: int
    storage: str
    bridge: str
    vlan: int | None = None
    template_vmid: int | None = None
    template_node: str = ""
    full_clone: bool = True
    ostemplate: str = ""
    tags: tuple[str, ...] = ()
    cloud_init: CloudInit | None = None
    note: str = ""
    pool: str = ""
    running: bool = True

    def creation(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        values = {name: value for name, value in asdict(self).items() if name not in {"key", "running"}}
        return _plain(values)

    def configuration(self) -> dict[str, Any]:
        """What can be changed later."""
        later = ("name", "cores", "memory_bytes", "disk_bytes", "bridge", "vlan", "storage", "tags", "cloud_init")
        return self.params() | {name: value for name, value in self.creation().items() if name in later}

    def expectation(self) -> dict[str, Any]:
        """What must be read back."""
        sizes = {"cores": self.cores, "memory_bytes": self.memory_bytes, "disk_bytes": self.disk_bytes}
        return self.params() | sizes | {"status": "running" if self.running else "stopped"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True, kw_only=True)
class OwnedGuest:
    """A ledger row and what stands behind it. `reading` is None when there certainly is no such guest."""

    claim_id: str
    owner: str
    key: str
    vmid: int
    node: str
    kind: str
    state: str
    reading: GuestReading | None
    is_ours: bool
