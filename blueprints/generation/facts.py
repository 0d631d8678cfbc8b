"""What a request says, before anybody decides how to build it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a value is what it is: words of the request with their place, a rule, or a default."""

    text: str
    start: int = -1
    end: int = -1
    kind: str = "words"

    def as_dict(self) -> dict[str, Any]:
        """{"words": "4 cores", "span": [10, 17]}, {"rule": …} or {"default": …}."""
        place = {"span": [self.start, self.end]} if self.start >= 0 else {}
        return {self.kind: self.text, **place}


def rule(text: str) -> Cause:
    return Cause(text, kind="rule")


def by_default(text: str) -> Cause:
    return Cause(text, kind="default")


Card = dict[str, Any]
"""A network that a machine is connected to: vlan, subnet, gateway, ip."""


@dataclass(slots=True, eq=False)
class Group:
    """Machines of one kind, as far as the text describes them."""

    role: str = ""
    software: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    kind: str = ""
    part: str = ""
    name: str = ""
    count: int | None = None
    replicas: int = 0
    cpu: int | None = None
    memory: int | None = None
    disk: int | None = None
    further_disks: list[int] = field(default_factory=list)
    gpu: int = 0
    os: str = ""
    vlan: int | None = None
    subnet: str = ""
    gateway: str = ""
    cards: tuple[Card, ...] = ()
    network: str = ""
    ips: list[str] = field(default_factory=list)
    virtual_ip: str = ""
    dns: str = ""
    user: str = ""
    timezone: str = ""
    size: str = ""
    environment: str = ""
    backup_schedule: str = ""
    backup_days: int | None = None
    is_ha: bool = False
    is_spread: bool = False
    is_umbrella: bool = False
    is_exact: bool = False
    is_few: bool = False
    is_counted: bool = False
    is_rate: bool = False
    """Named only as what a size is for each of: "4 GB per web server"."""
    is_share: bool = False
    """Some of a larger number, or what is left of it."""
    is_supposed: bool = False
    """Spoken of with "the" before anything was asked for."""
    totals: set[str] = field(default_factory=set)
    lacks: set[str] = field(default_factory=set)
    """What these machines are said not to have, whatever others have."""
    general: set[str] = field(default_factory=set)
    """Values that were said of several at once: what is said of this one alone wins."""
    sentence: int = 0
    memory_sentence: int = 0
    words: set[str] = field(default_factory=set)
    nicknames: set[str] = field(default_factory=set)
    bundle: list[str] = field(default_factory=list)
    wants: list[str] = field(default_factory=list)
    causes: dict[str, Cause] = field(default_factory=dict)

    def set(self, name: str, value: object, because: Cause) -> None:
        """A value and why."""
        setattr(self, name, value)
        self.causes[name] = because

    @property
    def has_sizes(self) -> bool:
        return any(value is not None for value in (self.cpu, self.memory, self.disk))

    @property
    def describes_a_machine(self) -> bool:
        """Two values that only a machine has, though no noun stands there: "4c 8g debian 12"."""
        return sum(bool(value) for value in (self.cpu, self.memory, self.disk, self.os)) > 1

    @property
    def is_generic(self) -> bool:
        """Machines without a purpose so far."""
        return not self.role and not self.software

    @property
    def is_vague(self) -> bool:
        """Nothing is known but that there are some."""
        return self.is_generic and not (self.count or self.has_sizes or self.os or self.name or self.gpu)


@dataclass(slots=True)
class Request:
    """The whole request."""

    groups: list[Group] = field(default_factory=list)
    needs: list[tuple[Group, Group]] = field(default_factory=list)
    excluded: set[str] = field(default_factory=set)
    existing: set[str] = field(default_factory=set)
    """Roles and software that are there already or go: named again, they are those; described anew, they are built."""
    defaults: Group = field(default_factory=Group)
    network: Group = field(default_factory=Group)
    is_ha: bool = False
    is_spread: bool = False
    environment: str = ""
    region: str = ""
    max_cost: float | None = None
    total_machines: int | None = None
    language: str = "en"
    destroys: bool = False
    builds: bool = False
    asks: bool = False
    limits: dict[str, tuple[int, Cause]] = field(default_factory=dict)
    """What no machine may exceed: cores, bytes of memory and of disk."""
    floors: dict[str, tuple[int, Cause]] = field(default_factory=dict)
    """What no machine may fall below, in the same units."""
    causes: dict[str, Cause] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        """Once each."""
        if question not in self.questions:
            self.questions.append(question)
