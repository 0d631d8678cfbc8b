"""How far jobs are, for lists of them: one query, however many there are."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Min, Q, Sum

from alma.jobs.models import Step


@dataclass(frozen=True)
class Progress:
    """How far a job is: the share of the work that is done, 0 to 100, by the weight of the steps; how many of them are
    through; and what it does now, empty between two steps."""

    percentage: int = 0
    done: int = 0
    all: int = 0
    step: str = ""


NONE = Progress()
"""Of a job without steps."""


def progress_of(pks: Iterable[int]) -> dict[int, Progress]:
    """By number of the job; jobs without steps are left out."""
    is_done = Q(state__in=Step.DONE)
    rows = Step.objects.filter(job_id__in=list(pks)).order_by().values("job_id")
    found = rows.annotate(
        whole=Sum("weight"), through=Sum("weight", filter=is_done, default=0),
        all=Count("pk"), done=Count("pk", filter=is_done), step=Min("title", filter=Q(state=Step.State.RUNNING)),
    )  # fmt: skip
    return {
        row["job_id"]: Progress(
            100 * row["through"] // row["whole"] if row["whole"] else 0, row["done"], row["all"], row["step"] or ""
        )
        for row in found
    }  # fmt: skip
