"""A generation told step by step, as the events of the streaming API."""

from collections.abc import Iterator
from typing import Any

from blueprints.generation.planner import GeneratedBlueprint

Event = dict[str, Any]


def stream(blueprint: GeneratedBlueprint) -> Iterator[Event]:
    """thinking, progress, one resource each, complete."""
    yield {"type": "thinking", "content": "Analyzing requirements..."}
    for line in (*blueprint["metadata"]["assumptions"], *blueprint["metadata"]["questions"]):
        yield {"type": "thinking", "content": line}
    yield {"type": "progress", "content": f"Designing {blueprint['description']}"}
    for resource in blueprint["resources"]:
        yield {
            "type": "resource",
            "content": {"name": resource["name"], "type": resource["type"], "specs": resource["specs"]},
        }
    cost, currency = blueprint["metadata"]["estimated_cost"], blueprint["metadata"]["currency"]
    yield {"type": "progress", "content": f"Estimated cost {cost:.2f} {currency} a month"}
    yield {"type": "complete", "blueprint": blueprint}
