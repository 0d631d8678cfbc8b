"""Signs of life: when each role last showed that it works, and a canary that shows it for idle workers."""

import logging
import time
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import DurationField, ExpressionWrapper, F, Q, Subquery
from django.db.models.functions import Now
from django_q.tasks import async_task

from alma.jobs.broker import DoorbellBroker
from alma.jobs.models import Beat

logger = logging.getLogger(__name__)

WORKER = "worker"
RECONCILER = "reconciler"
INSTANCES = "instances"
CANARY = "canary"
QUIET = timedelta(seconds=3)
"""A worker that was not heard of for this long is sent a canary."""
LOST = timedelta(seconds=10)
"""A canary that has not come back by then is sent again; ALMA_STALE_SECONDS is longer."""
_NO_JOB = 0
_WORKER_STEP = 1.0


def beat(name: str) -> None:
    """Show life, by the database's clock."""
    Beat.objects.bulk_create(
        [Beat(name=name, at=Now())], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )


def ages() -> dict[str, float]:
    """Seconds since each sign of life, by the database's clock."""
    age = ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    return {name: max(0.0, age.total_seconds()) for name, age in Beat.objects.values_list("name", age)}


def send_canary(*, at_once: bool = False) -> bool:
    """Queue a task that finds nothing to do, when no worker was heard of lately; at most one is on its way."""
    if not at_once and not _is_canary_due():
        return False
    beat(CANARY)
    async_task("alma.jobs.tasks.advance", _NO_JOB, save=False, broker=DoorbellBroker.urgent())
    return True


def _is_canary_due() -> bool:
    """By a conditional update, so that of several copies that ask only one is told yes."""
    if Beat.objects.filter(name=WORKER, at__gt=Now() - QUIET).exists():
        return False
    Beat.objects.bulk_create([Beat(name=CANARY, at=Now() - LOST)], ignore_conflicts=True)
    heard = Beat.objects.filter(name=WORKER).values("at")[:1]
    is_back = Q(at__lt=Now() - QUIET, at__lte=Subquery(heard))
    is_lost = Q(at__lte=Now() - LOST)
    return bool(Beat.objects.filter(is_back | is_lost, name=CANARY).update(at=Now()))


class WorkerPulse:
    """Shows life around each task that a worker process runs, at most once a second.

    Not from django-q2's signals: it sends the one after a task under a lock for which its sentinel waits, and a database
    may be slow."""

    def __init__(self) -> None:
        self._next = 0.0

    def feel(self) -> None:
        """A task begins or ends."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _WORKER_STEP
        try:
            beat(WORKER)
        except DatabaseError:
            logger.warning("a sign of life could not be written", exc_info=True)


pulse = WorkerPulse()
"""Of this process."""
