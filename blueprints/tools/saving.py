"""optimize_costs: what could be saved on a blueprint, each saving priced by the price book before and after, and the whole as a draft.

A saving is proposed when a rule finds it in the document, or when the measured load of the machines that were made of it shows it:
then the 95th percentile of what was measured, with half as much again, is what is left of cores and memory.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, Field

from alma.accounts.actors import Actor
from alma.errors import DomainError
from blueprints.models import Blueprint
from blueprints.pricing import PriceList, cost_of
from blueprints.pricing.book import price_list
from blueprints.pricing.budgets import money
from blueprints.schema import BlueprintDocument, Machine, expand, parse_document
from blueprints.schema.sizes import format_size
from blueprints.sentences import term
from blueprints.tools.register import Result, tool
from blueprints.tools.rounding import in_words
from blueprints.tools.subjects import MACHINE_READ, OfBlueprint, document_of, saved
from vms.measured import Measured, of_guest
from vms.models import Guest

GIB = 1024**3
HEADROOM = 1.5
PERCENTILE = 0.95
LEAST_VALUES = 24
MOST_GUESTS = 50
LONG = 30
"""Days for which backups of a development environment are kept at most."""
_LIGHT = frozenset(
    {"web", "cache", "dns", "load_balancer", "monitoring", "logging", "queue", "worker", "git", "ci", "files", "app"}
)
"""Roles whose software runs in a container as well as in a machine."""
_TESTING = frozenset({"development", "dev", "test", "testing", "staging"})


class OptimizeArguments(OfBlueprint):
    """Which blueprint."""

    use_metrics: Annotated[bool, Field(description="Look at what machines of this blueprint really use")] = True


class Saving(BaseModel):
    """One thing that could be different."""

    resource: str
    kind: str
    reason: str
    change: str
    before_monthly: float
    after_monthly: float
    saving_monthly: float
    risk: str


class OptimizeResult(Result):
    """What can be saved. The draft has all of it."""

    cost_monthly: float
    optimized_cost_monthly: float
    saving_monthly: float
    saving_percent: float
    currency: str
    savings: list[Saving]
    draft: dict[str, Any] = Field(description="The blueprint with all savings; it is not saved")


@dataclass(frozen=True)
class _Idea:
    """A change of the specs of one resource."""

    resource: str
    kind: str
    reason: str
    specs: dict[str, Any]
    risk: str


@tool(
    "optimize_costs", "Optimise costs",
    "Find what a blueprint could save: containers for light roles, redundancy and long backups in test environments, cores and "
    "memory that its real machines never use; each with its price before and after by the price book, its risk, and a draft.",
    example={"blueprint_id": 1},
)  # fmt: skip
def optimize_costs(arguments: OptimizeArguments, by: Actor) -> OptimizeResult:
    """Raises NotFound, Refused, Invalid, BadRequest."""
    document, prices = document_of(arguments, by), price_list(by.organization_id)
    row = saved(arguments.blueprint_id, by) if arguments.blueprint_id is not None else None
    usage, notes = _usage(row, arguments, by)
    draft, savings = _applied(document, prices, list(_ideas(document, usage)))
    before, after = cost_of(document, prices).total, cost_of(parse_document(draft), prices).total
    saving = before - after
    percent = round(float(100 * saving / before), 1) if before else 0.0
    return OptimizeResult(
        summary=ngettext(
            "%(saving)s of %(before)s %(currency)s a month could be saved (%(percent)s %%) by %(count)s change.",
            "%(saving)s of %(before)s %(currency)s a month could be saved (%(percent)s %%) by %(count)s changes.", len(savings),
        )
        % {
            "saving": money(saving), "before": money(before), "currency": prices.currency, "percent": in_words(percent), "count": len(savings),
        },
        assumptions=[*notes, "Savings are applied one after the other, so that none is counted twice.", *prices.assumptions()],
        cost_monthly=float(before), optimized_cost_monthly=float(after), saving_monthly=float(saving), saving_percent=percent,
        currency=prices.currency, savings=savings, draft=draft,
    )  # fmt: skip


def _applied(document: BlueprintDocument, prices: PriceList, ideas: list[_Idea]) -> tuple[dict[str, Any], list[Saving]]:
    """The document after all ideas that save something, each priced on what the ones before it left."""
    draft, savings = copy.deepcopy(document.as_dict()), []
    for idea in ideas:
        changed = _changed(draft, idea)
        before, after = (cost_of(parse_document(one), prices).total for one in (draft, changed))
        if after < before:
            draft = changed
            savings.append(Saving(
                resource=idea.resource, kind=idea.kind, reason=idea.reason, risk=idea.risk,
                change=", ".join(f"{name}: {value}" for name, value in idea.specs.items()),
                before_monthly=float(before), after_monthly=float(after), saving_monthly=float(before - after),
            ))  # fmt: skip
    return draft, savings


def _changed(draft: dict[str, Any], idea: _Idea) -> dict[str, Any]:
    """With the specs of an idea; another spelling of the same key gives way."""
    found = copy.deepcopy(draft)
    resource = next(row for row in found["resources"] if row["name"] == idea.resource)
    written = parse_document(draft).by_name[idea.resource].specs.written
    for name, value in idea.specs.items():
        resource["specs"].pop(written.get(name, name), None)
        resource["specs"][name] = value
    return found


# -- ideas ----------------------------------------------------------------------------------------
def _ideas(document: BlueprintDocument, usage: dict[str, "_Usage"]) -> Iterator[_Idea]:
    machines: dict[str, list[Machine]] = {}
    for machine in expand(document).machines:
        machines.setdefault(machine.resource, []).append(machine)
    is_testing = str(document.metadata.get("environment", "")).lower() in _TESTING
    for name, rows in machines.items():
        for rule in _RULES:
            if idea := rule(name, rows, is_testing, usage.get(name)):
                yield idea


def _unused(name: str, rows: list[Machine], is_testing: bool, usage: "_Usage | None") -> _Idea | None:
    """Cores and memory that were not used by any machine of a resource."""
    if usage is None:
        return None
    first = rows[0]
    specs: dict[str, Any] = {}
    cores, memory = (
        ceil(usage.cores * HEADROOM) or 1,
        max(GIB // 2, ceil(usage.memory * HEADROOM / (GIB // 2)) * (GIB // 2)),
    )
    if cores < first.cores * first.sockets and first.sockets == 1:
        specs["cpu"] = cores
    if memory < first.memory_bytes:
        specs["memory"] = format_size(memory)
    reason = _(
        "In 95 of 100 moments of %(hours)s hours it used at most %(cores)s cores and %(memory)s GB; half as much again is left."
    ) % {"hours": f"{usage.hours:.0f}", "cores": money(usage.cores), "memory": money(usage.memory / GIB)}
    return _Idea(name, "right_size", reason, specs, "A peak that was not measured is slower.") if specs else None


def _container(name: str, rows: list[Machine], is_testing: bool, usage: "_Usage | None") -> _Idea | None:
    first = rows[0]
    if (
        first.kind != "vm"
        or first.role not in _LIGHT
        or first.gpus
        or (first.image and first.image.family in {"windows", "freebsd"})
    ):
        return None
    reason = _("Software of the role %(role)s runs in a container, which shares the kernel of its node.") % {
        "role": term(first.role or "machine")
    }
    return _Idea(
        name, "container", reason, {"kind": "lxc"}, "Less apart from its node than a machine; no kernel of its own."
    )


def _redundancy(name: str, rows: list[Machine], is_testing: bool, usage: "_Usage | None") -> _Idea | None:
    is_cluster = any("-control-" in machine.key or "-worker-" in machine.key for machine in rows)
    if not is_testing or len(rows) < 2 or is_cluster:
        return None
    return _Idea(
        name,
        "redundancy",
        _("A test environment needs one of %(count)s.") % {"count": len(rows)},
        {"count": 1},
        "Failover cannot be tested there.",
    )


def _backups(name: str, rows: list[Machine], is_testing: bool, usage: "_Usage | None") -> _Idea | None:
    backup = rows[0].backup
    if not is_testing or backup is None:
        return None
    return _Idea(
        name,
        "backup",
        _("A test environment can be made anew from its blueprint."),
        {"backup": False},
        "Test data is lost with a disk.",
    )


_RULES: tuple[Callable[[str, list[Machine], bool, Any], _Idea | None], ...] = (
    _unused,
    _redundancy,
    _backups,
    _container,
)


# -- what is used ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Usage:
    """Of the busiest machine of a resource."""

    cores: float
    memory: float
    hours: float


def _usage(row: Blueprint | None, arguments: OptimizeArguments, by: Actor) -> tuple[dict[str, _Usage], list[str]]:
    """By resource what its machines use, where they are there and were measured."""
    if row is None or not arguments.use_metrics or not by.has(MACHINE_READ):
        return {}, ["No machines of it were looked at: only what the document says counts."]
    found = _by_resource(row, by)
    said = (
        f"Measured loads of {', '.join(found)} count." if found else "Of its machines too little was measured to count."
    )
    return found, [said]


def _by_resource(row: Blueprint, by: Actor) -> dict[str, _Usage]:
    guests = Guest.objects.visible_to(by).machines().filter(claim__owner__endswith=f"/blueprint:{row.pk}")
    resources = {machine.key: machine.resource for machine in expand(row.current_revision().parsed()).machines}
    found: dict[str, _Usage] = {}
    for guest in guests.select_related("claim", "cluster")[:MOST_GUESTS]:
        name = resources.get(guest.claim.key) if guest.claim else None
        used = _measured(guest) if name else None
        if name and used:
            found[name] = _busier(found.get(name), used)
    return found


def _measured(guest: Guest) -> _Usage | None:
    try:
        cpu, memory = of_guest(guest, "cpu"), of_guest(guest, "memory")
    except DomainError:
        return None  # a cluster that is silent, and nothing kept: nothing is known
    if len(cpu.points) < LEAST_VALUES or len(memory.points) < LEAST_VALUES:
        return None
    return _Usage(percentile(cpu), percentile(memory), len(cpu.points) * cpu.step / 3600)


def percentile(measured: Measured, share: float = PERCENTILE) -> float:
    """The value that so large a share of the moments does not exceed, by the nearest rank."""
    values = sorted(point.value for point in measured.points)
    return values[max(0, ceil(share * len(values)) - 1)]


def _busier(one: _Usage | None, other: _Usage) -> _Usage:
    if one is None:
        return other
    return _Usage(max(one.cores, other.cores), max(one.memory, other.memory), min(one.hours, other.hours))
