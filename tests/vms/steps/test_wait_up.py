"""Waiting until a guest is up: by its agent, by a port, or by nobody, and then said so."""

import socket
from typing import Any

import pytest

from alma.jobs import engine
from alma.jobs.models import Job, Step
from alma.jobs.services import StepSpec, retry
from tests.factories.vms import guest_spec, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from vms.knocking import knock, objection
from vms.models import Cluster
from vms.proxmox.client import carried_by
from vms.sandbox.core.metrics import BOOT_SECONDS
from vms.sandbox.inprocess import SandboxAdapter
from vms.services import GuestSpec, await_step, create_steps, read_cluster


def from_template(cluster: Cluster, **values: Any) -> GuestSpec:
    return guest_spec(cluster, template_vmid=9000, template_node="pve1", **values)


def waiting(spec: GuestSpec, *, seconds: int = 60, **asked: Any) -> list[StepSpec]:
    values: dict[str, Any] = {"has_system": True, "port": None, "address": ""} | asked
    return [*create_steps(spec), await_step(spec, 4, seconds=seconds, **values)]


def step_of(job: Job) -> Step:
    return job.steps.get(kind="guest.await")


def test_the_agent_is_waited_for_and_that_is_told(
    cluster: Cluster, runner: Runner, fresh_sandbox: RunningSandbox
) -> None:
    spec = from_template(cluster)
    assert runner.run(create_steps(spec)).error is None
    world = fresh_sandbox.core.world
    world.time_scale = BOOT_SECONDS  # it boots for one second, from now on
    next(guest for guest in world.state.guests if guest.vmid == 5000).started_at = world.now()
    job = runner.run([await_step(spec, 0, seconds=60, has_system=True, port=None, address="")])
    assert job.error is None
    evidence = step_of(job).evidence
    assert evidence["answered"] == "its guest agent" and evidence["waited_seconds"] > 0
    said = runner.log(job)
    assert any("Waiting for its guest agent, at most 60 s" in line for line in said)
    assert any(line.startswith("Up after") and "its guest agent answers" in line for line in said)


def test_an_agent_that_stays_silent_ends_in_a_failure_that_names_it(cluster: Cluster, runner: Runner) -> None:
    """A machine with an empty disk: the agent is switched on, and nobody is there to answer."""
    job = runner.run(waiting(guest_spec(cluster), seconds=1))
    assert job.state == "failed" and job.error is not None
    assert job.error["code"] == "GUEST_NOT_UP"
    assert job.error["message"] == (
        "web (VMID 5000) was not up after 1 s. Asked was its guest agent: QEMU guest agent is not running."
    )


def test_a_retry_waits_anew(cluster: Cluster, runner: Runner) -> None:
    job = runner.run(waiting(guest_spec(cluster), seconds=1))
    begun = step_of(job).journal["begun"]
    retry(job, by="jane")
    runner.finish(Job.objects.get(pk=job.pk))
    assert step_of(job).journal["begun"] > begun and step_of(job).attempts == 2


def test_an_empty_disk_is_not_waited_for_and_that_is_said(cluster: Cluster, runner: Runner) -> None:
    job = runner.run(waiting(guest_spec(cluster), has_system=False, port=5432, address="10.0.0.5"))
    assert job.error is None
    assert step_of(job).evidence["unasked"].startswith("its disk is empty")
    assert any("whether it is up cannot be asked" in line for line in runner.log(job))


def test_a_container_without_a_known_port_goes_on_once_it_runs(cluster: Cluster, runner: Runner) -> None:
    archive = read_cluster(cluster).ostemplates[0]
    spec = guest_spec(cluster, kind="lxc", ostemplate=archive.volid, node=archive.node)
    job = runner.run(waiting(spec))
    assert job.error is None
    assert step_of(job).state == Step.State.SUCCEEDED
    assert "no guest agent, and no port is known" in step_of(job).evidence["unasked"]


def on_a_real_cluster(running: RunningSandbox, port: int, *, seconds: int) -> tuple[Cluster, Job, Runner]:
    """A container on a cluster that is no sandbox to ALMA, waited for at a port of this machine."""
    cluster = make_cluster(token_id=running.token_id, token_secret=running.token_secret)
    runner = Runner(cluster)
    with carried_by(cluster, SandboxAdapter(running.core)):
        archive = read_cluster(cluster).ostemplates[0]
        spec = guest_spec(cluster, kind="lxc", ostemplate=archive.volid, node=archive.node)
        job = runner.run(waiting(spec, seconds=seconds, port=port, address="127.0.0.1"))
    return cluster, job, runner


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only machine that a test may knock at is this one, which the rule forbids."""
    monkeypatch.setattr("vms.knocking.refusal_of", lambda host, address: "")


@pytest.mark.usefixtures("near", "runner")
def test_the_port_of_its_role_is_tried_where_the_address_is_known(fresh_sandbox: RunningSandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _, job, _ = on_a_real_cluster(fresh_sandbox, port, seconds=60)
    assert job.error is None
    assert step_of(job).evidence["answered"] == f"port {port} at 127.0.0.1"


@pytest.mark.usefixtures("near", "runner")
def test_a_port_that_refuses_ends_in_a_failure_that_names_it(fresh_sandbox: RunningSandbox) -> None:
    _, job, _ = on_a_real_cluster(fresh_sandbox, 1, seconds=1)
    assert job.error is not None
    assert "was not up after 1 s. Asked was port 1 at 127.0.0.1: connection refused." in job.error["message"]


@pytest.mark.usefixtures("runner")
def test_addresses_near_alma_itself_are_never_knocked_at(fresh_sandbox: RunningSandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        _, job, _ = on_a_real_cluster(fresh_sandbox, server.getsockname()[1], seconds=1)
    assert job.error is None, "nobody was asked, and the guest runs"
    assert step_of(job).evidence["answered"] == ""
    assert "its port is not tried" in step_of(job).evidence["unasked"]
    for address in ("127.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "nonsense"):
        assert objection(address)


def test_knocking() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert knock("127.0.0.1", port) == ""
    assert knock("127.0.0.1", port) == "connection refused"


def test_a_stopped_guest_is_not_up(cluster: Cluster, runner: Runner) -> None:
    spec = from_template(cluster, running=False)
    job = runner.run(waiting(spec, seconds=1))
    assert job.error is not None
    assert "Asked was its power: it is stopped." in job.error["message"]


def test_time_in_which_the_cluster_is_silent_is_not_the_guests(
    cluster: Cluster, runner: Runner, fresh_sandbox: RunningSandbox
) -> None:
    """Unknown is never absent: a budget that ran out while nobody could be asked is not used up."""
    job = runner.make(waiting(from_template(cluster), seconds=60))
    runner.finish(job)
    step = step_of(job)
    Step.objects.filter(pk=step.pk).update(state=Step.State.RUNNING, evidence={}, finished_at=None)
    began = step.journal["begun"] - 1000
    Step.objects.filter(pk=step.pk).update(journal={**step.journal, "begun": began, "unknown_since": began + 1})
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, finished_at=None)
    engine.advance(job.pk)
    step.refresh_from_db()
    assert step.state == Step.State.SUCCEEDED
    assert step.evidence["waited_seconds"] < 60


def test_a_token_that_may_not_ask_is_said_and_does_not_stop_it(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    """A token with the rights that ALMA asked for before it asked agents."""
    spec = from_template(cluster)
    assert runner.run(create_steps(spec)).error is None
    client = fresh_sandbox.proxmoxer()
    client.access.roles.post(roleid="Blind", privs="VM.Audit")
    secret = client.access.users("root@pam").token("blind").post(privsep=1)["value"]
    client.access.acl.put(path="/", roles="Blind", tokens="root@pam!blind")
    client._store["session"].close()
    cluster.token_id = "root@pam!blind"
    cluster.seal(secret)
    cluster.save()
    job = runner.run([await_step(spec, 0, seconds=5, has_system=True, port=None, address="")])
    assert job.error is None
    assert step_of(job).state == Step.State.WARNED
    assert any("VM.GuestAgent.Audit" in line for line in runner.log(job))
