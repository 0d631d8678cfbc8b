"""Words that point at what was said before: on the same system, and exactly so many."""

from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk


def same(walk: Walk, token: Token) -> None:
    """ "a licence server on the same OS": as the machines that were named before."""
    last = next((g for g in reversed(walk.request.groups) if g.os and g not in walk.current), None)
    if last is not None:
        for group in walk.current:
            group.set("os", last.os, walk.quote(token))


def exact(walk: Walk, token: Token) -> None:
    """ "Three nodes, no more", "One server only."."""
    is_last = walk.kinds_before(1) == ["phrase"] and walk.kinds_after(1) in ([], ["stop"])
    if walk.focus and walk.in_focus and (is_last or walk.kinds_before(1) == ["comma"]):
        walk.focus.is_exact = True


def model(walk: Walk, token: Token) -> None:
    """ "Llama 3 70B": counts and sizes nothing."""
    walk.model = walk.model or token
