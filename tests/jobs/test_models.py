"""The state table of a job, whole, and what each move leaves behind."""

from itertools import product

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from alma.errors import WrongState
from alma.jobs.models import Job, Step
from tests.factories.accounts import make_actor, make_organization
from tests.jobs.running import make_job, spec

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_kinds")]

ALLOWED = {
    ("waiting", "queued"),
    ("waiting", "cancelled"),
    ("queued", "running"),
    ("queued", "cancelled"),
    ("queued", "failed"),
    ("running", "completed"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("failed", "queued"),
    ("cancelled", "queued"),
}


def job_in(state: str) -> Job:
    job = make_job()
    Job.objects.filter(pk=job.pk).update(state=state)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(("was", "to"), list(product(Job.State.values, repeat=2)))
def test_move_matrix(was: str, to: str) -> None:
    job = job_in(was)
    if (was, to) in ALLOWED:
        job.move(Job.State(to))
        assert Job.objects.get().state == job.state == to
    else:
        with pytest.raises(WrongState):
            job.move(Job.State(to))
        assert Job.objects.get().state == was


def test_move_from_a_state_that_has_changed_meanwhile() -> None:
    job = job_in("running")
    Job.objects.update(state="cancelled")
    with pytest.raises(WrongState, match="meanwhile"):
        job.move(Job.State.COMPLETED)
    assert Job.objects.get().state == "cancelled"


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
def test_ending_gives_the_lease_back(ending: str) -> None:
    job = job_in("running")
    Job.objects.update(lease_owner="somebody", lease_until=timezone.now(), lease_token=3)
    job.move(Job.State(ending))
    assert (job.lease_owner, job.lease_until, job.lease_token) == ("", None, 3)
    assert job.finished_at is not None


def test_first_start_is_kept_over_a_retry() -> None:
    job = make_job()
    job.move(Job.State.RUNNING)
    began = job.started_at
    job.move(Job.State.FAILED)
    job.move(Job.State.QUEUED)
    assert job.finished_at is None
    job.move(Job.State.RUNNING)
    assert job.started_at == began is not None


@pytest.mark.parametrize("state", ["queued", "running"])
def test_one_active_job_per_key(state: str) -> None:
    job_in(state)
    Job.objects.update(exclusive_key="shop")
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(kind="run", organization=make_organization(), stream="run:2", exclusive_key="shop")


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
def test_ended_jobs_and_jobs_without_a_key_exclude_nobody(state: str) -> None:
    job_in(state)
    Job.objects.update(exclusive_key="shop")
    Job.objects.create(kind="run", organization=make_organization(), stream="run:2", exclusive_key="shop")
    Job.objects.create(kind="run", organization=make_organization(), stream="run:3")
    Job.objects.create(kind="run", organization=make_organization(), stream="run:4")
    assert Job.objects.count() == 4


def test_progress_is_the_share_of_weight() -> None:
    job = make_job(spec("a", weight=1), spec("b", weight=2), spec("c", weight=5))
    assert job.progress() == 0
    job.steps.filter(key="a").update(state=Step.State.SUCCEEDED)
    assert job.progress() == 12
    job.steps.filter(key="b").update(state=Step.State.SKIPPED)
    job.steps.filter(key="c").update(state=Step.State.RUNNING)
    assert job.progress() == 37
    job.steps.filter(key="c").update(state=Step.State.WARNED)
    assert job.progress() == 100


def test_progress_of_a_job_without_steps() -> None:
    job = make_job()
    job.steps.all().delete()
    assert job.progress() == 0


def test_visible_to_its_organization_alone() -> None:
    job = make_job()
    assert list(Job.objects.visible_to(make_actor())) == [job]
    assert not Job.objects.visible_to(make_actor(organization=make_organization("other"))).exists()
    assert not Job.objects.visible_to(make_actor(role=None)).exists()
