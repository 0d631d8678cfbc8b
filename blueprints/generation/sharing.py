"""Several things on one machine, one machine for each of several, and parts of a larger number."""

from dataclasses import replace

from blueprints.generation.facts import Group, rule
from blueprints.generation.phrases import Phrase
from blueprints.generation.walk import Walk

SIZES = ("cpu", "memory", "disk")
_HANDED_DOWN = (
    *SIZES,
    "os",
    "kind",
    "vlan",
    "subnet",
    "gateway",
    "cards",
    "gpu",
    "size",
    "backup_schedule",
    "backup_days",
)


def inherit(group: Group, source: Group) -> None:
    """What was said of all of them, where the group says nothing of its own."""
    for name in _HANDED_DOWN:
        if not getattr(group, name) and getattr(source, name):
            setattr(group, name, getattr(source, name))
            if name in source.causes and name != "kind":
                group.causes.setdefault(name, source.causes[name])
            if name in source.totals:
                group.totals.add(name)
    group.is_ha |= source.is_ha
    group.is_spread |= source.is_spread


def put_together(walk: Walk) -> None:
    """ "Prometheus and Grafana together on one VM", "keep its database on the same machine": one machine with both."""
    focus = walk.focus
    if focus is None or not _is_single(focus) or _is_put_together(walk):
        return
    if getattr(walk.elements[walk.position], "value", "") == "local":
        _take_in_all(walk)
        return
    earlier = _neighbours(walk, focus)
    if not earlier or not all(_is_single(group) for group in earlier):
        return
    walk.put_together_at = walk.position
    for guest in [*earlier, focus][1:]:
        _move_in(walk, earlier[0], guest)
    walk.turn_to(earlier[0])


def _take_in_all(walk: Walk) -> None:
    """ "NetBox on one VM, with PostgreSQL and Redis installed locally": the first of the sentence is their home."""
    home, *guests = walk.here
    for guest in guests:
        if not guest.has_sizes and not guest.kind:
            move_in(walk, home, guest)


def _neighbours(walk: Walk, focus: Group) -> list[Group]:
    """Those of the same list, without what has sizes of its own; or what was named last before the sentence."""
    if len(walk.here) < 2 and focus in walk.here:
        others = [group for group in walk.request.groups if group is not focus]
        return others[-1:] if walk.link != "on" else []
    named = _named_since_last_place(walk)
    if len(named) > 1 and all(noun.software and set(noun.software) <= set(focus.software) for noun in named):
        return []  # "one VM for GitLab, one VM for Nexus and SonarQube together"
    number = len(named)
    near = walk.here[-number:] if 1 < number < len(walk.here) else walk.here
    earlier = [group for group in near if group is not focus]
    return [group for group in earlier if not group.has_sizes] or earlier


def _named_since_last_place(walk: Walk) -> list[Phrase]:
    """ "GitLab on VM 1, Nexus and SonarQube together": what has a place already is none of them."""
    named: list[Phrase] = []
    for element in reversed(walk.elements[: walk.position]):
        if isinstance(element, Phrase):
            if element.is_machine and (named or element.count is not None):
                break
            named += [] if element.is_machine or element.is_member else [element]
        elif named and (element.kind == "together" or (element.kind == "join" and element.value == "on")):
            break
    return named


def _is_put_together(walk: Walk) -> bool:
    """ "together on the same machine" says it once; another list may follow."""
    behind = walk.elements[walk.put_together_at : walk.position] if walk.put_together_at >= 0 else []
    return walk.put_together_at >= 0 and not any(isinstance(e, Phrase) and not e.is_machine for e in behind)


def move_in(walk: Walk, home: Group, guest: Group) -> bool:
    """One machine takes in what is small enough to run beside its own."""
    if not (_is_single(home) and _is_single(guest)):
        return False
    _move_in(walk, home, guest)
    walk.turn_to(home)
    return True


def lodge_in_one(walk: Walk, home: Group, guest: Group) -> bool:
    """ "Redis runs on one of the web servers": one of those that were counted takes in what has no machine of its own."""
    if home is guest or (home.count or 1) < 2 or not _is_single(guest) or guest.has_sizes or not guest.software:
        return False
    part = _copy(home, is_for_another=False)
    part.count, home.count = 1, (home.count or 1) - 1
    walk.request.groups.insert(walk.request.groups.index(home) + 1, part)
    _move_in(walk, part, guest)
    walk.turn_to(part)
    return True


def _is_single(group: Group) -> bool:
    return (group.count or 1) == 1 and not group.replicas


def _move_in(walk: Walk, home: Group, guest: Group) -> None:
    home.software += [name for name in guest.software if name not in home.software]
    if not guest.software and guest.role and guest.role != home.role:
        home.services.append(guest.role)
    inherit(home, guest)
    walk.drop(guest)


def covers_the_list(walk: Walk, phrase: Phrase) -> bool:
    """ "Grafana, Prometheus and Loki, 3 separate LXCs": as many as were just named."""
    listed = [group for group in walk.here if group.count is None]
    if len(listed) < 2 or not phrase.insists or phrase.count is None or phrase.count.value != len(listed):
        return False
    if any(isinstance(e, Phrase) and e.is_machine and e.insists for e in walk.elements[: walk.position]):
        return False  # "Redis on one VM, nginx on two VMs": each of them has its own number
    _all_are(walk, listed, phrase)
    return True


def one_for_each(walk: Walk, phrase: Phrase) -> None:
    """ "one VM each", "each in its own container"."""
    groups = walk.here or walk.last_named
    _all_are(walk, groups if is_several(groups) else list(walk.request.groups), phrase)


def is_several(groups: list[Group]) -> bool:
    """Whether "each" and "all" can be said of these."""
    return sum(group.count or 1 for group in groups) > 1


def _all_are(walk: Walk, groups: list[Group], phrase: Phrase) -> None:
    for group in groups:
        group.is_umbrella = False  # the app has a machine of its own
        if not group.kind and phrase.kind != "any":
            group.set("kind", phrase.kind, walk.quote(phrase))
    walk.turn_to(*groups)


def begin_part(walk: Walk, count: int | None, *, has_purpose: bool, is_of_them: bool = False) -> None:
    """ "5 of them", "one with 2 cores", "the rest": some of a larger number named before."""
    whole = _whole(walk, count, is_sized=has_purpose, is_of_them=is_of_them)
    if whole is None:
        _without_whole(walk, count)
        return
    taken = min(count if count is not None else whole.count or 1, whole.count or 1)
    part = _copy(whole, is_for_another=has_purpose and whole.is_generic)
    part.count, part.is_share = taken, is_of_them
    part.general |= {name for name in SIZES if getattr(part, name) is not None}
    whole.count = (whole.count or 0) - taken
    walk.pools.append(whole)
    walk.shares.append(part)
    walk.add(part)
    walk.part = part
    if not whole.count:
        walk.drop(whole)
        walk.turn_to(part)


def copy_of(group: Group) -> Group:
    """Machines like these, not yet named."""
    return _copy(group, is_for_another=True)


def single_of(group: Group) -> Group:
    """One of these machines, with its share of what was said of all of them together."""
    single = copy_of(group)
    single.count, single.totals = 1, set()
    for name in group.totals:
        value = getattr(group, name)
        single.set(
            name,
            max(1, value // (group.count or 1)),
            rule(f"{group.causes[name].text} in total, divided by {group.count or 1}"),
        )
    return single


def taken_apart(walk: Walk, group: Group) -> list[Group]:
    """Each of those that were counted as one for itself."""
    single = [copy_of(group) for _ in range((group.count or 1) - 1)]
    for one in (group, *single):
        one.count = 1
    place = walk.request.groups.index(group) + 1
    walk.request.groups[place:place] = single
    walk.turn_to(group, *single)
    return [group, *single]


def _copy(whole: Group, *, is_for_another: bool) -> Group:
    part = replace(whole, software=list(whole.software), ips=[], words=set(whole.words), name="")
    part.causes, part.further_disks, part.services = dict(whole.causes), list(whole.further_disks), []
    part.totals, part.general, part.wants = set(whole.totals), set(whole.general), []
    part.is_exact = part.is_exact and not is_for_another
    return part


def _whole(walk: Walk, count: int | None, *, is_sized: bool, is_of_them: bool) -> Group | None:
    """The latest machines that so many can be part of; first those of which some were told apart already."""
    found = [g for g in reversed(walk.request.groups) if (g.count or 0) >= (count or 1) and g is not walk.part]
    found.sort(key=lambda group: group not in walk.pools)
    generic = next((g for g in found if _is_pool(walk, g) and (is_sized or not g.has_sizes)), None)
    return generic or next((g for g in found if _is_open_and_near(walk, g, is_of_them=is_of_them)), None)


def _is_pool(walk: Walk, group: Group) -> bool:
    """ "eight VMs", "a VM" without sizes, or what is left of machines that were divided already."""
    is_nameless = group.is_generic and not group.name
    return is_nameless and ((group.count or 0) > 1 or not group.has_sizes or group in walk.pools)


def _is_open_and_near(walk: Walk, group: Group, *, is_of_them: bool) -> bool:
    """ "three web servers, one of them with 8 GB": several just named, and nobody said yet how large they are, unless it is
    said that some of them are meant."""
    is_near = group in (*walk.here, *walk.current, *walk.last_named)
    is_divided = is_of_them and group in walk.pools
    return is_near and (is_of_them or not group.has_sizes) and ((group.count or 0) > 1 or is_divided)


def _without_whole(walk: Walk, count: int | None) -> None:
    focus = walk.focus
    if count is None:
        return
    if focus and focus.count is None:
        focus.count = count
    elif focus and not focus.is_generic and walk.kinds_after(2) == ["join", "phrase"]:
        walk.part = walk.add(Group(count=count, kind=focus.kind, os=focus.os))
    elif focus and not focus.is_generic:
        part = _copy(focus, is_for_another=False)
        part.cpu = part.memory = part.disk = None
        part.count = count
        walk.add(part)
    else:
        walk.part = walk.add(Group(count=count, kind=focus.kind, os=focus.os) if focus else Group(count=count))


def takes_part(walk: Walk, phrase: Phrase) -> bool:
    """Whether the phrase says what a part of a larger number is for."""
    is_open = walk.part is not None and walk.part is walk.focus and walk.part.is_generic
    return is_open and not phrase.insists and walk.link in ("is", "for", "as", "with", "on", "colon")
