"""Words into blueprints: the planner that needs no model and no network."""

from blueprints.generation.planner import GeneratedBlueprint, generate
from blueprints.generation.stream import stream

__all__ = ["GeneratedBlueprint", "generate", "stream"]
