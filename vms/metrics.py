"""What is measured: of one machine over time, from its cluster within a short deadline, and of everything at the last reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Unavailable
from alma.jobs.models import Job
from vms.machines import ACTIVITIES, clusters_of, is_silent
from vms.models import ClusterNode, ClusterStorage, Guest, KeptSeries
from vms.proxmox.client import connect, disconnect
from vms.proxmox.history import FIGURES, Moment, read_history
from vms.recording import fill
from vms.services import clear_answers

DEADLINE = 2.0
"""Seconds that a cluster has for an answer while somebody waits."""
FRESH = timedelta(seconds=15)
KEEP_AGAIN = timedelta(minutes=1)
"""What was told is written down this often at most."""
PERIODS: Mapping[str, tuple[str, int]] = {
    "1h": ("hour", 3600), "24h": ("day", 86_400), "7d": ("week", 604_800), "30d": ("month", 2_592_000),
}  # fmt: skip
"""What Proxmox calls a period, and its seconds."""


@dataclass(frozen=True)
class Series:
    """Figures of a machine and when they were read. It is stale when the cluster could not be asked now."""

    moments: list[Moment]
    read_at: datetime
    is_stale: bool = False


def series_of(guest: Guest, period: str) -> Series:
    """The figures of a period. Raises Unavailable when they were never read and the cluster does not answer in time."""
    timeframe, seconds = PERIODS[period]
    now = timezone.now()
    fresh: Series | None = cache.get(_key(guest, period))
    if fresh is not None and now - fresh.read_at < FRESH:
        return fresh
    try:
        moments = _read(guest, timeframe)
    except Unavailable:
        kept = _kept(guest, period)
        if kept is None:
            raise
        return kept
    begin = int(now.timestamp()) - seconds
    series = Series([moment for moment in moments if moment[0] >= begin], now)
    cache.set(_key(guest, period), series, FRESH.total_seconds())
    if not KeptSeries.objects.filter(guest=guest, period=period, read_at__gt=now - KEEP_AGAIN).exists():
        keep(guest, period, series)
    return series


def keep(guest: Guest, period: str, series: Series) -> None:
    """Write figures down, for all processes and beyond their end: while the cluster is silent they are told."""
    rows = [[seconds, *(told[name] for name in FIGURES)] for seconds, told in series.moments]
    KeptSeries.objects.update_or_create(
        guest=guest, period=period, defaults={"moments": rows, "read_at": series.read_at}
    )


def _kept(guest: Guest, period: str) -> Series | None:
    """What was written down, if anything."""
    row = KeptSeries.objects.filter(guest=guest, period=period).first()
    if row is None:
        return None
    moments = [(seconds, dict(zip(FIGURES, told, strict=True))) for seconds, *told in row.moments]
    return Series(moments, row.read_at, is_stale=True)


def _key(guest: Guest, period: str) -> str:
    return f"vms.series.{guest.pk}.{period}"


def _read(guest: Guest, timeframe: str) -> list[Moment]:
    """From the cluster, if it answers within the deadline. Raises Unavailable."""
    if is_silent(guest.cluster):
        raise Unavailable(
            f"{guest.cluster.name} is out of reach, and its figures were never read.", code="CLUSTER_UNREACHABLE"
        )
    try:
        with clear_answers(guest.cluster):
            return read_history(connect(guest.cluster, seconds=DEADLINE), guest, timeframe)
    finally:
        disconnect()


def whole_system(actor: Actor) -> dict[str, Any]:
    """Figures over all of the actor's clusters at their last reading; those that are silent now count with their last one."""
    clusters = clusters_of(actor)
    return {
        "clusters": {
            "total": len(clusters), "unreachable": sum(map(is_silent, clusters.values())),
        },
        "nodes": _nodes(actor), "vms": _guests(actor), "storage": _storage(actor), "jobs": _jobs(actor),
    }  # fmt: skip


def _nodes(actor: Actor) -> dict[str, Any]:
    """Load and memory of the nodes that are online; a share of nothing is not known."""
    rows = list(ClusterNode.objects.visible_to(actor))
    online = [row for row in rows if row.is_online]
    cores, memory = sum(row.cores for row in online), sum(row.memory_bytes for row in online)
    load, used = sum(row.cpu_load * row.cores for row in online), sum(row.memory_used for row in online)
    return {
        "total": len(rows), "online": len(online), "cpu_cores": cores, "cpu_usage_percent": percent(load, cores),
        "memory_total_bytes": memory, "memory_used_bytes": used, "memory_usage_percent": percent(used, memory),
    }  # fmt: skip


def _guests(actor: Actor) -> dict[str, int]:
    silent = [pk for pk, cluster in clusters_of(actor).items() if is_silent(cluster)]
    known = ~Q(cluster_id__in=silent) & ~Q(lock__in=ACTIVITIES)
    figures = {name: Count("pk", filter=known & Q(status=name)) for name in ("running", "stopped", "paused")}
    cores = Sum("cores", default=0)
    counts: dict[str, int] = Guest.objects.visible_to(actor).machines().aggregate(
        total=Count("pk"), **figures, cpu_cores=cores, memory_bytes=Sum("memory_bytes", default=0)
    )  # fmt: skip
    return {**counts, "other": counts["total"] - sum(counts[name] for name in figures)}


def _storage(actor: Actor) -> dict[str, Any]:
    room = fill(ClusterStorage.objects.visible_to(actor).filter(is_active=True))
    return {
        "total": room.count, "total_bytes": room.total, "used_bytes": room.used,
        "usage_percent": percent(room.used, room.total),
    }  # fmt: skip


def _jobs(actor: Actor) -> dict[str, int]:
    """What runs, what waits, and what ended within a day."""
    lately = Q(finished_at__gte=timezone.now() - timedelta(days=1))
    ended = {
        state.value: Count("pk", filter=lately & Q(state=state)) for state in (Job.State.COMPLETED, Job.State.FAILED)
    }
    jobs: dict[str, int] = Job.objects.visible_to(actor).aggregate(
        running=Count("pk", filter=Q(state=Job.State.RUNNING)), queued=Count("pk", filter=Q(state=Job.State.QUEUED)),
        completed_24h=ended["completed"], failed_24h=ended["failed"],
    )  # fmt: skip
    return jobs


def percent(part: float | None, whole: float | None) -> float | None:
    """A share, with one decimal; None of what is not known."""
    return round(100 * part / whole, 1) if part is not None and whole else None
