"""estimate_resources: what a load needs, by queueing arithmetic, and whether a blueprint has it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from pydantic import BaseModel, Field

from alma.accounts.actors import Actor
from alma.errors import BadRequest, Invalid
from blueprints.pricing import PriceList, cost_of
from blueprints.pricing.book import price_list
from blueprints.pricing.budgets import money
from blueprints.schema import BlueprintDocument, Machine, expand, parse_document
from blueprints.tools import sizing
from blueprints.tools.queueing import Goal, carried
from blueprints.tools.register import Result, tool
from blueprints.tools.rounding import in_words, per_second
from blueprints.tools.sizing import Load, Tier
from blueprints.tools.subjects import OfBlueprint, document_if_any

GIB = 1024**3
Pattern = Literal["low_traffic", "moderate_traffic", "high_traffic", "bursty"]
Workload = Literal["web_application", "api", "static_site", "database"]
_NEEDED = gettext_noop(
    "%(rate)s requests a second need %(cores)s cores, %(memory)s GB of memory and %(disk)s GB of disk: %(sum)s %(currency)s a month."
)
_CARRIED = gettext_noop(
    "%(name)s has %(cores)s cores and %(memory)s GB of memory for %(sum)s %(currency)s a month, and carries about %(rate)s requests a second."
)
_GIVEN = ("peak_users", "requests_per_second", "usage_pattern")


class EstimateArguments(OfBlueprint):
    """A load, a blueprint, or both: then whether it carries the load."""

    blueprint_is_optional: ClassVar[bool] = True

    usage_pattern: Annotated[Pattern, Field(description="How people use it")] | None = None
    peak_users: Annotated[int, Field(ge=1, le=100_000_000, description="People who use it at the same time")] | None = (
        None
    )
    requests_per_second: (
        Annotated[float, Field(gt=0, le=10_000_000, description="At the peak, instead of people")] | None
    ) = None
    workload: Annotated[Workload, Field(description="What it is")] = "web_application"
    service_ms: (
        Annotated[
            float, Field(gt=0, le=600_000, description="Core-milliseconds that a request costs in the busiest tier")
        ]
        | None
    ) = None
    think_seconds: Annotated[float, Field(ge=0, le=3600, description="Between two requests of one person")] | None = (
        None
    )
    target_wait_ms: Annotated[float, Field(gt=0, le=60_000, description="How long requests may queue in a tier")] = 100
    target_share: Annotated[float, Field(gt=0, lt=1, description="Which share of them may queue longer")] = 0.05
    max_utilisation: Annotated[float, Field(ge=0.05, le=0.95, description="How busy a core may be")] = 0.7
    redundant: Annotated[bool, Field(description="One machine more in each tier than the load needs")] = True


class TierEstimate(BaseModel):
    """One tier, as M/M/c: its cores are the servers."""

    tier: str
    machines: int
    cores_per_machine: int
    memory_gb_per_machine: int
    disk_gb_per_machine: int
    cost_monthly: float
    spare_machines: int
    cores_needed: int
    utilisation: float
    wait_probability: float = Field(description="Erlang C")
    mean_wait_ms: float
    share_beyond_target: float
    arrivals_per_second: float
    service_ms: float
    offered_load: float = Field(description="Erlangs: cores that are busy at the same time, in the mean")


class Provided(BaseModel):
    """What a blueprint has, and whether that is enough."""

    cpu_cores: int
    memory_gb: float
    storage_tb: float
    cost_monthly: float
    requests_per_second: float = Field(description="What its busiest tier carries within the target")
    is_enough: bool | None = Field(description="null where no load was given")
    short_of: list[str]


class EstimateResult(Result):
    """What is needed. Without a load it is what the blueprint has."""

    cpu_cores: int
    memory_gb: float
    storage_tb: float
    estimated_cost_monthly: float
    currency: str
    requests_per_second: float | None
    tiers: list[TierEstimate]
    provided: Provided | None = None
    draft: dict[str, Any] | None = Field(default=None, description="A blueprint of these tiers; it is not saved")


@tool(
    "estimate_resources", "Estimate resources",
    "Cores, memory, storage and monthly cost that a load needs, by queueing theory (M/M/c, Erlang C) with every assumption "
    "stated; with a blueprint, whether it carries that load, and without a load, what it carries.",
    example={"usage_pattern": "high_traffic", "peak_users": 10_000},
)  # fmt: skip
def estimate_resources(arguments: EstimateArguments, by: Actor) -> EstimateResult:
    """Raises NotFound, Refused, Invalid, BadRequest."""
    document, prices = document_if_any(arguments, by), price_list(by.organization_id)
    goal = Goal(arguments.target_wait_ms / 1000, arguments.target_share, arguments.max_utilisation)
    if document is not None and all(getattr(arguments, name) is None for name in _GIVEN):
        return _as_it_is(document, prices, arguments, goal)
    load, assumed = _load(arguments, goal)
    try:
        tiers = sizing.size(load)
        wanted = parse_document(_draft(load, tiers))
    except OverflowError as error:
        raise BadRequest("This load is larger than a hundred thousand cores; split it.", code="TOO_LARGE") from error
    except Invalid as error:
        words = "This load needs larger machines or disks than there are; split it, or say other service times."
        raise BadRequest(words, code="TOO_LARGE") from error
    told = [*assumed, *_always(arguments), *prices.assumptions()]
    return _Estimate(load, tiers, prices, wanted).result(told, document)


@dataclass(frozen=True)
class _Estimate:
    """A load with its tiers and prices."""

    load: Load
    tiers: list[Tier]
    prices: PriceList
    wanted: BlueprintDocument

    def result(self, assumptions: list[str], document: BlueprintDocument | None) -> EstimateResult:
        sheet = cost_of(self.wanted, self.prices)
        costs = sheet.by_resource()
        cores = sum(tier.machines * tier.cores for tier in self.tiers)
        memory = sum(tier.machines * tier.memory_gb for tier in self.tiers)
        disk = sum(tier.machines * tier.disk_gb for tier in self.tiers)
        provided = _provided(document, self.prices, self.load) if document else None
        return EstimateResult(
            summary=_(_NEEDED) % {
                "rate": per_second(self.load.arrivals), "cores": cores, "memory": memory, "disk": disk, "sum": money(sheet.total),
                "currency": sheet.currency,
            } + (_verdict(provided) if provided else ""),
            assumptions=assumptions, cpu_cores=cores, memory_gb=memory, storage_tb=round(disk / 1024, 3),
            estimated_cost_monthly=float(sheet.total), currency=sheet.currency, provided=provided, draft=_draft(self.load, self.tiers),
            requests_per_second=round(self.load.arrivals, 3),
            tiers=[_row(tier, self.load.goal, float(costs[tier.name])) for tier in self.tiers],
        )  # fmt: skip


def _load(arguments: EstimateArguments, goal: Goal) -> tuple[Load, list[str]]:
    """The load and what had to be assumed for it."""
    pattern = arguments.usage_pattern or "moderate_traffic"
    usual, assumed = sizing.table()["patterns"][pattern], []
    if arguments.usage_pattern is None:
        assumed.append("No usage pattern given: moderate_traffic.")
    think = arguments.think_seconds if arguments.think_seconds is not None else usual["think_seconds"]
    users, rate = arguments.peak_users, arguments.requests_per_second
    shape = Load(arguments.workload, 0, 0, goal, arguments.redundant, arguments.service_ms)
    service = sum(row["service_ms"] for row in shape.tiers()) / 1000
    if users is None and rate is None:
        users = usual["users"]
        assumed.append(f"No number of people given: {users} at the same time, as for {pattern}.")
    if rate is not None:
        users = users or round(rate * (think + service))
        assumed.append(f"{in_words(rate)} requests a second are given; {users} people are there at the same time.")
    else:
        assert users is not None
        rate = sizing.arrivals(users, think, service, usual["burst"])
        assumed.append(
            f"Requests a second: {users} people / ({in_words(think)} s between requests + {service:.4f} s of service) × {usual['burst']:g} "
            f"for peaks = {rate:.2f}."
        )
    return Load(arguments.workload, rate, users, goal, arguments.redundant, arguments.service_ms), assumed


def _always(arguments: EstimateArguments) -> list[str]:
    given = sizing.table()["workloads"][arguments.workload]
    times = ", ".join(f"{row['name']} {row['service_ms']:g} ms" for row in given["tiers"])
    return [
        f"{given['title']}: a request costs {times} of a core" + (f"; {in_words(arguments.service_ms)} ms in the busiest." if arguments.service_ms else "."),
        "Arrivals are random, service times exponential, each tier has one queue before all its cores (M/M/c).",
        f"At most {in_words(100 * arguments.target_share)} % of the requests queue longer than {in_words(arguments.target_wait_ms)} ms in a tier; no core is "
        f"busier than {in_words(100 * arguments.max_utilisation)} %.",
        f"Data: {given['data_mb_per_user']:g} MB for each user; a tenth of all users are there at the peak; a fifth of the data is kept in memory.",
        "One machine more in each tier than the load needs." if arguments.redundant else "No spare machines: a machine that fails is missed.",
    ]  # fmt: skip


def _row(tier: Tier, goal: Goal, cost: float) -> TierEstimate:
    station = tier.station
    return TierEstimate(
        tier=tier.name, arrivals_per_second=round(station.arrival, 3), service_ms=station.service * 1000,
        offered_load=round(station.load, 4), cores_needed=station.servers, utilisation=round(station.utilisation, 4),
        wait_probability=round(station.waiting, 4), mean_wait_ms=round(station.mean_wait * 1000, 3),
        share_beyond_target=round(station.beyond(goal.wait), 6), machines=tier.machines, spare_machines=tier.spare,
        cores_per_machine=tier.cores, memory_gb_per_machine=tier.memory_gb, disk_gb_per_machine=tier.disk_gb, cost_monthly=cost,
    )  # fmt: skip


def _draft(load: Load, tiers: list[Tier]) -> dict[str, Any]:
    """The tiers as a blueprint, each behind the one before it."""
    after = {one.name: other.name for one, other in zip(tiers, tiers[1:], strict=False)}
    return {
        "version": "1.0", "name": f"{load.workload.replace('_', '-')}-estimate",
        "description": f"Machines for {per_second(load.arrivals)} requests a second",
        "resources": [
            {
                "name": tier.name, "type": tier.type,
                "specs": {
                    "count": tier.machines, "cpu": tier.cores, "memory": f"{tier.memory_gb}GB", "disk": f"{tier.disk_gb}GB",
                    **({"anti_affinity": True} if tier.machines > 1 else {}),
                },
                "dependencies": [after[tier.name]] if tier.name in after else [],
            }
            for tier in tiers
        ],
        "metadata": {"generated_by": "estimate_resources"},
    }  # fmt: skip


# -- a blueprint as it is -------------------------------------------------------------------------
def _as_it_is(
    document: BlueprintDocument, prices: PriceList, arguments: EstimateArguments, goal: Goal
) -> EstimateResult:
    load = Load(arguments.workload, 0.0, 0, goal, arguments.redundant, arguments.service_ms)
    found = _provided(document, prices, load)
    return EstimateResult(
        summary=_(_CARRIED) % {
            "name": document.name, "cores": found.cpu_cores, "memory": in_words(found.memory_gb), "sum": money(found.cost_monthly),
            "currency": prices.currency, "rate": in_words(found.requests_per_second),
        },
        assumptions=["No load given: these are the sums of the blueprint.", *_always(arguments), *prices.assumptions()],
        cpu_cores=found.cpu_cores, memory_gb=found.memory_gb, storage_tb=found.storage_tb,
        estimated_cost_monthly=found.cost_monthly, currency=prices.currency, requests_per_second=None, tiers=[], provided=found,
    )  # fmt: skip


def _provided(document: BlueprintDocument, prices: PriceList, load: Load) -> Provided:
    machines = expand(document).machines
    tiers = _by_tier(machines, load)
    cores = {name: sum(one.cores * one.sockets for one in those) for name, those in tiers.items()}
    rates = {
        row["name"]: carried(cores[row["name"]], row["service_ms"] / 1000, load.goal)
        for row in load.tiers() if cores[row["name"]]
    }  # fmt: skip
    most = min(rates.values(), default=0.0)
    short = [
        f"{name} ({cores[name]} cores) carries {in_words(rate)} of {load.arrivals:.2f} requests a second"
        for name, rate in rates.items() if rate < load.arrivals
    ]  # fmt: skip
    short += _without_room(tiers, load)
    return Provided(
        cpu_cores=sum(machine.cores * machine.sockets for machine in machines),
        memory_gb=round(sum(machine.memory_bytes for machine in machines) / GIB, 2),
        storage_tb=round(sum(m.disk_bytes + sum(d.size_bytes for d in m.data_disks) for m in machines) / GIB / 1024, 3),
        cost_monthly=float(cost_of(document, prices).total), requests_per_second=most, short_of=short,
        is_enough=(not short and bool(machines)) if load.arrivals else None,
    )  # fmt: skip


def _by_tier(machines: Sequence[Machine], load: Load) -> dict[str, list[Machine]]:
    """Machines of no tier's role work for the busiest."""
    found: dict[str, list[Machine]] = {row["name"]: [] for row in load.tiers()}
    roles = {row["type"]: row["name"] for row in load.tiers()}
    main = max(load.tiers(), key=lambda row: row["service_ms"])["name"]
    for machine in machines:
        found[roles.get(machine.role or "", main)].append(machine)
    return found


def _without_room(tiers: Mapping[str, list[Machine]], load: Load) -> Iterator[str]:
    """What no core makes up for: all data on each machine of the tier that holds them, and in memory whoever is there."""
    for row in load.tiers():
        those, sessions = tiers[row["name"]], load.users * row["session_mb"] / sizing.MIB_PER_GIB
        memory = sum(one.memory_bytes for one in those) / GIB
        disk = min((one.disk_bytes + sum(d.size_bytes for d in one.data_disks) for one in those), default=0) / GIB
        if those and memory < sessions:
            yield f"{row['name']} ({in_words(memory)} GB of memory) has no room for {in_words(sessions)} GB of sessions"
        if those and row.get("holds_data") and disk < load.data_gb:
            yield f"{row['name']} ({in_words(disk)} GB of disk) has no room for {in_words(load.data_gb)} GB of data"


def _verdict(found: Provided) -> str:
    return " " + (_("The blueprint carries it.") if found.is_enough else _("The blueprint does not carry it."))
