"""What is sent and answered at `/api/v1/agents` and `/api/v1/sessions`, with the bounds of each field."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, WithJsonSchema

from alma.api.bodies import CamelModel, PatchModel
from alma.api.bounds import bounded, trimmed
from alma.outbound.targets import LONGEST
from blueprints.models import Assistant, Conversation, Message
from blueprints.tools import NAMES as TOOLS

MOST_METADATA, DEEPEST_METADATA = 32 * 1024, 8
_TOOL_SCHEMA = {"type": "array", "items": {"type": "string", "enum": list(TOOLS)}, "maxItems": len(TOOLS)}


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), trimmed(1)]
Title = Annotated[str, StringConstraints(max_length=200), trimmed()]
Description = Annotated[str, StringConstraints(max_length=2000), trimmed()]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$")]
Endpoint = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Tools = Annotated[
    list[str], Field(max_length=len(TOOLS)), AfterValidator(_once), WithJsonSchema(_TOOL_SCHEMA)
]  # what is none of them is refused by the services, which name it
Instructions = Annotated[str, StringConstraints(max_length=8000), trimmed()]
Metadata = Annotated[dict[str, JsonValue], AfterValidator(bounded(MOST_METADATA, DEEPEST_METADATA))]
Content = Annotated[str, StringConstraints(min_length=1, max_length=8000), trimmed(1)]


class AgentCreate(CamelModel):
    """A new agent. Its model is an instance of this installation or an OpenAI-compatible endpoint; neither is the
    offline planner. It may use no tool but those of `allowedTools`."""

    name: Name
    description: Description = ""
    model: ModelName | None = None
    endpoint: Endpoint | None = None
    allowed_tools: Tools = Field(default_factory=list)
    instructions: Instructions = ""
    metadata: Metadata = Field(default_factory=dict)


class AgentPatch(PatchModel):
    """What to change; what is left out stays. `allowedTools` and `endpoint` are changed in the browser only."""

    name: Name = ""
    description: Description = ""
    model: ModelName | None = None
    endpoint: Endpoint | None = None
    allowed_tools: Tools = Field(default_factory=list)
    instructions: Instructions = ""
    metadata: Metadata = Field(default_factory=dict)


class AgentBody(CamelModel):
    """An agent."""

    id: str
    name: str
    description: str
    model: str | None
    endpoint: str | None
    allowed_tools: list[str]
    instructions: str
    metadata: dict[str, JsonValue]
    created_by: str
    created_at: datetime
    updated_at: datetime


class Deleted(CamelModel):
    """That it is gone, and since when."""

    id: str
    deleted_at: datetime


class SessionCreate(CamelModel):
    """A new session; without an agent it is one with the offline planner. It is named by what is said first."""

    agent_id: Annotated[UUID | None, Field(strict=False)] = None
    title: Title = ""
    metadata: Metadata = Field(default_factory=dict)


class SessionPatch(PatchModel):
    """What to change; what is left out stays."""

    title: Title = ""
    metadata: Metadata = Field(default_factory=dict)


class SessionBody(CamelModel):
    """A session."""

    id: str
    agent_id: str | None
    title: str
    status: Literal["open", "archived"]
    message_count: int
    metadata: dict[str, JsonValue]
    created_by: str
    created_at: datetime
    updated_at: datetime


class SessionMessage(CamelModel):
    """What somebody said, or what was answered; then `blueprint` is the draft that it proposes, if any. Saving a draft
    is POST /api/v1/blueprints."""

    id: str
    number: int
    role: Literal["user", "assistant"]
    author: str
    content: str
    blueprint: dict[str, JsonValue] | None
    created_at: datetime


class SessionDetailBody(SessionBody):
    """A session with its latest messages, the oldest of them first."""

    messages: list[SessionMessage]


class Said(CamelModel):
    """What somebody says."""

    content: Content


class Answered(CamelModel):
    """What was said, and what was answered."""

    message: SessionMessage
    reply: SessionMessage


def agent_body(row: Assistant) -> dict[str, Any]:
    """An agent as clients read it."""
    return {
        "id": str(row.uid), "name": row.name, "description": row.description, "model": row.model or None,
        "endpoint": row.endpoint or None, "allowedTools": row.tools, "instructions": row.instructions,
        "metadata": row.metadata, "createdBy": row.created_by, "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }  # fmt: skip


def session_body(row: Conversation) -> dict[str, Any]:
    """A session as clients read it; its assistant was read along."""
    return {
        "id": str(row.uid), "agentId": str(row.assistant.uid) if row.assistant else None, "title": row.title,
        "status": row.status, "messageCount": row.message_count, "metadata": row.metadata,
        "createdBy": row.created_by, "createdAt": row.created_at, "updatedAt": row.updated_at,
    }  # fmt: skip


def message_body(row: Message) -> dict[str, Any]:
    """A message as clients read it."""
    return {
        "id": str(row.uid), "number": row.number, "role": row.role, "author": row.author, "content": row.content,
        "blueprint": row.draft, "createdAt": row.created_at,
    }  # fmt: skip


def agent_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body as the row has them: no model and no endpoint are empty."""
    values = {("tools" if name == "allowed_tools" else name): value for name, value in given.items()}
    return {name: value or "" if name in {"model", "endpoint"} else value for name, value in values.items()}
