"""Cost and complexity, computed from the machines of a document and an editable table of prices."""

import math
from collections.abc import Sequence
from typing import TypedDict

from blueprints.generation.lexicon import table
from blueprints.schema.document import BlueprintDocument
from blueprints.schema.machine import Machine
from blueprints.schema.machines import expand_machines
from blueprints.schema.sizes import GIB


class Cost(TypedDict):
    """What the machines cost in a month."""

    total: float
    currency: str
    per_machine: dict[str, float]


def monthly_cost(document: BlueprintDocument) -> Cost:
    """Every machine at the prices of the table."""
    each = {machine.key: round(_price(machine), 2) for machine in expand_machines(document)}
    return {"total": round(sum(each.values()), 2), "currency": table("prices")["currency"], "per_machine": each}


def _price(machine: Machine) -> float:
    prices = table("prices")
    disk = (machine.disk_bytes + sum(disk.size_bytes for disk in machine.data_disks)) / GIB
    compute = (
        prices["per_core"] * machine.cores * machine.sockets + prices["per_gb_memory"] * machine.memory_bytes / GIB
    )
    discount = prices["container_discount"] if machine.kind == "lxc" else 1.0
    backup = prices["backup_per_gb_disk"] * disk if machine.backup else 0.0
    gpus = prices["per_gpu"] * machine.gpus
    return float(prices["per_machine"] + compute * discount + prices["per_gb_disk"] * disk + backup + gpus)


def complexity(document: BlueprintDocument) -> float:
    """From 0 (nothing) to 10: grows with machines, with how different they are, and with how they depend on each other."""
    machines = expand_machines(document)
    if not machines:
        return 0.0
    links = sum(len(resource.dependencies) for resource in document.resources)
    score = 1.5 * math.log2(1 + len(machines)) + 0.6 * (_kinds(machines) - 1) + 0.5 * math.log2(1 + links)
    return round(min(10.0, score), 1)


def _kinds(machines: Sequence[Machine]) -> int:
    return len({(machine.role, machine.software, machine.kind) for machine in machines})
