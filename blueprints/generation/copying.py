"""Environments that are copies of others: "staging is a copy of production", "the same for staging but half the size"."""

from decimal import Decimal

from blueprints.generation import sharing
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import copying_words
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_SOMETHING = ("word", "label", "vlan", "cidr", "os", "host")
_PREPOSITIONS = ("von", "vom", "du", "del", "della", "dello")
_OF = ("join", "definite", "word")


def copied(walk: Walk, token: Token) -> bool:
    """Whether this environment gets once more what another one has; it has then."""
    behind = _behind_last_noun(walk)
    words = [element for place, element in enumerate(behind) if _is_copying(element, behind[place + 1 :])]
    known = [group for group in walk.request.groups if group.environment != token.value]
    if token not in behind or not words or not known or not _is_copy(behind, token, words[0]):
        return False
    if any(group.environment == token.value for group in walk.request.groups):
        return False
    factor = next((Decimal(e.value) for e in behind if e.kind == "factor" and e.value != 1), Decimal(1))
    walk.environment = str(token.value)
    walk.turn_to(*_copies(walk, known, factor))
    walk.named_until = _end(behind)
    return True


def _behind_last_noun(walk: Walk) -> list[Token]:
    """What stands behind the last noun of the sentence."""
    found: list[Token] = []
    for element in walk.elements:
        found = [] if isinstance(element, Phrase) else [*found, element]
    return found


def _is_copying(element: Token, after: list[Token]) -> bool:
    """ "a copy", "mirrors", "the same"; neither "at the same time" nor "in the same VLAN"."""
    is_of_something = bool(after) and after[0].kind in _SOMETHING and after[0].text.lower() not in _PREPOSITIONS
    is_said = element.text.lower() in copying_words() and not is_of_something
    return is_said or (element.kind == "factor" and element.value == 1)


def _is_copy(behind: list[Token], token: Token, word: Token) -> bool:
    """ "staging is a copy of production", "the same for staging", "staging gets the same"."""
    if token.start > word.start:
        return not _is_original(behind, token, word)
    after = [element for element in behind if element.kind == "environment" and element.start > word.start]
    return all(_is_original(behind, other, word) for other in after)


def _is_original(behind: list[Token], token: Token, word: Token) -> bool:
    """ "a copy of production", "mirrors production": that is where it comes from."""
    between = [element for element in behind if word.end <= element.start < token.start]
    return all(element.kind in _OF and element.value != "for" for element in between)


def _copies(walk: Walk, groups: list[Group], factor: Decimal) -> list[Group]:
    copies = {id(group): _copy(walk, group, factor) for group in groups}
    walk.request.groups += copies.values()
    walk.request.needs += [
        (copies[id(later)], copies[id(earlier)])
        for later, earlier in walk.request.needs
        if id(later) in copies and id(earlier) in copies
    ]
    return list(copies.values())


def _copy(walk: Walk, group: Group, factor: Decimal) -> Group:
    """Like the original, so many times as large; what is said of the copies alone wins."""
    copy = sharing.copy_of(group)
    copy.environment, copy.sentence, copy.name = walk.environment, walk.sentence, ""
    for size in sharing.SIZES:
        if (value := getattr(group, size)) is not None:
            setattr(copy, size, max(1, int(value * factor)))
            copy.general.add(size)
    copy.size = "small" if factor < 1 else copy.size
    return copy


def _end(behind: list[Token]) -> int:
    """Behind the last word that says what is copied and how large."""
    said = [
        e
        for e in behind
        if e.kind in ("environment", "factor") or e.text.lower() in copying_words() or e.text.lower() == "size"
    ]
    return max(element.end for element in said)
