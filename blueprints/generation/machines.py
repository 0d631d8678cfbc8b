"""Machines without a purpose: "3 VMs", "on its own VM", "all servers"; often only more about what was already named."""

from collections.abc import Callable

from blueprints.generation import (
    building,
    context,
    describing,
    gathering,
    guests,
    headings,
    names,
    recounting,
    sharing,
    things,
)
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, words_of
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_SIZED = ("join", "size", "memory", "cpu", "disk", "spec", "os")
_THIS = ("that", "this", "jener", "dieser", "diesem", "cette", "ce")
_THAT = (*_THIS, "esa", "ese", "esta", "este", "quella", "questa", "questo")


def machine(walk: Walk, phrase: Phrase) -> None:
    """The first reading that fits."""
    for reading in _READINGS:
        if reading(walk, phrase):
            return
    building.new(walk, phrase)


def _of_kubernetes(walk: Walk, phrase: Phrase) -> bool:
    """ "k3s: 3 servers, 2 agents"."""
    is_plain = phrase.kind == "any" and (phrase.insists or phrase.is_key_of(walk.elements, walk.position))
    if not walk.has_kubernetes or not is_plain:
        return False
    if phrase.insists:
        return _counts_planes(walk, phrase)
    return _turns_to_planes(walk)


def _counts_planes(walk: Walk, phrase: Phrase) -> bool:
    """ "3 servers, 2 agents": those that are no agents are the control plane."""
    if not _has_agents(walk):
        return False
    phrase.role = "k8s_control"
    building.new(walk, phrase)
    return True


def _turns_to_planes(walk: Walk) -> bool:
    """ "servers: 4 cores", once there are agents beside them."""
    planes = next((group for group in walk.request.groups if group.role == "k8s_control"), None)
    if planes is None or all(group.part != "agent" for group in walk.request.groups):
        return False
    walk.turn_to(planes)
    return True


def _for_all(walk: Walk, phrase: Phrase) -> bool:
    """ "All VMs run Debian", before any is named."""
    is_for_all = phrase.has("all", "each") or "all" in walk.kinds_before(2)
    if is_for_all and phrase.count is None and not walk.request.groups and walk.times == 1:
        walk.current = [walk.request.defaults]
        walk.request.defaults.kind = building.kind(phrase)
        return True
    return False


def _is_nothing(walk: Walk, phrase: Phrase) -> bool:
    """ "server" alone."""
    if _is_item(walk):
        return False
    return phrase.count is None and not phrase.before and not walk.request.groups and not phrase.kind


def _is_not_shared(walk: Walk, phrase: Phrase) -> bool:
    """ "They must not share a machine"."""
    is_one = phrase.count is None or int(phrase.count.value) == 1
    if walk.kinds_before(1) != ["spread"] or not is_one or not walk.current:
        return False
    walk.turn_to(*(walk.here or walk.current))
    return True


def _is_any(walk: Walk, phrase: Phrase) -> bool:
    """ "Five containers. A container gets 1 core": each of those that were counted."""
    ahead = walk.elements[walk.position + 1 : walk.position + 2]
    is_any = phrase.count is not None and phrase.count.kind == "article" and not phrase.before and not walk.here
    has_some = bool(ahead) and isinstance(ahead[0], Token) and fold(ahead[0].text) in words_of("holding")
    if not (is_any and has_some):
        return False
    same = [g for g in walk.last_named if (g.count or 1) > 1 and _may_be_one_of(walk, g, phrase)]
    walk.turn_to(*(same[-1:] or walk.current))
    return bool(same)


def _may_be_one_of(walk: Walk, group: Group, phrase: Phrase) -> bool:
    """A container of the containers; "a server" of the only ones that were named, unless it gets a purpose now."""
    if group.is_generic:
        return group.kind == building.kind(phrase)
    is_alone = len(walk.last_named) == 1 and len(walk.request.groups) == 1
    others = [e for e in walk.elements if isinstance(e, Phrase) and e is not phrase]
    return is_alone and not others and building.kind(phrase) in ("", group.kind)


def _is_item(walk: Walk) -> bool:
    """ "Wanted: scanner intake server, 2 cores, …": an unknown purpose before it, and sizes behind it."""
    before, after = walk.kinds_before(1), walk.kinds_after(2)
    return (
        before == ["word"]
        and after[:1] in (["comma"], ["open"], ["colon"])
        and after[1:] in (["cpu"], ["size"], ["memory"], ["spec"])
    )


def _named(walk: Walk, phrase: Phrase) -> bool:
    if names.follows(walk, phrase) and (walk.in_focus is None or walk.in_focus.name):
        building.new(walk, phrase)
        return True
    return False


def _each(walk: Walk, phrase: Phrase) -> bool:
    if _is_one_for_each(walk, phrase):
        sharing.one_for_each(walk, phrase)
        return True
    return False


def _again(walk: Walk, phrase: Phrase) -> bool:
    if guests.is_another(walk, phrase):
        return False
    is_that_one = phrase.is_definite and phrase.count is not None and phrase.count.value == 1 and not walk.waiting
    is_of_others = _describes_others(phrase) and walk.kinds_after(1) != ["all"]  # "Debian 12 VMs throughout"
    if (phrase.count is None or is_that_one) and walk.request.groups and not is_of_others:
        _refer(walk, phrase)
        return True
    return False


def _moves_in(walk: Walk, phrase: Phrase) -> bool:
    """ "BookStack on one VM, with its MariaDB on that VM too"."""
    guest, said = walk.in_focus, walk.quote(phrase).text.lower().split()[:1]
    if guest is None or walk.link != "on" or phrase.count is not None or not set(said) & set(_THAT):
        return False
    if not _may_move(walk, guest):
        return False
    earlier = [group for group in walk.here if group is not guest] or walk.last_named
    return bool(earlier) and sharing.move_in(walk, earlier[-1], guest)


def _may_move(walk: Walk, guest: Group) -> bool:
    """ "its MariaDB": named in this sentence, with a purpose and without sizes of its own."""
    return not guest.is_generic and not guest.has_sizes and guest not in walk.last_named


def _describes_others(phrase: Phrase) -> bool:
    """ "Debian VMs" are none of those named before; "all of them Debian VMs" are."""
    return phrase.has("another") or (phrase.has("size_word", "os") and not phrase.has("all", "each"))


def _has_agents(walk: Walk) -> bool:
    """ "k3s: 3 servers, 2 agents"."""
    return any(isinstance(e, Phrase) and e.member == "agent" for e in walk.elements)


def _has_another_system(walk: Walk, phrase: Phrase) -> bool:
    """ "ubuntu 22.04 vm, rocky 9 vm": listed without a count, a system of its own is a machine of its own."""
    focus, systems = walk.in_focus, [token.value for token in phrase.before if token.kind == "os"]
    is_listed = walk.kinds_before(1) in (["comma"], ["join"]) and walk.link in ("comma", "and", "") and not phrase.count
    if not (is_listed and systems and focus and focus.is_generic and focus.os) or focus.os == systems[0]:
        return False
    for group in (focus, building.new(walk, phrase)):
        if group.count is None:
            group.set("count", 1, walk.quote(phrase))
    return True


def _is_one_for_each(walk: Walk, phrase: Phrase) -> bool:
    """ "one VM each", "each in a container of its own", "a machine for each"."""
    if _are_their_own(walk, phrase):
        return all(group.count in (None, 1) and not group.kind for group in walk.here)
    is_single = phrase.has("own") if phrase.count is None else int(phrase.count.value) == 1
    return is_single and _says_each(walk, phrase) and bool(walk.here or walk.last_named)


def _are_their_own(walk: Walk, phrase: Phrase) -> bool:
    """ "Grafana and Loki on their own VMs"."""
    is_plural = fold(walk.quote(phrase.tokens[-1]).text).endswith("s")
    return phrase.has("own") and phrase.count is None and is_plural and len(walk.here) > 1


def _says_each(walk: Walk, phrase: Phrase) -> bool:
    """ "each" behind the noun, in it, or before it in its clause."""
    before = walk.kinds_before(3)
    broken = next((n for n, kind in enumerate(before) if kind in ("close", "comma", "phrase")), len(before))
    return phrase.has("each") or "each" in (*walk.kinds_after(2), *before[:broken]) or _is_for_each(walk)


def _is_for_each(walk: Walk) -> bool:
    """ "a VM with 2 GB for each of the three": behind nothing but its sizes."""
    behind = walk.elements[walk.position + 1 :]
    end = next((n for n, e in enumerate(behind) if kind_of(e) not in _SIZED), len(behind))
    is_for = end > 0 and getattr(behind[end - 1], "value", "") == "for"
    return is_for and end < len(behind) and kind_of(behind[end]) == "each"


def _refer(walk: Walk, phrase: Phrase) -> None:
    """ "the servers", "all VMs", "… and Loki, 2 GB each, LXC containers": those named before."""
    is_for_all = phrase.has("all", "each") or (walk.link == "comma" and bool(building.kind(phrase)))
    is_for_all |= "all" in (*walk.kinds_before(2), *walk.kinds_after(1))
    is_for_all |= phrase.has("own") and not walk.here and walk.quote(phrase).text.lower().endswith("s")
    groups = (walk.here or walk.request.groups) if is_for_all else (walk.current or walk.request.groups[-1:])
    for group in groups:
        group.kind = group.kind or building.kind(phrase)
    walk.turn_to(*groups)


_READINGS: tuple[Callable[[Walk, Phrase], bool], ...] = (
    gathering.is_left,
    gathering.begins,
    headings.counts_items,
    recounting.all_on_one,
    recounting.is_sum,
    context.is_served,
    _of_kubernetes,
    _for_all,
    _is_nothing,
    _is_not_shared,
    _is_any,
    _named,
    _each,
    _moves_in,
    _has_another_system,
    sharing.covers_the_list,
    recounting.are_those,
    things.on_machines,
    recounting.closes_the_list,
    describing.more,
    recounting.sums_up,
    _again,
)
