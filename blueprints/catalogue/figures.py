"""How much a template makes and what that costs, computed from the blueprint that it makes."""

from dataclasses import dataclass

from blueprints.pricing import PriceList, cost_of, default_list
from blueprints.schema import BlueprintDocument, expand

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
_LOW, _MEDIUM = 3, 10


@dataclass(frozen=True)
class Figures:
    """Machines and other resources of a blueprint, and what they cost in a month."""

    machines: int
    others: int
    cost: float
    currency: str

    @property
    def complexity(self) -> str:
        """As documented: low up to 3, medium up to 10, high beyond; each machine of a resource counts."""
        count = self.machines + self.others
        return "low" if count <= _LOW else "medium" if count <= _MEDIUM else "high"


def figures_of(document: BlueprintDocument, prices: PriceList | None = None) -> Figures:
    """The figures of a blueprint, at the prices of a book; at the defaults without one."""
    expansion = expand(document)
    cost = cost_of(document, prices or default_list()).as_cost()
    return Figures(len(expansion.machines), len(expansion.unsupported), cost["total"], cost["currency"])


def cost_range(least: Figures, most: Figures) -> str:
    """`$80-140/month`: from the one to the other, rounded outward to two figures."""
    low, high = _down(least.cost), -_down(-most.cost)
    sign = _SIGNS.get(least.currency)
    return f"{sign}{low}-{high}/month" if sign else f"{low}-{high} {least.currency}/month"


def _down(amount: float) -> int:
    """The next lower amount that people would say: 5 below 100, 10 below 1,000, 100 beyond."""
    step = 5 if abs(amount) < 100 else 10 if abs(amount) < 1000 else 100
    return int(amount // step) * step
