"""Lists that live on one machine, said in other words than "together": "Nexus and SonarQube on the second", "WordPress und MySQL
auf einem Server, Matomo auf einem anderen"."""

from blueprints.generation.lexicon import fold, ordinals
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token

_NOT_ONE = ("own", "each", "another", "all")
_FAR = 4


def lodged(elements: list[Element]) -> list[Element]:
    """The sentence with "together" before every "on a machine" that follows a list of names."""
    places = [place for place, element in enumerate(elements) if _is_on(element) and _is_one(elements, place)]
    is_set_against = len(places) > 1 or any(_is_another(elements[place + 1 :][:1]) for place in places)
    if not is_set_against or any(isinstance(e, Token) and e.kind in ("each", "spread") for e in elements):
        return elements
    found: list[Element] = []
    for place, element in enumerate(elements):
        if isinstance(element, Token) and place in places and _ends_a_list(elements[max(0, place - _FAR) : place]):
            found.append(element.become("together", "together"))
        found.append(element)
    return found


def _is_on(element: Element) -> bool:
    return isinstance(element, Token) and element.kind == "join" and element.value == "on"


def _is_one(elements: list[Element], place: int) -> bool:
    """ "on a server", "on the second", "on VM 3", "auf einer anderen", "on its own"."""
    after = elements[place + 1 : place + _FAR]
    if not after:
        return False
    if isinstance(after[0], Phrase):
        is_numbered = len(after) > 1 and isinstance(after[1], Token) and after[1].kind == "number"
        return after[0].is_machine and (is_numbered if after[0].count is None else int(after[0].count.value) == 1)
    if after[0].kind in ("article", "another", "own"):
        return True
    said = fold(after[1].text) if len(after) > 1 and isinstance(after[1], Token) else ""
    return after[0].kind == "definite" and (said in ordinals() or getattr(after[1:2], "kind", "") == "another")


def _is_another(after: list[Element]) -> bool:
    """ "on another", "on another VM"."""
    return bool(after) and (after[0].has("another") if isinstance(after[0], Phrase) else after[0].kind == "another")


def _ends_a_list(before: list[Element]) -> bool:
    """ "Nexus and SonarQube", nothing but names."""
    names = [element for element in before[-3::2] if isinstance(element, Phrase)]
    is_joined = len(before) > 2 and isinstance(before[-2], Token) and before[-2].value in ("and", "+", "&")
    return is_joined and len(names) == 2 and all(map(_is_bare, names))


def _is_bare(noun: Phrase) -> bool:
    return bool(noun.role or noun.software) and not noun.insists and not noun.kind and not noun.has(*_NOT_ONE)
