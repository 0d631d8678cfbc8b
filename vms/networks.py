"""The chore that reads the networks of clusters now and then: pages and API show what it found and never wait for a cluster."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alma.errors import Unavailable
from alma.jobs.models import Job
from vms.models import Cluster, ClusterNetwork, ClusterNode, PlaceClaim
from vms.proxmox import networks
from vms.proxmox.client import connect, disconnect
from vms.proxmox.networks import NetworkReading
from vms.services import clear_answers
from vms.upserts import write_over

MAX_PARALLEL = 8
MOST_NODES = 40
"""Nodes of a cluster that one pass asks at most, in at most so many seconds."""
SECONDS = 4.0
AGAIN = timedelta(minutes=1)
OF_CLUSTER = ""
"""Stands for the node of what belongs to no node."""
_KEPT = tuple(NetworkReading.__dataclass_fields__)


@dataclass
class Found:
    """What one pass found: networks by node, and which nodes were asked, whether they answered or not; and when it began."""

    networks: dict[str, list[NetworkReading]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    began: datetime = field(default_factory=timezone.now)

    def take(self, node: str, listed: list[NetworkReading] | None) -> None:
        """Keep an answer; where there is none, what was known stays."""
        self.asked.append(node)
        if listed is not None:
            self.networks[node] = listed


def read_due() -> None:
    """Ask the nodes that were not asked for a minute, of all clusters at the same time."""
    clusters = list(Cluster.objects.enabled().filter(unreachable_since=None).exclude(last_read_at=None))
    work = [(cluster, nodes) for cluster in clusters if (nodes := due(cluster))]
    if not work:
        return
    with ThreadPoolExecutor(min(MAX_PARALLEL, len(work)), thread_name_prefix="networks") as pool:
        for (cluster, _), found in zip(work, pool.map(_read, *zip(*work, strict=True)), strict=True):
            store(cluster, found, timezone.now())


def due(cluster: Cluster) -> list[str]:
    """The nodes of a cluster that should be asked now, those first that have waited longest."""
    rows = ClusterNode.objects.filter(cluster=cluster, is_online=True)
    rows = rows.filter(Q(networks_asked_at=None) | Q(networks_asked_at__lt=timezone.now() - AGAIN))
    return list(rows.order_by("networks_asked_at", "name").values_list("name", flat=True)[:MOST_NODES])


def _read(cluster: Cluster, nodes: Iterable[str]) -> Found:
    """The network half, in a thread of its own: no database."""
    found, ends_at = Found(), time.monotonic() + SECONDS
    try:
        with clear_answers(cluster):
            api = connect(cluster)
        for node in nodes:
            if time.monotonic() > ends_at:
                break
            found.take(node, networks.of_node(api, node))
        found.take(OF_CLUSTER, networks.of_cluster(api.begin()))
    except Unavailable:
        found.asked.extend(nodes)
    finally:
        disconnect()
    return found


@transaction.atomic
def store(cluster: Cluster, found: Found, now: datetime) -> None:
    """Write what was told; what a node did not tell any more is gone, and so is what a node had that is gone itself.

    What a job works on is left to the job: a network that left the list before its removal ended would look as if its name
    were free, while all others still wait for that job."""
    ours = PlaceClaim.objects.filter(cluster=cluster).exclude(kind=PlaceClaim.Kind.STORAGE)
    moving = {(claim.node, claim.handle) for claim in ours.filter(_is_moving(found.began))}
    claims = {(claim.node, claim.handle): claim for claim in ours.active()}
    numbers = {(node, bridge): pk for pk, node, bridge in cluster.networks.values_list("pk", "node", "bridge")}
    rows = [
        ClusterNetwork(
            pk=numbers.get((node, seen.bridge)), cluster=cluster, node=node, seen_at=now, claim=claims.get((node, seen.bridge)),
            **{name: getattr(seen, name) for name in _KEPT},
        )
        for node, listed in found.networks.items() for seen in {one.bridge: one for one in listed}.values()
        if (node, seen.bridge) not in moving
    ]  # fmt: skip
    write_over(rows, ["cluster", "node", "bridge"], [*(name for name in _KEPT if name != "bridge"), "seen_at", "claim"])
    known = ClusterNetwork.objects.filter(cluster=cluster).exclude(claim__state=PlaceClaim.State.RESERVED)
    known = known.exclude(pk__in=[pk for key, pk in numbers.items() if key in moving])
    known.filter(node__in=list(found.networks)).exclude(seen_at=now).delete()
    there = ClusterNode.objects.filter(cluster=cluster)
    known.exclude(node=OF_CLUSTER).exclude(node__in=there.values("name")).delete()
    there.filter(name__in=found.asked).update(networks_asked_at=now)


def _is_moving(began: datetime) -> Q:
    """Rows of the ledger that a job is at, or was at when this reading had begun already."""
    at_work = Job.objects.active().values("public_id")
    return Q(job__in=at_work) | Q(updated_at__gte=began)
