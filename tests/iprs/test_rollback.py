"""Undoing a deployment that stopped, against the sandbox over TLS: none of ours is left, and no other guest is touched."""

from pathlib import Path
from typing import Any

import pytest

from alma import failpoints
from alma.accounts.actors import Actor
from alma.errors import Invalid, WrongState
from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.findings import check_invariants
from alma.jobs.models import Job, Step
from blueprints import services as blueprints
from iprs import services
from iprs.models import IPR, Deployment
from tests.factories.blueprints import make_document
from tests.iprs.builders import reload
from tests.iprs.test_deployments import actor, cluster, deployed, proposed, resource, work
from vms.models import Cluster, GuestClaim

__all__ = ["actor", "cluster"]

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = (
    "lease.taken", "work.intended", "work.renewed", "work.called", "work.task_ended", "step.succeeding", "job.ending"
)  # fmt: skip


def rolled_back(deployment: Deployment, actor: Actor) -> Deployment:
    services.roll_back(deployment, by=actor, is_confirmed=True)
    work()
    return again(deployment)


def again(deployment: Deployment) -> Deployment:
    return Deployment.objects.select_related("job", "rollback", "ipr").get(pk=deployment.pk)


def guests(sandbox: Any) -> dict[int, Any]:
    rows = sandbox.proxmoxer().cluster.resources.get(type="vm")
    return {row["vmid"]: sandbox.proxmoxer().nodes(row["node"])(row["type"])(row["vmid"]).config.get() for row in rows}


def failed_at_the_start(actor: Actor, sandbox: Any) -> Deployment:
    """Two guests that depend on each other; the first was made and did not start."""
    sandbox.core.faults.fail_next("qmstart", "start failed: out of luck")
    failed = deployed(proposed(actor, resource("db"), resource("web", "db")), actor)
    assert (failed.status, [left["key"] for left in failed.leftovers]) == ("failed", ["db"])
    return failed


def changed(ipr: IPR, actor: Actor, *resources: dict[str, Any]) -> IPR:
    blueprints.update(ipr.blueprint, make_document(resources=list(resources)), by=actor)
    ipr.blueprint.refresh_from_db()
    return proposed(actor, blueprint=ipr.blueprint)


def test_a_rollback_leaves_none_of_ours_and_touches_no_other_guest(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    before = guests(fresh_sandbox)
    done = rolled_back(failed_at_the_start(actor, fresh_sandbox), actor)
    assert (done.status, done.leftovers, done.ipr.status) == ("rolled_back", [], "rolled_back")
    assert guests(fresh_sandbox) == before
    assert not GuestClaim.objects.active().exists()
    assert done.rollback is not None
    assert [step.evidence["status"] for step in done.rollback.steps.all()] == ["absent"]
    told = list(Event.objects.of(done.job.stream))
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    assert [event.kind for event in told if "roll" in event.kind] == [
        "deployment.rollback_queued",
        "deployment.rolling_back",
        "deployment.rolled_back",
    ]
    assert told[-1].kind == "deployment.rolled_back"
    assert check_invariants() == []
    for forbidden in (services.retry_deployment, services.cancel_deployment):
        with pytest.raises(WrongState):
            forbidden(done, by=actor)


def test_what_was_changed_gets_its_settings_back_and_what_is_lost_is_said_before(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    ipr = proposed(actor, resource("old"), resource("web"))
    deployed(ipr, actor)
    old, web = (GuestClaim.objects.get(key=key) for key in ("old", "web"))
    before = guests(fresh_sandbox)
    second = changed(ipr, actor, resource("web", memory="2GB", disk="12GB"), resource("new", "web"))
    fresh_sandbox.core.faults.fail_next("qmdestroy", "cannot destroy")
    failed = deployed(second, actor)
    assert (failed.status, [left["key"] for left in failed.leftovers]) == ("failed", ["new"])
    with pytest.raises(Invalid) as refused:
        services.roll_back(failed, by=actor, is_confirmed=False)
    said: Any = refused.value.details
    assert ([row["key"] for row in said["removes"]], [row["key"] for row in said["restores"]]) == (["new"], ["web"])
    assert any(f"old (VMID {old.vmid}) was about to be deleted" in sentence for sentence in said["cannot_undo"])
    assert any("web: its disk was made larger" in sentence for sentence in said["cannot_undo"])
    done = rolled_back(failed, actor)
    assert (done.status, done.rollback and done.rollback.error) == ("rolled_back", None)
    now = guests(fresh_sandbox)
    assert set(now) == set(before)
    assert now[web.vmid]["memory"] == before[web.vmid]["memory"]
    place = fresh_sandbox.proxmoxer().nodes(web.node).qemu(web.vmid)
    assert place.status.current.get()["status"] == "running"
    assert check_invariants() == []


def test_a_rollback_outlives_lost_answers_and_death_at_every_failpoint(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = guests(fresh_sandbox)
    Cluster.objects.update(vmid_first=7000)
    fresh_sandbox.core.faults.fail_next("qmstart", "start failed: out of luck", vmid=7001)
    failed = deployed(proposed(actor, resource("db"), resource("web", "db")), actor)
    assert {left["vmid"] for left in failed.leftovers} == {7000, 7001}
    services.roll_back(failed, by=actor, is_confirmed=True)
    fresh_sandbox.core.faults.lose_answer("DELETE", "*", count=1)
    settings.ALMA_DATA_DIR = tmp_path
    monkeypatch.setitem(failpoints.MODES, "kill", die)
    job = Job.objects.get(kind="rollback")
    died = [point for point in POINTS if dies_at(point, job, settings)]
    settings.ALMA_FAILPOINTS = ""
    work()
    done = again(failed)
    assert died == list(POINTS)
    assert (done.status, done.leftovers) == ("rolled_back", [])
    assert guests(fresh_sandbox) == before
    assert check_invariants() == []


class Died(BaseException):
    """What no code catches: all that the process knew is lost, and its lease stays."""


def die() -> None:
    raise Died


def dies_at(point: str, job: Job, settings: Any) -> bool:
    """Work until the process dies there, and let its lease run out."""
    settings.ALMA_FAILPOINTS = f"{point}=kill"
    for _ in range(20):
        Job.objects.active().filter(pk=job.pk).update(lease_until=None, due_at=None)
        if not Job.objects.active().filter(pk=job.pk).exists():
            return False
        try:
            engine.advance(job.pk)
        except Died:
            Job.objects.filter(pk=job.pk).update(lease_until=None)
            return True
    return False


def test_a_guest_that_lost_our_marker_stops_the_rollback_and_it_can_be_asked_for_again(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    failed = failed_at_the_start(actor, fresh_sandbox)
    claim = GuestClaim.objects.get(key="db")
    place = fresh_sandbox.proxmoxer().nodes(claim.node).qemu(claim.vmid)
    marker = place.config.get()["description"]
    place.config.put(description="mine now")
    stopped = rolled_back(failed, actor)
    assert (stopped.status, stopped.ipr.status) == ("rollback_failed", "failed")
    assert [left["key"] for left in stopped.leftovers] == ["db"]
    assert stopped.rollback is not None
    assert stopped.rollback.error is not None
    assert stopped.rollback.error["code"] == "GUEST_NOT_OURS"
    assert place.config.get()["description"] == "mine now"
    assert not [found for found in check_invariants() if found.code in {"TWO_STORIES", "NO_CLOSING_EVENT", "EVENT_GAP"}]
    place.config.put(description=marker)
    assert rolled_back(stopped, actor).status == "rolled_back"
    assert check_invariants() == []


def test_a_guest_that_a_later_deployment_took_over_is_not_removed(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    failed = failed_at_the_start(actor, fresh_sandbox)
    services.replan(reload(failed.ipr), by=actor)
    work()
    assert deployed(reload(failed.ipr), actor).status == "completed"
    with pytest.raises(WrongState, match="later deployment"):
        services.roll_back(failed, by=actor, is_confirmed=True)
    assert GuestClaim.objects.filter(state="live").count() == 2


def test_a_forced_cancel_waits_for_nothing_and_names_what_may_be_left(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any, settings: Any
) -> None:
    before = guests(fresh_sandbox)
    settings.ALMA_SLOT_SECONDS = 0
    deployment = services.deploy(proposed(actor, resource("web")), by=actor)
    fresh_sandbox.core.faults.slow_down(1000, "qmclone")
    while not GuestClaim.objects.exists():
        engine.advance(deployment.job_id)
    with pytest.raises(WrongState, match="ordinary cancel first"):
        services.force_cancel_deployment(deployment, by=actor)
    services.cancel_deployment(deployment, by=actor)
    engine.advance(deployment.job_id)
    assert again(deployment).status == "cancelling"
    services.force_cancel_deployment(deployment, by=actor)
    ended = again(deployment)
    assert (ended.status, ended.ipr.status, [left["key"] for left in ended.leftovers]) == (
        "cancelled",
        "failed",
        ["web"],
    )
    assert engine.advance(deployment.job_id) == "leased elsewhere or ended"
    last = Event.objects.of(ended.job.stream).last()
    assert last is not None
    assert (last.kind, last.data["forced"], last.data["in_flight"][0]["key"]) == ("deployment.cancelled", True, "web")
    with pytest.raises(WrongState):
        services.force_cancel_deployment(deployment, by=actor)
    fresh_sandbox.core.faults.clear()
    settings.ALMA_SLOT_SECONDS = 8
    services.roll_back(ended, by=actor, is_confirmed=True)
    Step.objects.filter(kind="guest.settle").update(params=without_waiting(Step.objects.get(kind="guest.settle")))
    work()
    assert again(deployment).status == "rolled_back"
    assert guests(fresh_sandbox) == before
    assert check_invariants() == []


def without_waiting(step: Step) -> dict[str, Any]:
    """As if the longest call had ended already."""
    assert step.params["until"] > step.job.created_at.timestamp()
    return {**step.params, "until": 0}


def test_a_forced_cancel_can_be_taken_up_again(cluster: Cluster, actor: Actor, settings: Any) -> None:
    settings.ALMA_SLOT_SECONDS = 0
    deployment = services.deploy(proposed(actor, resource("web")), by=actor)
    while not GuestClaim.objects.exists():
        engine.advance(deployment.job_id)
    services.cancel_deployment(deployment, by=actor)
    services.force_cancel_deployment(deployment, by=actor)
    settings.ALMA_SLOT_SECONDS = 8
    services.retry_deployment(again(deployment), by=actor)
    work()
    assert again(deployment).status == "completed"
    assert GuestClaim.objects.filter(state="live").count() == 1
    assert check_invariants() == []
