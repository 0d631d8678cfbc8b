"""Numbers that count nothing: releases, people, copies to be kept, what is not wanted."""

from blueprints.generation import contradicting, policies
from blueprints.generation.lexicon import fold
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_PAIR_REACH = 5
_RELEASES = ("version", "release", "versione", "versión")
_TOGETHER_WITH = ("with", "mit", "avec", "con")


def is_meant(walk: Walk, token: Token) -> bool:
    """A release, copies to be kept, what is not wanted, or what cannot be."""
    is_refused = walk.is_negated and walk.kinds_before(1) == ["without"]
    return (
        _is_release(walk)
        or is_refused
        or _are_people(walk)
        or _is_of_any_two(walk, token)
        or policies.kept_copies(walk, token)
        or contradicting.counts_again(walk, token)
    )


def _are_people(walk: Walk) -> bool:
    """ "we discuss it with the 5 from IT"."""
    before = walk.elements[max(0, walk.position - 2) : walk.position]
    return (
        walk.kinds_before(1) == ["definite"]
        and fold(walk.quote(before[0]).text) in _TOGETHER_WITH
        and walk.kinds_after(1) != ["part"]
    )


def _is_of_any_two(walk: Walk, token: Token) -> bool:
    """ "Two of them must never share a host": said of all of them."""
    ahead = walk.kinds_after(_PAIR_REACH)
    until = ahead.index("spread") if "spread" in ahead else -1
    return token.value == 2 and ahead[:1] == ["part"] and set(ahead[1:until]) <= {"word", "join"} and until > 0


def _is_release(walk: Walk) -> bool:
    """ "version 15", and "the old one": counts nothing that is to be built."""
    before = walk.elements[walk.position - 1] if walk.position else None
    return isinstance(before, Token) and (before.kind == "existing" or before.text.lower() in _RELEASES)
