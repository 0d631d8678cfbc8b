"""What starts before what: "after the database", "behind the proxy", "first …, then …", and what only needs something."""

from itertools import pairwise

from blueprints.generation import subjects
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
    latest = walk.in_focus or (walk.focus if _is_pronoun(walk) else None)
    spoken_of = subjects.spoken_of(walk, token)
    value = _direction(walk, token)
    if latest and _needs_it(walk, (spoken_of or (latest,))[-1], value):
        return
    if fold(walk.quote(token).text).startswith("behind"):
        walk.link = ""
    if value == "then" or _goes_on_after(walk, token):
        _go_on_in_sequence(walk, token)
    elif latest:
        walk.order, walk.subjects = (value, spoken_of or (latest,)), spoken_of
    elif fold(token.text).startswith(
        _WANTS
    ):  # a school that needs one is no machine, and what it needs is not there yet
        walk.is_existing = False
    elif not _is_of_an_event(walk):
        walk.order_ahead, walk.ahead_until = value, _end_of_list(walk)


def _end_of_list(walk: Walk) -> int:
    """ "After Postgres, Redis and MinIO, start GitLab": the place of the last of them."""
    places = [n for n in range(walk.position + 1, len(walk.elements)) if isinstance(walk.elements[n], Phrase)]
    last = listed = places[0] if places else walk.position
    for place in places[1:]:
        between = walk.elements[last + 1 : place]
        if not between or any(isinstance(e, Phrase) or not (e.kind == "comma" or is_and(e)) for e in between):
            break
        last = place
        if any(map(is_and, between)):
            listed = place
    return listed


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
        _add(walk, later, before[-1])
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
    stage = tuple(subjects.coordinated(walk, subjects.last_noun(walk))) if walk.in_focus else ()
    walk.order = ("before", stage or (before,)) if before else walk.order
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
    direction, spoken_of = walk.order
    for other in walk.request.groups:
        if other not in spoken_of:
            _settle(walk, direction, spoken_of, other)
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
    """ "before the mail server and the Nextcloud box", "needed by GitLab and by Keycloak": both wait."""
    following = walk.elements[walk.position + 1 : walk.position + 4]
    if len(following) < 2 or not is_and(following[0]):
        return False
    place = 2 if kind_of(following[1]) == "word" and len(following) > 2 else 1
    noun = following[place]
    if not isinstance(noun, Phrase) or _begins_another_at(walk, walk.position + 1 + place):
        return False
    return _is_led_in(walk) if walk.is_sequence else not noun.insists and (noun.is_definite or noun.count is None)


def _is_led_in(walk: Walk) -> bool:
    """ "then the cache and the queue": both are the next step, for the word stands before them."""
    return "order" in [kind for kind in walk.kinds_before(3) if kind != "word"][:1]


def settle_order(walk: Walk, group: Group) -> None:
    """The other side of "after", "before" or "behind" has been named; who is followed by such a word begins another."""
    if _is_joined(walk) and _begins_another_at(walk, walk.position):
        walk.order = None
    if walk.order and (walk.order[1] != (group,)):
        _settle_behind(walk, walk.order, group)
    elif walk.order_ahead and (not walk.ahead or walk.position <= walk.ahead_until):
        walk.ahead.append(group)
    elif walk.order_ahead and group not in walk.ahead:
        walk.order = ("before" if walk.order_ahead == "after" else "after", tuple(walk.ahead))
        walk.order_ahead = ""
        _settle_behind(walk, walk.order, group)


def _begins_another_at(walk: Walk, place: int) -> bool:
    """ "…, and the cache after …", "… and a proxy which depends on …": the noun waits itself."""
    for n, element in enumerate(walk.elements[place + 1 :]):
        if not isinstance(element, Token) or element.kind not in ("word", "order", "definite", "comma", "without"):
            return False
        if element.kind == "order":
            is_not = kind_of(walk.elements[place + n]) == "without"  # "… and the proxy not before …"
            return element.value == "after" or is_not
        if element.kind == "comma" and n:
            return False
    return False


def _settle_behind(walk: Walk, order: tuple[str, tuple[Group, ...]], group: Group) -> None:
    """ "the cache before the database": the word stands between the two."""
    direction, others = order
    _settle(walk, direction, others, group)
    if direction in _FORWARD and not _another_follows(walk):
        walk.order = ("before", _step(walk, group)) if walk.is_sequence else None
    group.is_umbrella &= not walk.is_sequence and walk.kinds_before(1) != ["arrow"]


def _step(walk: Walk, group: Group) -> tuple[Group, ...]:
    """What starts together in a sequence: "then the two app servers and the worker, finally …"."""
    place = subjects.last_noun(walk)
    is_second = walk.kinds_before(1) == ["join"] and place == walk.position - 2 and place > 0
    is_led_in = is_second and "order" in [kind_of(e) for e in walk.elements[max(0, place - 2) : place]]
    return (*walk.named_at[place], group) if is_led_in else (group,)


def _settle(walk: Walk, direction: str, others: tuple[Group, ...], group: Group) -> None:
    """Each of the others waits for the group, or in "before" and "behind" the group for them."""
    for other in others:
        is_forward = direction in _FORWARD
        if other is not group:
            _add(walk, *((group, other) if is_forward else (other, group)), unless_circle=len(others) > 1)


def _add(walk: Walk, later: Group, earlier: Group, *, unless_circle: bool = False) -> None:
    """Once each; "everything else waits for it" does not mean what it waits for itself."""
    if (later, earlier) in walk.request.needs or (unless_circle and _waits_for(walk, earlier, later)):
        return
    walk.request.needs.append((later, earlier))


def _waits_for(walk: Walk, later: Group, earlier: Group) -> bool:
    found, ahead = set[int](), [later]
    while ahead:
        one = ahead.pop()
        found.add(id(one))
        ahead += [e for w, e in walk.request.needs if w is one and id(e) not in found]
    return id(earlier) in found


def _is_joined(walk: Walk) -> bool:
    """ "and …", ", …"."""
    return walk.kinds_before(1) in (["join"], ["comma"])
