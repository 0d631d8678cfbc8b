"""Which clusters a credential may act on: a key of the lane test on sandboxes alone, everything else on all."""

from alma.accounts.actors import Actor
from alma.accounts.models import ApiKey
from alma.errors import NotFound, Refused
from vms.models import Cluster
from vms.services import default_cluster


def is_test(actor: Actor) -> bool:
    """Whether this is a key that must not touch what is real."""
    return actor.lane == ApiKey.Lane.TEST


def check_lane(cluster: Cluster | None, *, by: Actor) -> None:
    """Raises Refused when a test key would act on a cluster that is no sandbox, or on one that is not known yet."""
    if is_test(by) and (cluster is None or not cluster.is_sandbox):
        raise Refused("A test key acts on sandbox clusters only.", code="TEST_KEY_ON_LIVE")


def cluster_for(organization_id: int, *, by: Actor) -> Cluster | None:
    """The cluster that this actor's work goes to, or None while there is none. Raises Refused."""
    if not is_test(by):
        try:
            return default_cluster(organization_id)
        except NotFound:
            return None
    sandboxes = Cluster.objects.enabled().filter(organization_id=organization_id, is_sandbox=True)
    cluster = sandboxes.order_by("pk").first()
    check_lane(cluster, by=by)
    return cluster
