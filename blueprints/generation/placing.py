"""Whether machines stand apart or things live together: "on different hosts", "on the same machine"."""

from blueprints.generation import sharing
from blueprints.generation.facts import Group
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_KINDS = {"container": "lxc", "lxc": "lxc", "vm": "vm"}
_NOTHING = ("nothing", "nichts", "rien", "nada", "nulla")


def spread(walk: Walk, token: Token) -> None:
    for group in siblings(walk):
        group.set("is_spread", True, walk.quote(token))
    if not walk.current or (walk.says("all") and not any(isinstance(e, Phrase) for e in walk.elements)):
        walk.request.is_spread = True


def together(walk: Walk, token: Token) -> None:
    if walk.is_negated:
        walk.is_negated = False
        spread(walk, token)
        return
    if _is_of_nothing(walk) or "together" in walk.kinds_before(2):  # "ne partagent pas la même machine"
        return
    following = next((e for e in walk.elements[walk.position + 1 :] if isinstance(e, Phrase)), None)
    if not (following and following.is_definite and (following.role or following.software)):
        sharing.put_together(walk)
        _take_kind(walk, token)
    walk.link = "on"


def _is_of_nothing(walk: Walk) -> bool:
    """ "They share nothing"."""
    following = walk.elements[walk.position + 1 : walk.position + 2]
    return bool(following) and isinstance(following[0], Token) and following[0].text.lower() in _NOTHING


def _take_kind(walk: Walk, token: Token) -> None:
    """ "in the same container"."""
    kind = next(
        (kind for word, kind in _KINDS.items() if word in token.text.lower() + walk.quote(token).text.lower()), ""
    )
    if walk.focus and kind and not walk.focus.kind:
        walk.focus.set("kind", kind, walk.quote(token))


def siblings(walk: Walk) -> list[Group]:
    """ "two DNS servers, ns1 and ns2, on different hosts": set off by a comma, it is said of all that were counted together."""
    focus = walk.focus
    before = [kind for kind in walk.kinds_before(3) if kind not in ("word", "join")]
    if focus is None or not focus.name or before[:1] != ["comma"]:
        return walk.current
    return [g for g in walk.here if g.name and (g.role, g.software) == (focus.role, focus.software)] or walk.current
