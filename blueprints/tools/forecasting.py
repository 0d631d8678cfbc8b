"""forecast_metrics: what was measured, continued.

The method is MSTL (a seasonal-trend decomposition by LOESS) with a trend of exponential smoothing that AutoETS chooses by its
information criterion, as `augurs` has it; the intervals are those of the trend at the asked level. The season is what repeats at
the resolution that is kept: a day of hours, an hour of quarters, a quarter of minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

import numpy as np
from augurs import MSTL
from pydantic import BaseModel, Field, model_validator

from alma.accounts.actors import Actor
from alma.errors import NotFound, WrongState
from blueprints.tools.register import Arguments, Result, tool
from blueprints.tools.rounding import counted, in_words
from blueprints.tools.subjects import MACHINE_READ, MachineId, guests_of
from vms.measured import Measured, Point, of_cluster, of_guest
from vms.models import Cluster

HOUR, DAY = 3600, 86_400
LEVEL = 0.9
MOST_POINTS = 120
"""Points of a series that an answer holds."""
MOST_STEPS = 2_000
FULL = 0.9
"""The share of what there is at which it counts as used up."""
OUTLOOK_DAYS = 30
FURTHEST = 10
"""So many times as far ahead as was measured, and no further: beyond, an interval would promise what nobody can know."""
_BYTES = (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024))
Metric = Literal["cpu", "memory", "storage", "network"]


class ForecastArguments(Arguments):
    """What is to be foreseen, for how long."""

    metric: Annotated[
        Metric, Field(description="Cores in use, bytes of memory or storage, or bytes received a second")
    ] = "cpu"
    days: Annotated[int, Field(ge=1, le=90, description="How far to look")] = 7
    cluster: Annotated[str, Field(max_length=50, description="Slug of a cluster; the first without one")] | None = None
    vm_id: MachineId | None = None
    level: Annotated[float, Field(ge=0.5, le=0.99, description="Share of the cases that the interval is to hold")] = (
        LEVEL
    )
    threshold_percent: Annotated[
        float, Field(gt=0, le=100, description="Of what there is; when it is reached is told")
    ] = 100 * FULL

    @model_validator(mode="after")
    def _one(self) -> "ForecastArguments":
        if self.cluster is not None and self.vm_id is not None:
            raise ValueError("give cluster or vm_id, not both")
        return self


class Foreseen(BaseModel):
    """A value with its interval."""

    at: datetime
    value: float
    lower: float
    upper: float


class Known(BaseModel):
    """A value that was measured."""

    at: datetime
    value: float


class ForecastResult(Result):
    """The past, and its continuation."""

    subject: str
    metric: str
    unit: str
    level: float
    current: float
    total: float | None
    expected: float = Field(description="At the end")
    reaches_threshold_at: datetime | None = Field(description="When the forecast does; null when not within the time")
    may_reach_threshold_at: datetime | None = Field(description="When the upper end of the interval does")
    history: list[Known]
    forecast: list[Foreseen]
    measured_hours: float
    season_hours: float


class Outlook(BaseModel):
    """How a resource of a cluster stands, and when it is used up."""

    metric: str
    unit: str
    used: float | None
    total: float | None
    used_percent: float | None
    full_at: datetime | None = Field(
        description="When 90 % are reached; null when not within 30 days or nothing is known"
    )
    note: str


Row = TypeVar("Row", Point, Foreseen)


@dataclass(frozen=True)
class Forecast:
    """A continuation, one value for each step after the last that was measured."""

    points: Sequence[Foreseen]

    def reaches(self, limit: float, *, of: str = "value") -> datetime | None:
        """When a value first does."""
        return next((point.at for point in self.points if getattr(point, of) >= limit), None)


@tool(
    "forecast_metrics", "Forecast",
    "Continue what was measured of a cluster or a machine (CPU, memory, storage, network) with an interval, by seasonal "
    "decomposition and exponential smoothing, and say when a threshold is reached.",
    example={"metric": "storage", "days": 30},
    rights=(MACHINE_READ,),
)  # fmt: skip
def forecast_metrics(arguments: ForecastArguments, by: Actor) -> ForecastResult:
    """Raises NotFound, Refused, Unavailable, and WrongState while too little was measured."""
    measured = _measured(arguments, by)
    found = continued(measured, arguments.days, arguments.level)
    limit = measured.total * arguments.threshold_percent / 100 if measured.total else None
    at = found.reaches(limit) if limit else None
    last, end = measured.points[-1], found.points[-1]
    when = f" {in_words(arguments.threshold_percent)} % are reached on {at:%Y-%m-%d}." if at else ""
    return ForecastResult(
        summary=f"{measured.name}: {measured.metric} is {_words(last.value, measured)} now and {_words(end.value, measured)} "
        f"({_words(end.lower, measured)} to {_words(end.upper, measured)}) on {end.at:%Y-%m-%d}.{when}",
        assumptions=_notes(measured, arguments), subject=measured.name, metric=measured.metric, unit=measured.unit,
        level=arguments.level, current=round(last.value, 4), total=measured.total, expected=end.value, reaches_threshold_at=at,
        may_reach_threshold_at=found.reaches(limit, of="upper") if limit else None,
        history=[Known(at=point.at, value=round(point.value, 4)) for point in _thinned(measured.points)],
        forecast=_thinned(found.points), measured_hours=round(_hours(measured), 1), season_hours=season_of(measured) * measured.step / HOUR,
    )  # fmt: skip


def outlook_of(cluster: Cluster, metric: str) -> Outlook:
    """When a resource of a cluster is used up, as far as can be said."""
    measured = of_cluster(cluster, metric)
    if not measured.points or not measured.total:
        return Outlook(
            metric=metric,
            unit=measured.unit,
            used=None,
            total=measured.total,
            used_percent=None,
            full_at=None,
            note="Nothing was measured yet.",
        )
    used = measured.points[-1].value
    told = {
        "metric": metric,
        "unit": measured.unit,
        "used": used,
        "total": measured.total,
        "used_percent": round(100 * used / measured.total, 1),
    }
    try:
        at = continued(measured, OUTLOOK_DAYS, LEVEL).reaches(FULL * measured.total)
    except WrongState as error:
        return Outlook(**told, full_at=None, note=error.message)
    note = f"90 % on {at:%Y-%m-%d}." if at else f"Below 90 % for {OUTLOOK_DAYS} days."
    return Outlook(**told, full_at=at, note=f"{note} By {counted(_hours(measured), 'hour')} of measurements.")


def season_of(measured: Measured) -> int:
    """How many steps repeat: the longest of a day, an hour, or a quarter of an hour of which three were measured."""
    spans = [span // measured.step for span in (DAY, HOUR, HOUR // 4) if measured.step * 4 <= span] or [4]
    return next((season for season in spans if len(measured.points) >= 3 * season), spans[-1])


def continued(measured: Measured, days: int, level: float) -> Forecast:
    """A value for each step of so many days. Raises WrongState while too little was measured: less than three seasons, or than a
    tenth of the time to look ahead."""
    season = season_of(measured)
    values = [point.value for point in measured.points]
    needed = max(3 * season * measured.step, 12 * measured.step, days * DAY / FURTHEST) / HOUR
    if len(values) * measured.step / HOUR < needed:
        raise WrongState(
            f"Measured of {measured.metric} of {measured.name} so far: {counted(_hours(measured), 'hour', places=1)}. To look "
            f"{counted(days, 'day')} ahead, {counted(needed, 'hour', places=1)} are needed.", code="TOO_LITTLE_MEASURED",
        )  # fmt: skip
    stride = -(-days * DAY // measured.step // MOST_STEPS) or 1
    horizon = max(1, days * DAY // measured.step)
    model = MSTL.ets([season])
    model.fit(np.array(values, dtype=np.float64))
    found = model.predict(horizon, level)
    lower, upper = found.lower(), found.upper()
    assert lower is not None
    assert upper is not None
    rows = zip(found.point(), lower, upper, strict=True)
    begin = measured.points[-1].at
    points = [
        Foreseen(
            at=begin + timedelta(seconds=measured.step * number),
            value=_floor(value),
            lower=_floor(low),
            upper=_floor(high),
        )
        for number, (value, low, high) in enumerate(rows, start=1)
    ]
    return Forecast(points[::stride] if stride > 1 else points)


def _floor(value: float) -> float:
    """Nothing that is measured here is less than nothing."""
    return round(max(0.0, float(value)), 4)


def _measured(arguments: ForecastArguments, by: Actor) -> Measured:
    if arguments.vm_id is not None:
        return of_guest(guests_of([arguments.vm_id], by)[0], arguments.metric)
    rows = Cluster.objects.visible_to(by).order_by("pk")
    cluster = rows.filter(slug=arguments.cluster).first() if arguments.cluster else rows.first()
    if cluster is None:
        raise NotFound(f"There is no cluster {arguments.cluster or 'yet'}.", code="CLUSTER_NOT_FOUND")
    return of_cluster(cluster, arguments.metric)


def _notes(measured: Measured, arguments: ForecastArguments) -> list[str]:
    hours, season = _hours(measured), season_of(measured) * measured.step / HOUR
    rows = [
        f"Method: MSTL with a season of {in_words(season)} hours and an exponential smoothing trend (AutoETS), intervals of {in_words(100 * arguments.level)} %.",
        f"By {counted(len(measured.points), 'value')} of {counted(hours, 'hour')}, {measured.step} s apart.",
        "What comes is like what was: a change that nobody has seen yet is not foreseen.",
    ]
    if measured.gaps:
        rows.append(f"{measured.gaps} values were missing and lie on a straight line between their neighbours.")
    if arguments.days * 24 > hours:
        rows.append("It looks further ahead than it looks back: take the interval seriously.")
    if measured.is_stale:
        rows.append("The cluster is silent: these are the figures that were last read.")
    return rows


def _hours(measured: Measured) -> float:
    return len(measured.points) * measured.step / HOUR


def _thinned(rows: Sequence[Row]) -> list[Row]:
    """At most MOST_POINTS of them, the last included."""
    stride = -(-len(rows) // MOST_POINTS) or 1
    return list(rows[::-1][::stride][::-1])


def _words(value: float, measured: Measured) -> str:
    if measured.unit == "cores":
        return f"{value:.2f} cores"
    unit, size = next(((unit, size) for unit, size in _BYTES if value >= size), _BYTES[-1])
    return f"{value / size:.2f} {unit}" + (" a second" if "second" in measured.unit else "")
