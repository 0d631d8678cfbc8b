"""The reconciler: kicks what stands still, runs chores, shows life, and asks the workers for theirs."""

import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from pytest_django import Settings

from alma.jobs import beats
from alma.jobs import broker as brokers
from alma.jobs import reconciler as reconcilers
from alma.jobs.beats import CANARY, RECONCILER, WORKER, WorkerPulse
from alma.jobs.broker import DoorbellBroker
from alma.jobs.invariants import progress
from alma.jobs.models import Beat, Job
from alma.jobs.reconciler import ENDING, Chore, Reconciler
from alma.jobs.services import URGENT_DEATHS, create_job
from tests.factories.accounts import make_organization

pytestmark = pytest.mark.django_db(transaction=True)
RUNS: list[str] = []


def well() -> None:
    RUNS.append("well")


def badly() -> None:
    RUNS.append("badly")
    raise ValueError("this chore always fails")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    RUNS.clear()
    yield
    connections.close_all()


def queued() -> list[tuple[int, ...]]:
    return [SignedPackage.loads(row.payload)["args"] for row in OrmQ.objects.order_by("pk")]


def aged(name: str, seconds: float) -> None:
    Beat.objects.update_or_create(name=name, defaults={"at": Now() - timedelta(seconds=seconds)})


def test_a_turn_kicks_a_job_that_nobody_works_on() -> None:
    job = create_job("plan", [], organization_id=make_organization().pk)
    OrmQ.objects.all().delete()  # as if the queue had been lost
    Job.objects.update(kicked_at=Now() - timedelta(minutes=1))
    Reconciler([]).turn()
    assert (job.pk,) in queued()
    before = len(queued())
    Reconciler([]).turn()  # another copy
    assert queued().count((job.pk,)) == 1
    assert len(queued()) <= before + 1  # its first canary


def test_a_turn_shows_life() -> None:
    Reconciler([]).turn()
    assert beats.ages()[RECONCILER] < 5


def test_a_database_that_is_away_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(reconcilers, "kick_stalled", away)
    Reconciler([]).turn()
    assert RECONCILER not in beats.ages()


def test_a_chore_that_fails_stops_no_other_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    chores = [Chore(f"{__name__}.{name}", 0.01) for name in ("badly", "well")] + [Chore("no.such.module", 0.01)]
    stopping = threading.Event()
    threads = [threading.Thread(target=chore.repeat, args=[stopping]) for chore in chores]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    stopping.set()
    for thread in threads:
        thread.join(5)
    assert RUNS.count("well") > 3
    assert RUNS.count("badly") > 3
    messages = [record.getMessage() for record in caplog.records]
    assert sorted(messages) == ["the chore no.such.module failed", f"the chore {__name__}.badly failed"]


def test_a_chore_that_recovered_is_logged_again_when_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    chore = Chore(f"{__name__}.badly", 1)
    chore.run()
    chore.name = f"{__name__}.well"
    chore.run()
    chore.name = f"{__name__}.badly"
    chore.run()
    assert len(caplog.records) == 2


def test_chores_come_from_the_settings(settings: Settings) -> None:
    settings.ALMA_CHORES = [("some.chore", 5), ("another.chore", 60)]
    assert [(chore.name, chore.period) for chore in Reconciler.from_settings().chores] == settings.ALMA_CHORES


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_asked_to(number: signal.Signals) -> None:
    threading.Timer(0.3, signal.pthread_kill, [threading.main_thread().ident, number]).start()
    started = time.monotonic()
    try:
        Reconciler([Chore(f"{__name__}.well", 60)]).run()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    assert time.monotonic() - started < 1.5
    assert RUNS == ["well"]


def test_a_long_queue_does_not_grow_by_what_it_holds() -> None:
    """Kicks that wait behind others for long are not lost."""
    jobs = [create_job("plan", [], organization_id=make_organization().pk) for _ in range(3)]
    Job.objects.update(kicked_at=Now() - timedelta(minutes=1))
    OrmQ.objects.update(lock=timezone.now() - brokers.LONG_AGO - timedelta(minutes=1))
    Reconciler([]).turn()
    assert [queued().count((job.pk,)) for job in jobs] == [1, 1, 1]


def test_a_kick_that_was_lost_is_found_out_behind_others() -> None:
    lost, other = (create_job("plan", [], organization_id=make_organization().pk) for _ in range(2))
    OrmQ.objects.order_by("pk")[0].delete()  # taken by a worker that died
    Job.objects.filter(pk=lost.pk).update(kicked_at=Now() - timedelta(minutes=1))
    Reconciler([]).turn()
    assert queued().count((lost.pk,)) == 1
    assert queued().count((other.pk,)) == 1


@pytest.mark.parametrize(("deaths", "is_first"), [(1, True), (URGENT_DEATHS, True), (URGENT_DEATHS + 1, False)])
def test_a_job_whose_worker_died_goes_before_those_that_wait(deaths: int, is_first: bool) -> None:
    waiting, dead = (create_job("plan", [], organization_id=make_organization().pk) for _ in range(2))
    OrmQ.objects.order_by("-pk")[0].delete()
    Job.objects.filter(pk=dead.pk).update(
        lease_until=Now() - timedelta(seconds=1), lease_owner="gone", deaths=deaths, kicked_at=None
    )
    Reconciler([]).turn()
    taken = [SignedPackage.loads(task)["args"] for _ in range(3) for _, task in DoorbellBroker()._claim()]
    assert sorted(taken) == [(0,), (waiting.pk,), (dead.pk,)]
    assert (taken.index((dead.pk,)) < taken.index((waiting.pk,))) is is_first


def test_an_urgent_kick_that_was_lost_does_not_wait_for_the_queue() -> None:
    """The worker that took it died as well; what waits behind it says nothing about it."""
    waiting, dead = (create_job("plan", [], organization_id=make_organization().pk) for _ in range(2))
    OrmQ.objects.order_by("-pk")[0].delete()
    OrmQ.objects.update(lock=timezone.now() - brokers.LONG_AGO - timedelta(minutes=1))
    Job.objects.filter(pk=waiting.pk).update(kicked_at=Now() - timedelta(minutes=1))
    Job.objects.filter(pk=dead.pk).update(
        lease_until=Now() - timedelta(seconds=1), lease_owner="gone", deaths=1, kicked_at=Now() - timedelta(seconds=6)
    )
    Reconciler([]).turn()
    Reconciler([]).turn()
    assert (queued().count((dead.pk,)), queued().count((waiting.pk,))) == (1, 1)


def test_what_waits_in_a_queue_that_moves_does_not_stand_still() -> None:
    create_job("plan", [], organization_id=make_organization().pk)
    long_ago = Now() - timedelta(minutes=5)
    Job.objects.update(created_at=long_ago, kicked_at=long_ago)
    OrmQ.objects.update(lock=timezone.now() - brokers.LONG_AGO - timedelta(minutes=5))
    assert [finding.code for finding in progress()] == ["STANDS_STILL"], "no worker was heard of"
    beats.beat(WORKER)
    assert list(progress()) == []
    OrmQ.objects.all().delete()
    assert [finding.code for finding in progress()] == ["STANDS_STILL"], "its task was lost, and nobody noticed"


# -- canaries -----------------------------------------------------------------------------------------
def test_a_canary_is_sent_while_no_worker_is_heard_of() -> None:
    assert beats.send_canary()
    assert queued() == [(0,)]


def test_no_canary_while_workers_are_heard_of() -> None:
    beats.beat(WORKER)
    assert not beats.send_canary()
    assert queued() == []


def test_one_canary_at_a_time() -> None:
    assert [beats.send_canary() for _ in range(5)] == [True, False, False, False, False]


def test_a_canary_that_came_back_is_followed_by_another() -> None:
    aged(CANARY, 6)
    aged(WORKER, 5)
    assert beats.send_canary()


def test_a_canary_on_its_way_is_waited_for_and_then_given_up() -> None:
    aged(WORKER, 60)
    aged(CANARY, 6)
    assert not beats.send_canary()
    aged(CANARY, 11)
    assert beats.send_canary()


def test_the_first_turn_asks_at_once() -> None:
    beats.beat(WORKER)  # of an earlier start
    beats.beat(CANARY)
    reconciler = Reconciler([])
    reconciler.turn()
    reconciler.turn()
    assert queued() == [(0,)]


def test_the_pulse_beats_at_most_once_a_second() -> None:
    pulse = WorkerPulse()
    pulse.feel()
    aged(WORKER, 30)
    pulse.feel()
    assert beats.ages()[WORKER] > 20
    pulse._next = 0.0
    pulse.feel()
    assert beats.ages()[WORKER] < 5
