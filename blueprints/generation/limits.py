"""What holds for every machine: "no VM gets more than 4 GB of memory", "no machine smaller than 4 cores". It bounds what is
chosen, and contradicts what is said."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.generation.design import Part
from blueprints.generation.facts import Request
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk
from blueprints.schema.sizes import format_size
from blueprints.sentences import amount

_MORE = re.compile(
    r"\b(?:more|larger|bigger|greater) than\b|\b(?:exceed|above|over)\b|mehr als|grosser als|uber|plus de|depass|mas de|supera|piu di"
)
_TOO_MUCH = gettext_noop(
    "The request contradicts itself: no machine may have more than %(bound)s, and %(name)s gets %(given)s. Which is it?"
)
_TOO_LITTLE = gettext_noop(
    "The request contradicts itself: no machine may have less than %(bound)s, and %(name)s gets %(given)s. Which is it?"
)
_LESS = re.compile(
    r"\b(?:less|smaller|fewer|lower) than\b|\b(?:below|under)\b|weniger als|kleiner als|unter|moins de|inferieur|menos de|meno di|inferior"
)
_NAMES = {"cpu": "cpu", "memory": "memory", "size": "memory", "disk": "disk"}


def take(walk: Walk) -> bool:
    """Whether the sentence only says what no machine may exceed or fall below; at its end, that is taken out of it."""
    for place, element in enumerate(walk.elements):
        if _may_begin(walk.elements, place) and isinstance(element, Token) and _take(walk, walk.elements[place:]):
            walk.elements = walk.elements[: max(0, place - 1)]
            return not place
    return False


def _may_begin(elements: list[Element], place: int) -> bool:
    before = elements[place - 1] if place else None
    return before is None or (isinstance(before, Token) and (before.kind == "comma" or before.value == "and"))


def _take(walk: Walk, clause: list[Element]) -> bool:
    """Remember the values of a clause that bounds all machines."""
    noun = _nobody(clause)
    values = [e for e in clause if isinstance(e, Token) and e.kind in _NAMES]
    if noun is None or not values or any(isinstance(e, Phrase) and e is not noun for e in clause):
        return False
    said = fold(walk.text[noun.end : values[0].start])
    bounds = walk.request.limits if _MORE.search(said) else walk.request.floors if _LESS.search(said) else None
    if bounds is None:
        return False
    bounds.update({_NAMES[value.kind]: (int(value.value), walk.quote(value)) for value in values})
    return True


def _nobody(elements: list[Element]) -> Phrase | None:
    """ "no machine", "none of the VMs"."""
    first = elements[0] if elements else None
    noun = next((e for e in elements[1:5] if isinstance(e, Phrase)), None)
    is_none = isinstance(first, Token) and first.kind == "without"
    return noun if is_none and noun is not None and noun.is_machine and not noun.insists else None


def cap(request: Request, parts: list[Part]) -> None:
    """What nobody has chosen is chosen within these bounds."""
    for part in parts:
        for bounds, pick in ((request.limits, min), (request.floors, max)):
            for name, (bound, because) in bounds.items():
                chosen = getattr(part, name)
                if part.causes[name].kind == "default" and pick(chosen, bound) != chosen:
                    setattr(part, name, bound)
                    part.causes[name] = because


def exceeded(request: Request, parts: list[Part]) -> Iterator[str]:
    """A question for each part that was said to be larger or smaller than any may be."""
    for part in parts:
        for bounds, pick, question in ((request.limits, min, _TOO_MUCH), (request.floors, max, _TOO_LITTLE)):
            for name, (bound, _because) in bounds.items():
                if pick(getattr(part, name), bound) != getattr(part, name):
                    given = _shown(name, getattr(part, name))
                    yield _(question) % {"bound": _shown(name, bound), "name": part.label, "given": given}


def _shown(name: str, value: int) -> str:
    return amount(name, value if name == "cpu" else format_size(value))
