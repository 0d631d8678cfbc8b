"""Jobs for tests, and what workers do with them."""

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.models import Job, Step
from alma.jobs.services import StepSpec, create_job
from tests.factories.accounts import make_organization


def spec(key: str, kind: str = "note", **overrides: Any) -> StepSpec:
    return StepSpec(kind=kind, key=key, title=f"Do {key}", **overrides)


def make_job(*specs: StepSpec, **overrides: Any) -> Job:
    """A job of one step unless told otherwise."""
    return create_job("run", specs or [spec("one")], organization_id=make_organization().pk, **overrides)


def finish(job: Job, limit: int = 50) -> Job:
    """Advance until it has ended."""
    for _ in range(limit):
        engine.advance(job.pk)
        job.refresh_from_db()
        if not job.is_active:
            return job
    raise AssertionError(f"{job} is still {job.state}")


def expire(job: Job) -> None:
    """As if the lease had run out, by the clock of the database."""
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))


def step(job: Job, key: str = "one") -> Step:
    return job.steps.get(key=key)


def states(job: Job) -> dict[str, str]:
    return dict(job.steps.values_list("key", "state"))


def told(job: Job) -> list[str]:
    """The kinds of the job's events, in order, without the name of the job's kind."""
    return [kind.removeprefix("run.") for kind in Event.objects.of(job.stream).values_list("kind", flat=True)]


def seqs(stream: str) -> list[int]:
    return list(Event.objects.of(stream).values_list("seq", flat=True))
