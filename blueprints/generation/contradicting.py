"""Counts that cannot both be true: exactly two web servers, and five of them."""

from blueprints.generation.lexicon import fold
from blueprints.generation.members import contradiction
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_NEAR = 5
_THERE = (
    *("there", "be", "should", "must", "es", "mussen", "sollen", "sein", "il", "doit", "doivent"),
    *("hay", "ser", "deben", "devono", "essere"),
)
_OPEN = ("stop", "comma", "close", "part", "colon")


def counts_again(walk: Walk, token: Token) -> bool:
    """ "exactly one server, but three on different hosts", "exactly two, and there have to be five of them"."""
    focus = walk.in_focus
    if focus is None or not focus.is_exact or focus.count is None or token.value <= focus.count:
        return False
    is_spread = "spread" in walk.kinds_after(4)
    if is_spread or _is_about_them(walk):
        contradiction(walk, focus.count, int(token.value), "hosts" if is_spread else "of them")
        return True
    return False


def _is_about_them(walk: Walk) -> bool:
    """ "… and there have to be five of them", "… but it should be four"."""
    before = walk.elements[max(0, walk.position - _NEAR) : walk.position]
    said = {fold(walk.quote(element).text) for element in before if isinstance(element, Token)}
    following = walk.kinds_after(2)
    is_last = not following or following[0] in _OPEN or following[1:] in ([], ["stop"])
    return is_last and not said.isdisjoint(_THERE)
