"""Values that open a sentence: "4 cores, 8 GB, Elasticsearch on a machine of its own with 8 GB" begins with what was named before."""

from blueprints.generation.lexicon import fold, ordinals
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.values import SIZES
from blueprints.generation.walk import Walk

_FAR = 9
_RUN = (*SIZES, "size", "os", "comma", "slash", "each", "dash")


def is_of_before(walk: Walk) -> bool:
    """When the noun behind the values has such values of its own, these are for the machines of the sentence before."""
    if walk.here or not walk.current or walk.focus is walk.request.defaults or walk.heading:
        return False
    return (walk.mark == "each" and _is_set_against(walk)) or _repeats_behind_noun(walk)


def _repeats_behind_noun(walk: Walk) -> bool:
    """ "4 cores, 8 GB, Elasticsearch … with 8 GB"."""
    end = next((n for n, element in enumerate(walk.elements) if not _opens(element)), len(walk.elements))
    if end <= walk.position or end == len(walk.elements) or not isinstance(walk.elements[end], Phrase):
        return False
    last = walk.elements[end - 1]
    is_set_off = isinstance(last, Token) and last.kind == "comma"
    return is_set_off and bool(_kinds(walk.elements[:end]) & _kinds(walk.elements[end:]))


def is_for_an_ordinal(walk: Walk) -> bool:
    """ "2 cores and 4 GB for the former": for one of those that were named before."""
    ahead = walk.elements[walk.position + 1 :][:_FAR]
    rest = ahead[next((n for n, element in enumerate(ahead) if not _opens(element)), len(ahead)) :][:3]
    if len(rest) < 3 or [getattr(element, "kind", "") for element in rest[:2]] != ["join", "definite"]:
        return False
    join, _, word = (walk.quote(element).text for element in rest)
    is_noun = isinstance(rest[2], Phrase) or getattr(rest[0], "value", "") != "for" or join.lower() == "per"
    return not is_noun and fold(word) in ordinals()


def _is_set_against(walk: Walk) -> bool:
    """ "1 GB each, but 4 GB for MariaDB"."""
    each = next((n for n, e in enumerate(walk.elements) if isinstance(e, Token) and e.kind == "each"), 0)
    behind = [e for e in walk.elements[each + 1 : each + 3] if isinstance(e, Token) and e.kind != "comma"]
    return each > walk.position and all(map(_opens, walk.elements[:each])) and [e.value for e in behind[:1]] == ["but"]


def _opens(element: Element) -> bool:
    return isinstance(element, Token) and (element.kind in _RUN or element.value == "and")


def _kinds(elements: list[Element]) -> set[str]:
    """Which sizes are said; one without a word is memory."""
    found = {element.kind for element in elements if isinstance(element, Token)} & {*SIZES, "size"}
    return {"memory" if kind == "size" else kind for kind in found}
