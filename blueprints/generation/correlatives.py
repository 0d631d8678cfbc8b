"""Nouns held together by two words: "sowohl GitLab als auch Keycloak" are both of them, and "neither the web server nor the
worker may start before Redis" is an order of starting, and no word against either."""

from blueprints.generation.lexicon import fold, words_of
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import kind_of

_PARTNERS = {
    "sowohl": ("als", "wie", "auch"),
    "tanto": ("como", "quanto", "che"),
    "tant": ("que",),
    "sia": ("sia", "che"),
    "weder": ("noch",),
    "ne": ("ne",),
}
_LACKING = ("without", "ohne", "sans", "sin", "senza")
_NEGATIVE = ("weder", "ne")
_BEFORE = ("before", "bevor", "vor", "avant", "antes", "prima", "until", "till", "hasta", "finche", "ehe")
_MAY_STAND = ("without", "word", "comma", "definite", "join", "article")


def settled(elements: list[Element]) -> list[Element]:
    """The sentence with "and" for both of such words."""
    return _freed(_joined(_needing(elements)))


def _needing(elements: list[Element]) -> list[Element]:
    """ "GitLab can't start without PostgreSQL" needs it, and nothing is unwanted."""
    for place, element in enumerate(elements):
        if kind_of(element) != "without" or _word(element) not in _LACKING:
            continue
        noun = next((n for n in range(place - 1, -1, -1) if isinstance(elements[n], Phrase)), None)
        between = [kind_of(e) for e in elements[noun + 1 : place]] if noun is not None else []
        if "without" in between and set(between) <= {"without", "word", "join"} and noun is not None:
            return [*elements[: noun + 1], _as(element, "order", "after"), *elements[place + 1 :]]
    return elements


def _joined(elements: list[Element]) -> list[Element]:
    first = next((n for n, e in enumerate(elements) if _word(e) in _PARTNERS), None)
    if first is None:
        return elements
    partners = _PARTNERS[_word(elements[first])]
    end = next((n for n, e in enumerate(elements) if n > first + 1 and _word(e) in partners), None)
    is_between = end is not None and isinstance(elements[first + 1], Phrase) and isinstance(elements[end - 1], Phrase)
    if end is None or not is_between:
        return elements
    rest = end + 1
    while rest < len(elements) and _word(elements[rest]) in partners:
        rest += 1
    opening = [_as(elements[first], "without", "no")] if _word(elements[first]) in _NEGATIVE else []
    return [
        *elements[:first],
        *opening,
        *elements[first + 1 : end],
        _as(elements[end], "join", "and"),
        *elements[rest:],
    ]


def _word(element: Element) -> str:
    return fold(element.text) if isinstance(element, Token) else ""


def _as(element: Element, kind: str, value: str) -> Element:
    return element.become(kind, value) if isinstance(element, Token) else element


def _freed(elements: list[Element]) -> list[Element]:
    """ "No web server may start before …": without the "no", and behind instead of before."""
    place = next((n for n, e in enumerate(elements) if _says_before(e)), None)
    order = elements[place] if place is not None else None
    if not place or not isinstance(order, Token) or not _forbids(elements, place):
        return elements
    nouns = [e for e in elements[:place] if kind_of(e) != "word"]
    spoken_of = [_as(e, "join", "and") if kind_of(e) == "without" else e for e in nouns[1:]]
    while kind_of(spoken_of[-1]) != "phrase":
        spoken_of.pop()
    return [*spoken_of, order.become("order", "after"), *elements[place + 1 :]]


def _says_before(element: Element) -> bool:
    is_order = isinstance(element, Token) and element.kind == "order"
    return is_order and (getattr(element, "value", "") == "before" or _word(element).split()[0] in _BEFORE)


def _forbids(elements: list[Element], place: int) -> bool:
    """A "no", machines, and a verb of starting, before or behind the order."""
    clause = elements[:place]
    is_plain = kind_of(clause[0]) == "without" and all(kind_of(e) in ("phrase", *_MAY_STAND) for e in clause)
    names_both = isinstance(clause[min(1, place - 1)], Phrase) and any(
        isinstance(e, Phrase) for e in elements[place + 1 :]
    )
    said = [word for e in elements if isinstance(e, Token) for word in fold(e.text).split()]
    return is_plain and names_both and any(word.startswith(tuple(words_of("starting"))) for word in said)
