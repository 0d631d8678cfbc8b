"""Nouns for the parts of something already named: nodes, replicas, agents, a primary."""

from blueprints.generation.facts import Group
from blueprints.generation.mentions import KUBERNETES_ROLES, new
from blueprints.generation.state import State
from blueprints.generation.tokens import Token

STATEFUL = {"database", "cache", "search", ""}


def member(state: State, token: Token) -> None:
    """ "3 nodes", "two read replicas", "two agents"."""
    if state.focus is None:
        if token.value == "node" and state.pending:
            new(state, Group())
        return
    count, insists, words = state.take_count()
    _MEMBERS[token.value](state, count, insists, words)
    state.is_open = token.value != "primary"


def _nodes(state: State, count: int | None, insists: bool, words: str) -> None:
    focus = state.focus
    if focus is None or count is None or not insists:
        return
    if focus.count is None:
        focus.set("count", count, words)
    elif focus.is_exact and focus.count != count:
        _contradiction(state, focus.count, count, "nodes")


def _replicas(state: State, count: int | None, insists: bool, words: str) -> None:
    focus = state.focus
    if focus is None:
        return
    number = count or 1
    if focus.is_exact and focus.count and number > focus.count:
        _contradiction(state, focus.count, number, "replicas")
    elif focus.role in STATEFUL or number == 1:
        focus.set("replicas", number, words or "one")
    elif focus.count is None:
        focus.set("count", number, words)


def _agents(state: State, count: int | None, insists: bool, words: str) -> None:
    focus = state.focus
    if focus is None:
        return
    is_kubernetes = focus.role in KUBERNETES_ROLES
    group = Group(role="k8s_worker" if is_kubernetes else focus.role, software=list(focus.software), part="agent")
    state.add(group)
    if count:
        group.set("count", count, words)


def _primary(state: State, count: int | None, insists: bool, words: str) -> None:
    if state.focus and count and insists:
        state.focus.set("count", count, words)


def _contradiction(state: State, first: int, second: int, noun: str) -> None:
    state.request.questions.append(
        f"The request contradicts itself: it asks for exactly {'one' if first == 1 else first} and also for "
        f"{second} {noun}. Which of the two do you want?"
    )


_MEMBERS = {"node": _nodes, "replica": _replicas, "agent": _agents, "primary": _primary}
