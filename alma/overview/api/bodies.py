"""What the read models look like, for the schema."""

from datetime import datetime
from typing import Literal

from alma.api.bodies import CamelModel


class OrganizationBody(CamelModel):
    """Whose figures these are."""

    slug: str
    name: str


class CatalogueBody(CamelModel):
    """What people have described."""

    projects: int
    blueprints: int


class ProposalsBody(CamelModel):
    """Infrastructure Pull Requests by status."""

    total: int
    waiting_for_you: int
    by_status: dict[str, int]


class DeploymentsBody(CamelModel):
    """Deployments by status; `successRate` is null before the first one ended."""

    total: int
    running: int
    by_status: dict[str, int]
    success_rate: float | None
    last_started_at: datetime | None
    last_completed_at: datetime | None


class MachineFigures(CamelModel):
    """Guests of the last reading; cores and memory are those of running ones."""

    total: int
    running: int
    stopped: int
    managed: int
    cores: int
    memory_used_bytes: int
    memory_bytes: int


class ClusterBody(CamelModel):
    """A cluster, and whether it can be read."""

    slug: str
    name: str
    is_sandbox: bool
    is_readable: bool
    last_read_at: datetime | None
    error: str | None


class SpendingBody(CamelModel):
    """Costs in a month by the table of prices."""

    currency: str
    monthly_committed: float
    monthly_budget: float | None


class EventFigures(CamelModel):
    """Events of the last 24 hours."""

    last_day: int
    by_area: dict[str, int]


class AgentFigures(CamelModel):
    """An assistant: its model, if it has one, and what it has been asked for."""

    id: str
    name: str
    model: str | None
    open_sessions: int
    last_active_at: datetime | None


class AgentsBody(CamelModel):
    """Assistants, the first 100 by name; those are active with whom a session is open."""

    total: int
    active: int
    items: list[AgentFigures]


class ActivityBody(CamelModel):
    """One event of the log, in words."""

    id: str
    kind: str
    actor: str
    message: str
    target: str
    tone: Literal["neutral", "ok", "run", "warn", "bad"]
    created_at: datetime


class OverviewBody(CamelModel):
    """The organization at a glance."""

    organization: OrganizationBody
    catalogue: CatalogueBody
    iprs: ProposalsBody
    deployments: DeploymentsBody
    machines: MachineFigures
    clusters: list[ClusterBody]
    agents: AgentsBody
    spending: SpendingBody
    recent_activity: list[ActivityBody]
    generated_at: datetime


class StatsBody(CamelModel):
    """What is counted beside the feed."""

    iprs: ProposalsBody
    deployments: DeploymentsBody
    machines: MachineFigures
    events: EventFigures


class MachineBody(CamelModel):
    """A guest as the last reading of its cluster showed it."""

    name: str
    vmid: int
    kind: str
    cluster: str
    node: str
    status: str
    is_managed: bool
    cores: int
    cpu_load: float
    memory_bytes: int
    memory_used_bytes: int
    uptime_seconds: int
    seen_at: datetime


class MissionControlBody(CamelModel):
    """Agents, figures, machines (the first 100), and in `items` the feed of the organization, newest first."""

    agents: AgentsBody
    stats: StatsBody
    machines: list[MachineBody]
    items: list[ActivityBody]
    page: int
    limit: int
    next_cursor: str | None
    has_more: bool
