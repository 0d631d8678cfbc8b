"""`/api/v1/agents`: assistants, their model and the tools that they may use."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import ALUMIA
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.permissions import in_person
from alma.api.schema import listing_of, page_parameters
from blueprints.api.agent_bodies import AgentBody, AgentCreate, AgentPatch, Deleted, agent_body, agent_fields
from blueprints.assistants import services
from blueprints.models import Assistant

AGENT_ID = OpenApiParameter("agent_id", str, OpenApiParameter.PATH, description="UUID of the agent")
PRIVILEGED = frozenset({"allowed_tools", "endpoint"})
"""What an agent may do and whom it talks to: changed in person only, as the document asks."""
_EXAMPLE = OpenApiExample(
    "With two tools",
    request_only=True,
    value={"name": "Architect", "allowedTools": ["suggest_architecture", "estimate_resources"]},
)


class AgentList(Endpoint):
    """`/api/v1/agents`."""

    dialect = ALUMIA
    scopes = {"GET": services.READ, "POST": services.WRITE}

    @extend_schema(
        operation_id="agents_list", parameters=page_parameters(ALUMIA), responses={200: listing_of(ALUMIA, AgentBody)},
        tags=["agents"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List agents, the oldest first."""
        rows = Assistant.objects.visible_to(actor_of(request)).order_by("id")
        return Response(paginate(request, rows, agent_body))

    @extend_schema(
        operation_id="agents_create", request=AgentCreate, responses={201: AgentBody}, examples=[_EXAMPLE],
        tags=["agents"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Create an agent."""
        values = agent_fields(read_body(AgentCreate, request).model_dump())
        row = services.create(by=actor_of(request), **values)
        return Response(agent_body(row), status=201, headers={"Location": f"/api/v1/agents/{row.uid}"})


class AgentDetail(Endpoint):
    """`/api/v1/agents/{agent_id}`."""

    dialect = ALUMIA
    scopes = {"GET": services.READ, "PATCH": services.WRITE, "DELETE": services.WRITE}

    @extend_schema(operation_id="agents_get", parameters=[AGENT_ID], responses={200: AgentBody}, tags=["agents"])
    def get(self, request: Request, agent_id: str) -> Response:
        """One agent."""
        return Response(agent_body(find_agent(request, agent_id)))

    @extend_schema(
        operation_id="agents_patch", parameters=[AGENT_ID], request=AgentPatch, responses={200: AgentBody},
        examples=[OpenApiExample("Another name", request_only=True, value={"name": "Planner"})], tags=["agents"],
    )  # fmt: skip
    def patch(self, request: Request, agent_id: str) -> Response:
        """Change the fields that are given. A key changes neither the tools that an agent may use nor its endpoint."""
        row = find_agent(request, agent_id)
        changes = read_body(AgentPatch, request).changes()
        if PRIVILEGED & changes.keys():
            in_person(request)
        return Response(agent_body(services.change(row, agent_fields(changes), by=actor_of(request))))

    @extend_schema(operation_id="agents_delete", parameters=[AGENT_ID], responses={200: Deleted}, tags=["agents"])
    def delete(self, request: Request, agent_id: str) -> Response:
        """Delete an agent; its sessions can still be read. Deleting it again says the same."""
        row = services.delete(find_agent(request, agent_id, deleted=True), by=actor_of(request))
        return Response({"id": str(row.uid), "deletedAt": row.deleted_at})


def find_agent(request: Request, agent_id: str, *, deleted: bool = False) -> Assistant:
    """The agent of an id, if the actor may see it. Raises NotFound."""
    uid, actor = ALUMIA.ids.read("agent", agent_id), actor_of(request)
    rows = Assistant.objects.visible_to(actor)
    if deleted:
        rows = Assistant.objects.filter(organization_id=actor.organization_id or 0)
    row = rows.filter(uid=uid).first()
    if row is None:
        raise services.not_found()
    return row
