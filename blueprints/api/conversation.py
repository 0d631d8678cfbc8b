"""The documented conversation: words in, words and perhaps a draft out. Nothing is built by it."""

import re
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Annotated, Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.actors import Actor
from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.permissions import DRAFTS
from alma.api.schema import EVENT, refusals
from alma.api.streaming import ALIVE, StreamNegotiation, event_stream
from alma.errors import BadRequest, Invalid
from blueprints.assistants import conversations
from blueprints.assistants.answering import answer, next_steps
from blueprints.assistants.talk import Document, Talk
from blueprints.models import Blueprint
from blueprints.pricing.book import price_list
from blueprints.understanding import Asking, source_for

Event = dict[str, Any]
_WORDS = re.compile(r"\s*\S+")


class ChatContext(BaseModel):
    """What the message is about."""

    model_config = ConfigDict(extra="forbid", strict=True)

    conversation_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")] | None = Field(
        default=None, description="Any name of your own; the same one goes on with what was said"
    )
    previous_blueprints: Annotated[list[int], Field(max_length=100)] = Field(
        default_factory=list, description="The first one that is there is what the words are about"
    )


class ChatBody(BaseModel):
    """What somebody says."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
    context: ChatContext | None = None


class ChatAnswer(BaseModel):
    """What is answered. `conversation_id` is null for callers who may not write: nothing is remembered for them."""

    response: str
    blueprint: dict[str, JsonValue] | None
    suggested_actions: list[str]
    conversation_id: str | None
    changes: list[str] = Field(description="What differs from the draft before, a sentence each")
    model: dict[str, JsonValue] | None = Field(
        description="What became of asking a model for the draft, where there is one"
    )


_EXAMPLE = OpenApiExample(
    "As documented",
    {
        "message": "Create a Kubernetes cluster with 3 nodes",
        "context": {"conversation_id": "conv-123", "previous_blueprints": [1, 2, 3]},
    },
    request_only=True,
)
_STREAMED = OpenApiExample(
    "As documented",
    'data: {"type": "token", "content": "I\'ll"}\n\ndata: {"type": "complete", "full_response": "I\'ll create…"}\n\n',
    response_only=True,
    status_codes=["200"],
    media_type="text/event-stream",
)


class Chat(Endpoint):
    """An answer at once."""

    dialect = ALMA
    scopes = {"POST": conversations.WRITE}
    openings = {"POST": DRAFTS}

    @extend_schema(
        operation_id="conversation_chat", request=ChatBody, responses={200: ChatAnswer, **refusals(400)},
        examples=[_EXAMPLE], tags=["conversation"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Say what you need, or what to change in the draft that is talked about."""
        return Response(_converse(_read(request), actor_of(request)))


class ChatStream(Endpoint):
    """An answer as it comes."""

    dialect = ALMA
    scopes = {"POST": conversations.WRITE}
    openings = {"POST": DRAFTS}
    content_negotiation_class = StreamNegotiation

    @extend_schema(
        operation_id="conversation_chat_stream",
        request=ChatBody,
        responses={(200, "text/event-stream"): OpenApiResponse(EVENT, "Events: token, complete"), **refusals(400)},
        examples=[_EXAMPLE, _STREAMED],
        tags=["conversation"],
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        """The same as server-sent events. With a model the first byte comes before it is asked."""
        said, actor = _read(request), actor_of(request)
        if source_for(actor) is None:
            return event_stream(_events(_converse(said, actor)))
        return event_stream(_in_time(said, actor))


async def _in_time(said: ChatBody, actor: Actor) -> AsyncGenerator[Event, None]:
    yield ALIVE
    for event in _events(await sync_to_async(_apart, thread_sensitive=False)(said, actor)):
        yield event


def _apart(said: ChatBody, actor: Actor) -> dict[str, Any]:
    """In a thread that belongs to no request, and so keeps no connection to the database."""
    try:
        return _converse(said, actor)
    finally:
        connections.close_all()


def _events(said: Mapping[str, Any]) -> Iterator[Event]:
    for word in _WORDS.findall(said["response"]):
        yield {"type": "token", "content": word}
    rest = {name: value for name, value in said.items() if name != "response"}
    yield {"type": "complete", "full_response": said["response"], **rest}


def _read(request: Request) -> ChatBody:
    try:
        return read_body(ChatBody, request)
    except Invalid as error:
        raise BadRequest(error.message, code=error.code, details=error.details) from error


def _converse(body: ChatBody, actor: Actor) -> dict[str, Any]:
    context = body.context or ChatContext()
    based_on = _talked_about(context.previous_blueprints, actor)
    if actor.is_anonymous or not actor.has(conversations.WRITE):  # where drafts are open to everybody
        prices = price_list(actor.organization_id)
        talk = Talk([based_on] if based_on else [], prices=prices, asking=Asking(actor, prices))
        given = answer(body.message, talk)
        return _body(given.content, given.draft, given.changes, next_steps(given.draft or based_on))
    reference = context.conversation_id or f"conv-{uuid.uuid4().hex[:12]}"
    row = conversations.referred(reference, by=actor)
    _, reply = conversations.say(row, body.message, by=actor, based_on=based_on)
    steps = next_steps(conversations.talk_of(row, based_on).draft)
    return {**_body(reply.content, reply.draft, reply.changes, steps), "conversation_id": reference}


def _talked_about(ids: list[int], actor: Actor) -> Document | None:
    """The first of these blueprints that the caller sees; the others may be gone, or another's."""
    known = [number for number in ids if 0 < number < 2**63]
    rows = {row.pk: row for row in Blueprint.objects.visible_to(actor).filter(pk__in=known)}
    first = next((rows[number] for number in known if number in rows), None)
    return first.current_revision().parsed().as_dict() if first else None


def _body(content: str, draft: Document | None, changes: Sequence[str], steps: list[str]) -> dict[str, Any]:
    return {
        "response": content,
        "blueprint": draft,
        "suggested_actions": steps,
        "conversation_id": None,
        "changes": list(changes),
        "model": draft["metadata"].get("model") if draft else None,
    }
