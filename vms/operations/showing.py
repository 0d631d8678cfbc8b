"""What a machine is shown as while a job works on it."""

from collections.abc import Iterable

from alma.jobs.models import Job
from vms.inventory import BEING_MADE
from vms.models import Guest


def statuses(guests: Iterable[Guest]) -> dict[int, str]:
    """By the number of each machine that a job works on directly: starting, stopping, snapshotting and the like."""
    wanted = [guest.pk for guest in guests]
    rows = Job.objects.active().filter(exclusive_key__startswith="guest:", params__guest__in=wanted)
    return {params["guest"]: params["status"] for params in rows.values_list("params", flat=True)}


def proposed(guests: Iterable[Guest]) -> set[int]:
    """The numbers of those that are not made yet, because people have to agree first."""
    wanted = [guest.pk for guest in guests if guest.status == BEING_MADE]
    if not wanted:
        return set()
    return {
        params["guest"]
        for params in Job.objects.waiting().filter(params__guest__in=wanted).values_list("params", flat=True)
    }
