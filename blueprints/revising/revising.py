"""A draft and words about it become another draft, with each change in words. Nothing is stored, nothing is guessed: what
cannot be found in the draft is asked back, and then nothing of what was said is done."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from alma.errors import BadRequest, Invalid
from blueprints.complexity import figures_for
from blueprints.generation import generate
from blueprints.generation.normalising import without_orders
from blueprints.pricing import PriceList, budgets, default_list
from blueprints.revising.assuming import still_assumed
from blueprints.revising.changing import Draft
from blueprints.revising.clauses import Clause, clauses
from blueprints.revising.hearing import hear
from blueprints.revising.matching import meant
from blueprints.revising.operations import carry_out
from blueprints.revising.said import causes_of
from blueprints.schema import BlueprintDocument, parse_document

_BACK_UP = re.compile(r"\bback ((?:[\w-]+ ){0,4}?[\w-]+) up\b", re.IGNORECASE)
"""A verb of two words, with what is backed up between them."""


@dataclass(frozen=True)
class Revision:
    """The draft as it is then, what changed, and what has to be asked first (nothing changes then)."""

    document: dict[str, Any]
    changes: Sequence[str] = field(default_factory=tuple)
    question: str = ""


def revise(
    document: Mapping[str, Any], words: str, prices: PriceList | None = None, *, turn: int = 0, before: str = ""
) -> Revision | None:
    """What these words make of the draft, priced by a list or by the defaults; None when they are not about it. `turn` is the
    number of the message that says them, for the causes; `before` is what was spoken of last, which "it" may be. Raises
    BadRequest for what cannot be."""
    words = _BACK_UP.sub(r"back up \1", without_orders(words)[0])
    draft = Draft(document, words, turn)
    draft.recent = {one.name for one in meant(hear(before), draft.resources)} or draft.recent
    wishes = clauses(words, lambda heard: bool(meant(heard, draft.resources)))
    answers: list[str | None] = []
    for clause in wishes:
        answers.append(_carried_out(draft, clause))
        if answers[-1]:
            return Revision(dict(document), question=answers[-1])
    if all(answer is None for answer in answers):
        return None
    if None in answers:
        left = wishes[answers.index(None)].text
        return Revision(
            dict(document), question=_("I did not understand “%(words)s”, so nothing is changed yet.") % {"words": left}
        )
    return (
        settled(draft, prices)
        if draft.changes
        else Revision(dict(document), question=_("I did not find what to change; say which part and how."))
    )


def added(
    document: Mapping[str, Any], words: str, prices: PriceList | None = None, *, turn: int = 0
) -> Revision | None:
    """The draft with what the words describe beside it; None when they describe nothing, or leave a question open."""
    try:
        made = generate(words)
    except BadRequest:
        return None
    if not made["resources"] or made["metadata"].get("questions"):
        return None
    draft = Draft(document, words, turn)
    for resource in made["resources"]:
        draft.add(resource, causes_of(made, resource["name"]))
    return settled(draft, prices)


def _carried_out(draft: Draft, clause: Clause) -> str | None:
    try:
        answer = carry_out(draft, clause)
        draft.settle()
    except Invalid as error:
        raise _impossible(error) from error
    return answer


def settled(draft: Draft, prices: PriceList | None) -> Revision:
    """What was done to a draft, checked and priced. Raises BadRequest for what cannot be."""
    try:
        parsed = parse_document(draft.document)
    except Invalid as error:
        raise _impossible(error) from error
    return Revision(_with_figures(parsed, prices or default_list()), draft.changes)


def _impossible(error: Invalid) -> BadRequest:
    return BadRequest(_("That cannot be done: %(reason)s") % {"reason": error.message}, details=error.details)


def _with_figures(document: BlueprintDocument, prices: PriceList) -> dict[str, Any]:
    values = document.as_dict()
    about = values["metadata"] = {**values["metadata"], **figures_for(document, prices)}
    if isinstance(assumed := about.get("assumptions"), list):
        about["assumptions"] = still_assumed(assumed, document.resources, about.get("causes") or {})
    if isinstance(said := about.get("warnings"), list):  # answers compare the sum with the budget each time
        kept = [line for line in said if not budgets.is_remark(str(line))]
        foreign = budgets.is_foreign(about, about["currency"])
        about["warnings"] = [*kept, budgets.remark(about, 0, about["currency"])] if foreign else kept
    return values
