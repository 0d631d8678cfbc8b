"""From a blueprint revision and a reading of the cluster to a plan. Pure: no database, no network, no clock."""

from iprs.planner.draft import Draft, Item, digest_of
from iprs.planner.facts import facts_of, moved_facts
from iprs.planner.planner import Target, draft_plan

__all__ = ["Draft", "Item", "Target", "digest_of", "draft_plan", "facts_of", "moved_facts"]
