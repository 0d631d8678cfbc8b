"""A test key acts on sandbox clusters and nowhere else, whatever its rights are and whoever began."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.errors import DomainError, Refused
from iprs import services
from iprs.models import IPR, Plan
from iprs.rights import check_cancel, check_retry
from iprs.services import deploying, opening, reviewing
from tests.factories.accounts import make_actor, make_environment, make_organization
from tests.factories.blueprints import make_blueprint
from tests.factories.iprs import make_deployment, make_ipr
from vms.models import Cluster

pytestmark = pytest.mark.django_db

ACTS: dict[str, Callable[[IPR, Actor], Any]] = {
    "review": lambda ipr, by: reviewing.review(ipr, "approve", by=by),
    "replan": lambda ipr, by: opening.replan(ipr, by=by),
    "withdraw": lambda ipr, by: opening.withdraw(ipr, by=by),
    "reopen": lambda ipr, by: opening.reopen(ipr, by=by),
    "deploy": lambda ipr, by: deploying.deploy(ipr, by=by),
    "dry run": lambda ipr, by: deploying.dry_run(ipr, by=by),
}


def cluster(slug: str, **overrides: Any) -> Cluster:
    values = {"name": slug, "host": "127.0.0.1", "token_id": "root@pam!alma", **overrides}
    return Cluster.objects.create(organization=make_organization(), slug=slug, **values)


@pytest.fixture
def tester() -> Actor:
    make_environment("development")
    return replace(make_actor("admin"), lane="test", label="tester")


def planned_for(place: Cluster) -> IPR:
    ipr = make_ipr()
    Plan.objects.filter(ipr=ipr).update(cluster=place)
    return IPR.objects.select_related("current_plan", "environment").get(pk=ipr.pk)


def refusal_of(act: Callable[[IPR, Actor], Any], ipr: IPR, by: Actor) -> str:
    try:
        act(ipr, by)
    except DomainError as error:
        return error.code
    return ""


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_what_stands_on_a_real_cluster_is_not_touched(act: Callable[[IPR, Actor], Any], tester: Actor) -> None:
    ipr = planned_for(cluster("real"))
    cluster("box", is_sandbox=True)
    assert refusal_of(act, ipr, tester) == "TEST_KEY_ON_LIVE"
    assert refusal_of(act, ipr, replace(tester, lane="live")) != "TEST_KEY_ON_LIVE"


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_what_stands_on_a_sandbox_is(act: Callable[[IPR, Actor], Any], tester: Actor) -> None:
    assert refusal_of(act, planned_for(cluster("box", is_sandbox=True)), tester) != "TEST_KEY_ON_LIVE"


def test_what_has_no_cluster_yet_is_not_touched(tester: Actor) -> None:
    assert refusal_of(ACTS["withdraw"], make_ipr(), tester) == "TEST_KEY_ON_LIVE"


@pytest.mark.parametrize(("is_sandbox", "is_refused"), [(False, True), (True, False)])
def test_runs_on_a_real_cluster_are_not_touched(tester: Actor, is_sandbox: bool, is_refused: bool) -> None:
    deployment = make_deployment(make_ipr())
    deployment.plan.cluster = cluster("place", is_sandbox=is_sandbox)
    codes = {
        refusal_of(lambda ipr, by: check_cancel(deployment, by=by), deployment.ipr, tester),
        refusal_of(lambda ipr, by: check_retry(deployment, ipr, [], by=by), deployment.ipr, tester),
    }
    assert ("TEST_KEY_ON_LIVE" in codes) is is_refused
    assert len(codes) == 1 or not is_refused


def test_a_proposal_goes_to_the_sandbox_even_when_another_cluster_comes_first(tester: Actor) -> None:
    real, box = cluster("real"), cluster("box", is_sandbox=True)
    blueprint = make_blueprint(by=tester)
    for actor, place in ((tester, box), (replace(tester, lane="live"), real)):
        ipr = services.open_ipr(blueprint, by=actor, title="A change")
        assert ipr.current_plan is not None
        assert ipr.current_plan.cluster == place


@pytest.mark.parametrize("overrides", [{}, {"is_sandbox": True, "is_enabled": False}], ids=["real", "disabled"])
def test_without_a_sandbox_nothing_is_proposed(tester: Actor, overrides: dict[str, Any]) -> None:
    cluster("only", **overrides)
    blueprint = make_blueprint(by=tester)
    with pytest.raises(Refused, match="sandbox"):
        services.open_ipr(blueprint, by=tester, title="A change")
    assert not IPR.objects.exists()
