"""Several things on one machine, or one machine for each of several."""

from blueprints.generation.facts import Group
from blueprints.generation.state import State


def put_together(state: State) -> None:
    """ "Prometheus and Grafana together on one VM", "keep its database on the same machine": one machine with both."""
    focus = state.focus
    if focus is None or not _is_single(focus) or focus.sentence != state.sentence:
        return
    others = [group for group in state.request.groups if group is not focus]
    earlier = [group for group in others if group.sentence == state.sentence] or others[-1:]
    if not all(_is_single(group) for group in earlier):
        return
    for guest in [*earlier, focus][1:]:
        _move_in(state, earlier[0], guest)
    state.focus = earlier[0] if earlier else focus


def _is_single(group: Group) -> bool:
    return (group.count or 1) == 1


def _move_in(state: State, home: Group, guest: Group) -> None:
    home.software += [name for name in guest.software if name not in home.software]
    if not guest.software and guest.role and guest.role != home.role:
        home.services.append(guest.role)
    for name in ("cpu", "memory", "disk", "os", "kind"):
        if not getattr(home, name) and getattr(guest, name):
            home.set(name, getattr(guest, name), guest.causes.get(name, ""))
    home.kind = home.kind or guest.kind
    state.request.groups.remove(guest)
    state.request.needs = [pair for pair in state.request.needs if guest not in pair]


def covers_the_list(state: State, kind: str) -> bool:
    """ "Grafana, Prometheus and Loki, 3 separate LXCs": as many as were just named."""
    listed = [group for group in state.listed() if group.count is None]
    if state.pending is None or len(listed) < 2 or state.pending.value != len(listed):
        return False
    state.take_count()
    state.cohort = listed
    for group in listed:
        group.kind = group.kind or kind
    return True


def starts_share(state: State) -> bool:
    """ "one with 2 cores", "4 for web": a count without a noun, after machines that have one."""
    is_counted = state.pending is not None and state.pending.kind == "number" and state.distance < 1
    return bool(state.focus and is_counted and not state.is_open)


def share(state: State, *, purpose_follows: bool) -> None:
    """The counted ones are part of a larger number named before, or more of the same, or its first count."""
    focus = state.focus
    count, _, words = state.take_count()
    if focus is None or count is None:
        return
    if focus.count is None and not purpose_follows:
        focus.set("count", count, words)
        return
    group = Group(kind=focus.kind) if purpose_follows else Group(focus.role, list(focus.software), kind=focus.kind)
    whole = next((other for other in state.request.groups if _can_give(other, group, count, purpose_follows)), None)
    state.add(group)
    state.is_open = False
    group.set("count", count, words)
    if whole:
        _take_from(state, whole, group, count)


def _can_give(whole: Group, part: Group, count: int, purpose_follows: bool) -> bool:
    is_alike = (whole.role, whole.software) == (part.role, part.software)
    return is_alike and (whole.count or 0) >= count and (purpose_follows or not whole.has_sizes)


def _take_from(state: State, whole: Group, part: Group, count: int) -> None:
    state.copy_sizes(whole, part)
    part.os = part.os or whole.os
    whole.count = (whole.count or 0) - count
    if not whole.count:
        state.request.groups.remove(whole)
