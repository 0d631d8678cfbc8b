"""The whole path against the sandbox over TLS: propose, plan, approve, deploy, change, delete."""

from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.models import Job
from blueprints import services as blueprints
from iprs import services
from iprs.models import IPR, Deployment
from tests.concurrency import together
from tests.factories.accounts import make_actor, make_environment, make_organization
from tests.factories.blueprints import make_blueprint, make_document, make_resource
from tests.iprs.builders import reload
from vms.models import Cluster, GuestClaim
from vms.services import register_cluster

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {"cpu": 1, "memory": "1GB", "disk": "10GB", "os": "debian-12"}


def resource(name: str, *needs: str, **specs: Any) -> dict[str, Any]:
    return make_resource(name, specs={**SMALL, **specs}, dependencies=list(needs))


@pytest.fixture
def cluster(fresh_sandbox: Any) -> Cluster:
    with open(fresh_sandbox.ca_path) as file:
        return register_cluster(
            organization_id=make_organization().pk, slug="sandbox", name="Sandbox", host=fresh_sandbox.host,
            port=fresh_sandbox.port, token_id=fresh_sandbox.token_id, token_secret=fresh_sandbox.token_secret,
            ca_pem=file.read(), is_sandbox=True,
        )  # fmt: skip


@pytest.fixture
def actor() -> Actor:
    make_environment("development")
    return make_actor("admin")


def work(limit: int = 200) -> None:
    """What workers do, until nothing is left to do."""
    for _ in range(limit):
        open_jobs = list(Job.objects.active().values_list("pk", flat=True))
        if not open_jobs:
            return
        for pk in open_jobs:
            engine.advance(pk)
    raise AssertionError("jobs did not end")


def proposed(actor: Actor, *resources: dict[str, Any], blueprint: Any = None) -> IPR:
    row = blueprint or make_blueprint(by=actor, resources=list(resources))
    ipr = services.open_ipr(row, by=actor, title="A change")
    work()
    return reload(ipr)


def deployed(ipr: IPR, actor: Actor) -> Deployment:
    deployment = services.deploy(ipr, by=actor)
    work()
    deployment.refresh_from_db()
    return deployment


def events(deployment: Deployment) -> list[Event]:
    return list(Event.objects.of(deployment.job.stream))


def test_an_approved_plan_becomes_guests_each_created_once(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    ipr = proposed(actor, resource("db"), resource("web-1", "db"), resource("web-2", "db"))
    assert (ipr.status, ipr.current_plan and ipr.current_plan.summary) == ("approved", {"create": 3})
    deployment = deployed(ipr, actor)
    assert (deployment.status, reload(ipr).status, deployment.job.error) == ("completed", "deployed", None)
    rows = fresh_sandbox.proxmoxer().cluster.resources.get(type="vm")
    ours = {row["name"]: row for row in rows if row.get("name") in {"db", "web-1", "web-2"}}
    assert {name: row["status"] for name, row in ours.items()} == dict.fromkeys(("db", "web-1", "web-2"), "running")
    assert GuestClaim.objects.filter(state="live").count() == 3
    clones = fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/clone")
    assert clones == 3


def test_events_have_no_gaps_and_end_once(cluster: Cluster, actor: Actor) -> None:
    deployment = deployed(proposed(actor, resource("web")), actor)
    told = events(deployment)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    assert (told[0].kind, told[-1].kind) == ("deployment.queued", "deployment.completed")
    assert told[-1].data["resources_created"] == 1
    shares = [event.data["percentage"] for event in told if event.kind == "deployment.step"]
    assert shares == sorted(shares)
    assert shares[-1] == 100


def test_deploying_again_is_the_same_deployment(cluster: Cluster, actor: Actor) -> None:
    ipr = proposed(actor, resource("web"))
    first = services.deploy(ipr, by=actor)
    assert services.deploy(reload(ipr), by=actor) == first
    work()
    assert services.deploy(reload(ipr), by=actor) == first
    assert Deployment.objects.count() == 1


def test_a_blueprint_deployed_many_times_at_once_is_proposed_once(actor: Actor) -> None:
    blueprint = make_blueprint(by=actor, resources=[resource("web")])

    def deploy(_: int) -> str:
        with pytest.raises(WrongState) as caught:  # there is no cluster to plan for yet
            services.deploy_blueprint(blueprint, by=actor, wait=0)
        return caught.value.code

    assert together(8, deploy) == ["IPR_NOT_APPROVED"] * 8
    assert IPR.objects.count() == 1


def test_a_change_updates_in_place_and_a_missing_resource_is_deleted(cluster: Cluster, actor: Actor) -> None:
    ipr = proposed(actor, resource("web"), resource("old"))
    deployed(ipr, actor)
    before = GuestClaim.objects.get(key="web").vmid
    blueprint = ipr.blueprint
    blueprints.update(blueprint, make_document(resources=[resource("web", memory="2GB")]), by=actor)
    blueprint.refresh_from_db()
    second = proposed(actor, blueprint=blueprint)
    assert second.current_plan is not None
    assert second.current_plan.summary == {"update": 1, "delete": 1}
    done = deployed(second, actor)
    assert (done.status, done.job.error) == ("completed", None)
    assert GuestClaim.objects.get(key="web", state="live").vmid == before
    assert GuestClaim.objects.get(key="old").state == "released"
    third = proposed(actor, blueprint=blueprint)
    assert third.current_plan is not None
    assert third.current_plan.summary == {"noop": 1}


def test_guests_of_others_are_never_in_a_plan(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    foreign = {r["vmid"]: r for r in fresh_sandbox.proxmoxer().cluster.resources.get(type="vm")}
    deployed(proposed(actor, resource("web")), actor)
    deployed(proposed(actor, resource("web")), actor)
    assert GuestClaim.objects.filter(key="web", state="live").count() == 2
    now = {r["vmid"]: r for r in fresh_sandbox.proxmoxer().cluster.resources.get(type="vm")}
    assert set(foreign) <= set(now)
    assert not set(foreign) & set(GuestClaim.objects.values_list("vmid", flat=True))


def test_a_dry_run_touches_nothing_and_needs_no_approval(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    make_environment("staging", required_approvals=1)
    ipr = proposed(actor, resource("web"))
    deployment = services.dry_run(ipr, by=actor)
    work()
    deployment.refresh_from_db()
    assert (deployment.status, reload(ipr).status) == ("completed", "approved")
    assert not GuestClaim.objects.exists()
    assert not [row for row in fresh_sandbox.core.state.requests if row.method != "GET" and row.vmid]
    told = [event.data.get("message", "") for event in events(deployment)]
    assert any("Would do" in line for line in told)
    assert any(line.startswith("On the copy: ") for line in told), "its steps were run on a copy of the cluster"


def test_a_dry_run_fails_in_the_words_in_which_the_deployment_would(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    ipr = proposed(actor, resource("web"))
    deployment = services.dry_run(ipr, by=actor)
    # Nobody sees this in the figures that the plan relied on: the copy has it from the configuration of the template.
    fresh_sandbox.core.state.guests.get(9000).config["lock"] = "backup"
    work()
    deployment.refresh_from_db()
    assert deployment.status == "failed" and not GuestClaim.objects.exists()
    assert deployment.job.error["code"] == "REHEARSAL_FAILED"
    assert "On a copy of the cluster" in deployment.job.error["message"]


def test_a_cluster_that_moved_since_the_plan_stops_it_before_anything_is_done(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    ipr = proposed(actor, resource("web"))
    deployed(ipr, actor)
    blueprint = ipr.blueprint
    blueprints.update(blueprint, make_document(resources=[resource("web", memory="2GB")]), by=actor)
    blueprint.refresh_from_db()
    second = proposed(actor, blueprint=blueprint)
    claim = GuestClaim.objects.get(key="web")
    fresh_sandbox.proxmoxer().nodes(claim.node).qemu(claim.vmid).config.put(tags="edited-by-hand")
    stopped = deployed(second, actor)
    assert stopped.status == "failed"
    assert stopped.job.error["code"] == "PLAN_CHANGED"
    assert "guest/web" in stopped.job.error["message"]
    assert reload(second).status == "failed"
    services.replan(reload(second), by=actor)
    work()
    assert deployed(reload(second), actor).status == "completed"


def test_a_closed_gate_refuses_with_the_list(cluster: Cluster, actor: Actor) -> None:
    ipr = proposed(actor, resource("web"))
    blueprints.update(ipr.blueprint, make_document(resources=[resource("web", memory="2GB")]), by=actor)
    with pytest.raises(WrongState) as refusal:
        services.deploy(reload(ipr), by=actor)
    assert refusal.value.code == "IPR_NOT_APPROVED"
    assert [row["code"] for row in refusal.value.details["missing"]] == ["BLUEPRINT_CURRENT"]  # type: ignore[call-overload, index]


def test_a_failed_task_fails_the_deployment_in_proxmox_words_and_a_retry_finishes_it(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    ipr = proposed(actor, resource("db"), resource("web", "db"))
    fresh_sandbox.core.faults.fail_next("qmstart", "start failed: out of luck")
    deployment = deployed(ipr, actor)
    assert deployment.status == "failed"
    assert "out of luck" in deployment.job.error["message"]
    assert [left["key"] for left in deployment.leftovers] == ["db"]
    assert events(deployment)[-1].kind == "deployment.failed"
    assert services.deploy(reload(ipr), by=actor) == deployment
    work()
    deployment.refresh_from_db()
    assert (deployment.status, reload(ipr).status) == ("completed", "deployed")
    assert deployment.leftovers == []
    assert GuestClaim.objects.filter(state="live").count() == 2


def test_a_cancelled_deployment_begins_nothing_new(cluster: Cluster, actor: Actor) -> None:
    ipr = proposed(actor, resource("db"), resource("web", "db"))
    deployment = services.deploy(ipr, by=actor)
    services.cancel_deployment(deployment, by=actor)
    work()
    deployment.refresh_from_db()
    assert (deployment.status, reload(ipr).status) == ("cancelled", "failed")
    assert not GuestClaim.objects.exists()
    services.retry_deployment(deployment, by=actor)
    work()
    deployment.refresh_from_db()
    assert deployment.status == "completed"


def test_an_unreachable_cluster_leaves_the_plan_open_not_empty(cluster: Cluster, actor: Actor) -> None:
    Cluster.objects.update(port=1)
    row = make_blueprint(by=actor, resources=[resource("web")])
    ipr = services.open_ipr(row, by=actor, title="A change")
    job = Job.objects.get(kind="plan")
    lease_outcome = engine.advance(job.pk)
    assert lease_outcome == "more to do"
    assert reload(ipr).current_plan.status == "planning"  # type: ignore[union-attr]
    assert reload(ipr).status == "pending"
