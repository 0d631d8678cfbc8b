"""What a request says, before anybody decides how to build it."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Group:
    """Machines of one kind, as far as the text describes them. `causes` quotes the words for each value."""

    role: str = ""
    software: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    kind: str = ""
    part: str = ""
    count: int | None = None
    is_exact: bool = False
    replicas: int = 0
    cpu: int | None = None
    memory: int | None = None
    disk: int | None = None
    gpu: int = 0
    os: str = ""
    vlan: int | None = None
    subnet: str = ""
    gateway: str = ""
    network: str = ""
    ips: list[str] = field(default_factory=list)
    virtual_ip: str = ""
    name: str = ""
    is_ha: bool = False
    is_spread: bool = False
    is_umbrella: bool = False
    is_vague: bool = False
    totals: set[str] = field(default_factory=set)
    size: str = ""
    backup_schedule: str = ""
    backup_days: int | None = None
    sentence: int = 0
    causes: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, value: object, because: str) -> None:
        """A value and the words that gave it."""
        setattr(self, name, value)
        self.causes[name] = because

    @property
    def has_sizes(self) -> bool:
        return any(value is not None for value in (self.cpu, self.memory, self.disk))


@dataclass(slots=True)
class Request:
    """The whole request."""

    groups: list[Group] = field(default_factory=list)
    needs: list[tuple[Group, Group]] = field(default_factory=list)
    excluded: set[str] = field(default_factory=set)
    is_ha: bool = False
    is_spread: bool = False
    environment: str = ""
    region: str = ""
    max_cost: float | None = None
    network: Group = field(default_factory=Group)
    total_machines: int | None = None
    language: str = "en"
    destroys: bool = False
    builds: bool = False
    questions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
