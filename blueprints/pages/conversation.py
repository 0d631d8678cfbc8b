"""A conversation as its page shows it: what was said, and beside it the draft with the reason of each value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from alma.errors import Invalid
from blueprints.assistants.answering import BEGIN
from blueprints.assistants.language import language_of_draft
from blueprints.assistants.talk import offered_in
from blueprints.models import Message
from blueprints.pages.answers import Question, question_of
from blueprints.pages.causes import Piece, Place, pieces
from blueprints.pages.parts import Part, parts_of
from blueprints.portrait import drawing_of, portray
from blueprints.pricing import PriceList
from blueprints.schema import BlueprintDocument, parse_document

STEPS = 12
"""In how many parts at most a draft is filled in while it streams."""
MOST_QUESTIONS = 5
MOST_DIFFERENCES = 20
TOLD = ("warnings", "assumptions")
_EDITS = (
    gettext_noop("make the database bigger"), gettext_noop("add a cache"), gettext_noop("what would it cost?"),
)  # fmt: skip
"""What can be said about a draft."""
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """One message; `pieces` are its words, cut where something in the draft quotes them."""

    message: Message
    pieces: Sequence[Piece]


@dataclass(frozen=True)
class Badge:
    """Who made the draft, and why it was nobody else."""

    model: str
    reason: str


def read_draft(draft: Document | None) -> BlueprintDocument | None:
    """A draft that can be read still and asks for anything."""
    if not draft or not draft.get("resources"):
        return None
    try:
        return parse_document(draft)
    except Invalid:
        return None


def badge_of(metadata: Document) -> Badge:
    """The model whose answer went into a draft; without one, why it is the planner's alone."""
    told = metadata.get("model")
    if not isinstance(told, Mapping):
        return Badge("", "")
    is_used = told.get("status") in {"used", "ok"}
    return Badge(str(told.get("name") or "")[:100] if is_used else "", str(told.get("reason") or "")[:300])


def side_of(document: BlueprintDocument | None, prices: PriceList, said: Sequence[Message]) -> dict[str, Any]:
    """What the side with the draft shows; the words of its reasons are looked for in what people said, last words first."""
    if document is None:
        return {"document": None, "parts": [], "badge": Badge("", "")}
    portrait = portray(document, prices)
    heard = [message for message in reversed(said) if message.role == Message.Role.USER]
    return {
        "document": document,
        "blueprint": document,
        "portrait": portrait,
        "drawing": drawing_of(portrait),
        "parts": parts_of(portrait, document.metadata, heard),
        "told": {key: sentences(document.metadata.get(key)) for key in TOLD},
        "badge": badge_of(document.metadata),
        "differences": _differences(document.metadata),
    }


def _differences(metadata: Document) -> list[dict[str, str]]:
    """What a model wanted otherwise than the words say, as text."""
    rows = metadata.get("differences")
    kept = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return [{str(key): str(value)[:200] for key, value in row.items()} for row in kept[:MOST_DIFFERENCES]]


def sentences(value: object) -> list[str]:
    """Metadata is free-form: only a list of sentences is shown as one."""
    return [line for line in value if isinstance(line, str)] if isinstance(value, list) else []


def turns_of(said: Sequence[Message], parts: Sequence[Part]) -> list[Turn]:
    """The messages, those of people cut into the pieces that the draft quotes."""
    places = [value.cause.place for part in parts for value in part.values if value.cause and value.cause.place]
    return [Turn(message, _cut(message, places)) for message in said]


def _cut(message: Message, places: Sequence[Place]) -> list[Piece]:
    return pieces(message.content, [place for place in places if place.message == message.number])


def open_questions(said: Sequence[Message]) -> list[Question]:
    """What the last answer asked back and nobody has answered, each with what could be answered, in its language."""
    last = said[-1] if said else None
    if last is None or not last.wish:
        return []
    if not last.draft:
        language = offered_in(last.content)
        with translation.override(language):
            return [Question(_("Shall this be done?"), (_("yes"), _("no")))] if language else []
    asked = sentences(last.draft["metadata"].get("questions"))[:MOST_QUESTIONS]
    with translation.override(language_of_draft(last.draft)):
        return [question_of(text, last.wish) for text in asked]


def hints_for(draft: Document | None) -> list[str]:
    """What can be said next, in the language of the draft."""
    if draft is None:
        return list(BEGIN)
    with translation.override(language_of_draft(draft)):
        return [_(words) for words in _EDITS]


def filling(document: BlueprintDocument, before: BlueprintDocument | None) -> Iterator[BlueprintDocument]:
    """The draft as it grows: what was there before, then the new resources a few at a time, whole at the end."""
    known = set(before.by_name) if before else set()
    new = [resource.name for resource in document.resources if resource.name not in known]
    size = max(1, -(-len(new) // STEPS))
    for end in range(size, len(new), size):
        yield _only(document, known | set(new[:end]))
    yield document


def _only(document: BlueprintDocument, names: set[str]) -> BlueprintDocument:
    """These resources, and of what they need only what is among them."""
    kept = [
        resource.model_copy(update={"dependencies": [name for name in resource.dependencies if name in names]})
        for resource in document.resources
        if resource.name in names
    ]
    values = {name: getattr(document, name) for name in BlueprintDocument.model_fields}
    return BlueprintDocument.model_construct(
        **{**values, "resources": kept}
    )  # a copy would keep what was worked out before
