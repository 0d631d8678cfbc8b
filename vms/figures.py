"""Figures for Prometheus: whether clusters can be read, and the guests of the last reading."""

from django.db.models import Count
from django.utils import timezone

from alma.monitoring.figures import Figure, Labels, filled
from vms.models import Cluster, Guest


def inventory() -> list[Figure]:
    """Clusters go by number: their names are nobody else's business."""
    rows = list(Cluster.objects.enabled().values_list("pk", "last_read_at", "last_error"))
    now = timezone.now()
    readable: dict[Labels, float] = {(str(pk),): read is not None and not error for pk, read, error in rows}
    ages: dict[Labels, float] = {(str(pk),): (now - read).total_seconds() for pk, read, _ in rows if read}
    return [
        Figure("alma_cluster_readable", "Whether the last reading of a cluster succeeded.", readable, ("cluster",)),
        Figure("alma_cluster_reading_age_seconds", "Since a cluster was last read.", ages, ("cluster",)),
        Figure("alma_guests", "Guests of the last readings, by status.", _guests(), ("status",)),
    ]


def _guests() -> dict[Labels, float]:
    rows = Guest.objects.present().filter(is_template=False).order_by().values_list("status").annotate(Count("pk"))
    return filled([("running",), ("stopped",)], {(status,): number for status, number in rows})
