"""The chore that writes down what instances take, and who waits for them. It asks no instance: supervisors have measured."""

from datetime import UTC, datetime, timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from instances.models import Instance, Load, Node, Router, Sample, Waiter

STEP = 30
KEPT = timedelta(hours=24)


def record() -> None:
    """One sample of each instance that has a process, at most one a half minute; and forget those of yesterday."""
    now = timezone.now()
    at = datetime.fromtimestamp(int(now.timestamp()) // STEP * STEP, UTC)
    lost = Node.objects.lost().values("name")
    rows = Instance.objects.filter(status__in=Instance.ALIVE).exclude(node__in=lost)
    loads = (
        Load.objects.filter(router__in=Router.objects.living()).values_list("instance").annotate(n=Sum("outstanding"))
    )
    lines = dict(Waiter.objects.order_by().values_list("instance").annotate(n=Count("pk")))
    answered = dict(loads)
    Sample.objects.bulk_create(
        [
            Sample(
                instance=row, at=at, memory_bytes=row.memory_bytes, cpu_percent=row.cpu_percent,
                outstanding=answered.get(row.pk, 0), waiting=lines.get(row.pk, 0),
            )
            for row in rows.only("pk", "memory_bytes", "cpu_percent")
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    Sample.objects.filter(at__lt=now - KEPT).delete()
