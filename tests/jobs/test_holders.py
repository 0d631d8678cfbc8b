"""Eight processes that all want the same jobs: one holder at a time, which no number of random kills would show."""

import multiprocessing
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import OperationalError, connections

from alma.jobs import engine
from alma.jobs.context import StepContext
from alma.jobs.kinds import Wait
from alma.jobs.models import Job
from tests.jobs import kinds
from tests.jobs.running import make_job, seqs, spec

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_kinds"), pytest.mark.processes]
PROCESSES, JOBS, TURNS = 8, 3, 6


def write(log: Path, what: str, context: StepContext) -> None:
    """One line, whole and in order, whichever process it comes from."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{what} {context.job.pk} {os.getpid()}\n".encode())
    os.close(descriptor)


def work(jobs: list[int], log: Path) -> None:
    """What each process does, until all jobs have ended."""

    def turn(context: StepContext) -> None:
        write(log, "enter", context)
        time.sleep(0.005)
        context.renew()
        write(log, "leave", context)
        done = context.journal.get("turns", 0) + 1
        context.record(turns=done)
        if done == TURNS:
            context.succeed(turns=done)
        raise Wait

    kinds.HOOKS["one"] = turn
    while Job.objects.active().filter(pk__in=jobs).exists():
        for pk in jobs:
            try:
                engine.advance(pk, slot_seconds=0.02)
            except OperationalError:  # SQLite was busy for too long: another one writes
                connections.close_all()


def test_eight_processes_on_the_same_jobs_hold_each_one_at_a_time(tmp_path: Path) -> None:
    jobs = [make_job(spec("one", "hooked")).pk for _ in range(JOBS)]
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=work, args=(jobs, tmp_path / "log")) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    assert [process.exitcode for process in processes] == [0] * PROCESSES

    inside: dict[str, str] = {}
    turns: Counter[str] = Counter()
    holders: Counter[str] = Counter()
    for line in (tmp_path / "log").read_text().splitlines():
        what, job, process_id = line.split()
        if what == "enter":
            assert inside.setdefault(job, process_id) == process_id, f"two processes hold job {job}"
            turns[job] += 1
            holders[process_id] += 1
        else:
            assert inside.pop(job) == process_id
    assert turns == {str(pk): TURNS for pk in jobs}
    assert len(holders) > 1, "only one process ever held a job: this shows nothing"
    for job in Job.objects.filter(pk__in=jobs):
        assert (job.state, job.steps.get().journal["turns"]) == ("completed", TURNS)
        assert seqs(job.stream) == list(range(1, len(seqs(job.stream)) + 1))
