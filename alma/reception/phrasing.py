"""An answer in the words of a model, of which only what the cited passages bear out is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from alma.accounts.actors import Actor
from alma.reception.ranking import terms

BORNE_OUT = 0.6
"""Of the words of a sentence that mean something so large a share must stand in what it cites."""
_NOT_BORNE_OUT = "Nothing that it said stands in the documentation."
Badge = Mapping[str, Any]


@dataclass(frozen=True)
class Sentence:
    """Something said, and by which passages, counted from 1."""

    text: str
    cites: tuple[int, ...]


Phraser = Callable[[str, Sequence[str], Actor], tuple[Sequence[Sentence], Badge | None]]


def phrased(question: str, passages: Sequence[str], *, by: Actor) -> tuple[str, Badge | None]:
    """The answer, empty where there is none that holds, and what became of asking a model; None where there is no model."""
    if by.is_anonymous and not settings.ALMA_PUBLIC_DRAFTS:
        return "", None
    phrase: Phraser = import_string(settings.ALMA_PHRASER)
    sentences, badge = phrase(question, passages, by)
    kept = [one for one in sentences if is_borne_out(one, passages)]
    if badge is not None and badge["status"] == "used" and not kept:
        badge = {**badge, "status": "garbled", "reason": _NOT_BORNE_OUT}
    return " ".join(f"{one.text} {''.join(f'[{number}]' for number in one.cites)}" for one in kept), badge


def is_borne_out(sentence: Sentence, passages: Sequence[str]) -> bool:
    """Whether a sentence cites what there is, and says little else."""
    if not sentence.cites or not all(0 < number <= len(passages) for number in sentence.cites):
        return False
    said = set(terms(sentence.text))
    known = {term for number in sentence.cites for term in terms(passages[number - 1])}
    return bool(said) and len(said & known) >= BORNE_OUT * len(said)
