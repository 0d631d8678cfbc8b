"""Says once that no worker shows life any more while work may be waiting, and once that one does again."""

import time
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from alma.accounts.models import Organization
from alma.events.services import emit
from alma.jobs import beats
from alma.jobs.models import Beat, Job

FROZEN = "queue.frozen"
"""The sign that it was said."""
_began = time.monotonic()


def watch_queue() -> None:
    """Judge by the workers' signs of life. A chore of the reconciler, which has to have watched for as long as that itself: after a
    night in which nothing ran at all, workers need a moment as well."""
    silence = beats.ages().get(beats.WORKER)
    if silence is None:
        return
    if silence <= settings.ALMA_STALE_SECONDS:
        _say_moving()
    elif time.monotonic() - _began > settings.ALMA_STALE_SECONDS:
        _say_frozen(int(silence))


@transaction.atomic
def _say_frozen(silence: int) -> None:
    _, is_new = Beat.objects.get_or_create(name=FROZEN, defaults={"at": Now()})
    if is_new:
        _tell(FROZEN, silent_seconds=silence)


@transaction.atomic
def _say_moving() -> None:
    deleted, _ = Beat.objects.filter(name=FROZEN).delete()
    if deleted:
        _tell("queue.moving")


def _tell(kind: str, **data: Any) -> None:
    """Everybody's work waits then: each organization is told, and of its own jobs alone."""
    for pk in Organization.objects.order_by("pk").values_list("pk", flat=True):
        waiting = Job.objects.active().filter(organization_id=pk).count()
        emit(f"installation:{pk}", kind, organization_id=pk, waiting_jobs=waiting, **data)
