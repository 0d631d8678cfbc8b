"""What can be done with conversations: begin, say something, rename, archive, delete. Each tells the event log, which
never holds what was said."""

from collections.abc import Mapping
from dataclasses import replace
from textwrap import shorten
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import NotFound, Refused, WrongState
from alma.events.services import emit
from blueprints.assistants.answering import AUTHOR, answer
from blueprints.assistants.talk import UNDONE, Answer, Document, Talk
from blueprints.models import Assistant, Conversation, Message
from blueprints.pricing.book import price_list
from blueprints.understanding import Asking

READ, WRITE = "blueprint:read", "blueprint:write"
MOST_MESSAGES = 1_000
TITLE = 80
_TRIES = 20
DRAFTS = 2
"""How many drafts back an answer looks: the one that is talked about, and the one before it."""


def not_found() -> NotFound:
    """The error for a conversation that is not there, or not there for this actor."""
    return NotFound("Session not found", code="SESSION_NOT_FOUND")


def begin(*, by: Actor, assistant: Assistant | None = None, title: str = "", **values: Any) -> Conversation:
    """A new conversation, with an assistant or with the planner. Raises Refused."""
    by.require(WRITE)
    if by.organization_id is None:
        raise Refused("You belong to no organization yet, so there is nowhere to keep a conversation.")
    row = Conversation(
        organization_id=by.organization_id, assistant=assistant, title=title, created_by=by.label, **values
    )
    with transaction.atomic():
        row.save()
        _tell(row, "opened", by)
    return row


def say(
    conversation: Conversation, words: str, *, by: Actor, based_on: Document | None = None
) -> tuple[Message, Message]:
    """Add what somebody says and what is answered; `based_on` is the draft that is talked about before there is one of
    its own. Raises Refused, NotFound, WrongState.

    The answer is worked out while nothing is locked, for a model may take its time; if others spoke meanwhile, once more for
    what is there now."""
    by.require(WRITE)
    row = conversation
    for _ in range(_TRIES):
        _check_open(row)
        seen = row.message_count
        worked_out = answer(words, _asked_by(by, row, talk_of(row, based_on)))
        with transaction.atomic():
            row = _held(conversation, by=by)
            _check_open(row)
            if row.message_count == seen:
                said = _append(row, words, worked_out, by)
                _tell(row, "answered", by, messages=row.message_count, resources=_size(worked_out))
                return said
    raise WrongState("Others are speaking in this session at once; say it again.")


def _asked_by(by: Actor, conversation: Conversation, talk: Talk) -> Talk:
    prices = talk.prices or price_list(conversation.organization_id)
    return replace(talk, asking=Asking(by, prices, conversation.assistant))


def _check_open(conversation: Conversation) -> None:
    if conversation.status != Conversation.Status.OPEN:
        raise WrongState("This session is archived; begin another one.")
    if conversation.assistant and conversation.assistant.deleted_at:
        raise WrongState("The agent of this session was deleted; begin a session with another one.")
    if conversation.message_count + 2 > MOST_MESSAGES:
        raise WrongState(f"A session holds at most {MOST_MESSAGES} messages; begin another one.")


def talk_of(conversation: Conversation, based_on: Document | None = None) -> Talk:
    """What the next answer needs to know."""
    last = conversation.messages.order_by("-number").only("wish", "draft").first()
    wish, has_drawn = (last.wish, last.draft is not None) if last else ("", False)
    drafts = [*_standing(conversation), *([based_on] if based_on else [])]
    return Talk(
        drafts[:DRAFTS], wish if has_drawn else "", price_list(conversation.organization_id), conversation.message_count + 1,
        pending="" if has_drawn else wish, before="" if has_drawn else _said_last(conversation),
    )  # fmt: skip


def _said_last(conversation: Conversation) -> str:
    asked = conversation.messages.filter(role=Message.Role.USER).order_by("-number")
    return asked.values_list("content", flat=True).first() or ""


def _standing(conversation: Conversation) -> list[Document]:
    """The draft that is talked about and the one before it, the newest first: what was undone is left out."""
    stack: list[int] = []
    rows = conversation.messages.exclude(draft=None).order_by("number").values_list("number", "changes")
    for number, changes in rows:
        if changes == [UNDONE] and len(stack) > 1:
            stack.pop()
        else:
            stack.append(number)
    standing = conversation.messages.filter(number__in=stack[-DRAFTS:]).order_by("-number")
    return [message.draft for message in standing if message.draft is not None]


def referred(reference: str, *, by: Actor) -> Conversation:
    """The conversation that a client calls so, begun when there is none. Raises Refused, WrongState when it is closed."""
    by.require(WRITE)
    row = _called(reference, by=by)
    if row is not None:
        return row
    try:
        with transaction.atomic():
            return begin(by=by, reference=reference)
    except IntegrityError:  # somebody began it a moment ago
        row = _called(reference, by=by)
        if row is None:
            raise
        return row


def _called(reference: str, *, by: Actor) -> Conversation | None:
    rows = Conversation.objects.visible_to(by).select_related("assistant")
    return rows.filter(reference=reference).first()


def fork(conversation: Conversation, number: int, *, by: Actor) -> Conversation:
    """A conversation of its own that begins with the first messages of this one. Raises Refused."""
    by.require(WRITE)
    said = list(conversation.messages.order_by("number").filter(number__lte=number))
    with transaction.atomic():
        row = begin(by=by, assistant=conversation.assistant, title=f"{conversation.title} (again)"[:200])
        Message.objects.bulk_create(_copied(row, message) for message in said)
        row.message_count = len(said)
        row.save(update_fields=["message_count"])
    return row


def _copied(row: Conversation, message: Message) -> Message:
    same = ("number", "role", "author", "content", "draft", "wish", "changes", "created_at")
    return Message(conversation=row, **{name: getattr(message, name) for name in same})


def _append(row: Conversation, words: str, given: Answer, by: Actor) -> tuple[Message, Message]:
    now, number = timezone.now(), row.message_count
    asked = Message(
        conversation=row, number=number + 1, role=Message.Role.USER, author=by.label, content=words, created_at=now
    )
    reply = Message(
        conversation=row, number=number + 2, role=Message.Role.ASSISTANT, author=AUTHOR, content=given.content,
        draft=given.draft, wish=given.wish, changes=list(given.changes), created_at=now,
    )  # fmt: skip
    Message.objects.bulk_create([asked, reply])
    row.message_count, row.updated_at = number + 2, now
    row.title = row.title or title_of(words)
    row.save(update_fields=["message_count", "updated_at", "title"])
    return asked, reply


def title_of(words: str) -> str:
    """The first words, cut between two of them, with a sign of it."""
    title = shorten(words, TITLE, placeholder=" …")
    return title if len(title) > 1 else f"{words.strip()[: TITLE - 1]}…" if words.strip() else ""


def _size(given: Answer) -> int:
    return len(given.draft["resources"]) if given.draft else 0


def change(conversation: Conversation, changes: Mapping[str, Any], *, by: Actor) -> Conversation:
    """Set the fields that are given, and only them. Raises Refused, NotFound."""
    by.require(WRITE)
    with transaction.atomic():
        row = _held(conversation, by=by)
        changed = sorted(name for name, value in changes.items() if getattr(row, name) != value)
        if changed:
            for name in changed:
                setattr(row, name, changes[name])
            row.updated_at = timezone.now()
            row.save(update_fields=[*changed, "updated_at"])
            _tell(row, "updated", by, fields=changed)
    return row


def archive(conversation: Conversation, *, by: Actor) -> Conversation:
    """Close a conversation for good; it can still be read. Raises Refused, NotFound, WrongState."""
    by.require(WRITE)
    with transaction.atomic():
        row = _held(conversation, by=by)
        row.move(Conversation.Status.ARCHIVED)
        _tell(row, "archived", by)
    return row


def delete(conversation: Conversation, *, by: Actor) -> Conversation:
    """Hide a conversation. Deleting it again changes nothing. Raises Refused."""
    by.require(WRITE)
    with transaction.atomic():
        row = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation.pk)
        if row.deleted_at is None:
            row.deleted_at = row.updated_at = timezone.now()
            row.save(update_fields=["deleted_at", "updated_at"])
            _tell(row, "deleted", by)
    return row


def _held(conversation: Conversation, *, by: Actor) -> Conversation:
    rows = Conversation.objects.select_for_update(of=("self",)).visible_to(by).select_related("assistant")
    row = rows.filter(pk=conversation.pk).first()
    if row is None:
        raise not_found()
    return row


def _tell(row: Conversation, what: str, by: Actor, **data: Any) -> None:
    """Names who answers; a title is not told, for it may be what was said first."""
    who = {"agent": str(row.assistant.uid), "name": row.assistant.name} if row.assistant else {"name": AUTHOR}
    emit(
        row.stream, f"session.{what}", organization_id=row.organization_id, actor=by.label,
        session=str(row.uid), **who, **data,
    )  # fmt: skip
