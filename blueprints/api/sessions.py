"""`/api/v1/sessions`: conversations with an assistant, or with the planner that needs no model."""

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import ALUMIA
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from alma.errors import BadRequest
from blueprints.api.agent_bodies import (
    Answered,
    Deleted,
    Said,
    SessionBody,
    SessionCreate,
    SessionDetailBody,
    SessionMessage,
    SessionPatch,
    message_body,
    session_body,
)
from blueprints.api.agents import find_agent
from blueprints.assistants import conversations
from blueprints.models import Conversation, ConversationQuerySet

SESSION_ID = OpenApiParameter("session_id", str, OpenApiParameter.PATH, description="UUID of the session")
RECENT = 50
"""Messages that are shown with a session; all of them are a list of their own."""
_FILTERS = [
    OpenApiParameter("agentId", UUID, description="With this agent"),
    OpenApiParameter("status", str, enum=Conversation.Status.values, description="Open or archived ones"),
]
_EXAMPLE = OpenApiExample("A wish", request_only=True, value={"content": "3 web servers behind a load balancer"})


class SessionList(Endpoint):
    """`/api/v1/sessions`."""

    dialect = ALUMIA
    scopes = {"GET": conversations.READ, "POST": conversations.WRITE}

    @extend_schema(
        operation_id="sessions_list", parameters=[*_FILTERS, *page_parameters(ALUMIA)],
        responses={200: listing_of(ALUMIA, SessionBody)}, tags=["sessions"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List sessions, the newest first."""
        return Response(paginate(request, _narrowed(request).order_by("-id"), session_body))

    @extend_schema(
        operation_id="sessions_create", request=SessionCreate, responses={201: SessionBody}, tags=["sessions"]
    )
    def post(self, request: Request) -> Response:
        """Begin a session with an agent, or with the planner."""
        body = read_body(SessionCreate, request)
        agent = find_agent(request, str(body.agent_id)) if body.agent_id else None
        row = conversations.begin(by=actor_of(request), assistant=agent, title=body.title, metadata=body.metadata)
        return Response(session_body(row), status=201, headers={"Location": f"/api/v1/sessions/{row.uid}"})


def _narrowed(request: Request) -> ConversationQuerySet:
    """Raises BadRequest for what cannot be a filter, NotFound for an agent that the actor does not see."""
    rows = Conversation.objects.visible_to(actor_of(request)).select_related("assistant")
    status = request.query_params.get("status")
    if status is not None:
        if status not in Conversation.Status.values:
            raise BadRequest("status must be open or archived.")
        rows = rows.filter(status=status)
    agent_id = request.query_params.get("agentId")
    if agent_id is not None:
        try:
            UUID(agent_id)
        except ValueError as error:
            raise BadRequest("agentId must be a UUID.") from error
        rows = rows.filter(assistant=find_agent(request, agent_id))
    return rows


class SessionDetail(Endpoint):
    """`/api/v1/sessions/{session_id}`."""

    dialect = ALUMIA
    scopes = {"GET": conversations.READ, "PATCH": conversations.WRITE, "DELETE": conversations.WRITE}

    @extend_schema(
        operation_id="sessions_get", parameters=[SESSION_ID], responses={200: SessionDetailBody}, tags=["sessions"]
    )
    def get(self, request: Request, session_id: str) -> Response:
        """One session with its latest 50 messages."""
        row = _find(request, session_id)
        latest = list(row.messages.order_by("-number")[:RECENT])
        return Response({**session_body(row), "messages": [message_body(message) for message in reversed(latest)]})

    @extend_schema(
        operation_id="sessions_patch", parameters=[SESSION_ID], request=SessionPatch, responses={200: SessionBody},
        examples=[OpenApiExample("Another title", request_only=True, value={"title": "Web shop"})], tags=["sessions"],
    )  # fmt: skip
    def patch(self, request: Request, session_id: str) -> Response:
        """Change the fields that are given."""
        row = _find(request, session_id)
        changes = read_body(SessionPatch, request).changes()
        return Response(session_body(conversations.change(row, changes, by=actor_of(request))))

    @extend_schema(operation_id="sessions_delete", parameters=[SESSION_ID], responses={200: Deleted}, tags=["sessions"])
    def delete(self, request: Request, session_id: str) -> Response:
        """Delete a session. Deleting it again says the same."""
        row = conversations.delete(_find(request, session_id, deleted=True), by=actor_of(request))
        return Response({"id": str(row.uid), "deletedAt": row.deleted_at})


class SessionArchive(Endpoint):
    """`/api/v1/sessions/{session_id}/archive`."""

    dialect = ALUMIA
    scopes = {"POST": conversations.WRITE}

    @extend_schema(
        operation_id="sessions_archive", parameters=[SESSION_ID], request=None, responses={200: SessionBody},
        tags=["sessions"],
    )  # fmt: skip
    def post(self, request: Request, session_id: str) -> Response:
        """Close a session for good; it can still be read."""
        return Response(session_body(conversations.archive(_find(request, session_id), by=actor_of(request))))


class SessionMessages(Endpoint):
    """`/api/v1/sessions/{session_id}/messages`."""

    dialect = ALUMIA
    scopes = {"GET": conversations.READ, "POST": conversations.WRITE}

    @extend_schema(
        operation_id="sessions_messages_list", parameters=[SESSION_ID, *page_parameters(ALUMIA)],
        responses={200: listing_of(ALUMIA, SessionMessage)}, tags=["sessions"],
    )  # fmt: skip
    def get(self, request: Request, session_id: str) -> Response:
        """List what was said, the oldest first."""
        rows = _find(request, session_id).messages.order_by("number")
        return Response(paginate(request, rows, message_body))

    @extend_schema(
        operation_id="sessions_messages_create", parameters=[SESSION_ID], request=Said, responses={201: Answered},
        examples=[_EXAMPLE], tags=["sessions"],
    )  # fmt: skip
    def post(self, request: Request, session_id: str) -> Response:
        """Say something, and get an answer. Nothing is built by it: the answer may hold a draft of a blueprint."""
        row = _find(request, session_id)
        said, reply = conversations.say(row, read_body(Said, request).content, by=actor_of(request))
        return Response({"message": message_body(said), "reply": message_body(reply)}, status=201)


def _find(request: Request, session_id: str, *, deleted: bool = False) -> Conversation:
    """The session of an id, if the actor may see it. Raises NotFound."""
    uid, actor = ALUMIA.ids.read("session", session_id), actor_of(request)
    rows = Conversation.objects.visible_to(actor)
    if deleted:
        rows = Conversation.objects.filter(organization_id=actor.organization_id or 0)
    row = rows.select_related("assistant").filter(uid=uid).first()
    if row is None:
        raise conversations.not_found()
    return row
