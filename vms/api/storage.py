"""`/v1/storage` of the Proxmox AI document: storages as they were last read."""

from collections.abc import Sequence
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
from vms import machines, storages
from vms.api.bodies import gigabytes
from vms.api.machines import age_of
from vms.models import Cluster, ClusterStorage, PlaceClaim
from vms.operations.places import at_work, status_of

READ = "storage:read"
STORAGE_ID = OpenApiParameter("storage_id", str, OpenApiParameter.PATH, description="Like storage-001")


class StorageRow(BaseModel):
    """A storage. `type` is Proxmox's plugin. Sizes are in GiB and null where nobody told them; `provisioned_gb` is what the
    disks of machines may grow to, templates not counted. `active` is null while nothing is known of its cluster; then and
    while it is false, figures are those that were read last. `encrypted` is what an operator says of it. `managed` ones were
    made by ALMA; `status` is active, inactive, creating, deleting or unfinished, and `job_id` the job that is at work."""

    id: str
    name: str
    type: str
    content: list[str]
    nodes: list[str]
    total_gb: float | None
    used_gb: float | None
    available_gb: float | None
    provisioned_gb: float | None
    shared: bool
    active: bool | None
    encrypted: bool | None
    created_at: datetime | None
    managed: bool
    status: str | None
    job_id: str | None
    cluster: str
    seen_at: datetime | None


class OneStorage(BaseModel):
    """A storage."""

    storage: StorageRow


class Storages(Endpoint):
    """The storages of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="storage_list", parameters=page_parameters(PROXMOX),
        responses={200: listing_of(PROXMOX, StorageRow, "storage")}, tags=["storage"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List storages: a shared one once, a local one for each of its nodes."""
        actor = actor_of(request)
        clusters = machines.clusters_of(actor)
        rows = storages.listed(actor).select_related("claim")
        page = paginate(request, rows, lambda row: row, key="storage")
        return Answer(replace(page, rows=written(page.rows, clusters)), meta=age_of(clusters.values()))


class Storage(Endpoint):
    """One storage."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="storage_get", parameters=[STORAGE_ID], responses={200: OneStorage}, tags=["storage"]
    )  # fmt: skip
    def get(self, request: Request, storage_id: str) -> Response:
        """One storage as it was last read."""
        row = storage_of(request, storage_id)
        return Answer({"storage": one(row)}, meta=age_of([row.cluster]))


def storage_of(request: Request, storage_id: str) -> ClusterStorage:
    """That storage. Raises NotFound."""
    row = storages.find(PROXMOX.ids.read("storage", storage_id), by=actor_of(request))
    if row is None:
        raise no_such("storage", storage_id)
    return row


def one(row: ClusterStorage) -> dict[str, Any]:
    """A storage on its own."""
    return written([row], {row.cluster_id: row.cluster})[0]


def written(rows: Sequence[ClusterStorage], clusters: dict[int, Cluster]) -> list[dict[str, Any]]:
    """Storages of a list, in three queries however many they are."""
    jobs = at_work([row.claim for row in rows if row.claim])
    found = storages.whole(rows)
    return [
        _row_of(one, clusters[one.row.cluster_id]) | _standing(one, clusters[one.row.cluster_id], jobs) for one in found
    ]


def _standing(one: storages.Storage, cluster: Cluster, jobs: dict[str, Job]) -> dict[str, Any]:
    """Whose it is and how it stands."""
    claim = one.row.claim if one.row.claim and one.row.claim.state in PlaceClaim.ACTIVE else None
    status = None if machines.is_silent(cluster) else status_of(claim, jobs, is_active=one.shown.is_active)
    return {
        "encrypted": cluster.encrypts(one.row.name), "managed": claim is not None, "status": status,
        "created_at": claim.created_at if claim else None, "job_id": claim.job if claim and claim.job in jobs else None,
    }  # fmt: skip


def _row_of(one: storages.Storage, cluster: Cluster) -> dict[str, Any]:
    row, has_figures = one.shown, one.shown.total_bytes > 0
    return {
        "id": PROXMOX.ids.write("storage", one.row.pk), "name": row.name, "type": row.plugin,
        "content": [part for part in row.content.split(", ") if part], "nodes": list(one.nodes),
        "total_gb": gigabytes(row.total_bytes) if has_figures else None,
        "used_gb": gigabytes(row.used_bytes) if has_figures else None,
        "available_gb": gigabytes(row.total_bytes - row.used_bytes) if has_figures else None,
        "provisioned_gb": None if one.provisioned_bytes is None else gigabytes(one.provisioned_bytes),
        "shared": one.row.is_shared, "active": None if machines.is_silent(cluster) else row.is_active,
        "cluster": cluster.slug, "seen_at": cluster.last_read_at,
    }  # fmt: skip
