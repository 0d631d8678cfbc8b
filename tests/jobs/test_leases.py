"""One holder at a time, by the database's clock; whoever lost the lease leaves no trace."""

import os
import socket
import subprocess
from datetime import timedelta

import psutil
import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from alma.events.models import Event
from alma.jobs import leases
from alma.jobs.context import StepContext
from alma.jobs.leases import Lease, LeaseLost, is_dead, owner_name
from alma.jobs.models import Job
from alma.jobs.services import kick_stalled
from tests.concurrency import elsewhere, together
from tests.jobs.running import expire, make_job, step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_kinds")]


def taken(job: Job) -> Lease:
    lease = Lease.acquire(job.pk)
    assert lease is not None
    return lease


def test_only_one_of_eight_gets_it() -> None:
    job = make_job()
    found = together(8, lambda _: Lease.acquire(job.pk))
    winners = [lease for lease in found if lease is not None]
    job.refresh_from_db()
    assert [lease.token for lease in winners] == [job.lease_token] == [1]


def test_another_connection_sees_it_held_until_it_is_released() -> None:
    job = make_job()
    lease = taken(job)
    assert elsewhere(lambda: Lease.acquire(job.pk)) is None
    lease.release()
    after = elsewhere(lambda: Lease.acquire(job.pk))
    assert after is not None
    assert after.token == lease.token + 1


@pytest.mark.parametrize("drift", [timedelta(hours=1), timedelta(hours=-1)])
def test_the_clock_of_this_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch, drift: timedelta) -> None:
    job, real = make_job(), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + drift)
    lease = taken(job)
    assert Lease.acquire(job.pk) is None
    lease.renew()
    expire(job)
    with pytest.raises(LeaseLost):
        lease.renew()
    assert Lease.acquire(job.pk) is not None


def test_it_lasts_as_long_as_the_settings_say(settings: Settings) -> None:
    settings.ALMA_LEASE_SECONDS = 100
    job = make_job()
    taken(job)
    held = Job.objects.filter(lease_until__gt=Now() + timedelta(seconds=95), lease_until__lt=Now() + timedelta(105))
    assert held.exists()


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
def test_an_ended_job_has_none_to_give(state: str) -> None:
    job = make_job()
    Job.objects.update(state=state)
    assert Lease.acquire(job.pk) is None


def test_a_late_writer_leaves_no_trace() -> None:
    job = make_job()
    late = StepContext(taken(job), job, step(job))
    expire(job)
    current = elsewhere(lambda: Lease.acquire(job.pk))
    assert current is not None
    before = (step(job).state, step(job).journal, step(job).evidence, Event.objects.count())
    for write in (
        lambda: late.record(vmid=100),
        lambda: late.log("still here"),
        lambda: late.succeed(seen=True),
        lambda: late.fail("X", "x"),
        late.renew,
    ):
        with pytest.raises(LeaseLost):
            write()
    late.lease.release()
    late.lease.give_up()
    assert (step(job).state, step(job).journal, step(job).evidence, Event.objects.count()) == before
    job.refresh_from_db()
    assert job.lease_token == current.token
    assert job.lease_until is not None


def test_what_is_written_under_a_lease_that_ends_before_the_commit_is_undone() -> None:
    job = make_job()
    lease = taken(job)
    with pytest.raises(LeaseLost), lease.fenced():
        Job.objects.filter(pk=job.pk).update(title="written")
        expire(job)
        with lease.fenced():
            raise AssertionError("not reached")
    job.refresh_from_db()
    assert job.title == ""


def test_deaths_count_leases_that_were_never_given_back() -> None:
    job = make_job()
    for _ in range(3):
        taken(job)
        expire(job)
    last = taken(job)
    assert Job.objects.get().deaths == 4
    last.release()
    assert Job.objects.get().deaths == 0


def test_giving_up_counts_as_a_death_and_pauses() -> None:
    job = make_job()
    taken(job).give_up()
    row = Job.objects.get()
    assert (row.deaths, row.lease_until, row.lease_owner) == (1, None, "")
    assert Job.objects.filter(due_at__gt=Now(), due_at__lt=Now() + timedelta(seconds=2)).exists()


# -- whose holder is dead -------------------------------------------------------------------------
def with_parts(**changed: str) -> str:
    names = ["host", "world", "pid", "start", "nonce"]
    parts = dict(zip(names, owner_name().split("|"), strict=True)) | changed
    return "|".join(parts.values())


def ended_process() -> str:
    process = subprocess.Popen(["sleep", "60"])
    start = f"{psutil.Process(process.pid).create_time():.2f}"
    process.kill()
    process.wait()
    return with_parts(pid=str(process.pid), start=start)


def test_this_process_lives() -> None:
    assert not is_dead(owner_name())


def test_an_ended_process_is_dead() -> None:
    assert is_dead(ended_process())


def test_a_zombie_is_dead() -> None:
    process = subprocess.Popen(["true"])
    start = f"{psutil.Process(process.pid).create_time():.2f}"
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(with_parts(pid=str(process.pid), start=start))
    process.wait()


def test_another_process_with_the_same_number_is_not_the_holder() -> None:
    assert is_dead(with_parts(start="12345.00"))


@pytest.mark.parametrize(
    "changed",
    [{"host": "elsewhere"}, {"world": "0000.1"}, {"host": "elsewhere", "world": "0000.1"}],
    ids=["other host", "other boot or container", "both"],
)
def test_of_other_machines_containers_and_boots_nothing_is_known(changed: dict[str, str]) -> None:
    host, world, pid, start, nonce = ended_process().split("|")
    parts = {"host": host, "world": world, "pid": pid, "start": start, "nonce": nonce} | changed
    assert not is_dead("|".join(parts.values()))


@pytest.mark.parametrize("owner", ["", "somebody", "a|b|c|d"])
def test_owners_of_another_form_are_left_alone(owner: str) -> None:
    assert not is_dead(owner)


def test_an_owner_fits_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 253)
    assert len(owner_name()) <= Job._meta.get_field("lease_owner").max_length
    assert not is_dead(owner_name())


def test_the_lease_of_a_dead_holder_is_released_at_once_and_a_living_ones_is_not() -> None:
    dead, alive = make_job(), make_job()
    for job in (dead, alive):
        taken(job)
    Job.objects.filter(pk=dead.pk).update(lease_owner=ended_process())
    assert kick_stalled() == 1
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert dead.lease_until is None
    assert alive.lease_until is not None


def test_a_lease_taken_over_meanwhile_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job()
    taken(job)
    Job.objects.update(lease_owner=ended_process())

    def taken_over(owner: str) -> bool:
        expire(job)
        assert Lease.acquire(job.pk) is not None
        return True

    monkeypatch.setattr("alma.jobs.services.is_dead", taken_over)
    assert kick_stalled() == 0
    job.refresh_from_db()
    assert job.lease_until is not None
    assert job.lease_owner.startswith(socket.gethostname()[:60])


def test_boot_time_stands_in_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases.Path, "exists", lambda self: False)
    assert leases._world() == f"{psutil.boot_time():.0f}"
