"""Old scans are forgotten, but for those from which something that is shown now was taken."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Subquery
from django.utils import timezone

from vms.models import ScanSubject, SecurityScan
from vms.models.scans import ScanQuerySet

AT_ONCE = 3
"""Scans that are forgotten in one turn of the chore: each has up to thousands of findings."""
ALWAYS = 10
"""The last scans of an organization, which stay however old they are: its trend."""


def forget_old() -> int:
    """The chore: forget some of those that may go, the oldest first. Returns how many."""
    rows = list(forgettable().order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    if rows:
        SecurityScan.objects.filter(pk__in=rows).delete()
    return len(rows)


def forgettable() -> ScanQuerySet:
    """Those that ended long enough ago, are not among the last ones, and are not the last of any machine or cluster."""
    long_ago = timezone.now() - timedelta(days=settings.ALMA_SCAN_DAYS)
    newer = SecurityScan.objects.filter(organization=OuterRef("organization"), pk__gt=OuterRef("pk")).order_by()
    number = newer.values("organization").annotate(number=Count("pk")).values("number")
    rows = SecurityScan.objects.filter(finished_at__lt=long_ago).annotate(newer=Subquery(number))
    return rows.filter(~_last_of_a_machine(), ~_last_of_a_cluster(), newer__gte=ALWAYS)


def _last_of_a_machine() -> Exists:
    """The score of a machine that is there was taken from it."""
    here = ScanSubject.objects.filter(scan=OuterRef("pk"), assessed_at__isnull=False, guest__missing_since=None)
    later = ScanSubject.objects.filter(guest=OuterRef("guest"), assessed_at__gt=OuterRef("assessed_at"))
    return Exists(here.exclude(guest=None).filter(~Exists(later)))


def _last_of_a_cluster() -> Exists:
    """The security of a cluster is told from it."""
    here = ScanSubject.objects.filter(scan=OuterRef("pk"), scan__state=SecurityScan.State.COMPLETED)
    later = ScanSubject.objects.filter(cluster=OuterRef("cluster"), scan_id__gt=OuterRef("scan_id"))
    return Exists(here.filter(~Exists(later.filter(scan__state=SecurityScan.State.COMPLETED))))
