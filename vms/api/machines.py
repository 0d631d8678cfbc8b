"""`/v1/vms` of the Proxmox AI document: machines as they were last read."""

from collections.abc import Collection
from dataclasses import replace
from operator import attrgetter
from typing import Annotated, Any, Literal, get_args

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read_query
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from vms import machines
from vms.api.bodies import MachineRow, row_of
from vms.api.detail import OneMachine, detail_of
from vms.api.finding import VM_ID, machine_of
from vms.models import Cluster
from vms.scans.services import security_of

READ = "vm:read"
Word = Annotated[str, StringConstraints(max_length=100)]
Status = Literal["running", "stopped", "paused"]
Sort = Literal["name", "created_at", "status"]
Order = Literal["asc", "desc"]


class MachineQuery(BaseModel):
    """What may be asked of the list."""

    status: Status | None = None
    environment: Word = ""
    name: Word = ""
    tag: Word = ""
    cluster: Word = ""
    node: Word = ""
    sort: Sort = "name"
    order: Order = "asc"

    @property
    def names(self) -> list[str]:
        """The order; ties go by number."""
        sign = "-" if self.order == "desc" else ""
        return [f"{sign}{self.sort}", f"{sign}pk"]

    def wish(self) -> machines.Wish:
        """Which machines are wanted."""
        return machines.Wish(
            self.status or "", self.environment, self.name, self.tag, self.cluster, self.node
        )  # fmt: skip


def _word(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "maxLength": 100}, description=description)


PARAMETERS = [
    OpenApiParameter("status", str, description="As it is known now", enum=get_args(Status)),
    _word("environment", "Slug of the environment for which it was declared"),
    _word("name", "Part of its name"),
    _word("tag", "One of its tags"),
    _word("cluster", "Slug of its cluster"),
    _word("node", "Name of its node"),
    OpenApiParameter(
        "sort",
        str,
        description="What to sort by; what is not known counts as the least",
        enum=get_args(Sort),
        default="name",
    ),
    OpenApiParameter("order", str, description="Which way", enum=get_args(Order), default="asc"),
]


class Machines(Endpoint):
    """The machines of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="vms_list", parameters=[*PARAMETERS, *page_parameters(PROXMOX)],
        responses={200: listing_of(PROXMOX, MachineRow, "vms")}, tags=["vms"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List machines as they were last read; `meta` says how long ago that was."""
        actor, query = actor_of(request), read_query(MachineQuery, request)
        clusters = machines.clusters_of(actor)
        rows = machines.listed(actor, query.wish(), clusters).order_by(*query.names)
        page = paginate(request, rows.only("pk", query.sort), attrgetter("pk"), key="vms")
        found = machines.whole(page.rows)
        judged = security_of(found.values())
        written = [row_of(found[pk], clusters[found[pk].cluster_id], judged.get(pk)) for pk in page.rows if pk in found]
        return Answer(replace(page, rows=written), meta=age_of(clusters.values()))


class Machine(Endpoint):
    """One machine."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(operation_id="vms_get", parameters=[VM_ID], responses={200: OneMachine}, tags=["vms"])
    def get(self, request: Request, vm_id: str) -> Response:
        """One machine as it was last read."""
        guest = machine_of(request, vm_id)
        return Answer({"vm": detail_of(guest, security_of([guest]).get(guest.pk))}, meta=age_of([guest.cluster]))


def age_of(clusters: Collection[Cluster]) -> dict[str, Any]:
    """For `meta`: how old the oldest reading is, in seconds, and which clusters could not be read."""
    moments = [cluster.last_read_at for cluster in clusters if cluster.last_read_at]
    oldest = min(moments, default=None)
    return {
        "last_read_at": oldest, "age_seconds": int((timezone.now() - oldest).total_seconds()) if oldest else None,
        "unreachable_clusters": sorted(cluster.slug for cluster in clusters if machines.is_silent(cluster)),
    }  # fmt: skip
