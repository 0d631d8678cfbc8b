"""Which of the machines that were counted something lives on: "Pi-hole on one, Unbound on the other", "Consul on three"."""

from collections.abc import Callable
from itertools import pairwise

from blueprints.generation import sharing
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, granting_words, table
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_GOES_ON = (
    "join",
    "order",
    "comma",
    "size",
    "memory",
    "cpu",
    "disk",
    "spec",
    "os",
    "colon",
    "open",
    "dash",
    "together",
    "stop",
    "all",
)
_OBJECTS = ("definite", "article", "join", "number")
_POINTING = ("definite", "another")


def stands_alone(following: list[Element]) -> bool:
    """No noun comes: "the first is for DNS", and not "the first thing"."""
    if not following:
        return True
    after = following[0]
    if not isinstance(after, Token):
        return False
    is_verb = after.kind == "word" and after.text.lower().endswith("s") and len(following) > 1
    is_said = after.kind in _GOES_ON or after.text.lower() in granting_words()
    return is_said or (is_verb and kind_of(following[1]) in _OBJECTS)


def pool(walk: Walk) -> Group | None:
    """Machines that were counted, and have no purpose yet."""
    guest = walk.in_focus
    for group in reversed(walk.request.groups):
        is_open = group.is_generic or (guest is not None and group.role == guest.role and not group.software)
        if is_open and group.is_counted and not group.name and ((group.count or 0) > 1 or group in walk.pools):
            return group
    return None


def settle_in(walk: Walk, count: int = 1) -> bool:
    """What was just named lives on so many of the machines that were counted."""
    whole, guest = pool(walk), walk.in_focus
    if whole is None or guest is None or guest is whole or guest.is_generic or guest.has_sizes:
        return False
    sharing.inherit(guest, whole)
    guest.count = min(count, whole.count or 1)
    whole.count = (whole.count or 1) - guest.count
    walk.pools.append(whole)
    if not whole.count:
        walk.drop(whole)
    return True


def is_in_one(walk: Walk) -> bool:
    """ "on one of them", "on the first one": of those that were counted and are for something else."""
    guest = walk.in_focus
    near = [g for g in (*reversed(walk.here), *reversed(walk.last_named)) if (g.count or 1) > 1 and not g.is_generic]
    return guest is not None and bool(near) and sharing.lodge_in_one(walk, near[0], guest)


def is_on_some(walk: Walk, token: Token) -> bool:
    """ "on one", "on the other three", "on the rest", with nothing behind it that it could count."""
    if walk.link == "on" and token.value == 1 and walk.kinds_after(1) == ["part"] and pool(walk) is None:
        return is_in_one(walk)
    if walk.link != "on" or not stands_alone(walk.elements[walk.position + 1 : walk.position + 4]):
        return False
    whole = pool(walk)
    rest = (whole.count or 1) if whole else 1
    return settle_in(walk, rest if token.kind == "rest" else max(1, int(token.value)))


def lives_on_some(walk: Walk, phrase: Phrase) -> bool:
    """Whether the words behind the phrase say on how many of those that were counted it lives."""
    is_counted = any((group.count or 1) > 1 and not group.software for group in walk.request.groups)
    return bool(phrase.software) and is_counted and _leads_to_some(walk.elements[walk.position + 1 :])


def _leads_to_some(following: list[Element]) -> bool:
    """ "on one", "in the other", "as the reverse proxy on two"."""
    if len(following) > 2 and _is_join(following[0], "as", "is") and isinstance(following[1], Phrase):
        following = following[2:]
    if not following or not _is_join(following[0], "on"):
        return False
    rest = following[1:]
    pointing = [*_while(rest, lambda e: e.kind in _POINTING)]
    behind = rest[len(pointing) :]
    is_number = bool(behind) and isinstance(behind[0], Token) and behind[0].kind in ("number", "article", "rest")
    is_some = is_number or any(token.kind == "another" for token in pointing) or _is_ordinal(pointing, behind)
    return is_some and stands_alone(behind[1:] if is_number or _is_ordinal(pointing, behind) else behind)


def _is_ordinal(pointing: list[Token], behind: list[Element]) -> bool:
    """ "on the first"."""
    return bool(pointing) and bool(behind) and isinstance(behind[0], Token) and behind[0].kind == "word"


def _while(elements: list[Element], holds: Callable[[Token], bool]) -> list[Token]:
    found: list[Token] = []
    for element in elements:
        if not isinstance(element, Token) or not holds(element):
            break
        found.append(element)
    return found


def _is_join(element: Element, *values: str) -> bool:
    return isinstance(element, Token) and element.kind == "join" and element.value in values


def are_shared_out(walk: Walk, phrase: Phrase) -> bool:
    """ "four VMs in total: one runs Grafana, the rest …", "six in all. Three of them …": they get a purpose one by one."""
    if walk.request.groups:
        return False
    ahead = walk.elements[walk.position + 1 :]
    if any(isinstance(e, Token) and e.kind == "rest" for e in ahead):
        return True
    if any(kind_of(a) == "another" and kind_of(b) == "number" for a, b in pairwise(ahead)):
        return True
    if sum(kind_of(a) == "number" and _is_join(b, "for", "with") for a, b in pairwise(ahead)) > 1:
        return True
    if any(_leads_to_some(ahead[place:]) for place, e in enumerate(ahead) if _is_join(e, "on")):
        return True
    said = f" {' '.join(fold(walk.text[phrase.end :]).split())} "
    return any(f" {words} " in said for words in table("words")["part"]["of"])
