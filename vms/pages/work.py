"""Jobs as pages of machines show them: how far each is, and what it does now."""

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, Subquery, Sum

from alma.jobs.models import Job, JobQuerySet, Step


@dataclass(frozen=True)
class Work:
    """A job, the share that is done in percent, and the title of the step that runs."""

    job: Job
    percent: int
    step: str = ""

    @property
    def state(self) -> str:
        """As it is shown: one that was asked to stop says so."""
        return "cancelling" if self.job.is_active and self.job.cancel_requested_at else self.job.state

    @property
    def message(self) -> str:
        """What ended it, for people."""
        return str((self.job.error or {}).get("message", ""))


def work_of(jobs: JobQuerySet) -> list[Work]:
    """Each of these jobs with how far it is: one query."""
    running = Step.objects.filter(job=OuterRef("pk"), state=Step.State.RUNNING).order_by("ordinal")
    rows = jobs.annotate(
        whole=Sum("steps__weight", default=0), step=Subquery(running.values("title")[:1]),
        through=Sum("steps__weight", filter=Q(steps__state__in=Step.DONE), default=0),
    )  # fmt: skip
    return [_work(row) for row in rows]


def _work(row: Any) -> Work:
    share = 100 * row.through // row.whole if row.whole else 0
    return Work(row, 100 if row.state == Job.State.COMPLETED else share, row.step or "")
