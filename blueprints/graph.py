"""A drawing of what depends on what: layers from left to right, what comes first at the left, few crossings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

WIDTH, HEIGHT = 168, 46
GAP_X, GAP_Y = 40, 14
MARGIN = 8
SWEEPS = 4
WIDEST = 1000
_LETTERS = 20
Layers = list[list[str]]
Needs = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Node:
    """A box by its upper left corner, with its name, a word about it, what comes before it, and the resource that it leads to."""

    name: str
    words: str
    needs: tuple[str, ...]
    key: str
    x: int
    y: int

    @property
    def short(self) -> str:
        """The name, as much of it as the box holds."""
        return self.name if len(self.name) <= _LETTERS else f"{self.name[: _LETTERS - 1]}…"

    @property
    def middle(self) -> int:
        """Where lines meet it."""
        return self.y + HEIGHT // 2

    @property
    def text_x(self) -> int:
        """Where its words begin."""
        return self.x + 12

    @property
    def name_y(self) -> int:
        """The line of its name."""
        return self.y + 20

    @property
    def words_y(self) -> int:
        """The line of the words."""
        return self.y + 36


@dataclass(frozen=True)
class Line:
    """From what is needed to what needs it."""

    needed: str
    needs: str
    path: str


@dataclass(frozen=True)
class Drawing:
    """Nodes and lines with the size of the picture."""

    width: int
    height: int
    nodes: Sequence[Node]
    lines: Sequence[Line]

    @property
    def is_wide(self) -> bool:
        """Whether its words could not be read any more if it were made to fit."""
        return self.width > WIDEST


def reduced(needs: Needs) -> Needs:
    """Without what follows from the rest: who needs the application, which needs the database, is not told so of both."""
    beyond: dict[str, set[str]] = {}
    for name in TopologicalSorter(needs).static_order():
        beyond[name] = set(needs[name]).union(*(beyond[needed] for needed in needs[name]))
    return {
        name: [one for one in needed if not any(one in beyond[other] for other in needed if other != one)]
        for name, needed in needs.items()
    }


def draw(needs: Needs, words: Mapping[str, str], keys: Mapping[str, str] | None = None) -> Drawing | None:
    """The drawing, a few words to each name, and where it leads; None when nothing depends on anything."""
    if not any(needs.values()):
        return None
    layers = _untangled(_layers(needs), needs)
    tallest = max(len(layer) for layer in layers)
    nodes = {
        name: Node(
            name,
            words.get(name, ""),
            tuple(needs[name]),
            (keys or {}).get(name, name),
            *_place(column, row, tallest - len(layer)),
        )
        for column, layer in enumerate(layers)
        for row, name in enumerate(layer)
    }
    lines = [_line(nodes[needed], nodes[name]) for name in needs for needed in needs[name]]
    width = len(layers) * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    return Drawing(width, tallest * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN, tuple(nodes.values()), lines)


def _layers(needs: Needs) -> Layers:
    """Each name one layer behind the last of what it needs."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(needs).static_order():
        depth[name] = 1 + max((depth[needed] for needed in needs[name]), default=-1)
    layers: Layers = [[] for _ in range(1 + max(depth.values()))]
    for name in needs:
        layers[depth[name]].append(name)
    return layers


def _untangled(layers: Layers, needs: Needs) -> Layers:
    """Order each layer by the mean position of its neighbours, forth and back, a few times."""
    neighbours: dict[str, set[str]] = {name: set(needed) for name, needed in needs.items()}
    for name, needed in needs.items():
        for other in needed:
            neighbours[other].add(name)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            rank = _ranks(layers)
            layer.sort(key=lambda name, rank=rank: (_mean(rank, neighbours[name], rank[name]), rank[name]))  # type: ignore[misc]
    return layers


def _ranks(layers: Layers) -> dict[str, float]:
    """Positions from 0 to 1, so that layers of different length compare."""
    return {name: (row + 0.5) / len(layer) for layer in layers for row, name in enumerate(layer)}


def _mean(rank: Mapping[str, float], names: set[str], otherwise: float) -> float:
    return sum(rank[name] for name in names) / len(names) if names else otherwise


def _place(column: int, row: int, missing: int) -> tuple[int, int]:
    """Short layers are centred beside long ones."""
    top = MARGIN + missing * (HEIGHT + GAP_Y) // 2
    return MARGIN + column * (WIDTH + GAP_X), top + row * (HEIGHT + GAP_Y)


def _line(needed: Node, needs: Node) -> Line:
    start, end = needed.x + WIDTH, needs.x
    bend = start + GAP_X // 2, end - GAP_X // 2
    path = f"M{start} {needed.middle} C{bend[0]} {needed.middle} {bend[1]} {needs.middle} {end - 5} {needs.middle}"
    return Line(needed.name, needs.name, path)
