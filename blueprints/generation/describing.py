"""Machines that say more about what was named: "Harbor, one VM", "it must be a VM", "for Mosquitto four containers"."""

from blueprints.generation import building, counts, guests, recounting, sharing
from blueprints.generation.facts import Group
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_FAR = 40
_IT = ("it", "this", "that", "es", "er", "sie", "il", "elle", "esto", "ello")
_ASKS = ("word", "verb", "comma", "order", "it")
"""What stands between a purpose and the machines that are asked for it."""


def more(walk: Walk, phrase: Phrase) -> bool:
    """Whether the noun only says how many, of what kind, or where."""
    if sharing.takes_part(walk, phrase) or _says_more(walk, phrase):
        _say_more(walk, phrase)
        return True
    return False


def _is_said_of_it(walk: Walk) -> bool:
    """ "One container for Redis. It must be a VM."."""
    before = [e for e in walk.elements[: walk.position] if not isinstance(e, Phrase)]
    is_pronoun = len(before) == walk.position and bool(before) and before[0].text.lower() in _IT
    return is_pronoun and walk.link == "is" and walk.focus is not None and (walk.focus.count or 1) == 1


def _moves_it(walk: Walk) -> bool:
    """ "Icecast dies on the Pi. Can we get it onto a VM?"."""
    before = walk.elements[max(0, walk.position - _FAR) : walk.position]
    is_pronoun = any(isinstance(e, Token) and e.text.lower() in _IT for e in before[:-1])
    is_alone = not any(isinstance(e, Phrase) for e in before)
    focus = walk.focus
    return walk.link == "on" and is_pronoun and is_alone and focus is not None and not (focus.kind or focus.is_generic)


def _says_more(walk: Walk, phrase: Phrase) -> bool:
    """Whether "server" or "VM" is about what is in focus."""
    focus = walk.in_focus
    if _is_said_of_it(walk) or _moves_it(walk):
        return True
    if focus is None:
        return guests.is_instead(walk, phrase)
    is_own = phrase.has("own")
    if phrase.has("another") and not is_own:
        return walk.link == "on" or _is_its_first_count(walk, focus, phrase)
    if focus.is_umbrella and walk.kinds_after(2) == [
        "colon",
        "phrase",
    ]:  # "our web shop needs three VMs: a web server, …"
        return False
    if is_own or walk.link in ("on", "as", "is", "needs"):
        return True
    return any(reading(walk, focus, phrase) for reading in _SAID_OF_FOCUS)


def _is_its_first_count(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "an etcd cluster of three further VMs", which nobody counted before."""
    return _is_made_of(walk) and focus.count is None and phrase.insists


def _is_made_of(walk: Walk) -> bool:
    """ "an etcd cluster of three further VMs"."""
    before = walk.elements[walk.position - 2 : walk.position] if walk.position > 1 else []
    said = [element.text.lower() for element in before if isinstance(element, Token)]
    return said[:1] == ["cluster"] and said[1:] in (["of"], ["aus"], ["de"], ["di"], ["von"])


def _counts_named(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "Harbor, one VM, 8 GB", "- 3 servers" below a heading: the first count of what was named."""
    if not phrase.insists or focus.count is not None or focus.is_generic:
        return False
    if focus.totals and walk.kinds_before(1) in (
        ["bound"],
        ["total"],
    ):  # "12 cores for the farm, shared out between ten VMs"
        return True
    if walk.goes_on or walk.link != "comma":
        return walk.goes_on
    return _is_behind_cluster(walk) or (walk.kinds_after(1) != ["join"] and not focus.has_sizes)


def _is_behind_cluster(walk: Walk) -> bool:
    """ "an etcd cluster, 3 VMs"."""
    before = walk.elements[walk.position - 2] if walk.position > 1 else None
    return isinstance(before, Token) and before.text.lower() == "cluster"


def _say_more(walk: Walk, phrase: Phrase) -> None:
    if walk.focus is None:
        return
    focus = counts.said(walk, phrase, walk.focus)
    if focus.kind and phrase.kind in ("vm", "lxc") and focus.kind != phrase.kind and phrase.count is not None:
        guests.settle(walk, focus, phrase)
    groups = guests.of_whom(walk, phrase, focus)
    for group in list(groups):
        group.kind = group.kind or building.kind(phrase)
    walk.turn_to(*(groups if focus not in walk.current or len(groups) > 1 else walk.current))


def _is_for_it(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "For Mosquitto prepare four containers": whom they are for opens the clause."""
    before = walk.elements[: walk.position]
    place = next((n for n in range(len(before) - 1, -1, -1) if isinstance(before[n], Phrase)), -1)
    if phrase.count is None or place < 1 or not all(_is_token(element, *_ASKS) for element in before[place + 1 :]):
        return False
    is_bare = focus.count is None and not (focus.has_sizes or focus.kind or focus.is_umbrella or focus.is_generic)
    return is_bare and _opens_with_for(before[:place]) and walk.kinds_after(1) != ["colon"]


def _opens_with_for(before: list[Element]) -> bool:
    """ "For …", "Please, for …", "…, and for …"."""
    if not before or not isinstance(before[-1], Token) or before[-1].value != "for":
        return False
    return all(_is_token(element, "word") for element in before[:-1]) or _is_token(before[-2], "comma")


def _is_token(element: Element, *kinds: str) -> bool:
    return isinstance(element, Token) and element.kind in kinds


_SAID_OF_FOCUS = (_counts_named, _is_for_it, recounting.is_apposition, recounting.is_closing, guests.is_said)
