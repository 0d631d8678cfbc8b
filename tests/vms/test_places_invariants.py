"""What must always hold of the ledger of networks and storages."""

import pytest
from django.utils import timezone

from alma.jobs.models import Job
from tests.factories.vms import make_cluster
from vms.invariants import places_and_rows
from vms.models import Cluster, ClusterNetwork, PlaceClaim

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster(last_read_at=timezone.now())


def claimed(cluster: Cluster, state: str, **values: object) -> PlaceClaim:
    return PlaceClaim.objects.create(
        cluster=cluster, organization=cluster.organization, kind="vnet", handle="dev", name="dev", state=state, **values
    )


def seen(claim: PlaceClaim) -> None:
    ClusterNetwork.objects.create(
        cluster=claim.cluster, bridge="dev", name="dev", kind="vnet", claim=claim, seen_at=timezone.now()
    )


def codes() -> list[str]:
    return sorted(finding.code for finding in places_and_rows())


def test_what_lives_was_seen(cluster: Cluster) -> None:
    claim = claimed(cluster, "live")
    assert codes() == ["PLACE_MISSING"]
    seen(claim)
    assert codes() == []


def test_what_is_being_made_has_a_job(cluster: Cluster) -> None:
    job = Job.objects.create(kind="network_creation", organization=cluster.organization, stream="network_creation:x")
    claim = claimed(cluster, "reserved", job=job.public_id, secrets_sealed="sealed")
    seen(claim)
    assert codes() == []
    Job.objects.update(state="failed")
    assert codes() == ["PLACE_UNFINISHED"]


def test_what_was_given_up_is_shown_nowhere_and_has_no_secret(cluster: Cluster) -> None:
    claim = claimed(cluster, "released")
    assert codes() == []
    seen(claim)
    PlaceClaim.objects.update(secrets_sealed="sealed")
    assert codes() == ["PLACE_GIVEN_UP", "PLACE_SECRET_KEPT"]


def test_of_a_cluster_that_was_never_read_nothing_is_missing() -> None:
    claimed(make_cluster(), "live")
    assert codes() == []
