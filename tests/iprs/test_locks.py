"""One run per environment and blueprint: who holds it, since when, and who is next, wherever somebody would be refused."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from iprs import services
from iprs.locks import lock_of
from iprs.models import IPR, Deployment
from tests.factories.accounts import make_actor, make_key, make_organization, make_user
from tests.factories.blueprints import make_blueprint
from tests.iprs.builders import make_ipr, planned, reload
from vms.models import GuestClaim

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor("admin")


def approved(actor: Actor, blueprint: Any, **rule: Any) -> IPR:
    return planned(make_ipr(by=actor, blueprint=blueprint, required_approvals=0, **rule))


@pytest.fixture
def pair(actor: Actor) -> tuple[IPR, IPR]:
    blueprint = make_blueprint(by=actor)
    return approved(actor, blueprint), approved(actor, blueprint)


def test_nobody_holds_what_nobody_deploys(pair: tuple[IPR, IPR]) -> None:
    assert lock_of(pair[0]) is None


def test_the_refusal_names_the_holder_since_when_and_the_queue(actor: Actor, pair: tuple[IPR, IPR]) -> None:
    first, second = pair
    run = services.deploy(first, by=actor)
    with pytest.raises(WrongState) as refused:
        services.deploy(second, by=actor)
    assert refused.value.code == "ALREADY_RUNNING"
    assert f"IPR #{first.pk} is being deployed" in refused.value.message and run.job.public_id in refused.value.message
    assert refused.value.details == {
        "lock": {
            "deployment_id": run.job.public_id, "ipr_id": first.pk, "title": first.title, "doing": "deployment",
            "held_by": actor.label, "since": run.job.created_at,
            "queue": [{"ipr_id": second.pk, "title": second.title, "created_by": second.created_by}],
        }
    }  # fmt: skip
    assert reload(second).status == IPR.Status.APPROVED, "it stays in line"
    assert not Deployment.objects.filter(ipr=second).exists()


def test_another_environment_and_another_blueprint_are_free(actor: Actor, pair: tuple[IPR, IPR]) -> None:
    services.deploy(pair[0], by=actor)
    elsewhere = approved(actor, pair[0].blueprint, slug="development")
    other = approved(actor, make_blueprint(by=actor))
    assert lock_of(elsewhere) is None and lock_of(other) is None
    assert services.deploy(elsewhere, by=actor) and services.deploy(other, by=actor)


def test_a_retry_counts_from_the_retry(actor: Actor, pair: tuple[IPR, IPR]) -> None:
    run = services.deploy(pair[0], by=actor)
    stop(run)
    assert lock_of(pair[0]) is None
    before = timezone.now()
    services.retry_deployment(Deployment.objects.get(pk=run.pk), by=actor)
    held = lock_of(pair[1])
    assert held is not None and held.since >= before > run.job.created_at


def test_a_rollback_holds_it_too(actor: Actor, pair: tuple[IPR, IPR]) -> None:
    run = services.deploy(pair[0], by=actor)
    stop(run)
    services.roll_back(Deployment.objects.get(pk=run.pk), by=actor, is_confirmed=True)
    with pytest.raises(WrongState) as refused:
        services.deploy(pair[1], by=actor)
    assert "is being rolled back" in refused.value.message
    assert refused.value.details["lock"]["doing"] == "rollback"  # type: ignore[call-overload, index]


def stop(run: Deployment) -> None:
    Job.objects.filter(pk=run.job_id).update(state="cancelled", finished_at=timezone.now())
    Deployment.objects.filter(pk=run.pk).update(status="cancelled")
    IPR.objects.filter(pk=run.ipr_id).update(status="failed")
    assert not GuestClaim.objects.exists()


def test_the_api_shows_it_and_refuses_with_it(client: Client, actor: Actor, pair: tuple[IPR, IPR]) -> None:
    first, second = pair
    key = {"X-API-Key": make_key(organization=make_organization())[1]}
    assert client.get(f"/api/v1/iprs/{second.pk}", headers=key).json()["lock"] is None
    run = services.deploy(first, by=actor)
    lock = client.get(f"/api/v1/iprs/{second.pk}", headers=key).json()["lock"]
    assert (lock["deployment_id"], lock["held_by"]) == (run.job.public_id, actor.label)
    shown = client.get(f"/api/v1/deployments/{run.job.public_id}", headers=key).json()["lock"]
    assert shown == lock and [row["ipr_id"] for row in shown["queue"]] == [second.pk]
    refused = client.post(
        f"/api/v1/iprs/{second.pk}/deploy", {"engine": "proxmox"}, content_type="application/json", headers=key
    )
    assert refused.status_code == 400, "the document of this family knows no 409"
    assert (refused.json()["error_code"], refused.json()["lock"]) == ("ALREADY_RUNNING", lock)


def test_pages_say_who_holds_it_and_who_is_next(client: Client, actor: Actor, pair: tuple[IPR, IPR]) -> None:
    first, second = pair
    run = services.deploy(first, by=actor)
    client.force_login(make_user("deployer"))
    waiting = client.get(second.get_absolute_url()).content.decode()
    assert "Being deployed by another proposal" in waiting and run.get_absolute_url() in waiting
    assert "One run at a time" in waiting and "this one" in waiting
    assert run.job.stream in waiting, "the page is told when that run ends"
    for page in (first.get_absolute_url(), run.get_absolute_url()):
        text = client.get(page).content.decode()
        assert "Next in line" in text and second.title in text
        assert "by another proposal" not in text
