"""How much happened in each hour of the last day, as a small picture and in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from alma.events.models import Event

HOURS = 24
STEP, WIDTH, HEIGHT, LEAST = 10, 7, 40, 2
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Bar:
    """One hour: where it is drawn, in units of the picture, when it began, and how many events it has."""

    x: int
    y: float
    height: float
    since: datetime
    count: int


@dataclass(frozen=True)
class Sparkline:
    """The bars, oldest first."""

    bars: tuple[Bar, ...]
    total: int
    words: str
    width: int = HOURS * STEP
    height: int = HEIGHT
    bar: int = WIDTH


def sparkline(rows: QuerySet[Event]) -> Sparkline:
    """Count the events of the last 24 hours, this one included; one query, in which the database compares and nothing is
    truncated: SQLite would call Python for each row."""
    first = timezone.now().replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR
    hours = [first + number * HOUR for number in range(HOURS)]
    inside = {f"h{number}": Q(at__gte=hour, at__lt=hour + HOUR) for number, hour in enumerate(hours)}
    wanted = rows.filter(at__gte=first).order_by()
    counted = wanted.aggregate(**{name: Count("pk", filter=within) for name, within in inside.items()})
    counts = [counted[name] for name in inside]
    most = max(counts)
    bars = tuple(_bar(place, hours[place], count, most) for place, count in enumerate(counts))
    return Sparkline(bars, sum(counts), _words(bars, most))


def _bar(place: int, since: datetime, count: int, most: int) -> Bar:
    height = round(max(LEAST, HEIGHT * count / most), 1) if count else 0.0
    return Bar(place * STEP, round(HEIGHT - height, 1), height, since, count)


def _words(bars: tuple[Bar, ...], most: int) -> str:
    total = sum(bar.count for bar in bars)
    if not total:
        return "Nothing happened in the last 24 hours."
    peak = next(bar for bar in reversed(bars) if bar.count == most)
    return f"{total} in the last 24 hours, most at {peak.since:%H:%M} UTC: {most}."
