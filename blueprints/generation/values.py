"""What a value sets: sizes, totals, disks, systems, networks and addresses of the machines that it was given to."""

import re
from collections.abc import Callable
from itertools import pairwise

from django.utils.translation import gettext as _

from blueprints.generation import addressing, sharing
from blueprints.generation.facts import Group
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk
from blueprints.schema.sizes import GIB, TIB, format_size
from blueprints.sentences import amount, term

LEAST_DISK = 100 * GIB
_LEAST_ODD = 20 * GIB
_USUAL_MEMORY = (128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1536)
_MEMORY_SIZES = (20, 24, 28, 32, 36, 48, 56, 64, 72, 80, 96)
SIZES = ("cpu", "memory", "disk")
VALUE_KINDS = (
    "disks",
    "spec",
    "cpu",
    "memory",
    "disk",
    "size",
    "size_word",
    "gpu",
    "os",
    "vlan",
    "cidr",
    "ip",
    "ips",
    "shared",
)


def apply(walk: Walk, token: Token, groups: list[Group]) -> None:
    """One value for these machines; those that have one keep it when it was said of several."""
    if token.kind in _READINGS:
        _READINGS[token.kind](walk, token, groups or [walk.request.defaults])


def set_value(walk: Walk, groups: list[Group], name: str, value: object, token: Token) -> None:
    """Where several share a value, one that has its own keeps it; said twice of the same, it is a question."""
    for group in groups:
        before = getattr(group, name)
        if _is_said_in_sum(walk, group, name, value):
            continue
        if not before or before == value:
            group.set(name, value, walk.quote(token))
            (group.general.add if len(groups) > 1 else group.general.discard)(name)
        elif walk.amends(token, group.causes.get(name)) or (len(groups) == 1 and name in group.general):
            group.set(name, value, walk.quote(token))
            group.general.discard(name)
        elif len(groups) == 1:
            _replace(walk, group, name, value, token)


def _is_said_in_sum(walk: Walk, group: Group, name: str, value: object) -> bool:
    """ "three with 8 GB each, 24 GB altogether": the same again, added up."""
    each = getattr(group, name)
    is_of_each = walk.mark == "total" and name in SIZES and each and name not in group.totals
    return bool(is_of_each) and group.count is not None and group.count > 1 and each * group.count == value


def _is_part_of_sum(walk: Walk, group: Group, name: str, token: Token) -> bool:
    """ "32 GB in total for the two caches, 16 GB each": the same divided, or a contradiction."""
    total, count, value = getattr(group, name), group.count or 1, token.value
    if walk.mark != "each" or name not in group.totals or not isinstance(value, int) or count < 2:
        return False
    cause = group.causes.get(name)
    if cause is None or not walk.elements or cause.start < walk.elements[0].start:
        return False  # "16 cores in total would be excessive; 2 cores per worker"
    if value * count == total:
        group.set(name, value, walk.quote(token))
        group.totals.discard(name)
    else:
        shown = [str(v) if name == "cpu" else format_size(v).replace("GB", " GB") for v in (total, value)]
        walk.request.ask(
            _(
                "The request contradicts itself: %(whole)s in total, and %(each)s for each of %(count)s. Which of the two is it?"
            )
            % {"whole": amount(name, shown[0]), "each": shown[1], "count": group.count}
        )
    return True


def _replace(walk: Walk, group: Group, name: str, value: object, token: Token) -> None:
    """A second value: a further disk, or a question, unless it was only inherited."""
    before = getattr(group, name)
    if name == "os" and _is_other_system(group, str(before), str(value)):
        walk.request.ask(
            _("The request contradicts itself: %(first)s and also %(second)s on one machine. Which is it?")
            % {"first": before, "second": value}
        )
    is_said = name in group.causes and name in SIZES
    if is_said:
        _second(walk, group, name, int(before), token)
    if not is_said or name != "disk":
        group.set(name, value, walk.quote(token))


def _is_other_system(group: Group, before: str, value: str) -> bool:
    """One machine runs one system; "debian" and then "debian-12" are the same."""
    is_single = group.count == 1 or (group.count is None and group.is_counted)
    return bool(before) and is_single and "os" in group.causes and before.split("-")[0] != value.split("-")[0]


def _second(walk: Walk, group: Group, name: str, before: int, token: Token) -> None:
    value = token.value
    if name == "disk" and isinstance(value, int) and not _is_the_same_disk(walk):
        group.further_disks.append(value)
        addressing.quote_also(walk, group, "further_disks", token)
        return
    if name in group.totals or walk.request.defaults is group:
        return
    first, second = (
        str(v) if name == "cpu" else format_size(int(str(v))).replace("GB", " GB") for v in (before, value)
    )
    what = term((group.software or [group.role or "machine"])[0])
    walk.request.ask(
        _("The request contradicts itself: the %(what)s gets %(first)s and also %(second)s. Which is it?")
        % {"what": what, "first": first, "second": amount(name, second)}
    )


def _is_the_same_disk(walk: Walk) -> bool:
    """ "100 GB of disk. The disk has 50 GB.": the one that was spoken of, and no second one."""
    before = [element for element in walk.elements[: walk.position] if isinstance(element, Token)]
    return any(
        label.kind == "label"
        and label.value == "disk"
        and pointing.kind == "definite"
        and not label.text.lower().endswith("s")
        for pointing, label in pairwise(before)
    )


def _sized(name: str) -> Callable[[Walk, Token, list[Group]], None]:
    def read(walk: Walk, token: Token, groups: list[Group]) -> None:
        rest = [group for group in groups if not _is_part_of_sum(walk, group, name, token)]
        set_value(walk, rest, name, token.value, token)
        for group in rest:
            if not _is_said_in_sum(walk, group, name, token.value):
                _mark_total(walk, group, name)

    return read


def _mark_total(walk: Walk, group: Group, name: str) -> None:
    if name == "memory":
        group.memory_sentence = walk.sentence
    if name in SIZES:
        (group.totals.add if walk.mark == "total" else group.totals.discard)(name)


def _size(walk: Walk, token: Token, groups: list[Group]) -> None:
    """A size without a word: memory first, unless it can only be a disk."""
    holder = groups[-1]
    if _is_said_in_sum(walk, holder, "memory", token.value):
        return
    if not _is_large_for_memory(holder, token) and _is_part_of_sum(walk, holder, "memory", token):
        return
    is_general = "memory" in holder.general and len(groups) == 1 and token.value < LEAST_DISK
    is_behind_memory = not is_general and _is_behind_memory(walk, holder, token)
    share = token.become("size", token.value // (holder.count or 1)) if walk.mark == "total" else token
    is_disk = is_behind_memory or _is_large_for_memory(holder, share) or _is_odd_for_memory(holder, share)
    _sized("disk" if is_disk else "memory")(walk, token, groups)


def _is_behind_memory(walk: Walk, group: Group, token: Token) -> bool:
    """ "8 GB, 50 GB": the memory was said just before, or this is too large to be said of it again."""
    if group.memory is None:
        return False
    if walk.amends(token, group.causes.get("memory")) and token.value < LEAST_DISK:
        return False
    is_near = group.memory_sentence == walk.sentence or _is_same_line(walk, group, token)
    return is_near or token.value >= LEAST_DISK


def _is_large_for_memory(group: Group, token: Token) -> bool:
    """ "500 GB", "a file server with 256 GB", "2 TB": as large as a disk, and no usual memory of many cores."""
    is_usual = token.value / GIB in _USUAL_MEMORY and group.cpu is not None and token.value < TIB
    return token.value >= LEAST_DISK and not is_usual


def _is_same_line(walk: Walk, group: Group, token: Token) -> bool:
    """ "6gb | 50gb"."""
    cause = group.causes.get("memory")
    return (
        cause is not None
        and 0 < cause.end < token.start
        and not re.search(r"[\n.;!?]", walk.text[cause.end : token.start])
    )


def _is_odd_for_memory(group: Group, token: Token) -> bool:
    """ "a database with 50 GB": nobody puts 50 GB of memory into a machine."""
    return group.cpu is None and token.value >= _LEAST_ODD and token.value / GIB not in _MEMORY_SIZES


def _disks(walk: Walk, token: Token, groups: list[Group]) -> None:
    """ "two data disks of 200 GB"; the first is the system's when nothing else is said."""
    count, size, is_extra = token.value
    for group in groups:
        is_first = group.disk is None and not is_extra
        if is_first:
            group.set("disk", size, walk.quote(token))
        if further := [size] * (count - is_first):
            group.further_disks += further
            addressing.quote_also(walk, group, "further_disks", token)


def _spec(walk: Walk, token: Token, groups: list[Group]) -> None:
    """ "4/16/200": cores, memory, disk."""
    for name, value in zip(SIZES, token.value, strict=False):
        set_value(walk, groups, name, value, token.become(name, value))


def _shared(walk: Walk, token: Token, groups: list[Group]) -> None:
    """A value for each, in their order."""
    if len(groups) == 1 and groups[0].count == len(token.value):
        groups = sharing.taken_apart(walk, groups[0])
    for value, group in zip(token.value, groups, strict=False):
        apply(walk, value, [group])


def _gpu(walk: Walk, token: Token, groups: list[Group]) -> None:
    for group in groups:
        if group.gpu <= 1:
            group.set("gpu", token.value, walk.quote(token))


def _spread(walk: Walk, token: Token, groups: list[Group]) -> None:
    """On different hosts; what has to outlive one of them is more than one."""
    for group in groups:
        group.set("is_spread", True, walk.quote(token))
        group.is_ha |= token.value == "ha"


_READINGS: dict[str, Callable[[Walk, Token, list[Group]], None]] = {
    "cpu": _sized("cpu"),
    "memory": _sized("memory"),
    "disk": _sized("disk"),
    "size": _size,
    "size_word": _sized("size"),
    "os": _sized("os"),
    "vlan": addressing.vlan,
    "gpu": _gpu,
    "shared": _shared,
    "disks": _disks,
    "spread": _spread,
    "spec": _spec,
    "cidr": addressing.cidr,
    "ip": addressing.address,
    "ips": addressing.addresses,
}
