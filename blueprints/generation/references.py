"""What is said by pointing at something else: "twice the RAM of the web servers", "half of that", "the latter", "on the other"."""

from collections.abc import Sequence

from blueprints.generation import attaching, counting, grouping, housing, names, ordering, sharing
from blueprints.generation.facts import Group
from blueprints.generation.hostnames import means_nothing
from blueprints.generation.lexicon import fold, ordinals
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of
from blueprints.schema.names import guest_name

_FAR = 8
_MEASURES = ("amount", "quantity", "as", "much", "many", "big", "large")
_MOST_APART = 8
_WHOSE = ("of", "as", "than", "like")


def factor(walk: Walk, token: Token) -> None:
    """ "A third of them" are machines; "half of that" is a size, or all of them."""
    ahead = walk.elements[walk.position + 1 : walk.position + 1 + _FAR]
    if not walk.request.groups and _heads_a_list(ahead):
        walk.loose = token.become("number", token.value)
        return
    ahead = _behind_measures(walk, ahead)
    sizes = _sizes_named(ahead)
    if not sizes and token.value < 1 and _counts_some(walk, ahead):
        _take_fraction(walk, token)
        return
    if _is_for_a_known(walk, token, ahead, sizes) or _is_compared(walk, token, ahead, sizes):
        return
    if "again" in walk.quote(token).text.lower() and walk.kinds_before(1) != ["all"]:
        counting.twin(walk, token)


def _is_for_a_known(walk: Walk, token: Token, ahead: list[Element], sizes: list[str]) -> bool:
    """ "4 GB for Redis and double that for RabbitMQ": what is compared stands behind it."""
    behind = [e for e in ahead if kind_of(e) not in ("definite", "label")][:2]
    if len(behind) < 2 or getattr(behind[0], "value", "") != "for" or not isinstance(behind[1], Phrase):
        return False
    target = grouping.known(walk, behind[1]) if behind[1].count is None else None
    source = _latest_sized(walk, target, sizes or sharing.SIZES)
    if target is None or source is None or source not in walk.here:
        return False
    _compare(walk, token, source, target, sizes)
    walk.turn_to(target)
    walk.named_until = max(walk.named_until, behind[1].end)
    return True


def _is_compared(walk: Walk, token: Token, ahead: list[Element], sizes: list[str]) -> bool:
    """ "twice the RAM of the web servers" for what this sentence is about; False when one of the two is not known."""
    target = walk.in_focus or (walk.focus if not walk.here else None)
    source, end = _source(walk, ahead, target, sizes)
    if source is None or target is None:
        return False
    walk.named_until, walk.link = max(walk.named_until, end), ""
    _compare(walk, token, source, target, sizes)
    return True


def _take_fraction(walk: Walk, token: Token) -> None:
    """ "a third of them": so many machines of those in focus."""
    whole = walk.in_focus or walk.focus
    if walk.part is not None and walk.part is whole:
        sharing.begin_part(walk, None, has_purpose=True)  # "half with 8 GB, half with 4"
        return
    sharing.begin_part(walk, max(1, int((whole.count or 1) * token.value)) if whole else None, has_purpose=True)


def _heads_a_list(ahead: list[Element]) -> bool:
    """ "Half a dozen of the following: …"."""
    return [kind_of(e) for e in ahead[:3]] in (["definite", "word", "colon"], ["definite", "factor", "colon"])


def _behind_measures(walk: Walk, ahead: list[Element]) -> list[Element]:
    """ "twice as much", "half the amount of": what stands behind such words, which are read then."""
    while ahead and isinstance(ahead[0], Token) and ahead[0].text.lower() in _MEASURES:
        walk.named_until = max(walk.named_until, ahead[0].end)
        ahead = ahead[1:]
    return ahead


def _sizes_named(ahead: list[Element]) -> list[str]:
    labels = [e for e in _until_phrase(ahead) if isinstance(e, Token) and e.kind == "label"]
    return [str(label.value) for label in labels if label.value in sharing.SIZES]


def _compare(walk: Walk, token: Token, source: Group, target: Group, sizes: list[str]) -> None:
    """So many times the sizes of the others: those that are named, else all that the target has not."""
    walk.compared.append(target)
    for name in sizes or sharing.SIZES:
        value = getattr(source, name)
        if value is not None and (sizes or getattr(target, name) is None):
            target.set(name, max(1, int(value * token.value)), walk.quote(token))
            target.general.add(name)
    if target.is_generic and target.name and token.text.lower().endswith("same as"):
        _become_like(target, source)


def _become_like(target: Group, source: Group) -> None:
    """ "VM 2: same as VM 1": not only as large, but for the same."""
    target.role, target.software = source.role, list(source.software)
    target.os, target.kind = target.os or source.os, target.kind or source.kind
    target.services = list(source.services)


def _until_phrase(ahead: list[Element]) -> list[Element]:
    end = next((n for n, e in enumerate(ahead) if isinstance(e, Phrase) or e.kind in ("comma", "stop")), len(ahead))
    return ahead[:end]


def _counts_some(walk: Walk, ahead: list[Element]) -> bool:
    """ "of them", "of the machines": those that were counted."""
    if ahead and isinstance(ahead[0], Token) and ahead[0].kind == "part":
        return (walk.focus is not None) and (walk.focus.count or 1) > 1
    if [kind_of(e) for e in ahead[:2]] in (["join", kind] for kind in (*sharing.SIZES, "size", "spec")):
        return (walk.focus is not None) and (walk.focus.count or 1) > 1  # "la mitad con 32 GB"
    noun = next((e for e in ahead[:3] if isinstance(e, Phrase)), None)
    return noun is not None and noun.is_definite and (noun.is_machine or noun.is_member)


def _source(walk: Walk, ahead: list[Element], target: Group | None, names: list[str]) -> tuple[Group | None, int]:
    """The machines whose sizes are meant, and where the words for them end."""
    place = next((n for n, e in enumerate(ahead) if isinstance(e, Phrase) or e.kind == "host"), len(ahead))
    for noun in ahead[place : place + 1]:
        if isinstance(noun, Token):
            return next((g for g in walk.request.groups if g.name == noun.value[0]), None), noun.end
        known = grouping.known(walk, noun) if _points_back(ahead, place) else None
        if known not in (None, target):
            return known, noun.end
    return _latest_sized(walk, target, names or sharing.SIZES), 0


def _points_back(ahead: list[Element], place: int) -> bool:
    """ "the web servers", "as MariaDB", and no number."""
    noun, before = ahead[place], ahead[place - 1] if place else None
    if not isinstance(noun, Phrase) or noun.count is not None:
        return False
    return noun.is_definite or (isinstance(before, Token) and before.text.lower() in _WHOSE)


def _latest_sized(walk: Walk, target: Group | None, names: Sequence[str]) -> Group | None:
    """ "half of that": the latest that has such a size, and rather one that was not itself compared."""
    recent = [*reversed(walk.here), *reversed(walk.last_named), *reversed(walk.request.groups)]
    recent.sort(key=lambda group: group in walk.compared)
    return next((g for g in recent if g is not target and any(getattr(g, name) is not None for name in names)), None)


def ordinal(walk: Walk, token: Token) -> None:
    """ "The first runs Vault", "the latter 8 GB": one of those that were listed or counted."""
    following = walk.elements[walk.position + 1 : walk.position + 5]
    words_end = max((e.end for e in following[:2] if e is following[0] or _is_one(e)), default=0)
    del following[1 : 1 + sum(map(_is_one, following[1:2]))]
    if names.next_called(walk, following) or _is_called_in_passing(walk):
        return
    place = _place(following)
    if place is not None:
        walk.named_until = max(walk.named_until, words_end)
        _turn_to_place(walk, place)


def _is_called_in_passing(walk: Walk) -> bool:
    """ "The first, atlas, has 8 GB; the other one, titan, …": a name between commas."""
    ahead = walk.elements[walk.position + 1 : walk.position + 6]
    del ahead[1 : 1 + sum(map(_is_one, ahead[1:2]))]
    if [kind_of(element) for element in ahead[1:4]] != ["comma", "word", "comma"]:
        return False
    which, name = ahead[0], walk.quote(ahead[2])
    if isinstance(which, Phrase) or not means_nothing(name.text):
        return False
    place = ordinals().get(fold(which.text))
    left = next((group for group in reversed(walk.pools) if group in walk.request.groups), None)
    if which.kind == "another" and left is not None:
        walk.turn_to(left)
        sharing.begin_part(walk, 1, has_purpose=True, is_of_them=True)
    elif place is not None:
        _turn_to_place(walk, place)
    if walk.focus is None or (walk.focus.count or 1) > 1 or walk.focus.name:
        return False
    walk.focus.set("name", guest_name(name.text), name)
    walk.named_until = ahead[3].end
    return True


def _place(following: list[Element]) -> int | None:
    """0 for "first", -1 for "latter", where it stands alone."""
    if not following or not isinstance(following[0], Token) or not housing.stands_alone(following[1:]):
        return None
    return ordinals().get(fold(following[0].text))


def _turn_to_place(walk: Walk, place: int) -> None:
    """The next of the machines that were only counted, or the one at this place of those that were listed."""
    pool = housing.pool(walk) or _what_is_left(walk)
    listed = _listed(walk) or (_taken_apart(walk) if pool is None else [])
    if pool is None and walk.link == "on" and len(listed) < 2 and housing.is_in_one(walk):
        return
    if pool is not None and walk.link == "on" and walk.in_focus not in (None, pool):
        housing.settle_in(walk)
    elif pool is not None:
        sharing.begin_part(walk, 1, has_purpose=True, is_of_them=True)
        attaching.apply_waiting(walk)
    elif len(listed) > max(1, place):
        walk.turn_to(listed[place])
        ordering.settle_order(walk, listed[place])
        attaching.apply_waiting(walk)


def _what_is_left(walk: Walk) -> Group | None:
    """ "All but one of the web servers get 4 GB; the last gets 16"."""
    near = (*walk.here, *walk.current, *walk.last_named)
    return next((g for g in reversed(walk.pools) if g in walk.request.groups and g in near), None)


def _taken_apart(walk: Walk) -> list[Group]:
    """ "Two Redis nodes, the first as a container": each of those that were counted is one for itself."""
    focus = walk.focus
    if focus is None or not 1 < (focus.count or 1) <= _MOST_APART or focus not in walk.request.groups:
        return []
    return sharing.taken_apart(walk, focus)


def _is_one(element: Element) -> bool:
    """ "the second one"."""
    return isinstance(element, Token) and element.text.lower() in ("one", "ones")


def _listed(walk: Walk) -> Sequence[Group]:
    """What the sentence named so far, or the one before."""
    is_spoken_of = len(walk.here) < len(walk.last_named) and all(group in walk.last_named for group in walk.here)
    for groups in (() if is_spoken_of else walk.here, walk.last_named, walk.request.groups):
        if len(groups) > 1:
            return groups
    return []
