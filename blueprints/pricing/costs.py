"""What the machines of a document cost in a month, line by line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypedDict

from blueprints.pricing.items import Item
from blueprints.pricing.lists import PriceList
from blueprints.schema import BlueprintDocument, Machine, expand

GIB = 1024**3
CENT = Decimal("0.01")


@dataclass(frozen=True)
class CostLine:
    """So many of an item at its price."""

    item: Item
    quantity: Decimal
    price: Decimal

    @property
    def amount(self) -> Decimal:
        """Not rounded."""
        return self.quantity * self.price


@dataclass(frozen=True)
class MachineCost:
    """What one machine costs, and of what."""

    key: str
    resource: str
    lines: tuple[CostLine, ...]

    @property
    def total(self) -> Decimal:
        """To the cent."""
        return cents(sum((line.amount for line in self.lines), Decimal(0)))


class Cost(TypedDict):
    """The sum, and what each machine costs, as JSON has them."""

    total: float
    currency: str
    per_machine: dict[str, float]


@dataclass(frozen=True)
class CostSheet:
    """What all machines cost, each rounded to the cent before they are added up."""

    prices: PriceList
    machines: tuple[MachineCost, ...]

    @property
    def total(self) -> Decimal:
        """Of a month."""
        return sum((machine.total for machine in self.machines), Decimal(0))

    @property
    def currency(self) -> str:
        return self.prices.currency

    def as_cost(self) -> Cost:
        """For documents and answers."""
        each = {machine.key: float(machine.total) for machine in self.machines}
        return {"total": float(self.total), "currency": self.currency, "per_machine": each}

    def by_resource(self) -> dict[str, Decimal]:
        """Of the machines of each resource together."""
        sums: dict[str, Decimal] = {}
        for machine in self.machines:
            sums[machine.resource] = sums.get(machine.resource, Decimal(0)) + machine.total
        return sums

    def by_item(self) -> dict[Item, Decimal]:
        """Of each item, over all machines; what costs nothing is left out."""
        sums = self._summed(lambda line: line.amount)
        return {item: cents(sums[item]) for item in Item if sums.get(item)}

    def quantities(self) -> dict[Item, Decimal]:
        """How many of each item there are, over all machines."""
        return self._summed(lambda line: line.quantity)

    def _summed(self, value: Callable[[CostLine], Decimal]) -> dict[Item, Decimal]:
        sums: dict[Item, Decimal] = {}
        for line in (line for machine in self.machines for line in machine.lines):
            sums[line.item] = sums.get(line.item, Decimal(0)) + value(line)
        return sums


def cents(amount: Decimal) -> Decimal:
    """Rounded as money is."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def cost_of(document: BlueprintDocument, prices: PriceList) -> CostSheet:
    """Every machine of a document."""
    return cost_of_machines(expand(document).machines, prices)


def cost_of_machines(machines: Iterable[Machine], prices: PriceList) -> CostSheet:
    """The same for machines."""
    return CostSheet(prices, tuple(_cost(machine, prices) for machine in machines))


def price_machine(
    prices: PriceList,
    *,
    cores: int,
    memory_bytes: int,
    disk_bytes: int,
    kind: str = "vm",
    gpus: int = 0,
    is_backed_up: bool = False,
) -> tuple[CostLine, ...]:
    """The lines of a machine of this size; those of nothing are left out."""
    share = prices[Item.CONTAINER_FACTOR] if kind == "lxc" else Decimal(1)
    disk = Decimal(disk_bytes) / GIB
    lines = (
        CostLine(Item.MACHINE, Decimal(1), prices[Item.MACHINE]),
        CostLine(Item.CORE, Decimal(cores), prices[Item.CORE] * share),
        CostLine(Item.MEMORY_GB, Decimal(memory_bytes) / GIB, prices[Item.MEMORY_GB] * share),
        CostLine(Item.DISK_GB, disk, prices[Item.DISK_GB]),
        CostLine(Item.BACKUP_GB, disk if is_backed_up else Decimal(0), prices[Item.BACKUP_GB]),
        CostLine(Item.GPU, Decimal(gpus), prices[Item.GPU]),
    )
    return tuple(line for line in lines if line.quantity)


def _cost(machine: Machine, prices: PriceList) -> MachineCost:
    disk = machine.disk_bytes + sum(disk.size_bytes for disk in machine.data_disks)
    lines = price_machine(
        prices, cores=machine.cores * machine.sockets, memory_bytes=machine.memory_bytes, disk_bytes=disk,
        kind=machine.kind, gpus=machine.gpus, is_backed_up=machine.backup is not None,
    )  # fmt: skip
    return MachineCost(machine.key, machine.resource, lines)
