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
class Volume:
    """A disk beside the first. `slot` is its place in the config (`scsi1`, `mp0`), `mount` a path within a container."""

    slot: str
    size_bytes: int
    storage: str
    mount: str = ""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A network card at its place in the config (`net0`). What is empty or None stays as it is; `ip` is `dhcp` or an
    address with its prefix length."""

    slot: str
    bridge: str
    vlan: int | None = None
    ip: str = ""
    gateway: str = ""
    mac: str = ""
    mtu: int | None = None
    firewall: bool = False


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
    """A guest as it shall be. From a template, an archive (containers), an image or from scratch.

    `import_from` is the volume of an image that becomes its first disk, `cdrom` that of an ISO in its drive."""

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
    import_from: str = ""
    cdrom: str = ""
    tags: tuple[str, ...] = ()
    cloud_init: CloudInit | None = None
    note: str = ""
    pool: str = ""
    volumes: tuple[Volume, ...] = ()
    cards: tuple[Card, ...] = ()
    """All cards; without any, the first is what `bridge` and `vlan` say."""
    running: bool = True

    def creation(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        unsaid = {"import_from", "cdrom"}  # plans that name no image read as they did before there were any
        values = {
            name: value for name, value in asdict(self).items()
            if name not in {"key", "running"} and (value or name not in unsaid)
        }  # fmt: skip
        return _plain(values)

    def configuration(self) -> dict[str, Any]:
        """What can be changed later."""
        later = (
            "name", "cores", "memory_bytes", "disk_bytes", "bridge", "vlan", "storage", "tags", "cloud_init", "volumes",
            "cards",
        )  # fmt: skip
        return self.params() | {name: value for name, value in self.creation().items() if name in later}

    def expectation(self) -> dict[str, Any]:
        """What must be read back."""
        sizes = {"cores": self.cores, "memory_bytes": self.memory_bytes, "disk_bytes": self.disk_bytes}
        sizes |= {name: value for name, value in self.creation().items() if name in {"volumes", "cards"}}
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
