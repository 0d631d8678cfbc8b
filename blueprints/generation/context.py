"""Nouns that only say what it is all for: "for our web shop", "in front of the API"."""

import re

from blueprints.generation import building
from blueprints.generation.lexicon import fold, having_words, losing_words, watching_words, words_of
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_FAR = 40
_HYPERVISOR = re.compile(r"\b(?:proxmox|pve|hypervisor|esxi)\b")
_OF_HYPERVISORS = ("join", "comma", "slash", "cpu", "memory", "disk", "size", "spec", "each")
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


def numbers_beneficiaries(walk: Walk) -> bool:
    """ "for our team of forty"."""
    for element in reversed(walk.elements[: walk.position]):
        if isinstance(element, Phrase) or element.kind in ("comma", "colon", "open"):
            return False
        if element.kind == "join" and element.value == "for":
            return True
    return False


def _is_purpose_of_all(walk: Walk, phrase: Phrase) -> bool:
    return bool(walk.here) and walk.link == "for" and building.is_umbrella(walk, phrase) and not phrase.insists


def are_hypervisors(walk: Walk, phrase: Phrase) -> bool:
    """ "We have three Proxmox hosts", "our two PVE nodes": what everything runs on, and nothing that is to be built."""
    said = walk.text[phrase.start : phrase.end + len(" Proxmox")].lower()
    if not (phrase.is_machine or phrase.is_member) or not _HYPERVISOR.search(said):
        return False
    before = [e.value for e in walk.elements[: walk.position] if isinstance(e, Token)]
    is_owned = phrase.is_definite or any(value in having_words() for value in before)
    if not is_owned or any(isinstance(e, Phrase) for e in walk.elements[: walk.position]):
        return False
    walk.named_until = max(walk.named_until, _end_of_values(walk))
    return True


def _end_of_values(walk: Walk) -> int:
    """Where the sizes of a hypervisor end, which are nobody else's."""
    end = 0
    for element in walk.elements[walk.position + 1 :]:
        if isinstance(element, Phrase) or element.kind not in _OF_HYPERVISORS:
            break
        end = element.end if element.kind not in ("join", "comma") else end
    return end


def is_served(walk: Walk, phrase: Phrase) -> bool:
    """ "monitoring for 50 hosts": machines that are looked after, not built."""
    words = [e.value for e in walk.elements[max(0, walk.position - 2) : walk.position] if isinstance(e, Token)]
    if _may_fail(walk, phrase, words):
        return True
    if any(word in losing_words() for word in words) or (phrase.insists and _is_owned(walk, words)):
        return True
    if any(word in watching_words() for word in words) and phrase.insists and walk.in_focus is None:
        return bool(walk.focus and walk.focus.role)
    is_watched = walk.link == "for" or any(word in watching_words() for word in words)
    return is_watched and phrase.insists and bool(walk.in_focus and walk.in_focus.role)


def _may_fail(walk: Walk, phrase: Phrase, words: list[object]) -> bool:
    """ "If a physical host dies, MongoDB has to carry on", "a dead server", "one host may fail": an event, and no machine."""
    after = [fold(e.text) for e in walk.elements[walk.position + 1 : walk.position + 3] if isinstance(e, Token)]
    if not phrase.is_machine:
        return False
    if any(fold(token.text) in words_of("dead") for token in phrase.tokens):
        return True
    is_dying = bool(set(after[:1]) & words_of("dying")) and any(word in words_of("conditions") for word in words)
    return is_dying or bool(set(after[:1]) & words_of("possibly") and set(after[1:]) & words_of("dying"))


def _is_owned(walk: Walk, words: list[str]) -> bool:
    """ "The lab has 14 workstations and needs a file server": those that it has are there."""
    ahead = walk.elements[walk.position + 1 : walk.position + _FAR]
    has_need = any(
        isinstance(e, Token) and e.text.lower() in ("needs", "need", "wants", "want", "requires") for e in ahead
    )
    return words[-1:] in (["has"], ["have"], ["with"]) and has_need and not walk.request.groups
