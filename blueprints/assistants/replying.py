"""Answers to questions about a draft: what it costs, how it stands, how long it takes, and what can be said at all. Nothing is
changed by them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.assistants.editing import done, supposed
from blueprints.assistants.explaining import described, explained
from blueprints.assistants.finding import by_tool, security, time_needed
from blueprints.assistants.talk import Answer, Document, Talk, cost_line, kinds_of, listed, portrait_of
from blueprints.comparing import Item, compare
from blueprints.portrait import KindView
from blueprints.pricing.budgets import money
from blueprints.revising import revise
from blueprints.revising.hearing import Heard, hear, mentions, without_sentence
from blueprints.revising.manners import is_question, is_small_talk, is_supposing
from blueprints.revising.matching import definite_others, meant
from blueprints.revising.said import said_values
from blueprints.schema import parse_document
from blueprints.sentences import term
from blueprints.tools.hearing import hear as hear_tool

_GLAD = gettext_noop("You are welcome. The draft stays as it is; review it, or say what else to change.")
_HELLO = gettext_noop(
    "Hello. Say which machines you need, for example “3 web servers behind a load balancer, with a PostgreSQL database”."
)
_ABILITIES = (
    gettext_noop("I draw drafts of infrastructure from words, and change them."),
    gettext_noop("- Begin: “3 web servers behind a load balancer, with a PostgreSQL database”, or paste a blueprint."),
    gettext_noop(
        "- Change: “give the database 16 GB”, “two more web servers”, “use MySQL instead”, “drop the cache”, “undo”."
    ),
    gettext_noop(
        "- Ask: “what would it cost with 2 more?”, “why 8 GB?”, “is it secure?”, “how long will it take?”, "
        "“does it carry 5000 users?”"
    ),
    gettext_noop("I build nothing: a draft becomes a blueprint and an IPR, and people approve what is deployed."),
)
_DEPLOYMENT = gettext_noop(
    "I change nothing by myself. Create the blueprint and open an IPR: its plan shows exactly what would happen, and "
    "what is approved there is deployed."
)
_ALONE = gettext_noop("- There is only one %(name)s: while it is away, what it does is missed.")
_SEVERAL = gettext_noop("- %(names)s: the others go on when one fails; “put them on different hosts” keeps them apart.")
_MOST_ROWS = 20


def aside(words: str) -> Answer | None:
    """What needs no draft: thanks, a greeting, and what can be said."""
    if hear(words).has("questions", "abilities") and not hear(words).software:
        return Answer("\n".join(_(line) for line in _ABILITIES))
    if is_small_talk(words, "thanks"):
        return Answer(_(_GLAD))
    return Answer(_(_HELLO)) if is_small_talk(words, "greeting") else None


def replied(words: str, draft: Document, talk: Talk) -> Answer | None:
    """The answer to a question; what is to be done first is done first: "make it bigger. What would it cost?"."""
    heard = hear(words)
    asked = "" if _sets_budget(heard) else _asked(heard)
    if asked and (is_question(words) or asked not in _ONLY_ASKED):
        offered = supposed(words, draft, talk) if asked == "cost" and _supposes_alone(words) else None
        return offered or _after_orders(asked, words, draft, talk)
    if _saves(words, heard, draft):
        return by_tool(words, draft, talk)
    return _to_open_question(heard, draft, talk) if is_question(words) else None


def _sets_budget(heard: Heard) -> bool:
    """Whether it is said what the draft may cost, and nothing asked: "budget 200"."""
    if _asked(heard) != "cost" or is_question(heard.text):
        return False
    return bool(said_values(heard.text).max_cost)


def _supposes_alone(words: str) -> bool:
    """Whether a question of its price is all that is said, and supposes a change: "what would two more cost?"."""
    is_alone = not hear(without_sentence(words, "questions", "cost")).words
    return is_alone and is_question(words) and is_supposing(words)


def _to_open_question(heard: Heard, draft: Document, talk: Talk) -> Answer | None:
    """What a change would make, what a tool finds, or what the draft has of it."""
    words = heard.text
    is_change = bool(heard.verb or heard.software) or is_supposing(words)
    offered = supposed(words, draft, talk) if is_change else None
    return offered or by_tool(words, draft, talk) or described(words, draft, talk)


def _saves(words: str, heard: Heard, draft: Document) -> bool:
    """Whether all of it is to be cheaper, and nothing says which part or how."""
    if meant(heard, parse_document(draft).resources) or any(sign.isdigit() for sign in words):
        return False
    picked = hear_tool(words, {"blueprint": draft})
    return picked.is_sure and picked.tool == "optimize_costs"


def _asked(heard: Heard) -> str:
    """Which question it is; "how much" asks for a price unless it names something else."""
    asked = next((name for name in _REPLIES if heard.has("questions", name)), "")
    if asked or not heard.has("questions", "amount"):
        return asked
    is_of_value = any(mentions(heard, "label", name) for name in _LABELS) or not heard.names_nothing
    return "overview" if is_of_value else "cost"


def _after_orders(asked: str, words: str, draft: Document, talk: Talk) -> Answer:
    wish = without_sentence(words, "questions", asked)
    wish = wish if wish.strip() else _order_before(words)
    revision = revise(draft, wish, talk.prices, turn=talk.turn) if hear(wish).words else None
    if revision is None or hear(wish).verb == "undo":
        return _REPLIES[asked](words, draft, talk)
    if revision.question or not revision.changes:
        return Answer(revision.question, wish=wish.strip())
    given = done(revision, talk)
    content = f"{given.content.rpartition(chr(10))[0]}\n{_REPLIES[asked](wish, revision.document, talk).content}"
    return replace(given, content=content)


def _order_before(words: str) -> str:
    """What is ordered before the question of one sentence: "give the database 32 GB, what does it cost then?"."""
    first, comma, _rest = words.rpartition(",")
    is_order = bool(comma) and (hear(first).verb or hear(first).position("sentences", "beginners") == 0)
    return first if is_order and not is_question(first) else ""


# -- what each question is answered with --------------------------------------------------------------
def _costs(words: str, draft: Document, talk: Talk) -> Answer:
    """The sum and its parts, the dearest first; of what is named only that."""
    portrait = portrait_of(draft, talk.prices)
    if portrait is None:
        return Answer(_("This draft cannot be priced as it stands; review it first."))
    named = {one.name for one in meant(hear(words), parse_document(draft).resources)}
    kinds = sorted(kinds_of(portrait, named), key=lambda row: -row.cost)
    rows = [f"- {_times(kind.kind.name, len(kind.view.machines))}: {money(kind.cost)}" for kind in kinds]
    rest = [_("- %(count)s more") % {"count": len(rows) - _MOST_ROWS}] if len(rows) > _MOST_ROWS else []
    total, currency = portrait.cost["total"], portrait.cost["currency"]
    of_year = _("That is %(sum)s %(currency)s a year.") % {"sum": money(12 * total), "currency": currency}
    year = [of_year] if hear(words).has("questions", "year") else []
    return Answer("\n".join([cost_line(draft, talk.prices), *year, *rows[:_MOST_ROWS], *rest]))


def _times(name: str, number: int) -> str:
    return f"{number} × {name}" if number > 1 else name


def _failing(words: str, draft: Document, talk: Talk) -> Answer:
    """What is missed when one machine fails, of what is named or of all."""
    heard, parts = hear(words), parse_document(draft).resources
    named = {one.name for one in meant(heard, parts)}
    missing = [] if named else definite_others(heard, parts)
    kinds = kinds_of(portrait_of(draft, talk.prices), named)
    alone = [row.kind.name for row in kinds if len(row.view.machines) == 1]
    lines = [_("There is no %(name)s in this draft. Of what there is:") % {"name": missing[0]}] if missing else []
    lines += [_(_ALONE) % {"name": name} for name in alone[:_MOST_ROWS]]
    lines += _going_on(kinds)
    advice = _("“Make the %(name)s highly available” makes two of it, on different hosts.")
    return Answer("\n".join([*lines, *([advice % {"name": alone[0]}] if alone else [])]))


def _going_on(kinds: Sequence[KindView]) -> list[str]:
    """Those of which there are several."""
    several = [_times(row.kind.name, len(row.view.machines)) for row in kinds if len(row.view.machines) > 1]
    return [_(_SEVERAL) % {"names": some} for some in several]


def _overview(words: str, draft: Document, talk: Talk) -> Answer:
    return described(words, draft, talk) or Answer(_("This draft cannot be shown as it stands; review it first."))


def _changed(words: str, draft: Document, talk: Talk) -> Answer:
    """What the last change did to the parts of the draft."""
    if len(talk.drafts) < 2:
        return Answer(_("This is the first draft: nothing of it was changed yet."))
    items = [item for item in compare(talk.drafts[1], draft).items if item.name]
    return Answer(listed([_difference(item) for item in items]) or _("The parts are the same as in the draft before."))


def _difference(item: Item) -> str:
    if item.action != "update":
        said = _("%(name)s is new.") if item.action == "create" else _("%(name)s is gone.")
        return said % {"name": item.name}
    values = (
        f"{term(one.path.removeprefix('specs.'))} {one.before or _('none')} → {one.after or _('none')}"
        for one in item.changes
    )
    return f"{item.name}: {', '.join(values)}."


def _deployment(words: str, draft: Document, talk: Talk) -> Answer:
    return Answer(_(_DEPLOYMENT))


_ONLY_ASKED = frozenset({"time", "secure", "failure"})
"""Words of these stand in orders too: "make it secure"."""
_LABELS = ("cpu", "memory", "disk")
_REPLIES: Mapping[str, Callable[[str, Document, Talk], Answer]] = {
    "changed": _changed,
    "why": explained,
    "time": time_needed,
    "cost": _costs,
    "secure": security,
    "failure": _failing,
    "overview": _overview,
    "deploy": _deployment,
}
"""By how specific the words are."""
