"""What machines cost. This is reckoning alone; `blueprints.pricing.book` says which prices an organization has."""

from blueprints.pricing.costs import Cost, CostSheet, MachineCost, cost_of, price_machine
from blueprints.pricing.items import Item
from blueprints.pricing.lists import PriceList, default_list

__all__ = ["Cost", "CostSheet", "Item", "MachineCost", "PriceList", "cost_of", "default_list", "price_machine"]
