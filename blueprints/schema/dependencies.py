"""The order in which resources need each other, and the one circle that makes it impossible."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

Needs = Mapping[str, Sequence[str]]


def find_cycle(needs: Needs) -> list[str]:
    """The names of a circle, the first repeated at the end; empty when there is none."""
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def reachable(needs: Needs, start: str) -> set[str]:
    """Everything that this name needs, directly or not."""
    found: set[str] = set()
    waiting = list(needs.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(needs.get(name, ()))
    return found
