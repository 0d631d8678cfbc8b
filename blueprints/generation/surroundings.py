"""What surrounds the machines: names, order, backups, environment, budget, and what the request is about at all."""

import re

from blueprints.generation.facts import Group
from blueprints.generation.state import State
from blueprints.generation.tokens import Token
from blueprints.schema.names import guest_name

_NAMES = re.compile(
    r"""[\s:]*(?P<all>["'„“]?[A-Za-z0-9][A-Za-z0-9.-]*["'”“]?(?:\s*(?:,\s*(?:and\s+)?|\s(?:and|und|et|y|e|&)\s+)"""
    r"""["'„“]?(?!(?:one|two|three|a|an|the|with|on|each|attach|put|both)\b)[A-Za-z0-9][A-Za-z0-9.-]*["'”“]?)*)"""
)
_BETWEEN = re.compile(r"\s*,\s*(?:and\s+)?|\s+(?:and|und|et|y|e|&)\s+")
_TEST_CONTEXT = {"join", "verb", "colon", "article"}


def names(state: State, token: Token) -> None:
    """ "called alpha and beta": machines of their own, or the name of a network."""
    match = _NAMES.match(state.text, token.end)
    found = [guest_name(name) for name in _BETWEEN.split(match["all"])] if match else []
    if not match or not all(found):
        return
    if state.in_network or state.focus is None:
        state.request.network.set("network", found[0], state.quote(token))
        state.named_until = match.start("all") + len(_BETWEEN.split(match["all"])[0])
    else:
        _name_groups(state, state.focus, found[: state.focus.count or 1])
        state.named_until = match.end("all")


def _name_groups(state: State, group: Group, found: list[str]) -> None:
    place = state.request.groups.index(group)
    if len(found) < (group.count or 1):
        group.name = found[0] if group.count is None else ""
        return
    copies = [_copy(group, name) for name in found]
    state.request.groups[place : place + 1] = copies
    state.focus, state.cohort = copies[-1], copies


def _copy(group: Group, name: str) -> Group:
    copy = Group(role=group.role, kind=group.kind, software=list(group.software), os=group.os, count=1, name=name)
    copy.cpu, copy.memory, copy.disk, copy.sentence = group.cpu, group.memory, group.disk, group.sentence
    copy.causes = {**group.causes, "name": name}
    return copy


def order(state: State, token: Token) -> None:
    """Remember who needs, or is needed; the next machines named complete it."""
    if state.focus and token.value in ("after", "before"):
        state.order = (token.value, state.focus)


def backup(state: State, token: Token) -> None:
    state.pending = None
    if state.negated:
        state.request.excluded.add("backup")
        return
    state.backup_sentence = state.sentence
    for group in _covered(state):
        group.set("backup_schedule", group.backup_schedule or _nearby_schedule(state) or "daily", state.quote(token))


def schedule(state: State, token: Token) -> None:
    if state.sentence - state.backup_sentence <= 1:
        for group in _covered(state):
            group.set("backup_schedule", token.value, state.quote(token))


def days(state: State, token: Token) -> None:
    if state.sentence - state.backup_sentence <= 1:
        for group in _covered(state):
            group.set("backup_days", token.value, state.quote(token))


def _covered(state: State) -> list[Group]:
    if state.covers_all or state.focus is None:
        return state.request.groups
    return [state.focus]


def _nearby_schedule(state: State) -> str:
    around = state.tokens[max(0, state.position - 3) : state.position + 4]
    return next((token.value for token in around if token.kind == "schedule"), "")


def environment(state: State, token: Token) -> None:
    if not state.request.environment and (token.value != "test" or _is_about_environment(state)):
        state.request.environment = token.value


def _is_about_environment(state: State) -> bool:
    """ "unit tests" and "a test" are no environment; "for testing" and "Environment: TEST" are."""
    before = state.tokens[state.position - 1].kind if state.position else "verb"
    following = state.tokens[state.position + 1 : state.position + 2]
    return before in _TEST_CONTEXT or any(token.kind in ("verb", "stop", "comma", "machine") for token in following)


def region(state: State, token: Token) -> None:
    state.request.region = token.text.lower()


def money(state: State, token: Token) -> None:
    if isinstance(token.value, float):
        state.request.max_cost = token.value
    state.pending = None


def verb(state: State, token: Token) -> None:
    """What is asked for: to build something, or to destroy something."""
    if token.value == "build":
        state.request.builds = True
    elif not state.negated:
        state.request.destroys = True
        state.negated, state.distance = True, 0
    state.expire_count()


def finish(state: State) -> None:
    """What only the whole text can settle."""
    request = state.request
    if request.total_machines and not request.groups:
        request.groups.append(
            Group(count=request.total_machines, causes={"count": f"{request.total_machines} in total"})
        )
    if "vm" in request.excluded:
        for group in request.groups:
            group.kind = group.kind or "lxc"
