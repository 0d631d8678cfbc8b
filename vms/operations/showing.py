"""What a machine is shown as while a job works on it."""

from collections.abc import Iterable

from alma.jobs.models import Job
from vms.models import Guest


def statuses(guests: Iterable[Guest]) -> dict[int, str]:
    """By the number of each machine that a job works on directly: starting, stopping, snapshotting and the like."""
    wanted = [guest.pk for guest in guests]
    rows = Job.objects.active().filter(exclusive_key__startswith="guest:", params__guest__in=wanted)
    return {params["guest"]: params["status"] for params in rows.values_list("params", flat=True)}
