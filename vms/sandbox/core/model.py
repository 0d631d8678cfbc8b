"""The rows of the simulated cluster. Plain data: every field can be written as JSON and read back."""

from dataclasses import dataclass, field
from typing import Any

Value = str | int
Config = dict[str, Value]
Json = Any


@dataclass(slots=True)
class Node:
    name: str
    nodeid: int
    ip: str
    cpus: int
    memory: int
    rootfs: int
    booted_at: float


@dataclass(slots=True)
class Storage:
    name: str
    type: str
    content: list[str]
    total: int
    is_shared: bool = False
    nodes: list[str] = field(default_factory=list)
    settings: dict[str, Value] = field(default_factory=dict)
    is_enabled: bool = True

    def is_on(self, node: str) -> bool:
        return not self.nodes or node in self.nodes


@dataclass(slots=True)
class Volume:
    """A disk image, template archive or ISO. `node` is empty on shared storage; `system` is what is installed on it.

    `snapshots` are the image's own, oldest first, each with the size it had; `archive` is what a backup holds.
    """

    storage: str
    node: str
    name: str
    content: str
    format: str
    size: int
    used: int
    ctime: int
    vmid: int = 0
    parent: str = ""
    notes: str = ""
    is_protected: bool = False
    system: str = ""
    snapshots: dict[str, int] = field(default_factory=dict)
    archive: dict[str, Json] = field(default_factory=dict)

    @property
    def volid(self) -> str:
        return f"{self.storage}:{self.name}"


@dataclass(slots=True)
class Guest:
    """`seeded` is what the cloud-init disk tells, `agent_memory` what the guest agent was asked to run and to keep."""

    vmid: int
    kind: str
    node: str
    config: Config = field(default_factory=dict)
    pending: Config = field(default_factory=dict)
    pending_delete: list[str] = field(default_factory=list)
    snapshots: dict[str, dict[str, Json]] = field(default_factory=dict)
    is_running: bool = False
    is_paused: bool = False
    started_at: float = 0.0
    pid: int = 0
    pending_forced: list[str] = field(default_factory=list)
    seeded: Config = field(default_factory=dict)
    agent_memory: dict[str, Json] = field(default_factory=dict)

    @property
    def lock(self) -> str:
        return str(self.config.get("lock", ""))

    @property
    def is_template(self) -> bool:
        return self.config.get("template") == 1

    @property
    def label(self) -> str:
        """How messages call a guest of this kind."""
        return "CT" if self.kind == "lxc" else "VM"

    @property
    def name(self) -> str:
        if self.kind == "lxc":
            return str(self.config.get("hostname", f"CT{self.vmid}"))
        return str(self.config.get("name", f"VM {self.vmid}"))


@dataclass(slots=True)
class Task:
    """A worker. `args` is all that its end needs to know, so that it can end after a restart too."""

    upid: str
    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str
    tokenid: str
    begun_at: float
    due_at: float
    args: dict[str, Json] = field(default_factory=dict)
    flocks: list[int] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    log: list[tuple[float, str]] = field(default_factory=list)
    warnings: int = 0
    endtime: float = 0.0
    exitstatus: str = ""

    @property
    def is_running(self) -> bool:
        return not self.exitstatus


@dataclass(slots=True)
class Pool:
    poolid: str
    comment: str = ""
    vms: list[int] = field(default_factory=list)
    storages: list[str] = field(default_factory=list)


@dataclass(slots=True)
class User:
    userid: str
    password: str = ""
    enable: int = 1
    expire: int = 0
    details: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Token:
    userid: str
    tokenid: str
    digest: str
    privsep: int = 1
    expire: int = 0
    comment: str = ""

    @property
    def full_id(self) -> str:
        return f"{self.userid}!{self.tokenid}"


@dataclass(slots=True)
class Grant:
    """One line of the access control list."""

    path: str
    type: str
    ugid: str
    roleid: str
    propagate: int = 1


@dataclass(slots=True)
class Group:
    groupid: str
    comment: str = ""
    users: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Role:
    """A role that somebody made; the built-in ones are constants."""

    roleid: str
    privileges: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """A section of one of the cluster's configuration files: `section` is the file, `values` its lines."""

    section: str
    name: str
    values: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class RequestCount:
    method: str
    pattern: str
    vmid: int
    count: int = 0


@dataclass(slots=True)
class Setting:
    """A named value of the simulation itself: serial number, seed, signing key."""

    name: str
    value: Json
