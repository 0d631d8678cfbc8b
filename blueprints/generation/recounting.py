"""Machines counted again: "One server." at the end, "three VMs with 2 cores each" after three names, "these three"."""

from blueprints.generation import building, housing, ordering, sharing
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_ENDS = {
    **dict.fromkeys(("first", "ersten", "premiers", "premieres", "primeros", "primeras", "primi", "prime"), 1),
    **dict.fromkeys(("last", "letzten", "derniers", "dernieres", "ultimos", "ultimas", "ultimi", "ultime"), -1),
}
_SO = ("so", "thus", "hence", "therefore", "i.e", "also", "donc", "quindi", "dunque", "entonces")
_CLOSING = ("word", "exact", "stop", "bound")
_NEAR = 4
_SAID_OF_ALL = ("stop", "comma", "each", "size", "cpu", "memory", "disk", "spec", "os")
_PURPOSES = ("for", "named", "as")


def sums_up(walk: Walk, phrase: Phrase) -> bool:
    """A sentence that only counts and sizes: as many machines as were named before are those, and no more of them."""
    groups = walk.request.groups
    if phrase.count is None or not _adds_nothing(walk, phrase):
        return False
    if phrase.insists and len(groups) == 1 and groups[0].count is None:
        building.count(walk, groups[0], phrase)
    if not _are_all(walk, phrase, int(phrase.count.value)):
        return False
    for group in groups:
        group.kind = group.kind or building.kind(phrase)
    walk.turn_to(*groups)
    return True


def _adds_nothing(walk: Walk, phrase: Phrase) -> bool:
    """ "One server.", and all that was named before has a purpose and no name."""
    if phrase.has("another") or not _only_counts(walk, phrase):
        return False
    return not any(group.is_generic or group.name for group in walk.request.groups)


def _are_all(walk: Walk, phrase: Phrase, number: int) -> bool:
    """As many as were named, and sized only once."""
    groups = walk.request.groups
    if _says_sizes(walk) and any(group.has_sizes for group in groups):
        return False
    return _number_of(groups) == number and (phrase.insists or _is_open(groups[0]))


def refers_back(walk: Walk, token: Token) -> bool:
    """ "these three run the workloads", "for all three of them": those named last, as many as that."""
    if walk.kinds_before(2) == ["another", "definite"]:
        return _turn_to_others(walk, int(token.value))
    if place := _end_of_list(walk):
        return _turn_to_some(walk, place * int(token.value))
    return walk.kinds_before(1) in (["definite"], ["all"]) and _turn_to_last(walk, int(token.value))


def _end_of_list(walk: Walk) -> int:
    """1 behind "the first", -1 behind "the last"."""
    before = walk.elements[walk.position - 1] if walk.position > 1 else None
    if not isinstance(before, Token) or walk.kinds_before(2)[1:] != ["definite"]:
        return 0
    return _ENDS.get(fold(before.text), 0)


def _turn_to_some(walk: Walk, number: int) -> bool:
    """ "The first two get 2 GB": of those that were listed, each of them one machine."""
    listed = walk.here or walk.last_named
    if len(listed) <= abs(number) or any((group.count or 1) > 1 for group in listed):
        return False
    walk.turn_to(*(listed[:number] if number > 0 else listed[number:]))
    return True


def _turn_to_others(walk: Walk, number: int) -> bool:
    """ "Graylog starts last, once the other two are there": all but the one that this sentence is about."""
    others_than = walk.here if walk.in_focus else walk.last_named
    for pool in (walk.last_named, walk.request.groups):
        others = [group for group in pool if group not in others_than]
        if others and _number_of(others) == number:
            walk.turn_to(*others)
            for group in others:
                ordering.settle_order(walk, group)
            return True
    return False


def are_those(walk: Walk, phrase: Phrase) -> bool:
    """ "just that one machine", "the two servers"."""
    if not phrase.insists or phrase.count is None or phrase.has("another", "own"):
        return False
    if _is_conclusion(walk):
        return _number_of(walk.here) == int(phrase.count.value) and _turn_to_last(walk, int(phrase.count.value))
    return phrase.is_definite and _turn_to_last(walk, int(phrase.count.value))


def _is_conclusion(walk: Walk) -> bool:
    """ "each on its own, so three VMs", "es decir, tres máquinas"."""
    before = [e for e in walk.elements[max(0, walk.position - 2) : walk.position] if e is not walk.elements[0]]
    last = before[:-1] if before and isinstance(before[-1], Token) and before[-1].kind in ("comma", "exact") else before
    return bool(last) and isinstance(last[-1], Token) and (last[-1].text.lower() in _SO or last[-1].value == "so")


def closes_the_list(walk: Walk, phrase: Phrase) -> bool:
    """ "two web servers, one database: three VMs", "= 3 VMs", "…, i.e. four machines of 8 GB": as many as were named."""
    if not phrase.insists or phrase.count is None or phrase.has("another", "own", "each") or len(walk.here) < 2:
        return False
    is_set_off = walk.link in ("comma", "colon") and _is_end(walk) and not any(map(_is_own_machine, walk.here))
    number, named = int(phrase.count.value), _number_of(walk.here)
    if _is_conclusion(walk) and number > named:
        return _set_total(walk, phrase)
    if not (is_set_off or _is_conclusion(walk)) or number != named:
        return False
    for group in walk.here:
        group.kind = group.kind or building.kind(phrase)
    walk.turn_to(*walk.here)
    return True


def _is_own_machine(group: Group) -> bool:
    """ "a VM with 2 GB": one of several without a purpose, and no list of what is wanted."""
    return group.is_generic


def _is_end(walk: Walk) -> bool:
    """Nothing but sizes and the end of the sentence."""
    ahead = walk.elements[walk.position + 1 :]
    return all(isinstance(e, Token) and (e.kind in _SAID_OF_ALL or e.value in ("and", "with")) for e in ahead)


def all_on_one(walk: Walk, phrase: Phrase) -> bool:
    """ "Ghost with MySQL, one VM, 2 GB": a list of names that nobody counted or sized, and one machine."""
    is_total = "total" in (*walk.kinds_after(1), *walk.kinds_before(1)) or _is_conclusion(walk)
    is_said = _is_one(phrase) and walk.link == "comma"
    is_said |= is_total and phrase.count is not None and int(phrase.count.value) == 1
    is_for_all = phrase.count is not None and int(phrase.count.value) == 1 and "all" in walk.kinds_after(_NEAR)
    if not (is_said or is_for_all) or phrase.has("another", "own", "each") or walk.says("each"):
        return False
    groups = walk.here or (walk.last_named if is_for_all else [])
    if len(groups) < 2 or not all(_is_only_named(group) for group in groups):
        return False
    walk.turn_to(*groups)
    sharing.put_together(walk)
    if walk.focus:
        walk.focus.kind = walk.focus.kind or building.kind(phrase)
    return True


def _is_one(phrase: Phrase) -> bool:
    """ "one VM"."""
    return phrase.insists and phrase.count is not None and int(phrase.count.value) == 1


def _is_only_named(group: Group) -> bool:
    """ "Ghost": what it is for, and neither a number nor a name of its own."""
    return _is_open(group) and not group.name and not group.is_counted


def _turn_to_last(walk: Walk, number: int) -> bool:
    """The machines named last, when they are so many."""
    groups = walk.here or walk.last_named
    for first in range(len(groups)):
        if _number_of(groups[first:]) == number:
            walk.turn_to(*groups[first:])
            return True
    return False


def each(walk: Walk, token: Token) -> None:
    """ "Three VMs. Each runs etcd and Patroni": those that were counted without a purpose."""
    focus = walk.focus
    is_plain = focus is not None and focus.is_generic and not focus.name and (focus.count or 1) > 1
    if is_plain and not walk.here and walk.position == 0 and walk.kinds_after(2) == ["join", "phrase"]:
        walk.turn_to(*walk.current)


def _only_counts(walk: Walk, phrase: Phrase) -> bool:
    """Nothing else is named in the sentence, nothing is added, and no purpose is given."""
    if walk.here or walk.is_negated or not all(_names_nothing(e) for e in walk.elements if e is not phrase):
        return False
    before, after = _joins(walk.elements[: walk.position]), _joins(walk.elements[walk.position :])
    return "and" not in before and after.isdisjoint(_PURPOSES)


def _names_nothing(element: Element) -> bool:
    """A plain word or a value, neither a noun nor "web01", "another" or "of them"."""
    return isinstance(element, Token) and element.kind not in ("host", "another", "part")


def _joins(elements: list[Element]) -> set[str]:
    """The words that join: "and", "for", "with"."""
    return {str(e.value) for e in elements if isinstance(e, Token) and e.kind == "join"}


def _says_sizes(walk: Walk) -> bool:
    return any(isinstance(e, Token) and e.kind in ("size", "cpu", "memory", "disk", "spec") for e in walk.elements)


def _is_open(group: Group) -> bool:
    """Named with a purpose, neither counted nor sized: "We need a wiki. A VM with 2 cores will do." """
    return group.count is None and not group.has_sizes and not group.is_umbrella


def _number_of(groups: list[Group]) -> int:
    return sum((group.count or 1) + group.replicas for group in groups)


def is_sum(walk: Walk, phrase: Phrase) -> bool:
    """ "three machines in total", "all in all six machines"."""
    if not phrase.insists or phrase.count is None:
        return False
    if phrase.count.value == walk.listed:
        return True
    if (
        "total" not in (*walk.kinds_after(1), *walk.kinds_before(2))
        or _is_total_of_sizes(walk)
        or housing.are_shared_out(walk, phrase)
    ):
        return False
    for group in walk.here or [walk.request.defaults]:
        group.kind = group.kind or building.kind(phrase)
    return _set_total(walk, phrase)


def _set_total(walk: Walk, phrase: Phrase) -> bool:
    """So many in total, whatever the parts add up to."""
    walk.request.total_machines = int(phrase.count.value) if phrase.count else None
    walk.request.causes["total_machines"] = walk.quote(phrase)
    return True


def _is_total_of_sizes(walk: Walk) -> bool:
    """ "64 GB in total between four machines"."""
    if walk.kinds_before(1) == ["bound"] and walk.says("total") and _says_sizes(walk):
        return True  # "20 cores in total, shared out between ten VMs"
    if walk.kinds_before(1) == ["total"] and walk.in_focus and walk.in_focus.totals and walk.in_focus.count is None:
        return True  # "the farm gets 32 GB overall, spread evenly over eight VMs"
    before = [kind for kind in walk.kinds_before(4) if kind != "bound"]
    return before[:1] == ["total"] and any(kind in (*sharing.SIZES, "size") for kind in before[1:2])


def is_apposition(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "Zabbix, one VM with 8 GB", "gitea, debian 12 vm, 2c 4g": the machine of the only thing that was named."""
    is_alone = len(walk.here) == 1 and (_is_bare_software(focus) or _is_plain_machine(focus, phrase))
    is_machine = bool(phrase.kind) and _is_single(focus, phrase)
    return walk.link == "comma" and is_alone and is_machine and _is_last(walk)


def is_closing(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "MySQL, 4 cores, 8 GB, two VMs", "…, just one container": the last words count the only thing that was named."""
    is_alone = walk.here == [focus] and focus.count is None and not focus.is_generic and not focus.name
    is_counted = phrase.insists or (phrase.count is not None and phrase.has("exact"))
    is_plain = all(token.kind == "exact" for token in phrase.before)
    ahead = walk.elements[walk.position + 1 :]
    is_end = all(isinstance(e, Token) and (e.kind in _CLOSING or e.value == "is") for e in ahead)
    return walk.link == "comma" and is_alone and is_counted and is_plain and is_end


def _is_bare_software(group: Group) -> bool:
    """ "Zabbix", of which nothing else is said yet."""
    is_described = group.is_counted or group.has_sizes or bool(group.kind)
    return bool(group.software) and group.count is None and not is_described


def _is_plain_machine(group: Group, phrase: Phrase) -> bool:
    """ "a little server, 6 GB, Debian 12 LXC": what kind of machine it is was left open."""
    return group.is_generic and not (group.kind or group.name) and (group.count or 1) == 1 and phrase.count is None


def _is_single(focus: Group, phrase: Phrase) -> bool:
    """ "one VM", "debian 12 vm"."""
    return int(phrase.count.value) == 1 if phrase.count else phrase.has("os") and not focus.os


def _is_last(walk: Walk) -> bool:
    """Neither a noun nor a purpose stands behind it."""
    ahead = walk.elements[walk.position + 1 :]
    return not any(isinstance(e, Phrase) or e.value in ("for", "as", "named") for e in ahead)
