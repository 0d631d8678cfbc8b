"""Making, waking, cancelling and retrying jobs."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from pytest_django import Settings

from alma.errors import WrongState
from alma.events.models import Event, Stream
from alma.jobs import engine, services, tasks
from alma.jobs.leases import Lease
from alma.jobs.models import Job
from tests.concurrency import together
from tests.factories.accounts import make_organization
from tests.jobs.kinds import EFFECTS
from tests.jobs.running import finish, make_job, seqs, spec, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_kinds")]


def queued() -> list[tuple[str, tuple[int, ...]]]:
    """What waits in the queue: function and arguments."""
    packages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("pk")]
    return [(package["func"], package["args"]) for package in packages]


def long_ago(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(kicked_at=Now() - timedelta(minutes=1))


# -- create ---------------------------------------------------------------------------------------
def test_create_writes_the_journal_and_queues_one_id() -> None:
    job = make_job(spec("a", weight=3, params={"cpu": 2}), spec("b", level=1), title="Both", by="jane")
    rows = list(job.steps.values("ordinal", "level", "kind", "key", "title", "params", "weight", "state", "journal"))
    assert rows == [
        {"ordinal": 1, "level": 0, "kind": "note", "key": "a", "title": "Do a", "params": {"cpu": 2}, "weight": 3,
         "state": "pending", "journal": {}},
        {"ordinal": 2, "level": 1, "kind": "note", "key": "b", "title": "Do b", "params": {}, "weight": 1,
         "state": "pending", "journal": {}},
    ]  # fmt: skip
    assert queued() == [("alma.jobs.tasks.advance", (job.pk,))]
    assert job.public_id.startswith("run-")
    assert (job.stream, job.title, job.created_by, job.state) == (f"run:{job.public_id}", "Both", "jane", "queued")


def test_nothing_is_queued_when_the_caller_rolls_back() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_job()
        raise ZeroDivisionError
    assert queued() == []
    assert not Job.objects.exists()
    assert not Stream.objects.exists()


MOST_QUERIES = 5
"""What telling of a new job may cost: its stream looked for twice and made, its number, the event."""


def test_a_job_is_told_of_as_soon_as_it_is_queued() -> None:
    """Pages show it by that, whether or not a worker ever comes."""
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        job = make_job(by="jane")
        waiting = services.create_waiting_job("run", [spec("a")], organization_id=job.organization_id, params={})
    telling = [query["sql"] for query in asked if "events_" in query["sql"]]
    assert len(telling) <= MOST_QUERIES, telling
    assert [(event.seq, event.kind, event.actor) for event in Event.objects.of(job.stream)] == [
        (1, "run.queued", "jane")
    ]
    assert told(waiting) == []
    services.release(waiting, by="joe")
    assert told(waiting) == ["queued"]
    finish(job)
    assert seqs(job.stream) == list(range(1, len(told(job)) + 1))


def test_nothing_is_queued_before_the_caller_commits() -> None:
    with transaction.atomic():
        make_job()
        assert queued() == []
    assert len(queued()) == 1


def test_create_refuses_a_second_job_for_the_same_target_and_writes_nothing() -> None:
    first = make_job(exclusive_key="shop")
    with pytest.raises(WrongState) as refused:
        make_job(exclusive_key="shop")
    assert refused.value.code == "ALREADY_RUNNING"
    assert Job.objects.get() == first
    finish(first)
    assert make_job(exclusive_key="shop").pk


def test_of_eight_at_once_for_the_same_target_one_is_made() -> None:
    organization_id = make_organization().pk

    def create(_: int) -> bool:
        try:
            services.create_job("run", [spec("one")], organization_id=organization_id, exclusive_key="shop")
        except WrongState:
            return False
        return True

    assert together(8, create).count(True) == 1
    assert Job.objects.count() == len(queued()) == 1


# -- kick -----------------------------------------------------------------------------------------
def test_one_kick_is_outstanding_however_many_are_asked_for() -> None:
    job = make_job()
    assert not any(services.kick(job.pk) for _ in range(100))
    assert together(8, lambda _: services.kick(job.pk)) == [False] * 8
    assert len(queued()) == 1


def test_of_eight_kicks_at_once_one_is_queued() -> None:
    job = make_job()
    OrmQ.objects.all().delete()
    Job.objects.update(kicked_at=None)
    assert together(8, lambda _: services.kick(job.pk)).count(True) == 1
    assert len(queued()) == 1


def test_a_kick_that_was_lost_is_repeated_after_a_while() -> None:
    job = make_job()
    OrmQ.objects.all().delete()
    assert services.kick_stalled() == 0
    long_ago(job)
    assert services.kick_stalled() == 1
    assert len(queued()) == 1


def test_taking_the_lease_uses_the_kick_up() -> None:
    job = make_job()
    lease = Lease.acquire(job.pk)
    assert lease is not None
    assert services.kick(job.pk)
    lease.release()
    assert services.kick(job.pk)


def test_stalled_jobs_are_kicked_and_others_are_left_alone() -> None:
    stalled, worked_on, paused, ended = (make_job(spec(name)) for name in ("stalled", "worked on", "paused", "ended"))
    finish(ended)
    assert Lease.acquire(worked_on.pk) is not None
    Job.objects.filter(pk=paused.pk).update(due_at=Now() + timedelta(minutes=1))
    for job in (stalled, worked_on, paused, ended):
        long_ago(job)
    OrmQ.objects.all().delete()
    assert services.kick_stalled() == 1
    assert queued() == [("alma.jobs.tasks.advance", (stalled.pk,))]


def test_a_paused_job_is_kicked_when_it_is_due() -> None:
    job = make_job()
    lease = Lease.acquire(job.pk)
    assert lease is not None
    lease.release(pause=60)
    assert services.kick_stalled() == 0
    Job.objects.update(due_at=Now() - timedelta(seconds=1))
    assert services.kick_stalled() == 1


def test_at_most_so_many_are_kicked_at_once() -> None:
    for _ in range(5):
        long_ago(make_job())
    assert services.kick_stalled(limit=3) == 3
    assert services.kick_stalled(limit=3) == 2


# -- the task -------------------------------------------------------------------------------------
def test_the_task_queues_itself_while_there_is_more_to_do(settings: Settings) -> None:
    settings.ALMA_SLOT_SECONDS = 0
    job = make_job(spec("a"), spec("b", level=1))
    OrmQ.objects.all().delete()
    assert tasks.advance(job.pk) == "more to do"
    assert queued() == [("alma.jobs.tasks.advance", (job.pk,))]
    while tasks.advance(job.pk) == "more to do":
        continue
    assert EFFECTS == ["a", "b"]


def test_repeated_and_late_tasks_are_harmless() -> None:
    job = finish(make_job())
    assert [tasks.advance(job.pk) for _ in range(3)] == ["leased elsewhere or ended"] * 3
    assert EFFECTS == ["one"]


# -- cancel and retry -----------------------------------------------------------------------------
def test_cancel_is_told_and_wakes_the_job() -> None:
    job = make_job()
    engine_free = Lease.acquire(job.pk)
    assert engine_free is not None
    services.cancel(job, by="jane")
    assert told(job) == ["queued", "cancelling"]
    assert len(queued()) == 2


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
def test_an_ended_job_cannot_be_cancelled(state: str) -> None:
    job = make_job()
    Job.objects.update(state=state)
    with pytest.raises(WrongState):
        services.cancel(job, by="jane")
    assert told(job) == ["queued"]


def test_a_job_is_cancelled_once() -> None:
    job = make_job()
    services.cancel(job, by="jane")
    with pytest.raises(WrongState):
        services.cancel(job, by="joe")
    assert told(job) == ["queued", "cancelling"]


@pytest.mark.parametrize("state", ["queued", "running", "completed"])
def test_retry_of_a_job_that_has_not_failed(state: str) -> None:
    job = make_job()
    Job.objects.update(state=state)
    job.refresh_from_db()
    with pytest.raises(WrongState):
        services.retry(job, by="jane")
    assert told(job) == ["queued"]


def test_retry_while_another_job_has_the_target() -> None:
    job = make_job(spec("one", "failing"), exclusive_key="shop")
    finish(job)
    make_job(exclusive_key="shop")
    with pytest.raises(WrongState) as refused:
        services.retry(job, by="jane")
    assert refused.value.code == "ALREADY_RUNNING"
    job.refresh_from_db()
    assert job.state == "failed"


def test_retry_after_a_cancel_goes_on() -> None:
    job = make_job()
    services.cancel(job, by="jane")
    finish(job)
    services.retry(job, by="jane")
    assert job.state == "queued"
    assert finish(job).state == "completed"
    assert EFFECTS == ["one"]
    assert engine.advance(job.pk) == "leased elsewhere or ended"
