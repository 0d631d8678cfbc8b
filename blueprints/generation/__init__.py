"""Words into blueprints: the planner that needs no model and no network."""

from blueprints.generation.planner import GeneratedBlueprint, generate

__all__ = ["GeneratedBlueprint", "generate"]
