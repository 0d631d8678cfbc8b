"""What is said of all but one: "everything on Debian 12 except the mail server, which gets Rocky 9" wants the mail server."""

from itertools import takewhile

from blueprints.generation import grouping
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_EXCEPT = (
    "except",
    "everything except",
    "everything but",
    "all except",
    "all but",
    "alles ausser",
    "tout sauf",
    "todo excepto",
    "todo salvo",
    "tutto tranne",
    "tutto eccetto",
    "ausser",
    "bis auf",
    "mit ausnahme",
    "sauf",
    "a l exception",
    "excepto",
    "salvo",
    "a excepcion",
    "tranne",
    "eccetto",
    "ad eccezione",
    "apart from",
    "other than",
    "with the exception",
)
_VALUES = ("cpu", "memory", "disk", "size", "spec", "os", "vlan", "cidr", "ip", "same")
_FAR = 14


def begins(walk: Walk, token: Token) -> bool:
    """Whether this "except" takes a value away from what follows, and not the machine."""
    return says_except(walk, token) and (_gives_a_value(walk) or _names_what_is_known(walk))


def says_except(walk: Walk, token: Element) -> bool:
    """ "except", "außer", "sauf"."""
    return fold(walk.quote(token).text).startswith(_EXCEPT)


def _gives_a_value(walk: Walk) -> bool:
    """ "… except the database, which gets 8": something else is said of the noun that follows."""
    following = walk.elements[walk.position + 1 : walk.position + _FAR]
    ahead = list(takewhile(lambda element: not _is_stop(element), following))
    nouns = [place for place, element in enumerate(ahead) if isinstance(element, Phrase)]
    if not nouns:
        return any(not isinstance(e, Phrase) and e.kind in ("number", *_VALUES) for e in ahead[:6])
    other = next((place for place in nouns[1:] if not _is_guest(ahead[place])), len(ahead))
    return any(_is_value(element) for element in ahead[nouns[0] + 1 : other])


def _is_stop(element: Element) -> bool:
    return isinstance(element, Token) and element.kind == "stop"


def _is_guest(element: Element) -> bool:
    return isinstance(element, Phrase) and element.is_machine and element.kind in ("vm", "lxc")


def _is_value(element: Element) -> bool:
    return _is_guest(element) or (isinstance(element, Token) and element.kind in ("number", *_VALUES))


def _names_what_is_known(walk: Walk) -> bool:
    """ "4 GB everywhere except on the database": only the value is not for it."""
    noun = next((e for e in walk.elements[walk.position + 1 : walk.position + 4] if isinstance(e, Phrase)), None)
    has_values = any(isinstance(e, Token) and e.kind in _VALUES for e in walk.elements[: walk.position])
    return noun is not None and (noun.is_definite or has_values) and grouping.known(walk, noun) is not None
