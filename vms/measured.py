"""What was measured of a cluster or a machine as one evenly spaced series, for whoever reckons with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from vms.metrics import series_of
from vms.models import Cluster, ClusterMoment, Guest
from vms.recording import HOUR, MINUTE, QUARTER

METRICS = ("cpu", "memory", "storage", "network")
_OF_CLUSTERS = {
    "cpu": ("cpu_load", "cores"), "memory": ("memory_used", "memory_bytes"), "storage": ("storage_used", "storage_bytes"),
    "network": ("rx_rate", ""),
}  # fmt: skip
_OF_GUESTS = {"cpu": ("cpu", ""), "memory": ("mem", "maxmem"), "storage": ("disk", "maxdisk"), "network": ("netin", "")}
UNITS = {"cpu": "cores", "memory": "bytes", "storage": "bytes", "network": "bytes a second"}
_ENOUGH = {HOUR: 72, QUARTER: 24, MINUTE: 30}
"""Moments from which a resolution is worth more than a finer one."""


class Point(NamedTuple):
    """A value of a moment."""

    at: datetime
    value: float


@dataclass(frozen=True)
class Measured:
    """Values `step` seconds apart, the oldest first; a gap was filled by a straight line. `total` is what there is to use up."""

    name: str
    metric: str
    step: int
    points: Sequence[Point]
    total: float | None
    gaps: int = 0
    is_stale: bool = False

    @property
    def unit(self) -> str:
        return UNITS[self.metric]


def of_cluster(cluster: Cluster, metric: str) -> Measured:
    """From the moments that ALMA keeps: by hours, or finer while there are few of them; what goes back furthest while all are few."""
    used, total = _OF_CLUSTERS[metric]
    tried: list[Measured] = []
    for step in (HOUR, QUARTER, MINUTE):
        rows = (
            ClusterMoment.objects.filter(cluster=cluster, step=step)
            .order_by("at")
            .values("at", used, *([total] if total else []))
        )
        told = [(int(row["at"].timestamp()), row[used], row[total] if total else None) for row in rows]
        found = _even(cluster.name, metric, step, told)
        if len(found.points) >= _ENOUGH[step]:
            return found
        tried.append(found)
    return max(tried, key=lambda one: (len(one.points) - 1) * one.step)


def of_guest(guest: Guest, metric: str, period: str = "30d") -> Measured:
    """From what its cluster keeps of it, or what was last read of that. Raises Unavailable when it was never read."""
    used, total = _OF_GUESTS[metric]
    series = series_of(guest, period)
    factor = guest.cores if metric == "cpu" else 1
    told = [
        (at, None if (value := row[used]) is None else value * factor, row[total] if total else None)
        for at, row in series.moments
    ]
    step = min((later[0] - earlier[0] for earlier, later in zip(told, told[1:], strict=False)), default=HOUR)
    found = _even(guest.name or str(guest.vmid), metric, step, told)
    known = float(guest.cores) if metric == "cpu" else found.total
    return Measured(found.name, metric, step, found.points, known, found.gaps, series.is_stale)


def _even(name: str, metric: str, step: int, told: list[tuple[int, float | None, float | None]]) -> Measured:
    """Values at each step between the first and the last that are known."""
    known = {at: float(value) for at, value, _ in told if value is not None}
    totals = [float(total) for _, _, total in told if total]
    if not known:
        return Measured(name, metric, step, (), totals[-1] if totals else None)
    moments = range(min(known), max(known) + 1, step)
    values = _filled([known.get(at) for at in moments])
    points = tuple(Point(datetime.fromtimestamp(at, UTC), value) for at, value in zip(moments, values, strict=True))
    return Measured(name, metric, step, points, totals[-1] if totals else None, len(moments) - len(known))


def _filled(values: list[float | None]) -> list[float]:
    """Gaps by a straight line between their ends; the first and the last are known."""
    found: list[float] = []
    waiting = 0
    for value in values:
        if value is None:
            waiting += 1
            continue
        if waiting:
            start = found[-1]
            found += [start + (value - start) * part / (waiting + 1) for part in range(1, waiting + 1)]
            waiting = 0
        found.append(value)
    return found
