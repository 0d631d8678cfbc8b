"""Machines that are called by a numbered name: "web01 with 2 cores", "two app servers: app1 and app2"."""

import re

from blueprints.generation import attaching, sharing
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import senses, software_facts, words_of
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_BETWEEN = ("comma", "slash")
_MOST = 201
"""More names than a blueprint has machines change nothing: it is refused."""


def read(walk: Walk, token: Token) -> None:
    """Machines of these names: those just counted, some of a larger number, or new ones."""
    if walk.is_negated or walk.is_existing:
        return
    names, until = _run(walk, token)
    walk.named_until = until
    _turn_to(walk, token, names)
    attaching.apply_waiting(walk)
    link_to_what_runs(walk)


def settle_verb(walk: Walk, token: Token) -> None:
    """ "azul lleva Jenkins": what stands behind such a verb is what the machine has."""
    if token.value in words_of("having_sizes") and walk.kinds_before(1) == ["host"]:
        walk.link = "with"


def link_to_what_runs(walk: Walk) -> None:
    """ "give juno Nextcloud and 8 GB": right behind the name of a machine without a purpose."""
    if walk.kinds_after(1) == ["phrase"] and walk.focus and walk.focus.is_generic:
        walk.link = "with"


def _turn_to(walk: Walk, token: Token, names: list[str]) -> None:
    focus = walk.in_focus
    if focus is not None and not focus.name and _are_those(walk, focus, names):
        _call(walk, focus, names, token)
        return
    if _are_spoken_of_now(walk, token):
        return
    is_listed = walk.kinds_before(1) in (["and"], ["comma"]) or walk.link in ("and", "comma")
    before = walk.current if is_listed and walk.kinds_before(2)[1:] in (["host"], ["phrase"]) else []
    if focus is not None and focus.name == "" and focus.count == _named_from(walk):
        walk.naming = focus
    groups = [_new(walk, name, token) for name in names]
    walk.turn_to(*(group for group in before if group.name), *groups)


def _are_spoken_of_now(walk: Walk, token: Token) -> bool:
    """ "Two name servers, 1 GB each. ns1 gets 10.0.0.53 and ns2 gets 10.0.0.54.": as many names as were counted before."""
    group = walk.focus
    said = dict.fromkeys(n for e in walk.elements if isinstance(e, Token) and e.kind == "host" for n in e.value)
    if walk.position or group is None or group.name or group.is_generic or not 1 < (group.count or 0) == len(said):
        return False
    probe = Group()
    _take_role(probe, next(iter(said)))
    if probe.role not in ("", group.role):
        return False
    _call(walk, group, list(said), token)
    walk.turn_to(*(copy for copy in walk.current if copy.name in token.value))
    return True


def _named_from(walk: Walk) -> int:
    """How many names this and the rest of the sentence give."""
    rest = (
        element for element in walk.elements[walk.position :] if isinstance(element, Token) and element.kind == "host"
    )
    return sum(len(element.value) for element in rest)


def _run(walk: Walk, token: Token) -> tuple[list[str], int]:
    """This name and those that follow it in a plain list."""
    names, until = list(token.value), token.end
    rest = walk.elements[walk.position + 1 :]
    for mark, following in zip(rest[::2], rest[1::2], strict=False):
        is_mark = isinstance(mark, Token) and (mark.kind in _BETWEEN or mark.value == "and")
        if not is_mark or not isinstance(following, Token) or following.kind != "host":
            break
        if {*following.value} & {*names}:
            break  # "called alpha and beta, alpha with 4 GB"
        names += following.value
        until = following.end
    return names[:_MOST], until


def _are_those(walk: Walk, focus: Group, names: list[str]) -> bool:
    """ "two web servers web1 and web2": as many names as machines, and near to them."""
    is_near = walk.kinds_before(1)[:1] in (["phrase"], ["open"], ["colon"], ["dash"], ["comma"]) or walk.link == "named"
    if focus.count is None and not focus.has_sizes:
        is_next = walk.kinds_before(1)[:1] in (["phrase"], ["open"], ["colon"])
        return walk.link == "named" or (is_next and not focus.is_umbrella)
    return is_near and focus.count == len(names)


def _call(walk: Walk, group: Group, names: list[str], token: Token) -> None:
    if _heads_a_list(walk, group):
        walk.kin = (walk.sentence, sharing.copy_of(group))
    copies = [sharing.single_of(group) for _ in names]
    for copy, name in zip(copies, names, strict=True):
        copy.set("name", name, walk.quote(token))
        if copy.is_generic:
            _take_role(copy, name)
    place = next(n for n, other in enumerate(walk.request.groups) if other is group)
    walk.request.groups[place : place + 1] = copies
    walk.here = [other for other in walk.here if other is not group]
    walk.turn_to(*copies)


def _heads_a_list(walk: Walk, group: Group) -> bool:
    """ "DNS servers: ns1 at 10.0.0.2 and ns2 at 10.0.0.3": the noun is said of all that follow."""
    noun = next((e for e in reversed(walk.elements[: walk.position]) if isinstance(e, Phrase)), None)
    is_plural = noun is not None and walk.quote(noun).text.endswith("s")
    return not group.is_generic and group.count is None and (is_plural or walk.kinds_before(1) in (["colon"], ["open"]))


def _kin(walk: Walk, name: str) -> Group | None:
    """What the list of names is headed by, as long as no other noun stands between, nor in the name."""
    probe = Group()
    _take_role(probe, name)
    said, kin = walk.kin
    if kin is None or said != walk.sentence or probe.role not in ("", kin.role):
        return None
    nouns = [e for e in walk.elements[: walk.position] if isinstance(e, Phrase)]
    return sharing.copy_of(kin) if len(nouns) == 1 else None


def _new(walk: Walk, name: str, token: Token) -> Group:
    """One of the machines that were counted without a purpose, or one more."""
    whole = next((g for g in reversed(walk.request.groups) if g is walk.naming and g.count), None)
    whole = whole or next((g for g in reversed(walk.request.groups) if _is_pool(walk, g)), None)
    walk.naming = whole
    group = sharing.copy_of(whole) if whole else _kin(walk, name) or Group()
    if whole and whole.count:
        whole.count -= 1
        if not whole.count or whole.count < 1:
            walk.drop(whole)
    _take_role(group, name)
    group.count, group.is_counted, group.sentence = 1, True, walk.sentence
    group.set("name", name, walk.quote(token))
    if walk.heading:
        sharing.inherit(group, walk.heading)
    walk.request.groups.append(group)
    return group


def _is_pool(walk: Walk, group: Group) -> bool:
    """Machines that were counted, of which some still have no name."""
    return (
        group.is_generic and not group.name and ((group.count or 0) > 1 or (group is walk.naming and bool(group.count)))
    )


def _take_role(group: Group, name: str) -> None:
    """ "db-prod-2" is a database; "triton" with a small letter is only a name."""
    for word in re.split(r"[-_.\d]+", name):
        sense = senses().get((word,))
        is_mere_word = sense is not None and word == name and bool(software_facts(sense.value).get("proper"))
        if sense and sense.kind == "software" and not group.software and not is_mere_word:
            group.software = [sense.value]
            group.role = group.role or software_facts(sense.value).get("role", "")
        elif sense and sense.kind == "role" and not group.role:
            group.role = sense.value
