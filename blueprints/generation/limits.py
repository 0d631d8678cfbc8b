"""What no machine may exceed: "no VM gets more than 4 GB of memory". It caps what is chosen, and contradicts what is said."""

import re
from collections.abc import Iterator

from blueprints.generation.design import Part
from blueprints.generation.facts import Request
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk
from blueprints.schema.sizes import format_size

_MORE = re.compile(
    r"\b(?:more|larger|bigger|greater) than\b|\b(?:exceed|above|over)\b|mehr als|grosser als|uber|plus de|depass|mas de|supera|piu di"
)
_NAMES = {"cpu": "cpu", "memory": "memory", "size": "memory", "disk": "disk"}


def take(walk: Walk) -> bool:
    """Whether the sentence that begins here only says what no machine may exceed."""
    noun = _nobody(walk.elements)
    values = [e for e in walk.elements if isinstance(e, Token) and e.kind in _NAMES]
    if noun is None or not values or _MORE.search(fold(walk.text[noun.end : values[0].start])) is None:
        return False
    if any(isinstance(e, Phrase) and e is not noun for e in walk.elements):
        return False
    for value in values:
        walk.request.limits[_NAMES[value.kind]] = (int(value.value), walk.quote(value))
    return True


def _nobody(elements: list[Element]) -> Phrase | None:
    """ "no machine", "none of the VMs"."""
    first = elements[0] if elements else None
    noun = next((e for e in elements[1:5] if isinstance(e, Phrase)), None)
    is_none = isinstance(first, Token) and first.kind == "without"
    return noun if is_none and noun is not None and noun.is_machine and not noun.insists else None


def cap(request: Request, parts: list[Part]) -> None:
    """What nobody has chosen is not chosen larger than that."""
    for part in parts:
        for name, (most, because) in request.limits.items():
            if part.causes[name].kind == "default" and getattr(part, name) > most:
                setattr(part, name, most)
                part.causes[name] = because


def exceeded(request: Request, parts: list[Part]) -> Iterator[str]:
    """A question for each part that was said to be larger than any may be."""
    for part in parts:
        for name, (most, _) in request.limits.items():
            if getattr(part, name) > most:
                yield (
                    f"The request contradicts itself: no machine may have more than {_shown(name, most)}, and"
                    f" {part.label} gets {_shown(name, getattr(part, name))}. Which is it?"
                )


def _shown(name: str, value: int) -> str:
    return f"{value} cores" if name == "cpu" else f"{format_size(value)} of {name}"
