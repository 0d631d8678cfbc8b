"""What an answer needs to know of a conversation, and what it is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from alma.errors import Invalid
from blueprints.portrait import KindView, Portrait, portray
from blueprints.pricing import PriceList, budgets
from blueprints.pricing.budgets import money
from blueprints.pricing.costs import Cost
from blueprints.schema import parse_document
from blueprints.understanding import Asking

Document = Mapping[str, Any]
OFFER = gettext_noop("The draft stays as it is until you say “yes”.")
"""How an answer ends that offers to do something; what it would do is then its `wish`."""
UNDONE = "The last change is undone."
"""How an answer names its change when it goes back to the draft before."""


@dataclass(frozen=True)
class Talk:
    """What was said so far, as far as an answer needs it: drafts, the newest first, and the words of an open question."""

    drafts: Sequence[Document] = ()
    asked_about: str = ""
    """A wish that was drawn and asked about."""
    prices: PriceList | None = None
    turn: int = 0
    """The number of the message that is answered."""
    asking: Asking | None = None
    """Who asks, so that a model may help; None for the planner alone."""
    before: str = ""
    """What the person said before, where it changed nothing: "it" may be what that was about."""
    language: str = ""
    """That of the answer; without one it is that of the words."""
    pending: str = ""
    """Words about the draft that nothing was done for yet: they were asked about, or wait for a yes."""

    @property
    def draft(self) -> Document | None:
        """What "it" is."""
        return self.drafts[0] if self.drafts else None

    @property
    def has_parts(self) -> bool:
        """Whether there is a draft that words can be about."""
        return bool(self.draft and self.draft.get("resources"))


@dataclass(frozen=True)
class Answer:
    """Words for the person, the draft that they are about when there is a new one, what changed in it, and what was understood
    when there are open questions: about the draft that goes with it, or, without one, about the draft that there is."""

    content: str
    draft: Document | None = None
    wish: str = ""
    changes: Sequence[str] = ()


def listed(lines: Sequence[str]) -> str:
    """One below the other."""
    return "\n".join(f"- {line}" for line in lines)


def portrait_of(draft: Document, prices: PriceList | None) -> Portrait | None:
    """What can be said of a draft; None for one that breaks a rule."""
    try:
        return portray(parse_document(draft), prices)
    except Invalid:
        return None


def kinds_of(portrait: Portrait | None, names: Collection[str]) -> list[KindView]:
    """The kinds that have one of these names, or all where none is given."""
    kinds = portrait.kinds if portrait else ()
    return [row for row in kinds if not names or {*names} & {*row.kind.members}]


def cost_line(draft: Document, prices: PriceList | None) -> str:
    """How many machines at what price."""
    portrait = portrait_of(draft, prices)
    if portrait is None or not portrait.machine_count:
        return _("Nothing is left in this draft; “undo” brings the one before back.")
    count, cost = portrait.machine_count, portrait.cost
    over = _over(draft.get("metadata") or {}, cost)
    values = {"count": count, "sum": money(cost["total"]), "currency": cost["currency"]}
    sentence = ngettext(
        "%(count)s machine, about %(sum)s %(currency)s a month.",
        "%(count)s machines, about %(sum)s %(currency)s a month.",
        count,
    )
    return f"{sentence % values}{over}"


def _over(about: Mapping[str, Any], cost: Cost) -> str:
    """What to say of the budget beside the sum."""
    if budgets.is_foreign(about, cost["currency"]):
        foreign = _("The budget of %(budget)s is in another currency and is not compared.")
        return f" {foreign % {'budget': budgets.budget_of(about)}}"
    if not budgets.is_exceeded(about, cost["total"], cost["currency"]):
        return ""
    over = _("That is over the budget of %(budget)s.")
    return f" {over % {'budget': budgets.budget_of(about)}}"


def offers(content: str) -> bool:
    """Whether an answer ends with an offer, in whatever language it was given."""
    return bool(offered_in(content))


def offered_in(content: str) -> str:
    """The language of the offer with which an answer ends; nothing where it ends with none."""
    return next((language for language, offer in _offers().items() if content.endswith(offer)), "")


@cache
def _offers() -> dict[str, str]:
    found = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found[language] = _(OFFER)
    return found
