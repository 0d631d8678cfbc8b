"""Sizes that are set off behind a noun and what it comes with: "GitLab with a runner, 16 GB" says how large GitLab is."""

from blueprints.generation.facts import Group
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_SHAPE = ["phrase", "join", "phrase", "comma"]


def head(walk: Walk) -> Group | None:
    """The machines of the noun, when nothing but a comma stands between its only companion and this value."""
    before = walk.elements[max(0, walk.position - len(_SHAPE)) : walk.position]
    is_last = not any(isinstance(element, Phrase) for element in walk.elements[walk.position :])
    if (
        not is_last
        or walk.mark
        or [kind_of(element) for element in before] != _SHAPE
        or len(walk.here) != len(_nouns(before))
    ):
        return None
    noun, companion = walk.here
    is_open = not noun.is_generic and not noun.has_sizes
    return noun if is_open and companion is walk.focus and _comes_with(before[1], before[2]) else None


def _nouns(elements: list[Element]) -> list[Phrase]:
    return [element for element in elements if isinstance(element, Phrase)]


def _comes_with(join: Element, companion: Element) -> bool:
    """ "with a runner", "with its own database"; not "with two agents", whose sizes these may be."""
    is_one = (
        isinstance(companion, Phrase)
        and not companion.insists
        and (companion.count is not None or companion.has("own"))
    )
    return isinstance(join, Token) and join.value == "with" and is_one
