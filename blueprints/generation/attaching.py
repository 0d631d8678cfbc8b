"""Values: which machines a size, a system or an address belongs to."""

import re
from functools import cache

from blueprints.generation import addressing, companions, elided, measuring, opening, placing
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, table
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.sharing import is_several
from blueprints.generation.tokens import Token
from blueprints.generation.values import SIZES, apply
from blueprints.generation.walk import Walk, kind_of

_FAR = 80
"""Farther away in one sentence, nothing is about a value any more."""
_BETWEEN_VALUES = {"comma", "slash", *SIZES, "size", "os"}
_ATTRIBUTES = {"vlan": "vlan", "cidr": "subnet", "os": "os"}
_SAME = ("same", "selben", "gleichen", "demselben", "meme", "misma", "mismo", "stessa", "stesso")
_PRONOUNS = ("it", "they", "er", "sie", "es", "diese", "ils", "elles", "il", "elle", "ellos", "ellas", "essi", "esse")
_PLACES = ("vlan", "cidr")


def give(walk: Walk, token: Token) -> None:
    """A value goes to the machines in focus, or waits for the noun that follows it."""
    walk.mark = measuring.mark(walk)
    elided.remember(walk, token)
    if _begins_a_clause(walk, token):
        walk.turn_to()
        walk.mark = ""
        _mention_next(walk)
    if walk.mark == "all" and not walk.here and not walk.request.groups:
        apply(walk, token, [walk.request.defaults])
    elif _is_for_everything(walk) or ("all" in measuring.marks_behind(walk) and not walk.here):
        apply(walk, token, walk.request.groups)
    elif opening.is_of_before(walk):
        apply(walk, token, _sharers(walk) if walk.mark == "each" else walk.current)
    elif _is_shared_with_next(walk, token):
        apply(walk, token, walk.here)
        walk.waiting.append((token, ""))
    elif opening.is_for_an_ordinal(walk) or _waits(walk, token):
        walk.waiting.append((token, walk.mark))
    else:
        if noun := companions.head(walk):
            walk.turn_to(noun)
        apply(walk, token, _targets(walk, token))


def _is_for_everything(walk: Walk) -> bool:
    """ "Give everything 2 cores and 8 GB, but 6 cores for Postgres"."""
    before = walk.elements[max(0, walk.position - _FAR) : walk.position]
    here = walk.elements[walk.position]
    is_said = any(isinstance(e, Token) and e.kind == "all" for e in before)
    is_broken = any(isinstance(e, Phrase) or e.kind in ("colon", here.kind) or e.value == "but" for e in before)
    return is_said and not is_broken and bool(walk.request.groups)


def has_alike(walk: Walk) -> bool:
    return walk.alike[0] == walk.sentence and walk.focus is not None


def _is_shared_with_next(walk: Walk, token: Token) -> bool:
    """ "two proxies and, in the same VLAN 25, five app servers": the network of both."""
    before = walk.elements[walk.position - 1] if walk.position else token
    is_same = isinstance(before, Token) and fold(before.text) in _SAME
    return is_same and token.kind in ("vlan", "cidr") and bool(walk.here) and _next_phrase(walk) is not None


def give_alike(walk: Walk, token: Token) -> None:
    _, kind, unit = walk.alike
    give(walk, token.become(kind, int(token.value * unit)))


def _begins_a_clause(walk: Walk, token: Token) -> bool:
    """ "…, Debian 12 for the web server", "Debian 12 everywhere, Alpine for the proxy"."""
    before = walk.elements[walk.position - 1] if walk.position else token
    is_said = bool(walk.here or walk.request.defaults.os)
    is_first = is_said and isinstance(before, Token) and (before.kind == "comma" or before.value in ("and", "but"))
    following = walk.elements[walk.position + 1 : walk.position + 3]
    is_for = len(following) == 2 and isinstance(following[0], Token) and following[0].value == "for"
    return token.kind == "os" and is_first and is_for and isinstance(following[1], Phrase)


def _mention_next(walk: Walk) -> None:
    """What it is for may be named here for the first time: then it is no purpose of something else."""
    noun = walk.elements[walk.position + 2]
    if isinstance(noun, Phrase) and not walk.here and not any(group.role == noun.role for group in walk.request.groups):
        del walk.elements[walk.position + 1]


def apply_waiting(walk: Walk) -> None:
    """The noun has come: everything that was said before it is about it."""
    waiting, walk.waiting = walk.waiting, []
    for token, walk.mark in waiting:
        apply(walk, token, walk.current or [walk.request.defaults])


def _waits(walk: Walk, token: Token) -> bool:
    """ "With 2 cores each, I'd like 6 VMs"; "8 GB for the application server, 32 GB for the database"."""
    following = _next_phrase(walk)
    if following is None or walk.current == [walk.request.defaults]:
        return False
    if not walk.here and not walk.heading:
        return not walk.current or not _is_statement(walk)
    if _is_next_place(walk, token, following):
        return True
    between = [e for e in walk.elements[walk.position + 1 : following] if isinstance(e, Token)]
    has_but = any(token.value == "but" for token in between)
    if has_but or addressing.opens_a_clause(walk, between):
        return not has_but
    if any(token.kind == "join" and token.value == "for" for token in between):
        return _is_for_a_known(walk, between, following) or _is_parallel(walk, following)
    is_before_noun = walk.kinds_before(1) in (["article"], ["number"])
    return bool(between) and is_before_noun and {token.kind for token in between} <= _BETWEEN_VALUES


def _is_next_place(walk: Walk, token: Token, following: int) -> bool:
    """ "in VLAN 40 two caches, in VLAN 41 a web server": behind a comma a second network is that of the next noun."""
    if token.kind not in _PLACES or _says(walk.elements[walk.position + 1 : following], "comma", "stop", "colon"):
        return False
    if any(waiting.kind in _PLACES for waiting, _ in walk.waiting):
        return True
    clause = walk.elements[: walk.position]
    last = max((place for place, e in enumerate(clause) if isinstance(e, Phrase)), default=-1)
    is_said = walk.in_focus is not None and bool(getattr(walk.in_focus, _ATTRIBUTES[token.kind]))
    return is_said and _says(clause[last + 1 :], "comma", "dash")


def _says(elements: list[Element], *kinds: str) -> bool:
    return any(isinstance(element, Token) and element.kind in kinds for element in elements)


def _is_said_of_each(walk: Walk) -> bool:
    """ "2 GB for each, 8 GB for the database", "2 GB each except …": of those named before, and not of what comes next."""
    behind = walk.elements[walk.position + 1 : walk.position + 4]
    kinds = [kind_of(element) for element in behind]
    return (kinds == ["join", "each", "comma"] and walk.position == 0) or kinds[:2] == ["each", "without"]


def _is_for_a_known(walk: Walk, between: list[Token], following: int) -> bool:
    """ "Jira with Postgres, 8 cores 16 GB for Jira": what was named before is spoken of again."""
    phrase = walk.elements[following]
    if isinstance(phrase, Token):
        return between[-1].value == "for"
    if phrase.insists or phrase.is_machine:
        return False
    kinds = {token.kind for token in between}
    is_plain = kinds <= {*SIZES, "size", "join", "comma", "each", "definite"}
    return is_plain and any(
        set(phrase.software) & set(group.software)
        or (phrase.role and not phrase.software and group.role == phrase.role)
        for group in walk.request.groups
        if group is not walk.focus or len(walk.current) > 1
    )


def _is_statement(walk: Walk) -> bool:
    """ "It has 16 GB, and …", "Each of them gets 4 cores, and …": speaks of what was named before."""
    first = walk.elements[0]
    is_subject = isinstance(first, Token) and (first.kind in ("each", "all") or fold(first.text) in _PRONOUNS)
    is_denied = _says(walk.elements[: walk.position], "without")  # "They must not be in VLAN 19, only the proxy is"
    return _is_said_of_each(walk) or (is_subject and walk.position > 0 and not is_denied)


def _next_phrase(walk: Walk) -> int | None:
    for place in range(walk.position + 1, min(walk.position + _FAR, len(walk.elements))):
        if isinstance(walk.elements[place], Phrase) or _is_name_for(walk, place):
            return place
    return None


def _is_name_for(walk: Walk, place: int) -> bool:
    """ "4 GB for zeus", "2 cores, 4 GB: web1 and web2"."""
    before = walk.elements[place - 1]
    is_led = isinstance(before, Token) and (before.value == "for" or before.kind == "colon")
    return is_led and kind_of(walk.elements[place]) == "host"


def _is_parallel(walk: Walk, following: int) -> bool:
    """ "… 4 cores for the first, 8 cores for the second": every value before a "for" since the last noun, as before."""
    join = walk.elements[following - 1]
    back = walk.position
    while back >= 0 and not isinstance(walk.elements[back], Phrase):
        back -= 1
    middle = [e for e in walk.elements[walk.position + 1 : following] if isinstance(e, Token)]
    last = next((e for e in reversed(middle) if e.kind == "join" and e.value == "for"), None)
    breaks = ("another", "colon", *(() if isinstance(join, Phrase) else ("word", "verb")))
    if last is None or any(e.kind in breaks for e in middle):  # "uno per Pi-hole con 1 GB e l'altro per Uptime Kuma"
        return False
    if last.text.lower() in ("per", "pro", "par", "por"):
        return True
    return back > 0 and walk.came_by_for


def _targets(walk: Walk, token: Token) -> list[Group]:
    if not walk.current or walk.current == [walk.request.defaults]:
        return [walk.request.defaults]
    if walk.is_network and token.kind in ("vlan", "cidr", "ip") and walk.last_label != "virtual_ip":
        return [walk.request.network]
    if walk.mark == "all":
        return walk.here if is_several(walk.here) else walk.request.groups
    if name := _ATTRIBUTES.get(token.kind):
        is_for_list = _is_said_of_several(walk) or _closes_the_list(walk, token) or _is_said_of_pair(walk, token)
        listed = [g for g in (walk.here if is_for_list else placing.siblings(walk)) if not getattr(g, name)]
        if listed and (is_for_list or len(listed) > 1):
            return listed
    if walk.mark == "each" and _reaches_back(walk):
        walk.shared = walk.shared or _sharers(walk)
        return walk.shared
    return walk.request.groups if token.kind == "os" and _stands_alone(walk) else walk.current


def _closes_the_list(walk: Walk, token: Token) -> bool:
    """ "k3s: 1 server 2c/4G, 3 agents 4c/8G, debian 12": set off behind all of them, and none has a system or network yet."""
    is_last = walk.kinds_before(1) == ["comma"] and walk.kinds_after(1) in ([], ["stop"])
    has_one = any(getattr(group, _ATTRIBUTES[token.kind]) for group in walk.here)
    return is_last and len(walk.here) > 1 and not has_one and (token.kind == "os" or _is_first_comma(walk))


def _is_first_comma(walk: Walk) -> bool:
    """ "…, 1x pg 8g, vlan 20": behind the last noun nothing else is set off by a comma."""
    behind: list[Element] = []
    for element in reversed(walk.elements[: walk.position - 1]):
        if isinstance(element, Phrase):
            break
        behind.append(element)
    return bool(behind) and not _says(behind, "comma")


def _is_said_of_several(walk: Walk) -> bool:
    """ "the application and its database go in VLAN 81"."""
    for element in reversed(walk.elements[: walk.position]):
        if isinstance(element, Phrase):
            return False
        if element.text.lower() in _plural_verbs():
            return True
    return False


def _is_said_of_pair(walk: Walk, token: Token) -> bool:
    """ "web and API on VLAN 20, the database on VLAN 30": each pair has one network, and so has what stands against it."""
    has_another = any(kind_of(e) == token.kind and e is not token for e in walk.elements)
    said = " ".join(kind_of(e) for e in walk.elements[: walk.position] if kind_of(e) != "label")
    before = re.sub(r"open [a-z ]*?close ?", "", said)
    return has_another and before == "phrase join phrase join" and len(walk.here) > 1


@cache
def _plural_verbs() -> frozenset[str]:
    return frozenset(table("plain")["plural_verbs"].split())


def _sharers(walk: Walk) -> list[Group]:
    """Those that were just listed, without what has sizes of its own."""
    near = walk.here or walk.last_named
    near = near if walk.here or is_several(near) else walk.request.groups
    listed = [group for group in near if group in walk.current or not _is_heading(walk, group)]
    if all(group.name for group in listed):
        return listed
    return [group for group in listed if not group.has_sizes or group in walk.current]


def _is_heading(walk: Walk, group: Group) -> bool:
    """ "Boxes for the rehearsal: 5 Debian VMs, 1 core each": the boxes are those VMs."""
    return group in walk.headings and group.is_generic and group.count is None


def _reaches_back(walk: Walk) -> bool:
    """ "two nginx and three Tomcat, 4 GB each": set off by a comma, or said of single ones, it is for all of the list."""
    focus = walk.focus
    if focus is None or (focus.count or 1) == 1:
        return True
    for element in reversed(walk.elements[: walk.position]):
        if isinstance(element, Phrase):
            return False
        if element.kind in ("comma", "dash", "colon"):
            return True
    return True


def _stands_alone(walk: Walk) -> bool:
    """A line with nothing but a system: "OS: Debian 12"."""
    others = [e for e in walk.elements if isinstance(e, Phrase) or e.kind in (*SIZES, "size", "gpu", "vlan", "ip")]
    return not others and not walk.here and len(walk.request.groups) > 1 and not walk.is_indented
