"""Words that only introduce others: "Monitoring: …", "LXCs for the house: …", "VMs: 4 (2 x …, 2 x …)"."""

from dataclasses import replace

from django.utils.translation import gettext as _

from blueprints.generation import adding
from blueprints.generation.facts import Group
from blueprints.generation.normalising import LIST_MARK
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.records.cells import meaning
from blueprints.generation.sharing import SIZES, inherit
from blueprints.generation.tokens import Token
from blueprints.generation.values import apply
from blueprints.generation.walk import Walk

_DESCRIBING = frozenset(
    (
        "number",
        "machine",
        "member",
        "cpu",
        "memory",
        "disk",
        "disks",
        "spec",
        "size",
        "os",
        "gpu",
        "comma",
        "slash",
        "each",
        "and",
    )
)


_OF_PLACE = ("os", "vlan", "subnet", "gateway")
_HOMES = ("web", "app", "worker", "cms")
_HEADING_VALUES = ("vlan", "cidr", "os")


def settle_indent(walk: Walk, tokens: list[Token]) -> None:
    """A heading holds for what is indented or listed below it."""
    line = walk.text.rfind("\n", 0, tokens[0].start) + 1
    walk.indent = tokens[0].start - line
    before = walk.text[line : tokens[0].start]
    is_new_line = not before.strip(" \t-*" + LIST_MARK)
    walk.is_item = LIST_MARK in before or before.strip() == "-"
    is_key = is_new_line and walk.indent > 0 and not walk.is_item and _is_key(tokens)
    walk.goes_on = is_key or (walk.is_item and _only_describes(tokens))
    walk.is_indented = is_new_line and walk.indent > 0
    if not (is_new_line and walk.indent > walk.heading_indent >= 0):
        walk.heading, walk.heading_indent = None, -1


def _only_describes(tokens: list[Token]) -> bool:
    """ "- 3 servers", "- 2 cores, 4 GB": an item that names nothing is about its heading."""
    plain = [token.kind for token in tokens if token.kind != "stop"]
    return bool(plain) and set(plain) <= _DESCRIBING and not {"role", "software"} & set(plain)


def _is_key(tokens: list[Token]) -> bool:
    """ "engine: mariadb"."""
    return any(token.kind == "colon" for token in tokens[1:4]) or tokens[0].kind in (
        "cpu",
        "memory",
        "disk",
        "os",
        "count",
        "vlan",
    )


def counts_items(walk: Walk, phrase: Phrase) -> bool:
    """ "Mastodon for the union, three VMs:" above three items: they are counted one by one below."""
    behind = walk.text[phrase.end :].split("\n", 1)
    if (
        walk.in_focus is None
        or not phrase.insists
        or phrase.count is None
        or behind[0].strip() != ":"
        or len(behind) < 2
    ):
        return False
    marked = [line for line in behind[1].split("\n") if LIST_MARK in line]
    if len(marked) != int(phrase.count.value):
        return False
    walk.in_focus.kind = walk.in_focus.kind or ("" if phrase.kind == "any" else phrase.kind)
    walk.heading, walk.heading_indent = Group(kind=walk.in_focus.kind), walk.indent
    return True


def settle(walk: Walk, phrase: Phrase, *, is_new: bool) -> None:
    """What is said of the heading holds for what follows."""
    following = walk.elements[walk.position + 1 :]
    place = next((n for n, e in enumerate(following) if _ends_heading(e)), None)
    if not is_new or place is None or len(walk.here) > 1 or walk.focus is None:
        return
    mark = following[place]
    if isinstance(mark, Phrase) or (mark.kind == "open" and not (walk.focus.is_generic and phrase.insists)):
        return
    walk.heading = replace(walk.focus)
    walk.headings.append(walk.focus)
    walk.heading_indent = walk.indent if _is_last(following[place + 1 :]) else -1


def of_values(walk: Walk) -> None:
    """ "VLAN 300: a proxy and two web servers", "On Debian 12: …": values before a colon hold for all that follows."""
    if walk.here or not walk.waiting or any(token.kind not in _HEADING_VALUES for token, _ in walk.waiting):
        return
    walk.heading = Group()
    for token, _group in walk.waiting:
        apply(walk, token, [walk.heading])
    walk.waiting = []
    walk.heading_indent = walk.indent if _is_last(walk.elements[walk.position + 1 :]) else -1


def _ends_heading(element: Element) -> bool:
    """ "each on its own VM" may stand between."""
    if isinstance(element, Phrase):
        return not (element.is_machine and element.has("own", "each"))
    return element.kind in ("colon", "open")


def of_field(walk: Walk) -> None:
    """ "Count: 2 | Role: app server": a field of what the lines before it describe."""
    key = walk.elements[walk.position - 1] if walk.position else None
    is_first = walk.position == 1 and isinstance(key, Token) and meaning(key.text)[0] == "what"
    if is_first and walk.focus is not None and walk.focus.is_generic and len(walk.current) == 1 and walk.focus.count:
        walk.here = list(walk.current)


def _is_last(following: list[Element]) -> bool:
    return all(isinstance(element, Token) and element.kind == "stop" for element in following)


def drop(walk: Walk) -> None:
    """Take the headings out that what followed has made superfluous."""
    for group in list(walk.request.groups):
        others = [g for g in walk.request.groups if g is not group]
        if not others or _has_own_sizes(group) or group.name:
            continue
        if group.software:
            _give_to_its_parts(walk, group, others)
            continue
        _ask_about_sum(walk, group, others)
        if _is_superfluous(walk, group, others) if group.count is None else _is_sum(walk, group, others):
            for other in others if group.is_generic else ():
                inherit(other, Group(kind=group.kind, **{name: getattr(group, name) for name in _OF_PLACE}))
            walk.drop(group)
        elif group in walk.headings and group.is_generic and group not in walk.pools:
            adding.ask_about_listed(walk, group, others)


def _ask_about_sum(walk: Walk, group: Group, others: list[Group]) -> None:
    """ "Five VMs: three web servers and three databases": more are listed than were counted."""
    listed = sum((other.count or 1) + other.replicas for other in others if other.sentence == group.sentence)
    is_whole = group in walk.headings and group not in walk.pools
    if is_whole and group.is_generic and group.count and listed > group.count:
        walk.request.ask(
            _(
                "The request contradicts itself: it speaks of %(count)s machines and lists %(listed)s. Which of the two do you want?"
            )
            % {"count": group.count, "listed": listed}
        )


def _has_own_sizes(group: Group) -> bool:
    """Sizes that were said of it, and not of all that are listed."""
    return any(getattr(group, name) is not None and name not in group.general for name in SIZES)


def _give_to_its_parts(walk: Walk, group: Group, others: list[Group]) -> None:
    """ "Our Mastodon: two web servers, three workers, …": what was named as a whole runs on its parts."""
    parts = [other for other in others if other.sentence == group.sentence and other.count is not None]
    homes = [part for part in parts if part.role in _HOMES and (not part.software or part.software == group.software)]
    if group not in walk.headings or group.count is not None or len(parts) < 2 or not homes:
        return
    for home in homes:
        home.software = home.software or list(group.software)
    for other in others:
        inherit(other, Group(kind=group.kind))
    walk.drop(group)


def _is_superfluous(walk: Walk, group: Group, others: list[Group]) -> bool:
    if group.is_umbrella:
        return any(other.role in ("web", "app", "cms") and not _are_in_order(walk, group, other) for other in others)
    if group.is_generic and not group.is_counted and (not group.os or all(other.os for other in others)):
        return True
    return group in walk.headings and (
        group.is_generic or any(other.role == group.role for other in others) or _introduces_software(group, others)
    )


def _introduces_software(group: Group, others: list[Group]) -> bool:
    """ "Search engine: PostgreSQL with 8 GB": the only thing behind it plays the role, and has another one by itself."""
    behind = [other for other in others if other.sentence == group.sentence and not other.is_generic]
    return len(behind) == 1 and bool(behind[0].software)


def _are_in_order(walk: Walk, one: Group, other: Group) -> bool:
    """What starts after something else is not the same thing."""
    return any({one, other} == set(pair) for pair in walk.request.needs)


def _is_sum(walk: Walk, group: Group, others: list[Group]) -> bool:
    """Four machines, and then two and two; what is left of seven, when as many are named beside its parts."""
    if group in walk.pools and group.is_generic:
        beside = [other for other in others if other.sentence == group.sentence and other not in walk.shares]
        return bool(beside) and group.count == sum((other.count or 1) + other.replicas for other in beside)
    if group not in walk.headings or not group.is_generic:
        return False
    return group.count == sum(other.count or 1 for other in others if other.sentence >= group.sentence)
