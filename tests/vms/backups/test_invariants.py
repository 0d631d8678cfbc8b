"""What must always hold of backups, jobs, and guests of restore tests."""

import pytest

from alma.jobs.models import Job
from tests.factories.backups import make_backup
from tests.factories.vms import make_claim, make_cluster
from vms.invariants import backups_and_jobs

pytestmark = pytest.mark.django_db


def codes() -> list[str]:
    return sorted(finding.code for finding in backups_and_jobs())


def test_a_running_backup_has_a_job() -> None:
    cluster = make_cluster()
    job = Job.objects.create(kind="backup", organization=cluster.organization, stream="backup:x")
    row = make_backup(cluster, state="running", volume="", taken_at=None, job=job.public_id)
    assert codes() == []
    Job.objects.update(state="completed")
    assert codes() == ["BACKUP_WITHOUT_JOB"]
    row.move(row.State.FAILED)
    assert codes() == []


def test_a_guest_of_a_test_that_nobody_works_on_is_named() -> None:
    cluster = make_cluster()
    claim = make_claim(cluster, owner="scratch:1", key="alma-test-1", state="live")
    assert codes() == ["SCRATCH_LEFT"]
    job = Job.objects.create(kind="backup_verification", organization=cluster.organization, stream="x:y")
    type(claim).objects.filter(pk=claim.pk).update(job=job.public_id)
    assert codes() == []
