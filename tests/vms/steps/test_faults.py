"""What goes wrong on the way: each guest is made once, nothing foreign is touched, and the end is honest."""

import pytest
from django.utils import timezone

from alma.jobs.context import StepContext
from alma.jobs.leases import Lease, LeaseLost
from alma.jobs.models import Job
from alma.jobs.services import retry
from tests.factories.vms import GIB, guest_spec
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from tests.vms.steps.conftest import CREATE, Meddler, ours, ref
from vms.models import Cluster, GuestClaim
from vms.services import create_steps, delete_steps, owned_guests, read_cluster, update_steps
from vms.steps import CreateGuest

LOST = [
    ("POST", "*/qemu"), ("POST", "*/clone"), ("PUT", "*/config"), ("PUT", "*/resize"), ("POST", "*/status/start"),
    ("GET", "*/config"), ("GET", "*/tasks/*/status"), ("GET", "*/tasks/*/log"), ("GET", "/cluster/nextid"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "pattern"), LOST)
@pytest.mark.parametrize("kind", ["before", "after", "596"])
def test_create_survives_every_lost_call(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, method: str, pattern: str, kind: str
) -> None:
    template = read_cluster(cluster).templates[0]
    clone = {"template_vmid": template.vmid, "disk_bytes": 24 * GIB}
    spec = guest_spec(cluster, **({} if pattern == "*/qemu" else clone))
    faults = fresh_sandbox.core.faults
    if kind == "before":
        faults.lose_request(method, pattern, count=2)
    elif kind == "after":
        faults.lose_answer(method, pattern, count=2)
    else:
        faults.answer_next(int(kind), "Connection timed out", method, pattern, count=2)

    job = runner.run(create_steps(spec))

    assert job.error is None
    assert sum(fault.count for fault in faults.answers) < 2, "the fault was met"
    assert ours(fresh_sandbox) == [5000]
    assert list(GuestClaim.objects.values_list("vmid", "state")) == [(5000, "live")]


@pytest.mark.parametrize(("method", "pattern"), [("POST", "*/status/shutdown"), ("DELETE", "*/qemu/5000")])
@pytest.mark.parametrize("kind", ["before", "after"])
def test_delete_survives_every_lost_call(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, method: str, pattern: str, kind: str
) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    faults = fresh_sandbox.core.faults
    (faults.lose_request if kind == "before" else faults.lose_answer)(method, pattern, count=2)

    job = runner.run(delete_steps(ref(cluster)))

    assert job.error is None
    assert ours(fresh_sandbox) == []
    assert GuestClaim.objects.get().state == "released"


def test_failed_task_ends_the_job_in_proxmoxs_words_and_can_be_retried(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    text = "unable to create VM 5000 - lvcreate 'pve/vm-5000-disk-0' error: insufficient free space"
    fresh_sandbox.core.faults.fail_next("qmcreate", text)

    job = runner.run(create_steps(guest_spec(cluster)))

    assert job.state == Job.State.FAILED
    assert job.error["code"] == "PVE_TASK_FAILED"
    assert "insufficient free space" in job.error["message"]
    assert any("insufficient free space" in line for line in runner.log(job)), "the task's log is ours as well"
    assert owned_guests(cluster, "test")[0].reading is None

    again = runner.run(create_steps(guest_spec(cluster)))

    assert again.error is None
    assert list(GuestClaim.objects.values_list("vmid", "state")) == [(5000, "live")]
    assert ours(fresh_sandbox) == [5000]


def test_task_that_ends_with_warnings_is_a_success_that_says_so(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, meddler: Meddler
) -> None:
    core = fresh_sandbox.core
    core.faults.slowness = 300.0

    def warn() -> None:
        for task in list(core.world.running.values()):
            task.warnings = 1

    meddler.again_and_again(warn)

    job = runner.run(create_steps(guest_spec(cluster))[:1])

    assert job.state == Job.State.COMPLETED
    assert job.steps.get().state == "succeeded_with_warnings"


def test_vanished_task_is_decided_by_the_guest(fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner) -> None:
    fresh_sandbox.core.faults.answer_next(
        400, "Parameter verification failed.", "GET", "*/tasks/*/status", count=10_000
    )

    job = runner.run(create_steps(guest_spec(cluster))[:1])

    assert job.error is None
    assert ours(fresh_sandbox) == [5000]
    assert fresh_sandbox.count("POST", CREATE) == 1


def test_cluster_that_is_away_is_waited_for(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, meddler: Meddler
) -> None:
    fresh_sandbox.stop()
    meddler.later(1.0, fresh_sandbox.start)

    job = runner.run(create_steps(guest_spec(cluster)))

    assert job.error is None
    assert ours(fresh_sandbox) == [5000]
    assert sum("No clear answer" in line for line in runner.log(job)) == 1


def test_refusal_is_final_and_says_which_parameter(cluster: Cluster, runner: Runner) -> None:
    job = runner.run(create_steps(guest_spec(cluster, vlan=5000)))

    assert job.error["code"] == "PVE_REFUSED"
    assert "net0" in job.error["message"]


def test_unknown_storage_is_told_in_proxmoxs_words(cluster: Cluster, runner: Runner) -> None:
    job = runner.run(create_steps(guest_spec(cluster, storage="nowhere")))

    assert job.error["code"] == "PVE_REFUSED"
    assert "storage 'nowhere' does not exist" in job.error["message"]


def test_guest_that_does_not_heed_is_stopped_hard(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    fresh_sandbox.core.faults.fail_next("qmshutdown", "VM quit/powerdown failed - got timeout")

    job = runner.run(delete_steps(ref(cluster)))

    assert job.error is None
    assert any("stopping it" in line for line in runner.log(job))
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/status/stop") == 1


def test_task_log_is_told_once_and_in_order(cluster: Cluster, runner: Runner) -> None:
    template = read_cluster(cluster).templates[0]

    job = runner.run(create_steps(guest_spec(cluster, template_vmid=template.vmid, disk_bytes=24 * GIB))[:1])

    log = runner.log(job)
    assert any("create full clone of drive" in line for line in log)
    assert len(log) == len(set(log))
    assert log[-1] == "TASK OK"


def test_failed_job_can_be_taken_up_again(fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner) -> None:
    fresh_sandbox.core.faults.fail_next("qmstart", "start failed: command '/usr/bin/kvm' failed: exit code 1")
    job = runner.run(create_steps(guest_spec(cluster)))
    assert job.error["code"] == "PVE_TASK_FAILED"

    retry(job, by="test")
    runner.finish(job)

    assert job.error is None
    assert ours(fresh_sandbox) == [5000]
    assert fresh_sandbox.count("POST", CREATE) == 1


class StolenLease(Lease):
    """A lease that another worker takes in the moment before the effect, while this one stands still."""

    def renew(self) -> None:
        if GuestClaim.objects.exists():
            Job.objects.filter(pk=self.job_id).update(lease_token=self.token + 1)
        super().renew()


def test_worker_that_lost_its_lease_has_no_effect(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alma.jobs.context.RECENT", 0.0)
    job = runner.make(create_steps(guest_spec(cluster)))
    lease = Lease.acquire(job.pk)
    assert lease is not None
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING)
    job.refresh_from_db()
    context = StepContext(StolenLease(job.pk, lease.token), job, job.steps.get(ordinal=1))

    with pytest.raises(LeaseLost):
        CreateGuest().run(context)

    assert fresh_sandbox.count("POST", CREATE) == 0
    assert GuestClaim.objects.get().state == "reserved", "the intent was committed before"


def test_step_that_waits_too_long_fails_and_says_what_may_be_left(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    fresh_sandbox.core.state.guests.get(5000).config["lock"] = "backup"
    job = runner.make(update_steps(guest_spec(cluster, tags=("x",)))[:1])
    long_ago = {"begun": timezone.now().timestamp() - 10_000}
    job.steps.update(state="running", journal=long_ago)

    runner.finish(job)

    assert job.error["code"] == "STEP_TIMEOUT"
    assert "VMID 5000" in job.error["message"]
