"""Every template, deployed on the sandbox to the end: planned without a problem, and all its machines run."""

from typing import Any

import pytest

from alma.accounts.actors import Actor
from blueprints import catalogue
from tests.factories.blueprints import make_blueprint
from tests.iprs.test_deployments import actor, cluster, deployed, proposed
from vms.models import Cluster, GuestClaim

__all__ = ["actor", "cluster"]

ADDRESSES = {"first_address": "10.0.30.10/24", "gateway": "10.0.30.1"}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("template_id", catalogue.all_templates())
def test_it_deploys_and_its_machines_run(cluster: Cluster, actor: Actor, fresh_sandbox: Any, template_id: str) -> None:
    document = catalogue.render(catalogue.find(template_id), {"environment": "development", **ADDRESSES}).as_dict()
    ipr = proposed(actor, blueprint=make_blueprint(by=actor, **document))
    assert ipr.current_plan is not None
    assert ipr.current_plan.problems == []
    deployment = deployed(ipr, actor)
    assert (deployment.status, deployment.job.error) == ("completed", None)
    made = catalogue.figures_of(ipr.current_plan.revision.parsed()).machines
    ours = set(GuestClaim.objects.filter(state="live").values_list("vmid", flat=True))
    rows = fresh_sandbox.proxmoxer().cluster.resources.get(type="vm")
    assert [row["status"] for row in rows if row["vmid"] in ours] == ["running"] * made
