"""Bare numbers that are sizes, for one with its unit stood in the same place before: "4 GB for the database, 8 for Jira"."""

import re

from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.values import SIZES
from blueprints.generation.walk import Walk, kind_of

_WHICH = ("which", "that", "die", "der", "das", "qui", "que", "che", "who")
_GIVEN = (
    "give it",
    "give them",
    "gib ihm",
    "gib ihr",
    "gebt ihm",
    "donne lui",
    "donnez lui",
    "dale",
    "dadle",
    "dagli",
    "dalle",
)
_SKIPPED = ("word", "order", "definite", "exact")


def remember(walk: Walk, token: Token) -> None:
    """What a bare number means that follows in the same sentence: "3 GB for Apache, memcached 6"."""
    number = re.search(r"[0-9]+(?:[.,][0-9]+)?", token.text)
    if token.kind in (*SIZES, "size") and number and token.value:
        walk.alike = (walk.sentence, token.kind, int(token.value / float(number[0].replace(",", "."))))


def repeats(walk: Walk, after: Token | None) -> bool:
    """Whether a bare number stands where a size stood before: behind a noun or a "with", at the end of a clause."""
    if walk.alike[0] != walk.sentence or walk.focus is None:
        return False
    is_last = after is None or after.kind in ("stop", "comma", "close", "colon") or after.value == "and"
    before = [kind for kind in walk.kinds_before(4 if _is_relative(walk) else 3) if kind not in _SKIPPED]
    before = before[1:] if _is_relative(walk) and before[:1] == ["comma"] else before
    return is_last and (
        before[:1] in (["phrase"], ["rest"]) or _is_given(walk) or _is_again(walk, "with") or _is_behind_a_name(walk)
    )


def _is_given(walk: Walk) -> bool:
    """ "… and give it 16": to what was sized in this sentence."""
    near = walk.elements[max(0, walk.position - 2) : walk.position]
    return " ".join(fold(walk.quote(element).text) for element in near).endswith(_GIVEN)


def _is_behind_a_name(walk: Walk) -> bool:
    """ "mercury has 2 cores, venus has 6"."""
    near = walk.elements[max(0, walk.position - 2) : walk.position]
    name = walk.focus.name if walk.focus else ""
    return bool(name) and any(isinstance(e, Token) and walk.quote(e).text.lower() == name for e in near)


def _is_relative(walk: Walk) -> bool:
    """ "… except the database, which needs 12"."""
    near = walk.elements[max(0, walk.position - 3) : walk.position]
    return any(isinstance(e, Token) and e.text.lower() in _WHICH for e in near)


def repeats_for(walk: Walk, after: Token | None) -> bool:
    """ "4 GB for the database, 8 for SonarQube": as it was said of the noun before."""
    if walk.alike[0] != walk.sentence or after is None or not _is_join(after, "for"):
        return False
    before = [e for e in walk.elements[: walk.position] if not _is_mark(e)]
    while (kind := _kind_for_noun(before[-3:])) == "number":
        before = before[:-3]
    return kind in (*SIZES, "size")


def _kind_for_noun(three: list[Element]) -> str:
    """What stands before "for the database": a size, or a number that is one too."""
    if len(three) < 3 or isinstance(three[0], Phrase) or kind_of(three[2]) not in ("phrase", "host"):
        return ""
    return three[0].kind if _is_join(three[1], "for") else ""


def _is_again(walk: Walk, value: str) -> bool:
    """ "… with 4 GB of RAM, the former with 2": the same small word stands before both."""
    here = walk.elements[: walk.position]
    sizes = [n for n, e in enumerate(here) if not isinstance(e, Phrase) and e.kind in (*SIZES, "size")]
    return bool(sizes) and all(n > 0 and _is_join(here[n - 1], value) for n in (sizes[-1], walk.position))


def _is_mark(element: Element) -> bool:
    return isinstance(element, Token) and (element.kind in ("comma", "definite") or element.value == "and")


def _is_join(element: Element, value: str) -> bool:
    return isinstance(element, Token) and element.value == value
