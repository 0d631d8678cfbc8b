"""Advancing jobs: order, endings, what a silent world or a dying worker leads to, and many workers at once."""

import threading
import time
from collections import Counter

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from alma.events.models import Event
from alma.jobs import engine, services
from alma.jobs.context import StepContext
from alma.jobs.kinds import Full, StepFailed, Unknown, Wait
from alma.jobs.leases import Lease
from alma.jobs.models import Job, Step
from tests.concurrency import together
from tests.jobs.kinds import EFFECTS, ENDINGS, HOOKS
from tests.jobs.running import expire, finish, make_job, seqs, spec, states, step, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_kinds")]


def succeed(context: StepContext) -> None:
    EFFECTS.append(context.step.key)
    context.succeed()


# -- the whole of a run ---------------------------------------------------------------------------
def test_a_run_is_told_from_start_to_end() -> None:
    job = make_job(spec("one"), spec("two", level=1))
    assert engine.advance(job.pk) == "ended"
    job.refresh_from_db()
    assert job.state == "completed"
    assert told(job) == ["queued", "started", "step", "step", "resource", "step", "step", "resource", "completed"]
    assert seqs(job.stream) == list(range(1, 10))
    assert ENDINGS == ["started", "completed"]
    assert Event.objects.of(job.stream).last().data == {"sum": 2}
    assert step(job).journal == {"meant": True}
    assert step(job).evidence == {"seen": True}


def test_intent_is_committed_before_the_effect() -> None:
    seen: list[dict[str, object]] = []

    def effect(context: StepContext) -> None:
        context.record(vmid=100)
        seen.extend(together(1, lambda _: step(context.job).journal))
        context.succeed()

    HOOKS["one"] = effect
    finish(make_job(spec("one", "hooked")))
    assert seen == [{"vmid": 100}]


def test_levels_run_in_order_and_the_steps_of_one_side_by_side() -> None:
    job = make_job(spec("last", level=2), spec("a", "slow"), spec("b", "slow"), spec("middle", level=1))
    finish(job)
    assert EFFECTS == ["a", "b", "middle", "last"]
    began = Event.objects.of(job.stream).filter(kind="run.step", data__state="running")
    ended = Event.objects.of(job.stream).filter(kind="run.step", data__state="succeeded")
    assert began.get(data__key="b").seq < ended.get(data__key="a").seq


def test_a_resource_is_told_once_all_its_steps_are_done() -> None:
    job = make_job(spec("web"), spec("web", level=1), spec("db", level=1))
    finish(job)
    kinds = [(event.kind, event.data.get("key")) for event in Event.objects.of(job.stream)]
    assert Counter(kinds)["run.resource", "web"] == Counter(kinds)["run.resource", "db"] == 1
    assert kinds.index(("run.resource", "web")) > kinds.index(("run.step", "db")) - 3


def test_progress_never_goes_back() -> None:
    job = make_job(*(spec(f"s{number}", "slow", level=number // 3, weight=number + 1) for number in range(9)))
    finish(job)
    told_shares = [event.data["percentage"] for event in Event.objects.of(job.stream) if "percentage" in event.data]
    assert told_shares == sorted(told_shares)
    assert told_shares[0] == 0
    assert told_shares[-1] == 100


def test_a_job_without_steps_is_complete() -> None:
    job = make_job()
    job.steps.all().delete()
    assert finish(job).state == "completed"


def test_nothing_happens_to_a_job_that_has_ended_or_never_was() -> None:
    job = finish(make_job())
    before = seqs(job.stream)
    assert engine.advance(job.pk) == engine.advance(0) == "leased elsewhere or ended"
    assert seqs(job.stream) == before


# -- failing and cancelling -----------------------------------------------------------------------
def test_a_failure_stops_what_has_not_begun_and_lets_finish_what_has() -> None:
    job = make_job(spec("slow", "slow"), spec("bad", "failing"), spec("never", level=1))
    finish(job)
    assert states(job) == {"slow": "succeeded", "bad": "failed", "never": "pending"}
    assert (job.state, job.error) == ("failed", {"code": "BROKEN", "message": "It does not work."})
    assert EFFECTS == ["slow"]
    assert ENDINGS == ["started", "failed"]
    assert told(job)[-1] == "failed"


def test_a_neighbour_that_has_not_begun_does_not_begin_after_a_failure() -> None:
    def wait_once(context: StepContext) -> None:
        raise Wait

    HOOKS["waiting"] = wait_once
    job = make_job(spec("waiting", "hooked"), spec("bad", "failing"))
    finish(job)
    assert states(job) == {"waiting": "pending", "bad": "failed"}


def test_a_retry_takes_up_at_the_step_that_failed() -> None:
    def first_badly(context: StepContext) -> None:
        HOOKS["two"] = succeed
        raise StepFailed("BROKEN", "Not yet.")

    HOOKS["two"] = first_badly
    job = finish(make_job(spec("one"), spec("two", "hooked", level=1), spec("three", level=2)))
    assert job.state == "failed"
    services.retry(job, by="jane")
    assert finish(job).state == "completed"
    assert EFFECTS == ["one", "two", "three"]
    assert job.error is None
    assert step(job, "two").error is None
    assert [one.attempts for one in job.steps.all()] == [1, 2, 1]


def test_a_cancel_lets_finish_what_is_in_flight_and_begins_nothing() -> None:
    job = make_job(spec("flying", "hooked"), spec("never", level=1))

    def fly(context: StepContext) -> None:
        if context.journal.get("up"):
            succeed(context)
            return
        context.record(up=True)
        services.cancel(job, by="jane")
        raise Wait

    HOOKS["flying"] = fly
    finish(job)
    assert job.state == "cancelled"
    assert EFFECTS == ["flying"]
    assert states(job) == {"flying": "succeeded", "never": "pending"}
    assert ENDINGS == ["started", "cancelled"]
    assert told(job)[-1] == "cancelled"


def test_a_cancel_before_the_start() -> None:
    job = make_job()
    services.cancel(job, by="jane")
    assert finish(job).state == "cancelled"
    assert EFFECTS == []


# -- a world that does not answer -----------------------------------------------------------------
def test_silence_is_told_once_and_ends_in_failure_after_the_patience_of_the_kind() -> None:
    job = finish(make_job(spec("one", "silent")))
    assert job.state == "failed"
    assert step(job).error["code"] == "CLUSTER_UNREACHABLE"
    assert told(job).count("log") == 1


def test_a_retry_waits_anew() -> None:
    job = finish(make_job(spec("one", "silent")))
    services.retry(job, by="jane")
    began = time.monotonic()
    assert finish(job).state == "failed"
    assert time.monotonic() - began > 0.1
    assert told(job).count("log") == 2


def test_an_answer_ends_the_silence() -> None:
    turns: list[int] = []

    def answer_late(context: StepContext) -> None:
        turns.append(1)
        if len(turns) == 1:
            raise Unknown("no answer")
        if len(turns) == 2:
            context.record(heard=True)
            raise Wait
        assert context.journal["unknown_since"] is None
        context.succeed()

    HOOKS["one"] = answer_late
    assert finish(make_job(spec("one", "hooked"))).state == "completed"


def test_a_step_that_waits_for_silence_does_not_starve_its_neighbours(settings: Settings) -> None:
    settings.ALMA_SLOT_SECONDS = 0.05

    def silent(context: StepContext) -> None:
        time.sleep(0.1)  # the slot is over when it returns
        raise Unknown("no answer")

    HOOKS["a"] = HOOKS["b"] = silent
    job = make_job(spec("a", "hooked"), spec("b", "hooked"), spec("c"))
    for _ in range(3):
        assert engine.advance(job.pk) == "more to do"
    assert EFFECTS == ["c"]


def test_a_slot_ends_between_two_steps(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALMA_SLOT_SECONDS = 0.05
    monkeypatch.setattr(engine, "LANES", 1)

    def take_long(context: StepContext) -> None:
        time.sleep(0.1)
        succeed(context)

    HOOKS["a"] = HOOKS["b"] = take_long
    job = make_job(spec("a", "hooked"), spec("b", "hooked"))
    assert engine.advance(job.pk) == "more to do"
    assert len(EFFECTS) == 1
    job.refresh_from_db()
    assert (job.lease_until, job.deaths, job.kicked_at) == (None, 0, None)


# -- workers that die -----------------------------------------------------------------------------
def test_the_next_worker_takes_up_what_a_dead_one_began() -> None:
    job = make_job(spec("one", "slow"), spec("two", level=1))
    lease = Lease.acquire(job.pk)
    assert lease is not None
    job.refresh_from_db()
    StepContext(lease, job, step(job)).record(done=True)  # the effect happened, and then the worker died
    assert engine.advance(job.pk) == "leased elsewhere or ended"
    expire(job)
    assert finish(job).state == "completed"
    assert EFFECTS == ["two"]


def test_a_poisonous_job_fails_after_so_many_deaths() -> None:
    job = make_job()
    for _ in range(engine.MAX_DEATHS):
        assert Lease.acquire(job.pk) is not None
        expire(job)
    assert finish(job).state == "failed"
    assert job.error["code"] == "WORKER_DIED"
    assert EFFECTS == []
    assert ENDINGS == ["started", "failed"]
    services.retry(job, by="jane")
    assert finish(job).state == "completed"


def test_deaths_before_the_end_of_a_step_are_not_held_against_the_job() -> None:
    """It is not the poison when it gets on between two deaths."""
    seen: list[int] = []
    HOOKS["two"] = lambda context: seen.append(Job.objects.get().deaths) or succeed(context)
    job = make_job(spec("one"), spec("two", "hooked", level=1))
    for _ in range(engine.MAX_DEATHS - 1):
        assert Lease.acquire(job.pk) is not None
        expire(job)
    assert finish(job).state == "completed"
    assert seen == [1]


def test_a_run_whose_connection_is_cut_is_free_at_once() -> None:
    """Not only when its lease has run out: the process lives on and holds it."""

    def cut_off(context: StepContext) -> None:
        assert connection.connection is not None
        connection.connection.close()
        Job.objects.count()

    HOOKS["one"] = cut_off
    job = make_job(spec("one", "hooked"))
    with pytest.raises(DatabaseError):
        engine.advance(job.pk)
    job.refresh_from_db()
    assert (job.lease_until, job.lease_owner, job.deaths) == (None, "", 1)
    HOOKS["one"] = succeed
    assert finish(job).state == "completed"


def test_a_fault_of_ours_gives_the_lease_back_and_is_not_hidden() -> None:
    def fault(context: StepContext) -> None:
        raise ZeroDivisionError

    HOOKS["one"] = fault
    job = make_job(spec("one", "hooked"))
    with pytest.raises(ZeroDivisionError):
        engine.advance(job.pk)
    job.refresh_from_db()
    assert (job.lease_until, job.deaths) == (None, 1)
    assert job.due_at > timezone.now()
    assert services.kick_stalled() == 0
    HOOKS["one"] = succeed
    assert finish(job).state == "completed"


def test_who_loses_the_lease_stops_without_a_trace() -> None:
    def lose(context: StepContext) -> None:
        context.record(meant=True)
        expire(job)
        Lease.acquire(job.pk)
        context.succeed()

    HOOKS["one"] = lose
    job = make_job(spec("one", "hooked"))
    assert engine.advance(job.pk) == "lease lost"
    assert states(job) == {"one": "running"}
    job.refresh_from_db()
    assert job.lease_token == 2
    assert job.lease_until is not None


# -- many at once ---------------------------------------------------------------------------------
def test_six_workers_at_once_execute_each_step_once() -> None:
    jobs = [make_job(*(spec(f"{number}-{key}", "slow") for key in range(4))) for number in range(4)]

    def work(_: int) -> None:
        deadline = time.monotonic() + 30
        while Job.objects.active().exists() and time.monotonic() < deadline:
            for job in jobs:
                engine.advance(job.pk)
            time.sleep(0.01)

    together(6, work)
    assert Counter(EFFECTS) == {f"{number}-{key}": 1 for number in range(4) for key in range(4)}
    assert ENDINGS.count("completed") == ENDINGS.count("started") == 4
    assert set(Job.objects.values_list("state", flat=True)) == {"completed"}
    assert set(Step.objects.values_list("state", flat=True)) == {"succeeded"}
    for job in jobs:
        assert seqs(job.stream) == list(range(1, len(seqs(job.stream)) + 1))
        assert told(job).count("completed") == 1


# -- side by side ---------------------------------------------------------------------------------
def test_turns_of_a_level_are_taken_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=20)

    def meet(context: StepContext) -> None:
        meeting.wait()
        succeed(context)

    HOOKS["a"] = HOOKS["b"] = meet
    job = finish(make_job(spec("a", "hooked"), spec("b", "hooked")))
    assert (job.state, sorted(EFFECTS)) == ("completed", ["a", "b"])


def test_a_fault_in_one_lane_ends_the_slot_and_writes_nothing_else() -> None:
    def break_down(context: StepContext) -> None:
        raise RuntimeError("a fault of ours")

    HOOKS["a"], HOOKS["b"] = break_down, succeed
    job = make_job(spec("a", "hooked"), spec("b", "hooked"))
    with pytest.raises(RuntimeError):
        engine.advance(job.pk)
    job.refresh_from_db()
    assert (job.state, job.lease_until) == ("running", None)
    HOOKS["a"] = succeed
    assert finish(job).state == "completed"


def test_when_there_is_no_room_others_of_the_kind_are_not_asked() -> None:
    asked: list[str] = []

    def full(context: StepContext) -> None:
        asked.append(context.step.key)
        if len(asked) > 1:
            succeed(context)
            return
        raise Full

    for key in "abc":
        HOOKS[key] = full
    job = make_job(*(spec(key, "hooked") for key in "abc"))
    lease = Lease.acquire(job.pk)
    assert lease is not None
    Job.objects.update(state="running")
    with transaction.atomic():  # one after the other
        engine.run(lease)
    assert len(asked) == 4


def test_what_is_noted_is_written_with_the_pass() -> None:
    def note(context: StepContext) -> None:
        if context.journal.get("seen"):
            context.succeed()
            return
        context.note(seen=True)
        context.note_line("once")
        raise Wait

    HOOKS["a"] = note
    job = finish(make_job(spec("a", "hooked")))
    assert step(job, "a").journal == {"seen": True}
    assert told(job).count("log") == 1
