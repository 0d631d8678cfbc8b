"""Figures of the past as pictures that the server draws: lines with their gaps, and the same in words and in a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from alma.templatetags.ui import size
from vms.metrics import PERIODS, Series
from vms.proxmox.history import Moment

WIDTH, HEIGHT, EDGE = 720, 140, 4
MOST_ROWS = 48
TICKS = 4
PERIOD_WORDS: Mapping[str, str] = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
_CLOCK: Mapping[str, str] = {"1h": "%H:%M", "24h": "%H:%M", "7d": "%a %d", "30d": "%d %b"}
Told = Mapping[str, float | None]
Values = Sequence[tuple[int, float | None]]
"""Unix seconds and a figure; None is a gap."""


@dataclass(frozen=True)
class Figure:
    """One thing that is measured. `top` is the upper end of its scale, None for one that follows from the values."""

    name: str
    title: str
    icon: str
    lines: tuple[tuple[str, Callable[[Told], float | None]], ...]
    write: Callable[[float], str]
    top: Callable[[Sequence[Moment]], float] | None = None


@dataclass(frozen=True)
class Line:
    """One line of a picture, in pieces between its gaps."""

    label: str
    pieces: tuple[str, ...]
    last: str


@dataclass(frozen=True)
class Chart:
    """A picture. `gaps` are places without figures as (x, width); `words` say what one sees."""

    figure: Figure
    lines: tuple[Line, ...]
    gaps: tuple[tuple[float, float], ...]
    levels: tuple[tuple[str, float], ...]
    words: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Drawing:
    """All pictures of a period, what stands below them, and the figures as rows of a table."""

    charts: tuple[Chart, ...]
    ticks: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[datetime, tuple[str, ...]], ...]


def draw(series: Series, period: str) -> Drawing:
    """The pictures of a period that ends when the figures were read."""
    end = series.read_at.timestamp()
    span = (end - PERIODS[period][1], end)
    moments = series.moments
    headings = tuple(
        f"{figure.title}{f', {label.lower()}' if len(figure.lines) > 1 else ''}" for figure, label, _ in _columns()
    )
    return Drawing(
        tuple(_chart(figure, moments, span, period) for figure in FIGURES),
        _ticks(span, period),
        headings,
        _rows(moments),
    )


def _chart(figure: Figure, moments: Sequence[Moment], span: tuple[float, float], period: str) -> Chart:
    told = {label: [(at, read(values)) for at, values in moments] for label, read in figure.lines}
    known = [value for values in told.values() for _, value in values if value is not None]
    top = figure.top(moments) if figure.top else max(ceiling(max(known, default=0)), 1024.0)
    lines = tuple(
        Line(label, tuple(_pieces(values, span, top)), _last(values, figure)) for label, values in told.items()
    )
    gaps = _gaps(sorted({at for values in told.values() for at, value in values if value is not None}), moments, span)
    levels = tuple((figure.write(top * share), _y(top * share, top)) for share in (1, 0.5, 0))
    return Chart(figure, lines, gaps, levels, _words(figure, told, gaps, period))


def _x(at: float, span: tuple[float, float]) -> float:
    share = (at - span[0]) / (span[1] - span[0])
    return round(WIDTH * min(max(share, 0.0), 1.0), 1)


def _y(value: float, top: float) -> float:
    return round(EDGE + (HEIGHT - 2 * EDGE) * (1 - min(value / top, 1.0)), 1)


def _pieces(values: Values, span: tuple[float, float], top: float) -> list[str]:
    """The points of each part without a gap; a lonely point stands twice, so that it is drawn as a dot."""
    pieces = []
    for is_known, part in groupby(values, key=lambda one: one[1] is not None):
        points = [f"{_x(at, span)},{_y(value, top)}" for at, value in part if value is not None]
        if is_known:
            pieces.append(" ".join(points if len(points) > 1 else points * 2))
    return pieces


def _gaps(
    known: Sequence[int], moments: Sequence[Moment], span: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """Where nothing is known for longer than figures are apart."""
    times = [at for at, _ in moments]
    step = min((later - sooner for sooner, later in zip(times, times[1:], strict=False)), default=0)
    edges = [span[0], *known, span[1]]
    found = [
        (sooner, later) for sooner, later in zip(edges, edges[1:], strict=False) if later - sooner > max(2 * step, 1)
    ]
    return tuple((_x(sooner, span), round(_x(later, span) - _x(sooner, span), 1)) for sooner, later in found)


def _last(values: Values, figure: Figure) -> str:
    last = next((value for _, value in reversed(values) if value is not None), None)
    return "–" if last is None else figure.write(last)


def _words(
    figure: Figure, told: Mapping[str, Values], gaps: tuple[tuple[float, float], ...], period: str
) -> str:  # fmt: skip
    said = []
    for label, values in told.items():
        known = [value for _, value in values if value is not None]
        if known:
            low, high, mean = (figure.write(one) for one in (min(known), max(known), sum(known) / len(known)))
            said.append(f"{label} between {low} and {high}, {mean} on average, {_last(values, figure)} at last")
    missing = f" Nothing is known in {len(gaps)} place{'s' if len(gaps) > 1 else ''}." if gaps else ""
    return f"{figure.title} over the last {PERIOD_WORDS[period]}: {'; '.join(said) or 'nothing was measured'}.{missing}"


def _ticks(span: tuple[float, float], period: str) -> tuple[str, ...]:
    wide = (span[1] - span[0]) / TICKS
    times = (datetime.fromtimestamp(span[0] + wide * number, UTC) for number in range(TICKS + 1))
    return tuple(time.strftime(_CLOCK[period]) for time in times)


def _columns() -> list[tuple[Figure, str, Callable[[Told], float | None]]]:
    return [(figure, label, read) for figure in FIGURES for label, read in figure.lines]


def _rows(moments: Sequence[Moment]) -> tuple[tuple[datetime, tuple[str, ...]], ...]:
    """The figures from the newest back, means of several moments where there are many."""
    each = -(-len(moments) // MOST_ROWS) or 1
    parts = [moments[start : start + each] for start in range(0, len(moments), each)]
    return tuple(
        (datetime.fromtimestamp(part[0][0], UTC), tuple(_mean(part, *column) for column in _columns()))
        for part in reversed(parts)
    )


def _mean(part: Sequence[Moment], figure: Figure, label: str, read: Callable[[Told], float | None]) -> str:
    known = [value for _, told in part if (value := read(told)) is not None]
    return figure.write(sum(known) / len(known)) if known else "–"


def ceiling(value: float) -> float:
    """The end of a scale that is easy to read: 1, 2 or 5 of some power of ten, in units of 1024."""
    unit = 1.0
    while value > 1000 * unit:
        unit *= 1024
    steps = (factor * 10**power for power in range(4) for factor in (1, 2, 5))
    return unit * next((step for step in steps if step * unit >= value), 1024)


def _bytes(name: str) -> Callable[[Told], float | None]:
    return lambda told: told[name]


def _cpu(told: Told) -> float | None:
    share = told["cpu"]
    return None if share is None else 100 * share


def _per_second(value: float) -> str:
    return f"{size(value)}/s"


def _memory_top(moments: Sequence[Moment]) -> float:
    return max((told["maxmem"] or 0 for _, told in moments), default=0) or float(2**30)


FIGURES = (
    Figure(
        "cpu", "CPU", "cpu", (("Used", _cpu),), lambda value: f"{value:.0f}\N{NO-BREAK SPACE}%", lambda moments: 100.0
    ),
    Figure("memory", "Memory", "memory", (("Used", _bytes("mem")),), size, _memory_top),
    Figure("disk", "Disk", "disk", (("Read", _bytes("diskread")), ("Written", _bytes("diskwrite"))), _per_second),
    Figure("network", "Network", "network", (("In", _bytes("netin")), ("Out", _bytes("netout"))), _per_second),
)
