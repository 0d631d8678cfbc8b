"""An older database comes back: guests that it does not know are left alone, numbers that it forgot are not used again."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from alma.jobs.findings import check_invariants
from alma.jobs.models import Job
from tests.factories.vms import guest_spec, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from tests.vms.steps.conftest import ours
from vms.models import Cluster, GuestClaim
from vms.services import create_steps


def restored(*words: str) -> str:
    said = StringIO()
    call_command("restored", *words, stdout=said)
    return said.getvalue()


def older(cluster: Cluster) -> None:
    """As if the backup had been taken before the guests were made."""
    GuestClaim.objects.all()._raw_delete("default")  # what the product refuses to do
    Job.objects.all().delete()
    Cluster.objects.filter(pk=cluster.pk).update(vmid_next=0)


def test_guests_that_the_ledger_has_forgotten_are_kept_and_named(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, observer: Any
) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    before = observer.nodes("pve1").qemu(5000).config.get()
    older(cluster)
    runner.run(create_steps(guest_spec(cluster)))
    assert ours(fresh_sandbox) == [5000, 5001]
    assert observer.nodes("pve1").qemu(5000).config.get() == before
    found = {(finding.code, finding.subject) for finding in check_invariants()}
    assert found == {("MARKER_UNKNOWN", f"{cluster.slug}/5000")}


def test_numbers_of_guests_that_are_gone_are_not_used_again(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    """What nobody can see any more, such as a guest that was made and deleted after the backup, is passed over."""
    runner.run(create_steps(guest_spec(cluster)))
    older(cluster)
    assert f"{cluster.slug}: new guests get numbers from 5051 on" in restored("--skip", "50")
    runner.run(create_steps(guest_spec(cluster)))
    assert ours(fresh_sandbox) == [5000, 5051]


def test_runs_that_the_backup_takes_for_unfinished_begin_nothing_new(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    job = runner.make(create_steps(guest_spec(cluster)))
    assert f"{job}: nothing new begins" in restored()
    assert runner.finish(job).state == Job.State.CANCELLED
    assert ours(fresh_sandbox) == []
    assert str(job) not in restored()


@pytest.mark.django_db
def test_a_cluster_that_cannot_be_read_is_said() -> None:
    make_cluster(slug="far-away")
    with pytest.raises(SystemExit) as ended:
        restored()
    assert ended.value.code == 2
