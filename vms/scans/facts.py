"""What the rules look at. What could not be read is Missing: a rule that needs it is not assessed, and never passed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")
NOT_READ = "it was not read"


@dataclass(frozen=True)
class Missing:
    """Nothing is known, and why."""

    why: str = NOT_READ


class NotAssessed(Exception):
    """A rule cannot be judged. Its text says why."""


class NotApplicable(Exception):
    """A rule has nothing to say of this subject."""


def known(fact: T | Missing) -> T:
    """A fact that a rule depends on. Raises NotAssessed when nothing is known."""
    if isinstance(fact, Missing):
        raise NotAssessed(fact.why)
    return fact


UNREAD = Missing()
Config = Mapping[str, Any]
Rules = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """One firewall: its options, and its rules with those of the security groups that they name."""

    options: Config | Missing = UNREAD
    rules: Rules | Missing = UNREAD


@dataclass(frozen=True, kw_only=True)
class StorageFacts:
    """A storage that disks lie on. `where` says in words how encryption and redundancy are known."""

    name: str
    plugin: str
    is_encrypted: bool | Missing = Missing("Proxmox VE does not say whether this storage is encrypted")
    is_redundant: bool | Missing = Missing("Proxmox VE does not say how many copies this storage keeps")
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class BackupFacts:
    """One backup of a guest."""

    at: datetime
    volume: str
    is_encrypted: bool | Missing = UNREAD


@dataclass(frozen=True, kw_only=True)
class SystemFacts:
    """The operating system as the guest's agent or its configuration names it: `debian`, `12`."""

    family: str
    version: str
    name: str


@dataclass(frozen=True, kw_only=True)
class PasswordFacts:
    """A password that cloud-init sets. The password itself is never kept."""

    is_plain: bool
    is_default: bool | Missing = Missing("the password is hashed")


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """What is true of a whole cluster."""

    now: datetime
    version: str | Missing = UNREAD
    firewall: Firewall = field(default_factory=Firewall)
    backup_jobs: Rules | Missing = UNREAD
    is_verified: bool | Missing = UNREAD
    excess: tuple[str, ...] | Missing = UNREAD
    """Privileges of ALMA's own token beyond what it needs."""


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What is true of one node."""

    now: datetime
    node: str
    is_online: bool | Missing = UNREAD
    firewall: Firewall = field(default_factory=Firewall)
    cluster_firewall: Config | Missing = UNREAD


@dataclass(frozen=True, kw_only=True)
class GuestFacts:
    """What is true of one guest."""

    now: datetime
    kind: str
    node: str
    vmid: int
    status: str = "unknown"
    is_template: bool = False
    config: Config | Missing = UNREAD
    firewall: Firewall = field(default_factory=Firewall)
    cluster_firewall: Config | Missing = UNREAD
    addresses: Mapping[str, tuple[str, ...]] | Missing = UNREAD
    """By MAC in capitals, the addresses that the guest has."""
    agent_answers: bool | Missing = UNREAD
    system: SystemFacts | Missing = UNREAD
    password: PasswordFacts | None | Missing = UNREAD
    snapshots: Mapping[str, datetime] | Missing = UNREAD
    backups: tuple[BackupFacts, ...] | Missing = UNREAD
    is_in_backup_job: bool | Missing = UNREAD
    storages: Mapping[str, StorageFacts] | Missing = UNREAD
    environment: str | Missing = Missing("it belongs to no environment that ALMA knows")
    is_protected_environment: bool | Missing = Missing("it belongs to no environment that ALMA knows")
    node_cores: int | Missing = UNREAD
    node_memory: int | Missing = UNREAD


Facts = GuestFacts | NodeFacts | ClusterFacts
