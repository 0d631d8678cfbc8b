"""How complex a blueprint is, and the figures that a draft carries in its metadata."""

import math
from collections.abc import Sequence
from typing import Any

from blueprints.pricing import PriceList, cost_of
from blueprints.schema import BlueprintDocument, Machine, expand


def complexity(document: BlueprintDocument) -> float:
    """From 0 (nothing) to 10: grows with machines, with how different they are, and with how they depend on each other."""
    machines = expand(document).machines
    if not machines:
        return 0.0
    links = sum(len(resource.dependencies) for resource in document.resources)
    score = 1.5 * math.log2(1 + len(machines)) + 0.6 * (_kinds(machines) - 1) + 0.5 * math.log2(1 + links)
    return round(min(10.0, score), 1)


def _kinds(machines: Sequence[Machine]) -> int:
    return len({(machine.role, machine.software, machine.kind) for machine in machines})


def figures_for(document: BlueprintDocument, prices: PriceList) -> dict[str, Any]:
    """Cost and complexity under the keys of `metadata`."""
    cost = cost_of(document, prices).as_cost()
    return {
        "estimated_cost": cost["total"],
        "currency": cost["currency"],
        "cost_per_machine": cost["per_machine"],
        "complexity_score": complexity(document),
    }
