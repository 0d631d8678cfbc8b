"""`/api/v1/nodes`: machines that run instances, by name, as newer llamactls answer."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.paging import MAX_LIMIT
from alma.api.schema import refusals
from alma.errors import NotFound
from instances.models import Node

_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the node")


class NodeRow(BaseModel):
    """A machine. Figures are those that its supervisor last told; null before it has."""

    address: str
    status: str = Field(description="online, lost when its supervisor was not seen for ten seconds, or new")
    version: str
    last_seen: int | None = Field(description="Seconds since 1970")
    cpu_count: int | None
    cpu_percent: float | None = Field(description="Of all cores together")
    memory_bytes: int | None
    memory_free_bytes: int | None


class _Base(Endpoint):
    dialect = LLAMACTL
    scopes = {"GET": "instance:read"}


class Nodes(_Base):
    """All of them."""

    @extend_schema(
        operation_id="llamactl_nodes_list", tags=["instances"],
        responses={200: {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/NodeRow"}}},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Show the machines, by name."""
        rows = Node.objects.visible_to(actor_of(request))[:MAX_LIMIT]
        return Response({node.name: _row(node) for node in rows})


class NodeView(_Base):
    """One of them."""

    @extend_schema(
        operation_id="llamactl_nodes_get", parameters=[_NAME], tags=["instances"],
        responses={200: NodeRow, **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response:
        """Show a machine."""
        rows = Node.objects.visible_to(actor_of(request))
        node = rows.filter(name=name).first() if "\0" not in name else None
        if node is None:
            raise NotFound("There is no node of this name.", code="NODE_NOT_FOUND")
        return Response(_row(node))


def _row(node: Node) -> dict[str, Any]:
    status = "new" if node.seen_at is None else "lost" if node.is_lost else "online"
    return {
        "address": node.address, "status": status, "version": node.version, "last_seen": node.seen_at,
        "cpu_count": node.cpu_count, "cpu_percent": node.cpu_percent, "memory_bytes": node.memory_bytes,
        "memory_free_bytes": node.memory_free_bytes,
    }  # fmt: skip
