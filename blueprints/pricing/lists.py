"""Prices of a month, and those that come along."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path

from blueprints.pricing.items import Item

_DEFAULTS = Path(__file__).with_name("defaults.toml")


@dataclass(frozen=True)
class PriceList:
    """Prices of a month by item, and where each comes from. What a book does not name has the default's price."""

    name: str
    currency: str
    valid_from: date
    amounts: Mapping[Item, Decimal]
    sources: Mapping[Item, str] = field(default_factory=dict)
    is_default: bool = False

    def __getitem__(self, item: Item) -> Decimal:
        return self.amounts[item]

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What a cache of costs goes by: a book that is edited is another one."""
        return self.currency, *(self.amounts[item] for item in Item)

    def assumptions(self) -> list[str]:
        """A sentence for each price, and one for the whole."""
        where = "that come with ALMA" if self.is_default else f"of the price book “{self.name}”"
        first = f"Prices {where}, in {self.currency}, valid from {self.valid_from:%Y-%m-%d}."
        return [
            first,
            *(f"{item.label}: {self[item].normalize():f}. {self.sources.get(item, '')}".strip() for item in Item),
        ]


@cache
def default_list() -> PriceList:
    """The prices that come along."""
    told = tomllib.loads(_DEFAULTS.read_text(), parse_float=Decimal)
    rows = {item: told[item.value] for item in Item}
    return PriceList(
        told["name"], told["currency"], told["valid_from"], {item: row["amount"] for item, row in rows.items()},
        {item: row["source"] for item, row in rows.items()}, is_default=True,
    )  # fmt: skip
