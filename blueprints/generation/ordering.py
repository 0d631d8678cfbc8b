"""What starts before what: "after the database", "behind the proxy", "first …, then …", and what only needs something."""

from itertools import pairwise

from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, is_and, kind_of

_ORDINALS = (
    "first",
    "zuerst",
    "d abord",
    "primero",
    "prima",
    "second",
    "third",
    "fourth",
    "last",
    "zuletzt",
    "next",
    "segundo",
    "tercero",
)
_WANTS = (
    "need",
    "requir",
    "uses",
    "brauch",
    "benotig",
    "nutzt",
    "verwendet",
    "a besoin",
    "utilise",
    "necesit",
    "usa",
    "ha bisogno",
)
_NOT_BEFORE = (
    "before",
    "bevor",
    "vor",
    "avant",
    "antes",
    "prima",
    "until",
    "unless",
    "till",
    "hasta",
    "jusqu'a",
    "finche",
    "finché",
    "qu'une",
)
_PRONOUNS = (["it"], ["them"], ["that"], ["those"], ["ihn"], ["sie"], ["es"])
_FORWARD = ("before", "behind")
"""Who is named first comes first."""


def order(walk: Walk, token: Token) -> None:
    """Remember who needs, or is needed; the machines named next complete it."""
    if token.value == "after" and _is_about_itself(walk):
        walk.link = "needs"
        return
    earlier = walk.in_focus or (walk.focus if _is_pronoun(walk) else None)
    value = _direction(walk, token)
    if earlier and _needs_it(walk, earlier, value):
        return
    if fold(walk.quote(token).text).startswith("behind"):
        walk.link = ""
    if value == "then" or _goes_on_after(walk, token):
        _go_on_in_sequence(walk, token)
    elif earlier:
        walk.order = (value, earlier)
    elif not fold(token.text).startswith(_WANTS) and not _is_of_an_event(walk):  # a school that needs one is no machine
        walk.order_ahead = value


def _is_of_an_event(walk: Walk) -> bool:
    """ "After the retro we agreed on …", "Before the season starts …": a time, and no machine that something waits for."""
    ahead = walk.elements[walk.position + 1 : walk.position + 3]
    kinds = [kind_of(element) for element in ahead]
    return kinds[:1] == ["word"] or kinds in (["definite", "word"], ["article", "word"])


def _needs_it(walk: Walk, later: Group, direction: str) -> bool:
    """ "then the two workers, which need it,": what was named just before them."""
    ahead = walk.elements[walk.position + 1 : walk.position + 3]
    said = [fold(walk.quote(element).text) for element in ahead[:1] if isinstance(element, Token)]
    before = [group for group in walk.here if group is not later]
    if said not in _PRONOUNS or not _closes(ahead[1:]) or not before or direction != "after":
        return False
    if (before[-1], later) not in walk.request.needs:  # "GLPI relies on MariaDB and mustn't boot before it"
        walk.request.needs.append((later, before[-1]))
    return True


def _closes(following: list[Element]) -> bool:
    """The end of the clause."""
    return kind_of(following[0]) in ("comma", "stop", "close") or is_and(following[0]) if following else True


def _direction(walk: Walk, token: Token) -> str:
    """The order that is said; "not before" is after, and negates nothing."""
    if walk.is_negated and not set(_NOT_BEFORE).isdisjoint(walk.quote(token).text.lower().split()):
        walk.is_negated = False
        return "after"
    return str(token.value)


def _go_on_in_sequence(walk: Walk, token: Token) -> None:
    """ "then the web servers": behind what this sentence is about, or behind "it"."""
    before = walk.in_focus or (walk.focus if " " in walk.quote(token).text else None)  # "only after it"
    walk.order = ("before", before) if before else walk.order
    walk.is_sequence = True


def _goes_on_after(walk: Walk, token: Token) -> bool:
    """ "… and after those the mail server" in a sequence."""
    return walk.is_sequence and token.value == "after" and _is_joined(walk)


def _is_about_itself(walk: Walk) -> bool:
    """ "Home Assistant needs a VM", "each needs two containers": what it runs on, and no order."""
    following = walk.elements[walk.position + 1 : walk.position + 2]
    if fold(walk.quote(walk.elements[walk.position]).text).startswith(("behind", "after")):
        return False
    return (
        bool(following)
        and isinstance(following[0], Phrase)
        and following[0].is_machine
        and not following[0].is_definite
    )


def of_all_above(walk: Walk, token: Token) -> None:
    """ "needs both of the above", "after all of them": everything that was named before."""
    if walk.order is None or walk.is_sequence or any(isinstance(e, Phrase) for e in walk.elements[walk.position :]):
        return
    direction, group = walk.order
    others = [other for other in walk.request.groups if other is not group]
    pairs = [(group, other) for other in others]
    walk.request.needs += [pair[::-1] for pair in pairs] if direction in _FORWARD else pairs
    walk.order = None


def ordinals(walk: Walk) -> None:
    """ "Database first, cache second, application third"."""
    places = [n for n, e in enumerate(walk.elements) if isinstance(e, Token) and fold(e.text) in _ORDINALS]
    follow = [n for n in places if n and kind_of(walk.elements[n - 1]) in ("phrase", "close")]
    if len(follow) > 1 and len(follow) == len(walk.here) and _text(walk, follow[0]) in _ORDINALS[:5]:
        walk.request.needs += [(later, earlier) for earlier, later in pairwise(walk.here)]


def _text(walk: Walk, place: int) -> str:
    return fold(walk.quote(walk.elements[place]).text)


def _is_pronoun(walk: Walk) -> bool:
    return (
        bool(walk.elements)
        and walk.kinds_before(1) != []
        and not any(isinstance(e, Phrase) for e in walk.elements[: walk.position])
    )


def _another_follows(walk: Walk) -> bool:
    """ "before the mail server and the Nextcloud box": both wait."""
    following = walk.elements[walk.position + 1 : walk.position + 3]
    if walk.is_sequence or len(following) < 2 or not isinstance(following[1], Phrase):
        return False
    return is_and(following[0]) and following[1].is_definite and not following[1].insists


def settle_order(walk: Walk, group: Group) -> None:
    """The other side of "after", "before" or "behind" has been named; who is followed by such a word begins another."""
    if _begins_another(walk):
        walk.order = None
    if walk.order and walk.order[1] is not group:
        _settle_behind(walk, walk.order, group)
    elif walk.order_ahead and walk.ahead is None:
        walk.ahead = group
    elif walk.order_ahead and walk.ahead is not None and walk.ahead is not group:
        walk.request.needs.append(_waiting_first(walk.order_ahead, walk.ahead, group))
        walk.order_ahead, walk.ahead = "", None


def _begins_another(walk: Walk) -> bool:
    """ "…, and the cache after …": the noun waits itself."""
    is_followed = _is_joined(walk) and walk.kinds_after(1) == ["order"]
    return is_followed and getattr(walk.elements[walk.position + 1], "value", "") == "after"


def _settle_behind(walk: Walk, order: tuple[str, Group], group: Group) -> None:
    """ "the cache before the database": the word stands between the two."""
    direction, other = order
    walk.request.needs.append(_waiting_first(direction, group, other))
    if direction in _FORWARD and not _another_follows(walk):
        walk.order = ("before", group) if walk.is_sequence else None
    group.is_umbrella &= not walk.is_sequence and walk.kinds_before(1) != ["arrow"]


def _waiting_first(direction: str, one: Group, other: Group) -> tuple[Group, Group]:
    """Who waits, and for whom: the one for the other in "before" and "behind", else the other for the one."""
    return (one, other) if direction in _FORWARD else (other, one)


def _is_joined(walk: Walk) -> bool:
    """ "and …", ", …"."""
    return walk.kinds_before(1) in (["join"], ["comma"])
