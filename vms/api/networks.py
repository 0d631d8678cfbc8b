"""`/v1/networks` of the Proxmox AI document: bridges, VLANs and virtual networks as they were last read."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.dialects import PROXMOX
from alma.api.dialects.ids import no_such
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from alma.jobs.models import Job
from vms import machines
from vms.api.machines import age_of
from vms.models import Cluster, ClusterNetwork, ClusterNode, PlaceClaim
from vms.operations.places import at_work, status_of

READ = "network:read"
NETWORK_ID = OpenApiParameter("network_id", str, OpenApiParameter.PATH, description="Like net-001")


class FirewallRule(BaseModel):
    """A rule of a virtual network's own firewall; `action` is allow, deny, reject, or a macro or group."""

    id: str
    action: str
    protocol: str | None
    port: int | str | None
    source: str | None
    destination: str | None
    enabled: bool


class DhcpRange(BaseModel):
    """The first and the last address that are given out."""

    start: str
    end: str


class NetworkRow(BaseModel):
    """A network. `type` is bridge, vlan or vnet, `bridge` what network cards name. `subnet` is the first of `subnets`. Proxmox
    does not tell when a network was made, nor of a bridge whether somebody gives out addresses there. `managed` ones were made
    by ALMA and can be changed; `status` is active, inactive, creating, changing, deleting or unfinished, null while its cluster
    is out of reach, and `job_id` the job that is at work."""

    id: str
    name: str
    type: str
    vlan_id: int | None
    subnet: str | None
    gateway: str | None
    dns_servers: list[str] | None
    dhcp_enabled: bool | None
    firewall_rules: list[FirewallRule] | None
    created_at: datetime | None
    bridge: str
    description: str | None
    subnets: list[str] | None
    dhcp_range: DhcpRange | None
    zone: str | None
    zone_type: str | None
    active: bool | None
    nodes: list[str]
    cluster: str
    managed: bool
    status: str | None
    job_id: str | None
    seen_at: datetime


class OneNetwork(BaseModel):
    """A network."""

    network: NetworkRow


class Networks(Endpoint):
    """The networks of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="networks_list", parameters=page_parameters(PROXMOX),
        responses={200: listing_of(PROXMOX, NetworkRow, "networks")}, tags=["networks"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List networks: bridges and VLANs for each node, virtual networks once."""
        actor = actor_of(request)
        clusters = machines.clusters_of(actor)
        rows = ClusterNetwork.objects.visible_to(actor).select_related("claim").order_by("name", "node", "pk")
        page = paginate(request, rows, lambda row: row, key="networks")
        return Answer(replace(page, rows=written(page.rows, clusters)), meta=age_of(clusters.values()))


class Network(Endpoint):
    """One network."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="networks_get", parameters=[NETWORK_ID], responses={200: OneNetwork}, tags=["networks"]
    )  # fmt: skip
    def get(self, request: Request, network_id: str) -> Response:
        """One network as it was last read."""
        row = network_of(request, network_id)
        return Answer({"network": one(row)}, meta=age_of([row.cluster]))


def network_of(request: Request, network_id: str) -> ClusterNetwork:
    """That network. Raises NotFound."""
    rows = ClusterNetwork.objects.visible_to(actor_of(request)).select_related("cluster", "claim")
    row = rows.filter(pk=PROXMOX.ids.read("net", network_id)).first()
    if row is None:
        raise no_such("network", network_id)
    return row


def one(row: ClusterNetwork) -> dict[str, Any]:
    """A network on its own."""
    return written([row], {row.cluster_id: row.cluster})[0]


def written(rows: Sequence[ClusterNetwork], clusters: dict[int, Cluster]) -> list[dict[str, Any]]:
    """Networks of a list, in two queries however many they are."""
    nodes = _nodes_of({row.cluster_id for row in rows})
    jobs = at_work([row.claim for row in rows if row.claim])
    return [
        _row_of(row, clusters[row.cluster_id], nodes[row.cluster_id]) | _standing(row, clusters, jobs) for row in rows
    ]


def _standing(row: ClusterNetwork, clusters: dict[int, Cluster], jobs: dict[str, Job]) -> dict[str, Any]:
    """Whose it is, how it stands, and what only the ledger knows."""
    claim = row.claim if row.claim and row.claim.state in PlaceClaim.ACTIVE else None
    is_silent = machines.is_silent(clusters[row.cluster_id])
    status = None if is_silent else status_of(claim, jobs, is_active=row.is_active)
    told = {
        "managed": claim is not None,
        "status": status,
        "job_id": claim.job if claim and claim.job in jobs else None,
    }
    if claim is None:
        return {**told, "dhcp_range": None}
    span = claim.wish.get("dhcp_range")
    return {
        **told, "created_at": claim.created_at, "dns_servers": claim.wish["dns_servers"],
        "dhcp_range": {"start": span[0], "end": span[1]} if span else None,
    }  # fmt: skip


def _nodes_of(clusters: Collection[int]) -> dict[int, list[str]]:
    """All nodes of clusters, by name."""
    found: dict[int, list[str]] = defaultdict(list)
    known = ClusterNode.objects.filter(cluster__in=clusters).order_by("name")
    for cluster, name in known.values_list("cluster_id", "name"):
        found[cluster].append(name)
    return found


def _row_of(row: ClusterNetwork, cluster: Cluster, everywhere: list[str]) -> dict[str, Any]:
    return {
        "id": PROXMOX.ids.write("net", row.pk), "name": row.name, "type": row.kind, "vlan_id": row.vlan_id,
        "subnet": next(iter(row.subnets or ()), None), "gateway": row.gateway or None, "dns_servers": row.dns_servers,
        "dhcp_enabled": row.dhcp_enabled, "firewall_rules": row.firewall_rules, "created_at": None,
        "bridge": row.bridge, "description": row.description or None, "subnets": row.subnets,
        "zone": row.zone or None, "zone_type": row.zone_kind or None,
        "active": None if machines.is_silent(cluster) else row.is_active,
        "nodes": [row.node] if row.node else row.nodes or everywhere, "cluster": cluster.slug, "seen_at": row.seen_at,
    }  # fmt: skip
