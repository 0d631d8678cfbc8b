"""Jobs as pages of machines show them: how far each is, and what it does now."""

from collections.abc import Iterable
from dataclasses import dataclass

from alma.jobs.models import Job
from alma.jobs.progress import NONE, Progress, progress_of


@dataclass(frozen=True)
class Work:
    """A job and how far it is."""

    job: Job
    progress: Progress

    @property
    def percent(self) -> int:
        """The share that is done; all of it where it has ended well."""
        return 100 if self.job.state == Job.State.COMPLETED else self.progress.percentage

    @property
    def step(self) -> str:
        """The title of the step that runs, if one does."""
        return self.progress.step

    @property
    def message(self) -> str:
        """What ended it, for people."""
        return str((self.job.error or {}).get("message", ""))


def work_of(jobs: Iterable[Job]) -> list[Work]:
    """Each of these jobs with how far it is: one query beside that of the jobs."""
    rows = list(jobs)
    known = progress_of(job.pk for job in rows)
    return [Work(job, known.get(job.pk, NONE)) for job in rows]
