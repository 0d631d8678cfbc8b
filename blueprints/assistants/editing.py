"""Words that change the draft that is there. They are carried out, offered where they only ask, or asked about; none of them
puts another draft in its place."""

import re
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from alma.errors import BadRequest
from blueprints import counting
from blueprints.assistants.language import in_this_language
from blueprints.assistants.talk import OFFER, Answer, Document, Talk, cost_line, listed, portrait_of
from blueprints.assistants.wishing import begun_anew, understood
from blueprints.pricing.budgets import money
from blueprints.revising import Revision, added, revise
from blueprints.revising.hearing import Heard, hear
from blueprints.revising.manners import is_no, is_question, is_yes, leaves_it
from blueprints.revising.matching import definite_others, meant, names_other, role_of, stem
from blueprints.schema import Resource, parse_document
from blueprints.understanding import source_for
from blueprints.understanding.changes import changed
from blueprints.understanding.sources import Source

_NOT_UNDERSTOOD = gettext_noop(
    "I did not understand what to change, so the draft stays as it is. Say which part and how: its size or number, its system, "
    "storage, node, network, backups or programs, what it waits for, or what shares a machine, for example “give the database 16 GB”. "
    "“create …” begins a new draft."
)
_NOTHING_OPEN = gettext_noop("Nothing waits for a yes or a no. Say what to change in the draft, or ask about it.")
_NOT_ANSWERED = gettext_noop(
    "I do not know what is asked. I can say what the draft costs, why it is as it is, how big its parts are, whether it is "
    "secure, what happens when one fails, and how long it takes to deploy."
)
_LEFT = gettext_noop("Good: the draft stays as it is. “Undo” takes the last change of it back.")
_KEPT = gettext_noop("Good: the draft stays as it is.")
_ABSENT = gettext_noop("There is no %(name)s in this draft.")
_SIZE_FIRST = re.compile(r"\s*\d+(?:[.,]\d+)? ?[kmgt]i?[bo]\b", re.IGNORECASE)
_WITH = re.compile(r"^.*?\b(?:with|mit|avec|con)\b", re.IGNORECASE)
_LETTER = 14
"""So many words describe, rather than change."""
_MOST_ANSWERING = 6
"""An answer to what was asked back has no more words; whoever says more says something of their own."""


def edited(words: str, draft: Document, talk: Talk) -> Answer | None:
    """What the planner changes, or asks first; None where it finds nothing to change."""
    if _describes_another(words, draft):
        return _beside(words, draft, talk)
    revision, problem = _tried(words, draft, talk, talk.turn)
    if problem:
        return heard_by_model(words, draft, talk, problem)
    return done(revision, talk) if revision else _beside(words, draft, talk)


def _describes_another(words: str, draft: Document) -> bool:
    """Whether so much is said of things that are not there, and nothing of a change, that it is a wish of its own."""
    heard = hear(words)
    if (
        len(heard.words) < _LETTER
        or heard.verb
        or any(heard.has("sentences", name) for name in ("beginners", "denials"))
    ):
        return False
    return names_other(heard, parse_document(draft).resources)


def unasked(words: str, draft: Document, talk: Talk) -> Answer | None:
    """A yes or a no where nothing was asked."""
    if leaves_it(words) and not is_no(words) and _tried(words, draft, talk, talk.turn)[0] is None:
        return Answer(_(_LEFT))
    return Answer(_(_NOTHING_OPEN)) if is_yes(words) or is_no(words) else None


def done(revision: Revision, talk: Talk) -> Answer:
    """What was changed, and what the draft costs now."""
    counting.generated()
    return Answer(
        f"{listed(revision.changes)}\n{cost_line(revision.document, talk.prices)}",
        in_this_language(revision.document), changes=revision.changes,
    )  # fmt: skip


def supposed(words: str, draft: Document, talk: Talk) -> Answer | None:
    """What would be, for a question about a change: "what would it cost with two more?". None when it is about none."""
    wish, revision = _supposition(words, draft, talk)
    if revision is None or not revision.changes:
        return None
    would = _would_make(draft, revision.document, talk)
    return Answer(f"{listed(revision.changes)}\n{would}\n{_(OFFER)}", wish=wish) if would else None


def _supposition(words: str, draft: Document, talk: Talk) -> tuple[str, Revision | None]:
    """The words that order what is supposed, and its draft; None where something stands against it."""
    wish, revision, problem = words, *_tried(words, draft, talk, talk.turn)
    if (revision is None or problem) and (another := _another(words)):
        wish, revision, problem = another, *_tried(another, draft, talk, talk.turn)
    return wish, None if problem else revision or _instead(words, draft, talk)


def _would_make(draft: Document, other: Document, talk: Talk) -> str:
    """What the other draft costs, and by how much that differs; nothing where one of them cannot be priced."""
    before, after = (portrait_of(one, talk.prices) for one in (draft, other))
    if before is None or after is None:
        return ""
    more = after.cost["total"] - before.cost["total"]
    would = cost_line(other, talk.prices) if after.machine_count else _("Nothing would be left in this draft.")
    values = {
        "would": would,
        "now": money(before.cost["total"]),
        "sum": money(abs(more)),
        "currency": after.cost["currency"],
    }
    if not more:
        return _("That would make: %(would)s Now it is %(now)s, so the same.") % values
    if more > 0:
        return _("That would make: %(would)s Now it is %(now)s, so %(sum)s %(currency)s more.") % values
    return _("That would make: %(would)s Now it is %(now)s, so %(sum)s %(currency)s less.") % values


def _another(words: str) -> str:
    """ "Add a second database" of "what would it cost with a second database?"; nothing where none is counted."""
    rest = _WITH.sub("", words, count=1)
    return f"add {rest.strip(' ?')}" if rest != words and hear(rest).ordinals else ""


def settled(words: str, draft: Document, talk: Talk) -> Answer | None:
    """What follows from a yes, a no, or an answer to what was asked back; None when the words are about something else."""
    if is_no(words):
        return Answer(_(_KEPT))
    if is_yes(words):
        return _carried_out(talk.pending, draft, talk)
    if hear(words).has("operations", "anew"):
        return begun_anew(talk.pending, talk)
    return _completed(words, draft, talk)


def _completed(words: str, draft: Document, talk: Talk) -> Answer | None:
    """What was asked about, with the words that say the rest of it; None when they say enough by themselves."""
    if not _only_answers(hear(words)):
        return None
    alone, problem = _tried(words, draft, talk, talk.turn)
    if alone is not None and not problem:
        return None
    is_number = words.strip().isdigit()
    wishes = ([f"{words} {_without_operation(talk.pending)}"] if is_number else []) + [f"{talk.pending} {words}"]
    for wish in wishes:
        revision, problem = _tried(wish, draft, talk, 0)
        if revision is not None and not problem:
            return done(revision, talk)
    return None


def _only_answers(heard: Heard) -> bool:
    """Whether so few words order, begin and ask nothing."""
    is_more = heard.verb or heard.makes_something or is_question(heard.text)
    return not is_more and len(heard.words) <= _MOST_ANSWERING


def _tried(words: str, draft: Document, talk: Talk, turn: int) -> tuple[Revision | None, str]:
    """What the planner makes of the words, or what stands against it."""
    try:
        revision = revise(draft, words, talk.prices, turn=turn, before=talk.before)
    except BadRequest as error:
        return None, error.message
    return revision, revision.question if revision else ""


def _carried_out(wish: str, draft: Document, talk: Talk) -> Answer:
    """What was offered. It was said two messages before the yes."""
    turn = max(0, talk.turn - 2)
    revision, problem = _tried(wish, draft, talk, turn)
    if problem:
        return Answer(problem, wish=wish)
    revision = revision or _instead(wish, draft, talk) or added(draft, wish, talk.prices, turn=turn)
    return done(revision, talk) if revision else Answer(_(_NOT_UNDERSTOOD))


def _without_operation(wish: str) -> str:
    """ "Fewer web servers" without "fewer", for the number that was asked."""
    return re.sub(r"^\W*\w+(?: de)? ", "", wish, count=1)


# -- what is not in the draft yet ---------------------------------------------------------------------
def _beside(words: str, draft: Document, talk: Talk) -> Answer | None:
    """Words about something else than the draft: added to it, asked about, or a draft of their own where that is said."""
    heard, parts = hear(words), parse_document(draft).resources
    if not heard.has("manners", "beside") and _begins_anew(words, heard, parts, talk):
        return begun_anew(words, talk)
    if is_question(words) or (meant(heard, parts) and not names_other(heard, parts)):
        return None
    swap = _instead(words, draft, talk)
    if swap is not None:
        return Answer(f"{listed(swap.changes)}\n{cost_line(swap.document, talk.prices)}\n{_(OFFER)}", wish=f"{words}")
    return _added_or_asked(words, draft, talk)


def _added_or_asked(words: str, draft: Document, talk: Talk) -> Answer | None:
    """One more kind is added; what is several, or spoken of as if it were there, is asked about."""
    heard, parts = hear(words), parse_document(draft).resources
    made = understood(words, talk)
    if made is None or (heard.has("sentences", "beginners") and not names_other(heard, parts)):
        return None
    kinds = {stem(row["name"]) for row in made["resources"]}
    if len(kinds) == 1 and (heard.has("manners", "beside") or not _takes_for_granted(words, heard, parts)):
        revision = added(draft, words, talk.prices, turn=talk.turn)
        return done(revision, talk) if revision else None
    return _asked_whether(made["description"], words, heard, parts)


def _begins_anew(words: str, heard: Heard, parts: Sequence[Resource], talk: Talk) -> bool:
    """Whether it is said to be made, or describes so many kinds that each part of the draft is among them again."""
    if heard.makes_something:
        return True
    made = None if heard.verb or is_question(words) else understood(words, talk)
    roles = {role_of(one) for one in parse_document(made).resources} if made else set()
    return len(roles) > 1 and {role_of(one) for one in parts} <= roles


def _takes_for_granted(words: str, heard: Heard, parts: Sequence[Resource]) -> bool:
    """Whether it speaks of what is not there as if it were: "500 GB for the database", "give the mail server 8 GB"."""
    return bool(
        definite_others(heard, parts) or heard.has("sentences", "beginners") or _SIZE_FIRST.match(words)
    )  # fmt: skip


def _asked_whether(description: str, words: str, heard: Heard, parts: Sequence[Resource]) -> Answer:
    missing = definite_others(heard, parts)
    first = _(_ABSENT) % {"name": missing[0]} if missing else _("That is not in this draft.")
    shall = _("Shall I add %(what)s? “Start over” begins a new draft with it.") % {"what": description}
    return Answer(f"{first} {shall}\n{_(OFFER)}", wish=words)


def _instead(words: str, draft: Document, talk: Talk) -> Revision | None:
    """Another program in place of one that does the same: "what about MySQL?"."""
    heard = hear(words)
    if heard.verb or not heard.software:
        return None
    revision, problem = _tried(f"use {heard.software[0]} instead", draft, talk, 0)
    return revision if revision and not problem and revision.changes else None


def _unknown(words: str, draft: Document, talk: Talk) -> str:
    """What to say to a question that nothing answers: what it is about may not be there."""
    missing = definite_others(hear(words), parse_document(draft).resources)
    if not missing:
        return _(_NOT_ANSWERED)
    return f"{_(_ABSENT) % {'name': missing[0]}} {cost_line(draft, talk.prices)}"


# -- with a model -------------------------------------------------------------------------------------
def heard_by_model(words: str, draft: Document, talk: Talk, problem: str = "") -> Answer:
    """What a model hears, where there is one and nobody only asks; and what to say when it was of no help."""
    unclear = Answer(problem, wish=words) if problem else Answer(_at_a_loss(words, draft, talk))
    source = source_for(talk.asking.by, talk.asking.assistant) if talk.asking and not is_question(words) else None
    return unclear if source is None else _by_model(words, draft, talk, source, unclear)


def _at_a_loss(words: str, draft: Document, talk: Talk) -> str:
    """What to say to a question, or to an order, that nothing is made of."""
    return _unknown(words, draft, talk) if is_question(words) else _(_NOT_UNDERSTOOD)


def _by_model(words: str, draft: Document, talk: Talk, source: Source, unclear: Answer) -> Answer:
    """What it changes, or would take away; else what is unclear, and why it was of no help."""
    heard = changed(draft, words, source, prices=talk.prices, turn=talk.turn)
    names = ", ".join(heard.withheld)
    if heard.revision is not None:
        given = done(heard.revision, talk)
        left = _("Not done, for your words do not say it: remove %(names)s. Say so if it is meant.") % {"names": names}
        content = f"{given.content}\n{left}" if names else given.content
        return Answer(content, given.draft, changes=given.changes)
    if names:
        asked = _("Do you want to remove %(names)s? Your words do not say it.") % {"names": names}
        return Answer(f"{asked}\n{_(OFFER)}", wish=f"remove {' and '.join(heard.withheld)}")
    if not heard.badge.reason:
        return unclear
    remark = _("%(name)s did not help: %(reason)s") % {"name": heard.badge.name, "reason": heard.badge.reason}
    return Answer(f"{unclear.content}\n- {remark}", wish=unclear.wish)
