"""Nouns that only say what it is all for: "for our web shop", "in front of the API"."""

from blueprints.generation import building
from blueprints.generation.phrases import Phrase
from blueprints.generation.walk import Walk

_IN_FRONT = ("in front of", "devant", "davanti a", "delante de")


def is_only_context(walk: Walk, phrase: Phrase) -> bool:
    """ "for our web shop", "in front of the API": what it is all for, and no machines."""
    if phrase.is_definite and phrase.count is None and not phrase.software:
        return _stands_behind(walk) or _is_beneficiary(walk) or _is_purpose_of_all(walk, phrase)
    return _is_purpose_of_all(walk, phrase)


def _stands_behind(walk: Walk) -> bool:
    """ "in front of the API"."""
    is_order = walk.kinds_before(1) == ["order"]
    return is_order and walk.quote(walk.elements[walk.position - 1]).text.lower() in _IN_FRONT


def _is_beneficiary(walk: Walk) -> bool:
    """ "a cache for the shop"."""
    return walk.link == "for" and not walk.waiting and bool(walk.in_focus and walk.in_focus.role)


def _is_purpose_of_all(walk: Walk, phrase: Phrase) -> bool:
    return bool(walk.here) and walk.link == "for" and building.is_umbrella(walk, phrase) and not phrase.insists
