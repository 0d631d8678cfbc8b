"""`/api/v1/tools`: which tools there are, and carrying one out, chosen from words or by name."""

from datetime import datetime
from typing import Any, Literal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, JsonValue
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.actors import Actor
from alma.api.authentication import actor_of
from alma.api.dialects import ALMA, ALUMIA
from alma.api.dialects.base import timestamp
from alma.api.endpoints import Endpoint
from alma.api.parsers import body_object
from alma.api.permissions import READS
from alma.api.schema import refusals
from alma.errors import BadRequest, NotFound
from blueprints import tools
from blueprints.models import Assistant
from blueprints.tools import choosing

MAX_QUERY = choosing.MAX_QUERY


class ToolBody(BaseModel):
    """One tool. `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, JsonValue]


class ToolsBody(BaseModel):
    """All tools."""

    tools: list[ToolBody]
    count: int


class ToolQueryBody(BaseModel):
    """What is asked, in words; the context names what it is about."""

    query: str = Field(min_length=1, max_length=MAX_QUERY)
    context: dict[str, JsonValue] | None = Field(default=None, description="Values for arguments, such as blueprint_id")
    agent_id: str | None = Field(default=None, description="UUID of an agent: no other tools than it names are used")


class ToolCallBody(BaseModel):
    """A tool and its arguments."""

    tool: str = Field(max_length=100)
    arguments: dict[str, JsonValue] | None = None
    agent_id: str | None = Field(default=None, description="UUID of an agent: no other tools than it names are used")


class ToolRanBody(BaseModel):
    """What a tool found."""

    success: Literal[True]
    tool: str
    result: dict[str, JsonValue]
    arguments: dict[str, JsonValue] = Field(description="What the tool was given")
    reasons: list[str] = Field(description="Why this tool and these arguments, where they were chosen")
    model: dict[str, JsonValue] | None = Field(
        default=None, description="What became of asking a model, where there is one"
    )
    timestamp: datetime


_QUERY = OpenApiExample(
    "As documented", request_only=True,
    value={
        "query": "Estimate resources for high traffic web application",
        "context": {"usage_pattern": "high_traffic", "peak_users": 10000},
    },
)  # fmt: skip
_DIRECT = OpenApiExample(
    "By name", request_only=True,
    value={"tool": "estimate_resources", "arguments": {"usage_pattern": "high_traffic", "peak_users": 10000}},
)  # fmt: skip


class ToolList(Endpoint):
    """`/api/v1/tools`."""

    dialect = ALMA
    scopes = {"GET": tools.READ}
    openings = {"GET": READS}

    @extend_schema(operation_id="tools_list", responses={200: ToolsBody}, tags=["tools"])
    def get(self, request: Request) -> Response:
        """List the tools with the JSON schemas of their arguments."""
        rows = [{"name": t.name, "description": t.description, "parameters": t.schema()} for t in tools.tools()]
        return Response({"tools": rows, "count": len(rows)})


class ToolExecution(Endpoint):
    """`/api/v1/tools/execute`."""

    dialect = ALMA
    scopes = {"POST": tools.READ}

    @extend_schema(
        operation_id="tools_execute", request=ToolQueryBody, responses={200: ToolRanBody, **refusals(400, 403, 404, 422)},
        examples=[_QUERY], tags=["tools"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Pick the tool that a question asks for, fill its arguments from the question and the context, and run it."""
        body, actor = _known(request, ToolQueryBody), actor_of(request)
        context = {} if body.get("context") is None else body["context"]
        if not isinstance(context, dict):
            raise _invalid("context", "must be an object")
        assistant = _assistant(body, actor)
        choice = choosing.choose(body.get("query"), context, by=actor, assistant=assistant)
        ran = _ran(choice.tool, choice.arguments, actor, assistant, choice.reasons)
        return Response({**ran, "model": choice.model.as_dict() if choice.model else None})


class ToolDirectExecution(Endpoint):
    """`/api/v1/tools/execute-direct`."""

    dialect = ALMA
    scopes = {"POST": tools.READ}

    @extend_schema(
        operation_id="tools_execute_direct", request=ToolCallBody, responses={200: ToolRanBody, **refusals(400, 403, 404, 422)},
        examples=[_DIRECT], tags=["tools"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Run the tool that is named."""
        body, actor = _known(request, ToolCallBody), actor_of(request)
        if "tool" not in body:
            raise _invalid("tool", "is required")
        arguments = body.get("arguments")
        given = {} if arguments is None else arguments
        return Response(_ran(tools.find(body["tool"]).name, given, actor, _assistant(body, actor), []))


def _known(request: Request, model: type[BaseModel]) -> dict[str, Any]:
    body = body_object(request.data)
    if unknown := sorted(body.keys() - model.model_fields.keys()):
        known = ", ".join(model.model_fields)
        raise _invalid(unknown[0][:60], f"is not a known field; known are {known}")
    return body


def _ran(name: str, arguments: Any, actor: Actor, assistant: Assistant | None, reasons: list[str]) -> dict[str, Any]:
    result = tools.execute(name, arguments, by=actor, assistant=assistant)
    return {
        "success": True, "tool": name, "result": result.model_dump(mode="json"), "arguments": arguments,
        "reasons": reasons, "timestamp": timestamp(),
    }  # fmt: skip


def _assistant(body: dict[str, Any], actor: Actor) -> Assistant | None:
    """The agent that a call names. Raises NotFound, BadRequest."""
    uid = body.get("agent_id")
    if uid is None:
        return None
    if not isinstance(uid, str):
        raise _invalid("agent_id", "must be the UUID of an agent")
    found = Assistant.objects.visible_to(actor).filter(uid=ALUMIA.ids.read("agent", uid)).first()
    if found is None:
        raise NotFound("Agent not found", code="AGENT_NOT_FOUND")
    return found


def _invalid(field: str, message: str) -> BadRequest:
    details = [{"resource": None, "field": field, "message": message}]
    return BadRequest(f"Field {field}: {message}.", code="VALIDATION_ERROR", details=details)
