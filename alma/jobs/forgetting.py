"""Jobs that ended long ago and that nothing needs are forgotten. What happened stays in the log of events."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from alma.jobs.models import Dismissal, Job, JobQuerySet, Step

AT_ONCE = 200
"""Jobs that are forgotten in one turn of the chore: a writer of SQLite keeps all others waiting."""
_GO_WITH_IT = (Step, Dismissal)


def forget_old() -> int:
    """The chore: forget some of those that may go, the oldest first. Returns how many."""
    rows = list(forgettable().order_by("finished_at", "pk").values_list("pk", flat=True)[:AT_ONCE])
    if rows:
        Job.objects.filter(pk__in=rows).delete()
    return len(rows)


def forgettable() -> JobQuerySet:
    """Those that ended long enough ago, that no row of another table names, and that no keeper asks for."""
    long_ago = timezone.now() - timedelta(days=settings.ALMA_JOB_DAYS)
    rows = Job.objects.exclude(state__in=Job.OPEN).filter(finished_at__lt=long_ago)
    for name in _referring():
        rows = rows.filter(**{f"{name}__isnull": True})
    for keeper in settings.ALMA_JOB_KEEPERS:
        rows = rows.exclude(public_id__in=import_string(keeper)())
    return rows


def _referring() -> list[str]:
    """How tables that name a job are asked for: each that does not go with it, those to come as well."""
    found = Job._meta.related_objects
    return [str(relation.name) for relation in found if relation.related_model not in _GO_WITH_IT]
