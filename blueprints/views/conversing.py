"""One conversation: what was said and the draft beside it, whole or as it comes. Saying something builds nothing."""

import re
from collections.abc import AsyncGenerator, Callable
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.db import connections
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from alma.accounts.actors import Actor
from alma.api.streaming import event_stream
from alma.errors import Invalid
from alma.htmx import HtmxRequest
from blueprints.assistants import conversations
from blueprints.forms import WordsForm
from blueprints.models import Conversation, Message
from blueprints.pages.conversation import filling, hints_for, open_questions, read_draft, side_of, turns_of
from blueprints.pricing import PriceList
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument
from blueprints.understanding import source_for
from blueprints.views.talking import STREAM, found

Event = dict[str, Any]
Result = TypeVar("Result")
_WORDS = re.compile(r"\s*\S+")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@vary_on_headers("HX-Request", "Accept")
def conversation_detail(request: HtmxRequest, uid: UUID) -> HttpResponseBase:
    """What was said, with a line to go on; HTMX gets the part that changes, and scripts an answer as it comes."""
    row = found(request, uid)
    if request.method != "POST":
        return _page(request, row, WordsForm())
    form, is_streamed = WordsForm(request.POST), STREAM in request.headers.get("Accept", "")
    if not form.is_valid():
        if is_streamed:
            raise Invalid(str(form.errors["words"][0]))
        return _page(request, row, form, status=422)
    if is_streamed:
        request.actor.require(conversations.WRITE)
        return event_stream(_events(row, form.cleaned_data["words"], request.actor, get_token(request)))
    conversations.say(row, form.cleaned_data["words"], by=request.actor)
    if request.htmx:
        return _page(request, found(request, uid), WordsForm())
    return redirect(f"{reverse('blueprints:conversation', args=[uid])}#say")


def _page(request: HtmxRequest, row: Conversation, form: WordsForm, status: int = 200) -> HttpResponse:
    said = list(row.messages.order_by("number"))
    document = read_draft(conversations.talk_of(row).draft)
    draft = side_of(document, price_list(row.organization_id), said)
    context = {
        **draft,
        "conversation": row,
        "turns": turns_of(said, draft["parts"]),
        "questions": open_questions(said),
        "asked_about": said[-1].wish if said else "",
        "form": form,
        "hints": hints_for({"metadata": document.metadata} if document else None),
        "can_propose": _can_propose(request.actor),
        "can_write": request.actor.has(conversations.WRITE) and row.status == Conversation.Status.OPEN,
    }
    part = "_conversation" if request.htmx else "conversation_detail"
    return render(request, f"blueprints/{part}.html", context, status=status)


def _can_propose(actor: Actor) -> bool:
    """Whether a draft can be saved and an IPR opened of it."""
    return actor.has(conversations.WRITE) and actor.has("ipr:write")


async def _events(row: Conversation, words: str, by: Actor, token: str) -> AsyncGenerator[Event, None]:
    """The documented events of a conversation, and the drawn draft whenever there is more of it. Whoever hangs up ends the
    asking of a model with it, and nothing is kept then."""
    source = source_for(by, row.assistant)
    yield {"type": "thinking", "content": f"Asking {source.name}" if source else "Reading what you said"}
    answered = await _apart(_answered, row, words, by)
    context = {"conversation": row, "csrf_token": token, "can_propose": _can_propose(by)}
    for part in answered.filling:
        html = await _apart(_drawn, answered, part, context)
        yield {"type": "draft", "html": html}
    for piece in _WORDS.findall(answered.content):
        yield {"type": "token", "content": piece}
    yield {"type": "complete", "full_response": answered.content}


class _Answered(NamedTuple):
    content: str
    said: list[Message]
    prices: PriceList
    filling: list[BlueprintDocument]


def _answered(row: Conversation, words: str, by: Actor) -> _Answered:
    before = read_draft(conversations.talk_of(row).draft)
    _, reply = conversations.say(row, words, by=by)
    document = read_draft(reply.draft)
    parts = list(filling(document, before)) if document else []
    said = list(row.messages.order_by("number")) if parts else []
    return _Answered(reply.content, said, price_list(row.organization_id), parts)


def _drawn(answered: _Answered, part: BlueprintDocument, context: Event) -> str:
    shown = {**context, **side_of(part, answered.prices, answered.said)}
    return render_to_string("blueprints/_draft_side.html", shown)


async def _apart(work: Callable[..., Result], *given: Any) -> Result:
    """In a thread that belongs to no request, and so keeps no connection to the database."""

    def worked() -> Result:
        try:
            return work(*given)
        finally:
            connections.close_all()

    return await sync_to_async(worked, thread_sensitive=False)()
