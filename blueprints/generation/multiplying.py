"""Clusters of several machines that are several themselves: "two Redis clusters with three nodes each", "three shards of a
primary and two secondaries", "vier Paare von Webservern". What is counted then are all of their machines."""

from decimal import Decimal

from blueprints.generation.facts import rule
from blueprints.generation.lexicon import fold, words_of
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_MADE_OF = ("of", "aus", "de", "da", "di", "zu", "a")
_SKIPPED = ("join", "comma", "article", "verb", "dash")
_SKIPPED_WORDS = {
    "da",
    "a",
    "replica",
    "set",
    "sets",
    "having",
    "cluster",
    "consists",
    "consisting",
    "besteht",
    "bestehend",
}
_FAR = 20
_MEMBERS = ("node", "replica", "primary")


def multiplied(elements: list[Element], text: str) -> list[Element]:
    """The sentence with the number of all members in place of that of their clusters."""
    found: list[Element] = []
    place = 0
    while place < len(elements):
        ahead = elements[place : place + _FAR]
        used = _pairs(ahead, text) or _clusters(ahead, text)
        found += [element for element in ahead[: max(1, used)] if not used or isinstance(element, Phrase)][:1]
        place += max(1, used)
    return found


def of_each(walk: Walk, element: Element) -> bool:
    """ "Four shards. Each shard has three members": those that were counted before, times the members."""
    if isinstance(element, Phrase):
        is_said, start = element.has("each") and _names_clusters(element, walk.text), walk.position + 1
    else:
        start = walk.position + 2
        is_said = element.kind == "each" and _is_called(walk.elements[start - 1 : start], "clusters")
    focus, ahead = walk.focus, walk.elements[start : start + _FAR]
    if not is_said or focus is None or (focus.count or 1) < 2 or focus.replicas:
        return False
    members, end, _ = _members(ahead, 0)
    if not members or all(member.member == "replica" for member in members):
        return False
    number = sum(int(member.count.value) if member.count else 1 for member in members)
    focus.set("count", (focus.count or 1) * number, rule(f"{focus.count} times {number}"))
    walk.turn_to(focus)
    last = ahead[end - 1]
    walk.named_until = max(walk.named_until, last.end)
    return True


def _pairs(elements: list[Element], text: str) -> int:
    """ "three pairs of web servers", "two HAProxy pairs": how many elements say so."""
    outer, noun, used = _outer(elements, text, "pairs")
    if noun is None or not used:
        return 0
    _count(noun, outer, int(outer.value) * 2, until=elements[used - 1])
    return used


def _clusters(elements: list[Element], text: str) -> int:
    """ "four shards with three members each": how many elements say so."""
    outer, noun, used = _outer(elements, text, "clusters")
    if noun is None or outer.value < 2:
        return 0
    members, end, is_of_each = _members(elements, used)
    if not members and used > 1 and not isinstance(elements[0], Phrase) and noun.role != "kubernetes":
        _count(noun, outer, int(outer.value), until=elements[used - 1])  # "tres clústeres de Redis"
        return used
    if not members or not is_of_each or _is_replicated(noun, members):
        return 0
    number = sum(int(member.count.value) if member.count else 1 for member in members)
    number += noun.member == "primary"
    _count(noun, outer, int(outer.value) * number, until=elements[end - 1])
    return end


def _outer(elements: list[Element], text: str, kind: str) -> tuple[Token, Phrase | None, int]:
    """The number of clusters, their noun, and how many elements these are."""
    first, nothing = elements[0], Token("", 0, "", 0, 0)
    if isinstance(first, Phrase):
        if not first.insists or first.count is None:
            return nothing, None, 0
        if _is_called(elements[1:2], kind):
            return first.count, first, 2
        is_cluster = kind == "clusters" and (first.member == "primary" or _names_clusters(first, text))
        return first.count, first if is_cluster else None, 1
    place = 3 if len(elements) > 2 and _is_of(elements[2]) else 2
    noun = elements[place] if len(elements) > place else None
    if first.kind != "number" or not _is_called(elements[1:2], kind) or not isinstance(noun, Phrase) or noun.count:
        return nothing, None, 0
    return first, noun, place + 1


def _names_clusters(noun: Phrase, text: str) -> bool:
    """ "Galera-Cluster", "MongoDB-Shards", "grappes Redis"."""
    last = fold(text[noun.start : noun.end]).replace("-", " ").split()[-1]
    return not words_of("clusters").isdisjoint({last, *(fold(token.text) for token in noun.tokens)})


def _is_called(elements: list[Element], kind: str) -> bool:
    """ "clusters", "pairs"."""
    return bool(elements) and isinstance(elements[0], Token) and fold(elements[0].text) in words_of(kind)


def _is_of(element: Element) -> bool:
    return isinstance(element, Token) and fold(element.text) in (*_MADE_OF, "d", "von")


def _members(elements: list[Element], start: int) -> tuple[list[Phrase], int, bool]:
    """The members of one cluster, the place behind them, and whether they are said to be of each."""
    members: list[Phrase] = []
    end, is_of_each = start, bool(elements[start:]) and _is_of(elements[start])
    for place in range(start, len(elements)):
        element = elements[place]
        if isinstance(element, Phrase):
            if not element.is_member or element.member not in _MEMBERS or element.count is None:
                break
            is_of_each |= element.has("each")
            members.append(element)
            end = place + 1
        elif element.kind == "each":
            is_of_each, end = True, place + 1 if members else end
            if members:
                break
        elif element.kind not in _SKIPPED and not {fold(element.text)} & (words_of("holding") | _SKIPPED_WORDS):
            break
    return members, end, is_of_each


def _is_replicated(noun: Phrase, members: list[Phrase]) -> bool:
    """ "three shards with two replicas each": whether the first of them is a replica as well, others decide."""
    return noun.member != "primary" and all(member.member == "replica" for member in members)


def _count(noun: Phrase, outer: Token, number: int, *, until: Element) -> None:
    last = until.tokens[-1] if isinstance(until, Phrase) else until
    noun.count = outer.become("number", Decimal(number), until=last)
    if outer not in noun.tokens:
        noun.tokens = [outer, *noun.tokens]
