"""A wish of its own becomes a draft: by the planner, and by a model where there is one."""

from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from alma.errors import BadRequest
from blueprints import counting
from blueprints.assistants.language import in_this_language
from blueprints.assistants.talk import Answer, Document, Talk
from blueprints.causes import in_turn
from blueprints.drafts import draft_of
from blueprints.generation import GeneratedBlueprint
from blueprints.generation.planner import MAX_DESCRIPTION
from blueprints.pricing import default_list
from blueprints.pricing.budgets import money
from blueprints.understanding import draft

_BEGUN_ANEW = gettext_noop("This is a new draft; “undo” brings the one before back.")


def wished(words: str, talk: Talk, *, asked_about: str = "") -> Answer:
    """The draft of a wish. An answer to a question is read together with the words that it was about."""
    wish = f"{asked_about}\n{words}" if asked_about else words
    if len(wish) > MAX_DESCRIPTION:
        wish = words
    try:
        document = _drafted(wish, talk)
    except BadRequest as error:
        return Answer(error.message)
    _note_turn(document, 0 if asked_about else talk.turn)
    questions = document["metadata"]["questions"]
    if asked_about and questions:
        anew = wished(words, talk)  # who says it all anew is not held to what contradicted itself before
        if anew.draft and not anew.wish:
            return anew
    return Answer(_in_words(document), in_this_language(document), wish if questions else "")


def _note_turn(document: GeneratedBlueprint, turn: int) -> None:
    """Let its causes say with which message their words came."""
    causes = document["metadata"]["causes"]
    causes.update({name: in_turn(rows, turn) for name, rows in causes.items()})


def begun_anew(words: str, talk: Talk) -> Answer:
    """The same where there is a draft already, which is not lost."""
    given = wished(words, talk)
    return replace(given, content=f"{given.content}\n{_(_BEGUN_ANEW)}") if given.draft and talk.has_parts else given


def understood(words: str, talk: Talk) -> GeneratedBlueprint | None:
    """What the planner makes of the words as a wish of their own; None when that is nothing, or open."""
    try:
        made = draft_of(words, prices=talk.prices or default_list())
    except BadRequest:
        return None
    return None if made["metadata"]["questions"] or not made["resources"] else made


def _drafted(wish: str, talk: Talk) -> GeneratedBlueprint:
    """With a model where there is somebody to ask it for."""
    if talk.asking:
        return draft(wish, about=talk.asking)
    counting.generated()
    return draft_of(wish, prices=talk.prices or default_list())


def _in_words(draft: Document) -> str:
    about = draft["metadata"]
    lines = [draft["description"]]
    if draft["resources"]:
        values = {"what": draft["description"], "sum": money(about["estimated_cost"]), "currency": about["currency"]}
        lines = [_("%(what)s: about %(sum)s %(currency)s a month.") % values]
    said = [*about["assumptions"], *about["warnings"], *about["questions"]]
    return "\n".join([*lines, *(f"- {line}" for line in said)])
