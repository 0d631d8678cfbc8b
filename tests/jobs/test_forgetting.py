"""Jobs that nothing needs are forgotten, and no others."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from alma.events.models import Event
from alma.events.services import emit
from alma.jobs import forgetting, tray
from alma.jobs.forgetting import forget_old, forgettable
from alma.jobs.invariants import streams
from alma.jobs.models import Dismissal, Job, Step
from iprs.models import Deployment
from tests.factories.accounts import make_actor
from tests.factories.iprs import make_deployment, make_ipr
from tests.factories.jobs import age, make_row
from tests.factories.scans import make_scan
from tests.factories.vms import make_claim, make_cluster

pytestmark = pytest.mark.django_db
OLD, NEW = timedelta(days=91), timedelta(days=89)


def test_what_ended_long_ago_goes_with_its_steps_and_the_log_stays() -> None:
    job = age(make_row("failed", steps={"a": "failed"}), OLD)
    emit(job.stream, "vm_start.failed", organization_id=job.organization_id)
    tray.dismiss([job], by=make_actor())
    kept = age(make_row("completed", steps={"a": "succeeded"}), NEW)
    assert forget_old() == 1
    assert list(Job.objects.all()) == [kept]
    assert (Step.objects.count(), Dismissal.objects.count(), Event.objects.of(job.stream).count()) == (1, 0, 1)
    assert list(streams()) == []
    assert forget_old() == 0


@pytest.mark.parametrize("state", ["waiting", "queued", "running"])
def test_what_has_not_ended_stays(state: str) -> None:
    age(make_row(state), OLD * 10)
    assert forget_old() == 0


@pytest.mark.parametrize(("state", "count"), [("completed", 1), ("failed", 1), ("cancelled", 1)])
def test_each_end_is_one(state: str, count: int) -> None:
    age(make_row(state), OLD)
    assert forget_old() == count


def test_the_days_are_the_operators(settings: Settings) -> None:
    age(make_row("completed"), timedelta(days=3))
    assert not forgettable().exists()
    settings.ALMA_JOB_DAYS = 2
    assert forgettable().count() == 1


def test_deployments_and_scans_keep_theirs() -> None:
    run = make_deployment(make_ipr(), Deployment.Status.FAILED)
    undoing = age(make_row("failed", kind="rollback"), OLD)
    Deployment.objects.filter(pk=run.pk).update(rollback=undoing)
    age(run.job, OLD)
    age(make_scan(make_cluster()).job, OLD)
    assert forget_old() == 0


def test_a_machine_keeps_the_job_that_made_it() -> None:
    made, forgotten = (age(make_row("completed", kind="vm_creation"), OLD) for _ in range(2))
    cluster = make_cluster()
    make_claim(cluster, job=made.public_id, state="live")
    make_claim(cluster, key="gone", job=forgotten.public_id, state="released")
    assert forget_old() == 1
    assert list(Job.objects.all()) == [made]


def test_some_at_a_time_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    jobs = [age(make_row("completed"), OLD + timedelta(days=number)) for number in range(5)]
    assert [forget_old(), set(Job.objects.all())] == [2, set(jobs[:3])]
    assert [forget_old(), forget_old(), forget_old()] == [2, 1, 0]
