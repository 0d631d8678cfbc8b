"""Scans against a sandbox, and whoever starts them."""

import pytest

from alma.accounts.actors import Actor
from alma.jobs import engine
from tests.factories.accounts import make_actor
from vms import inventory
from vms.models import Cluster, Guest, SecurityScan


def finish(scan: SecurityScan, *, turns: int = 20) -> SecurityScan:
    """Advance its job until it has ended."""
    for _ in range(turns):
        if engine.advance(scan.job_id) == "ended":
            break
    scan.refresh_from_db()
    return scan


@pytest.fixture
def guests(cluster: Cluster) -> list[Guest]:
    """The guests that a new sandbox has, as the inventory shows them."""
    inventory.refresh_all()
    return list(Guest.objects.filter(cluster=cluster, is_template=False).order_by("vmid"))


@pytest.fixture
def actor(cluster: Cluster) -> Actor:
    """An operator of the cluster's organization."""
    return make_actor("operator", organization=cluster.organization)
