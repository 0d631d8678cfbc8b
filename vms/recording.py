"""The chore that writes down how busy clusters are, each minute, and what a quarter of an hour and an hour were on average.

It reads what the inventory has just read: no cluster is asked. A minute in which a cluster was silent has no row, and is a gap."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, QuerySet, Sum
from django.utils import timezone

from vms.models import Cluster, ClusterMoment, ClusterNode, ClusterStorage, Guest, KeptSeries

MINUTE, QUARTER, HOUR = 60, 900, 3600
KEPT = {MINUTE: timedelta(hours=26), QUARTER: timedelta(days=8), HOUR: timedelta(days=32)}
"""How long moments of each step are kept."""
SERIES_KEPT = timedelta(days=7)
FRESH = timedelta(seconds=45)
"""A reading that is older is none of this minute."""
FIGURES = (
    "cores", "cpu_load", "memory_bytes", "memory_used", "storage_bytes", "storage_used", "rx_rate", "tx_rate",
)  # fmt: skip


NO_RATE = (None, None)


@dataclass(frozen=True)
class Fill:
    """How many storages there are, their bytes, and how many of those are in use."""

    count: int
    total: int
    used: int


def record() -> None:
    """Write this minute of every cluster that was read in it, and bring the averages up to date."""
    now = timezone.now()
    clusters = set(
        Cluster.objects.enabled()
        .filter(unreachable_since=None, last_read_at__gt=now - FRESH)
        .values_list("pk", flat=True)
    )
    fresh = clusters - set(
        ClusterMoment.objects.filter(step=MINUTE, at=floor(now, MINUTE)).values_list("cluster", flat=True)
    )
    if fresh:
        ClusterMoment.objects.bulk_create(_moments(fresh, floor(now, MINUTE)), ignore_conflicts=True)
        for step in (QUARTER, HOUR):
            _roll_up(floor(now, step), step)
    _forget(now)


def floor(moment: datetime, step: int) -> datetime:
    """When the span of so many seconds began that a moment lies in."""
    return datetime.fromtimestamp(int(moment.timestamp()) // step * step, UTC)


def _moments(clusters: Iterable[int], at: datetime) -> list[ClusterMoment]:
    """A row for each of these clusters."""
    wanted = list(clusters)
    nodes = list(ClusterNode.objects.filter(cluster__in=wanted, is_online=True))
    storages = list(ClusterStorage.objects.filter(cluster__in=wanted, is_active=True))
    rates = _rates(wanted)
    rows = []
    for cluster in wanted:
        mine = [node for node in nodes if node.cluster_id == cluster]
        room = fill([storage for storage in storages if storage.cluster_id == cluster])
        rows.append(ClusterMoment(
            cluster_id=cluster, step=MINUTE, at=at, cores=sum(node.cores for node in mine),
            cpu_load=sum(node.cpu_load * node.cores for node in mine), memory_bytes=sum(node.memory_bytes for node in mine),
            memory_used=sum(node.memory_used for node in mine), storage_bytes=room.total, storage_used=room.used,
            rx_rate=rates.get(cluster, NO_RATE)[0], tx_rate=rates.get(cluster, NO_RATE)[1],
        ))  # fmt: skip
    return rows


def _rates(clusters: list[int]) -> dict[int, tuple[float | None, float | None]]:
    """What all machines of each cluster receive and send."""
    guests = Guest.objects.machines().filter(cluster__in=clusters).order_by().values("cluster_id")
    told = guests.annotate(received=Sum("rx_rate"), sent=Sum("tx_rate"))
    return {row["cluster_id"]: (row["received"], row["sent"]) for row in told}


def fill(storages: Iterable[ClusterStorage]) -> Fill:
    """How full storages are; a shared one counts once, however many nodes see it."""
    once = {(row.cluster_id, row.name, "" if row.is_shared else row.node): row for row in storages}
    return Fill(len(once), sum(row.total_bytes for row in once.values()), sum(row.used_bytes for row in once.values()))


def _roll_up(at: datetime, step: int) -> None:
    """The mean of the minutes of a longer span, as far as it has gone."""
    minutes = ClusterMoment.objects.filter(step=MINUTE, at__gte=at, at__lt=at + timedelta(seconds=step))
    means = {f"mean_{name}": Avg(name) for name in FIGURES}
    found: QuerySet[Any, Any] = minutes.order_by().values("cluster_id").annotate(**means)
    rows = [
        ClusterMoment(
            cluster_id=row["cluster_id"], step=step, at=at, **{name: row[f"mean_{name}"] for name in FIGURES}
        )
        for row in found
    ]  # fmt: skip
    ClusterMoment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["cluster", "step", "at"], update_fields=FIGURES
    )


def _forget(now: datetime) -> None:
    for step, kept in KEPT.items():
        ClusterMoment.objects.filter(step=step, at__lt=now - kept).delete()
    KeptSeries.objects.filter(read_at__lt=now - SERIES_KEPT).delete()
