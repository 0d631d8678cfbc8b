"""Figures over time as pictures that the server draws: lines with their gaps, a scale, and the same in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

WIDTH, HEIGHT, EDGE, TICKS = 720, 140, 4, 4
Values = Sequence[tuple[float, float | None]]
"""Seconds since 1970 and a figure; None where nothing is known."""
Span = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """One thing that is drawn: its lines by label, and how a value is written. `least` is the smallest end of its scale."""

    name: str
    title: str
    icon: str
    lines: tuple[tuple[str, Values], ...]
    write: Callable[[float], str]
    least: float = 1.0
    unit: float = 1000.0
    """What the round numbers of the scale are multiples of: 1024 for bytes."""


@dataclass(frozen=True)
class Line:
    """One line of a picture, in pieces between its gaps."""

    label: str
    pieces: tuple[str, ...]
    last: str


@dataclass(frozen=True)
class Chart:
    """A picture; `words` say what one sees."""

    figure: Figure
    lines: tuple[Line, ...]
    levels: tuple[tuple[str, float], ...]
    ticks: tuple[str, ...]
    words: str
    width: int = WIDTH
    height: int = HEIGHT


def draw(figure: Figure, span: Span) -> Chart:
    """The picture of a figure between two moments."""
    known = [value for _, values in figure.lines for _, value in values if value is not None]
    top = max(ceiling(max(known, default=0.0), figure.unit), figure.least)
    lines = tuple(
        Line(label, tuple(_pieces(values, span, top)), _last(figure, values)) for label, values in figure.lines
    )
    levels = tuple((figure.write(top * share), _y(top * share, top)) for share in (1, 0.5, 0))
    return Chart(figure, lines, levels, _ticks(span), _words(figure))


def ceiling(value: float, unit: float = 1000.0) -> float:
    """The end of a scale that is easy to read: 1, 2 or 5 of some power of ten, in thousands of its unit."""
    size = 1.0
    while value > 1000 * size:
        size *= unit
    return size * next(
        (step for power in range(4) for step in (10**power, 2 * 10**power, 5 * 10**power) if step * size >= value), 1000
    )


def _pieces(values: Values, span: Span, top: float) -> list[str]:
    """The points of each part without a gap; a lonely point stands twice, so that it is drawn as a dot."""
    pieces = []
    for is_known, part in groupby(values, key=lambda one: one[1] is not None):
        points = [f"{_x(at, span)},{_y(value, top)}" for at, value in part if value is not None]
        if is_known:
            pieces.append(" ".join(points if len(points) > 1 else points * 2))
    return pieces


def _x(at: float, span: Span) -> float:
    return round(WIDTH * min(max((at - span[0]) / (span[1] - span[0]), 0.0), 1.0), 1)


def _y(value: float, top: float) -> float:
    return round(EDGE + (HEIGHT - 2 * EDGE) * (1 - min(value / top, 1.0)), 1)


def _last(figure: Figure, values: Values) -> str:
    last = next((value for _, value in reversed(values) if value is not None), None)
    return "–" if last is None else figure.write(last)


def _ticks(span: Span) -> tuple[str, ...]:
    wide = (span[1] - span[0]) / TICKS
    form = "%H:%M" if span[1] - span[0] <= 86_400 else "%a %d"
    return tuple(datetime.fromtimestamp(span[0] + wide * number, UTC).strftime(form) for number in range(TICKS + 1))


def _words(figure: Figure) -> str:
    said = []
    for label, values in figure.lines:
        known = [value for _, value in values if value is not None]
        if known:
            low, high = figure.write(min(known)), figure.write(max(known))
            said.append(f"{label} between {low} and {high}, {_last(figure, values)} at last")
    return f"{figure.title}: {'; '.join(said) or 'nothing was measured'}."
