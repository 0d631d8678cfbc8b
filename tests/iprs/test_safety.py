"""Safety snapshots: planned where they are wanted, taken before anything is changed, and undone with the change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from alma import failpoints
from alma.accounts.actors import Actor, for_user
from blueprints import services as blueprints
from iprs import services
from iprs.models import IPR
from iprs.planner import Draft
from tests.factories.accounts import make_environment, make_key, make_user
from tests.factories.blueprints import make_blueprint, make_document
from tests.iprs.builders import reload
from tests.iprs.readings import owned, storage
from tests.iprs.test_deployments import actor, cluster, deployed, proposed, resource, work
from tests.iprs.test_planner import TARGET, kinds, plan, vm
from tests.iprs.test_rollback import POINTS, die, dies_at, rolled_back
from vms.models import Cluster, Guest, GuestSnapshot
from vms.operations.snapshots import listed

__all__ = ["actor", "cluster"]

SAFE = replace(TARGET, safety_snapshot="alma-ipr7")


# -- what is planned -------------------------------------------------------------------------------
def test_a_change_has_a_snapshot_before_everything_else() -> None:
    draft = plan(vm(memory="8GB", disk="40GB"), have=(owned("web"),), target=SAFE)
    (item,) = draft.items
    assert kinds(draft, "web") == ["guest.snapshot", "guest.configure", "guest.reboot", "guest.verify"]
    first, *others = item.steps
    assert first.level < min(step.level for step in others)
    assert (first.params["snapshot"], first.params["memory"]) == ("alma-ipr7", False)
    assert (item.needs_restart, "A snapshot alma-ipr7 is taken first" in item.reasons[-1]) == (True, True)
    assert draft.digest() != plan(vm(memory="8GB", disk="40GB"), have=(owned("web"),)).digest(), "it is approved"


def test_a_change_without_a_restart_is_no_restart_for_its_snapshot() -> None:
    draft = plan(vm(disk="40GB"), have=(owned("web"),), target=SAFE)
    assert (draft.items[0].needs_restart, kinds(draft, "web")[:2]) == (False, ["guest.snapshot", "guest.configure"])


@pytest.mark.parametrize(
    ("resources", "have"),
    [((vm(),), ()), ((vm(),), (owned("web"),)), ((vm(),), (owned("web", status="stopped"),))],
    ids=["created", "as wanted", "power alone"],
)
def test_where_nothing_would_be_lost_none_is_taken(resources: Any, have: Any) -> None:
    draft = plan(*resources, have=have, target=SAFE)
    assert "guest.snapshot" not in kinds(draft, "web")
    assert not any("snapshot" in remark for remark in draft.remarks)


def test_what_is_deleted_takes_its_snapshots_along_and_that_is_said() -> None:
    def said(draft: Draft) -> list[str]:
        return [remark for remark in draft.remarks if "deleted with its snapshots" in remark]

    assert said(plan(have=(owned("web"),), target=SAFE)) != []
    changed = plan(vm(kind="lxc"), have=(owned("web"),), target=SAFE)
    assert (changed.items[0].action, len(said(changed))) == ("replace", 1)
    assert said(plan(have=(owned("web"),))) == [], "nobody asked for one"


def test_disks_that_may_have_none_are_spoken_of() -> None:
    thick = replace(storage("thick", "pve1"), plugin="lvm")
    for config in ({"scsi0": "thick:vm-5001-disk-0"}, {"scsi0": "local:5001/vm-5001-disk-0.raw,size=20G"}):
        storages = (storage("local-lvm", "pve1"), thick, storage("local", "pve1"))
        draft = plan(vm(memory="8GB"), have=(owned("web", config=config),), target=SAFE, storages=storages)
        assert any("may have no snapshots" in remark for remark in draft.remarks), draft.remarks
    fine = plan(vm(memory="8GB"), have=(owned("web"),), target=SAFE)
    assert not any("may have no snapshots" in remark for remark in fine.remarks)


# -- what is done ----------------------------------------------------------------------------------
def changed(ipr: IPR, actor: Actor, **specs: Any) -> IPR:
    """A proposal to change what another one has made, with safety snapshots."""
    blueprints.update(ipr.blueprint, make_document(resources=[resource("web", **specs)]), by=actor)
    ipr.blueprint.refresh_from_db()
    new = services.open_ipr(ipr.blueprint, by=actor, title="Grow web", safety_snapshots=True)
    work()
    return reload(new)


def on(sandbox: Any) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in sandbox.proxmoxer().nodes(_node(sandbox)).qemu(5000).snapshot.get()}


def _node(sandbox: Any) -> str:
    return next(row["node"] for row in sandbox.proxmoxer().cluster.resources.get(type="vm") if row["vmid"] == 5000)


@pytest.mark.django_db(transaction=True)
def test_it_is_taken_before_the_change_and_stays(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    first = proposed(actor, resource("web"))
    deployed(first, actor)
    cluster_guest = Guest.objects.create(
        cluster=cluster, organization_id=cluster.organization_id, vmid=5000, kind="vm", node="pve1", name="web",
        status="running", seen_at=first.created_at,
    )  # fmt: skip
    ipr = changed(first, actor, memory="2GB", disk="20GB")
    rehearsed = services.dry_run(ipr, by=actor)
    work()
    rehearsed.refresh_from_db()
    assert (rehearsed.status, rehearsed.job.error) == ("completed", None), "a copy of the cluster takes it as well"
    assert f"alma-ipr{ipr.pk}" not in on(fresh_sandbox)

    done = deployed(ipr, actor)
    assert (done.status, done.job.error) == ("completed", None)
    assert on(fresh_sandbox)[f"alma-ipr{ipr.pk}"]["description"].strip() == "Taken by ALMA before a change"
    api = fresh_sandbox.proxmoxer().nodes(_node(fresh_sandbox)).qemu(5000)
    assert api.snapshot(f"alma-ipr{ipr.pk}").config.get()["memory"] == "1024", "as it was before"
    assert api.config.get()["memory"] == "2048"
    assert [(row.name, row.is_ours) for row in listed(cluster_guest)] == [(f"alma-ipr{ipr.pk}", True)]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_gives_back_what_was_and_deletes_it(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    first = proposed(actor, resource("web"))
    deployed(first, actor)
    ipr = changed(first, actor, memory="2GB")
    fresh_sandbox.core.faults.fail_next("qmreboot", "got timeout")
    fresh_sandbox.core.faults.fail_next("qmstop", "killed")
    failed = deployed(ipr, actor)
    assert (failed.status, f"alma-ipr{ipr.pk}" in on(fresh_sandbox)) == ("failed", True)
    undone = rolled_back(failed, actor)
    assert undone.status == "rolled_back"
    assert set(on(fresh_sandbox)) == {"current"}
    config = fresh_sandbox.proxmoxer().nodes(_node(fresh_sandbox)).qemu(5000).config.get()
    assert (config["memory"], "parent" in config) == ("1024", False)
    assert undone.rollback is not None
    assert list(undone.rollback.steps.values_list("kind", flat=True))[-1] == "guest.snapshot_drop"


@pytest.mark.django_db(transaction=True)
def test_another_run_of_the_same_proposal_keeps_the_first_one(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    first = proposed(actor, resource("web"))
    deployed(first, actor)
    ipr = changed(first, actor, memory="2GB")
    fresh_sandbox.core.faults.fail_next("qmreboot", "got timeout")
    fresh_sandbox.core.faults.fail_next("qmstop", "killed")
    assert deployed(ipr, actor).status == "failed"
    was = on(fresh_sandbox)[f"alma-ipr{ipr.pk}"]["snaptime"]
    services.replan(reload(ipr), by=actor)
    work()
    done = deployed(reload(ipr), actor)
    assert (done.status, done.job.error) == ("completed", None)
    assert on(fresh_sandbox)[f"alma-ipr{ipr.pk}"]["snaptime"] == was


@pytest.mark.django_db(transaction=True)
def test_one_of_that_name_that_somebody_else_took_stops_it(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    first = proposed(actor, resource("web"))
    deployed(first, actor)
    ipr = changed(first, actor, memory="2GB")
    api = fresh_sandbox.proxmoxer().nodes(_node(fresh_sandbox)).qemu(5000)
    api.snapshot.post(snapname=f"alma-ipr{ipr.pk}", description="theirs")
    services.replan(ipr, by=actor)  # else the plan is seen to be of another config
    work()
    failed = deployed(reload(ipr), actor)
    assert (failed.status, failed.job.error and failed.job.error["code"]) == ("failed", "SNAPSHOT_EXISTS")
    assert api.config.get()["memory"] == "1024", "nothing was changed"
    assert not GuestSnapshot.objects.filter(is_ours=True).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_on_the_way_takes_one_snapshot_and_reboots_once(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any, settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, point: str,
) -> None:  # fmt: skip
    first = proposed(actor, resource("web"))
    deployed(first, actor)
    ipr = changed(first, actor, memory="2GB")
    settings.ALMA_DATA_DIR = tmp_path
    monkeypatch.setitem(failpoints.MODES, "kill", die)
    run = services.deploy(ipr, by=actor)
    assert dies_at(point, run.job, settings)
    settings.ALMA_FAILPOINTS = ""
    work()
    run.refresh_from_db()
    assert (run.status, run.job.error) == ("completed", None)
    assert set(on(fresh_sandbox)) == {f"alma-ipr{ipr.pk}", "current"}
    kinds_of = [task.type for task in fresh_sandbox.core.state.tasks]
    assert (kinds_of.count("qmsnapshot"), kinds_of.count("qmreboot")) == (1, 1)


# -- how it is asked for ---------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_api_asks_for_them_when_it_opens_and_when_it_plans_again() -> None:
    make_environment("staging")
    key, secret = make_key()
    blueprint = make_blueprint(by=Actor(key.organization_id, "ana", frozenset({"blueprint:write"})))
    api = APIClient()
    api.credentials(HTTP_X_API_KEY=secret, HTTP_PREFER="respond-async")
    body = {"title": "Grow web", "blueprint_id": blueprint.pk, "safety_snapshot": True}
    made = api.post("/api/v1/ipr", body, format="json").json()
    assert made["safety_snapshot"] is True
    path = f"/api/v1/iprs/{made['id']}"
    assert api.post(f"{path}/replan", {}, format="json").json()["safety_snapshot"] is True, "left out, it stays"
    assert api.post(f"{path}/replan", {"safety_snapshot": False}, format="json").json()["safety_snapshot"] is False
    assert api.get(path).json()["safety_snapshot"] is False
    assert api.post(f"{path}/replan").json()["safety_snapshot"] is False, "a request without a body still works"
    wrong = api.post(f"{path}/replan", {"safety_snapshot": "perhaps"}, format="json")
    assert (wrong.status_code, "safety_snapshot" in wrong.json()["detail"]) in {(400, True), (422, True)}
    plain = api.post("/api/v1/ipr", {**body, "safety_snapshot": None} | {"title": "x"}, format="json")
    assert plain.status_code in {400, 422}


@pytest.mark.django_db
def test_the_pages_ask_for_them(client: Client) -> None:
    place, user = make_environment("staging"), make_user("deployer")
    client.force_login(user)
    blueprint = make_blueprint(by=for_user(user))
    form = client.get("/iprs/new/").content.decode()
    assert 'name="safety_snapshots"' in form
    data = {"blueprint": blueprint.pk, "environment": place.pk, "title": "Grow web", "safety_snapshots": "on"}
    client.post("/iprs/new/", data)
    ipr = IPR.objects.get()
    assert ipr.has_safety_snapshots
    assert "Leave safety snapshots out" in client.get(f"/iprs/{ipr.pk}/").content.decode()
    client.post(f"/iprs/{ipr.pk}/replan/", {"safety_snapshots": "off"})
    ipr.refresh_from_db()
    assert (ipr.has_safety_snapshots, ipr.plans.count()) == (False, 2)
    assert "Add safety snapshots" in client.get(f"/iprs/{ipr.pk}/").content.decode()
    client.post(f"/iprs/{ipr.pk}/replan/")
    ipr.refresh_from_db()
    assert (ipr.has_safety_snapshots, ipr.plans.count()) == (False, 3)
