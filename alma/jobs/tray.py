"""What everybody in an organization is shown of its jobs on each page: what runs, what has just ended, and failures that
stay until one has read of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Refused
from alma.jobs.models import Dismissal, Job, JobQuerySet

READ = "job:read"
STAYS = timedelta(days=7)
"""How long a failure that nobody has read of is shown."""
LATELY = timedelta(days=1)
MOST_ACTIVE, MOST_UNREAD, MOST_ENDED = 6, 5, 4
MOST_DISMISSED = 500


@dataclass(frozen=True)
class Shown:
    """Some of the jobs of one sort, and whether there are more."""

    jobs: list[Job]
    has_more: bool


def active(actor: Actor) -> JobQuerySet:
    """Those that have not ended."""
    return Job.objects.visible_to(actor).active()


def marked(rows: JobQuerySet, actor: Actor) -> JobQuerySet:
    """Jobs with `is_read`: whether this person has dismissed the failure; one that fails again is unread again."""
    read = Dismissal.objects.filter(user=actor.user, job=OuterRef("pk"), at__gte=OuterRef("finished_at"))
    return rows.annotate(is_read=Exists(read))


def unread(actor: Actor) -> JobQuerySet:
    """Failures of the last days that this person has not dismissed."""
    rows = Job.objects.visible_to(actor).filter(state=Job.State.FAILED, finished_at__gte=timezone.now() - STAYS)
    return marked(rows, actor).filter(is_read=False)


def is_unread(job: Job) -> bool:
    """Whether the tray counts a job, which must be a marked one."""
    if job.state != Job.State.FAILED or job.finished_at is None or getattr(job, "is_read", True):
        return False
    return job.finished_at > timezone.now() - STAYS


def ended(actor: Actor) -> JobQuerySet:
    """Those that ended well or were cancelled within a day, the last first."""
    states = (Job.State.COMPLETED, Job.State.CANCELLED)
    rows = Job.objects.visible_to(actor).filter(state__in=states, finished_at__gte=timezone.now() - LATELY)
    return rows.order_by("-finished_at", "-pk")


def shown(rows: JobQuerySet, most: int) -> Shown:
    """The first rows."""
    found = list(rows[: most + 1])
    return Shown(found[:most], len(found) > most)


def dismiss(jobs: Iterable[Job], *, by: Actor) -> int:
    """Note that a person has read of these failures; harmless when they had. Returns how many. Raises Refused."""
    by.require(READ)
    if by.user is None:
        raise Refused("Failures are dismissed by people, each for themselves.", code="NOT_A_PERSON")
    now = timezone.now()
    rows = [Dismissal(user=by.user, job=job, at=now) for job in jobs if job.state == Job.State.FAILED]
    Dismissal.objects.bulk_create(rows, update_conflicts=True, unique_fields=["user", "job"], update_fields=["at"])
    return len(rows)


def dismiss_all(*, by: Actor) -> int:
    """The same for all that are unread now. Raises Refused."""
    return dismiss(unread(by).order_by("-pk")[:MOST_DISMISSED], by=by)
