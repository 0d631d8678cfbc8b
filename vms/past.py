"""What was measured of everything over a period: moments of all clusters of an organization, gaps included."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum
from django.utils import timezone

from alma.accounts.actors import Actor
from vms.models import ClusterMoment
from vms.recording import FIGURES, HOUR, MINUTE, QUARTER

SPANS: Mapping[str, tuple[int, int]] = {
    "1h": (MINUTE, 60), "24h": (QUARTER, 96), "7d": (HOUR, 168), "30d": (HOUR, 720),
}  # fmt: skip
"""The seconds of a moment, and how many a period has."""
Told = Mapping[str, float | None]


class SystemMoment(NamedTuple):
    """Figures of all clusters that were read then; None throughout is a gap."""

    at: datetime
    told: Told


GAP: Told = dict.fromkeys(FIGURES)


def system_past(actor: Actor, period: str) -> list[SystemMoment]:
    """The moments of a period until now, oldest first and without holes; the present one only once something is known of it."""
    step, count = SPANS[period]
    last = int(timezone.now().timestamp()) // step * step
    first = last - (count - 1) * step
    rows = ClusterMoment.objects.visible_to(actor).filter(step=step, at__gte=datetime.fromtimestamp(first, UTC))
    sums = {f"sum_{name}": Sum(name) for name in FIGURES}
    summed: QuerySet[Any, Any] = rows.order_by().values("at").annotate(**sums)
    found = {int(row["at"].timestamp()): {name: row[f"sum_{name}"] for name in FIGURES} for row in summed}
    end = last if last in found else last - step
    return [
        SystemMoment(datetime.fromtimestamp(second, UTC), found.get(second, GAP))
        for second in range(first, end + 1, step)
    ]
