"""Values: numbers, sizes, systems and addresses, and the machines that they belong to."""

from collections.abc import Callable
from ipaddress import ip_interface

from blueprints.generation.state import State
from blueprints.generation.tokens import Token
from blueprints.schema.sizes import GIB

LEAST_DISK = 100 * GIB
NOUNS = ("role", "software", "machine")
_TRANSPARENT = {"word", "size_word", "os", "cpu", "memory", "disk", "size", "slash", "gpu", "vram", "another", "ha"}


def number(state: State, token: Token) -> None:
    if token.text[:1].lower() in "x×" and state.focus and not state.pending:
        state.focus.set("count", int(token.value), token.text)
        return
    state.pending = token
    state.distance = 0
    state.negated = False


def article(state: State, token: Token) -> None:
    if state.pending is None:
        state.pending = token
        state.distance = 0 if not state.negated else state.distance


def count(state: State, token: Token) -> None:
    if state.focus:
        state.focus.set("count", int(token.value), state.quote(token))


def system(state: State, token: Token) -> None:
    state.give("os", token.value, token, early=_announces(state))


def cpu(state: State, token: Token) -> None:
    state.give("cpu", token.value, token, early=_announces(state))


def memory(state: State, token: Token) -> None:
    state.give("memory", token.value, token, early=_announces(state))


def disk(state: State, token: Token) -> None:
    state.give("disk", token.value, token, early=_announces(state))


def size(state: State, token: Token) -> None:
    """A size without a word: memory first, unless it can only be a disk."""
    early = _announces(state)
    holder = state.early if early else state.focus or state.early
    has_memory = holder.memory is not None and holder.sentence == state.sentence
    is_disk = has_memory or (token.value >= LEAST_DISK and (holder.cpu is None or token.value >= 1024 * GIB))
    state.give("disk" if is_disk else "memory", token.value, token, early=early)


def gpu(state: State, token: Token) -> None:
    if not state.negated:
        state.give("gpu", token.value, token, early=_announces(state))


def label(state: State, token: Token) -> None:
    """A bare "GPU" is one; a network is something to describe; a virtual address comes next."""
    if token.value == "gpu":
        _exclude_or(state, "gpu", lambda: state.give("gpu", 1, token, early=_announces(state)))
    elif token.value == "network":
        state.in_network = state.pending is not None or state.focus is None
    state.last_label = token.value
    state.pending = None


def _exclude_or(state: State, what: str, otherwise: Callable[[], object]) -> None:
    if state.negated:
        state.request.excluded.add(what)
    else:
        otherwise()


def vlan(state: State, token: Token) -> None:
    state.place("vlan", token.value, token)


def cidr(state: State, token: Token) -> None:
    """A subnet, or an address with its prefix."""
    try:
        interface = ip_interface(token.value)
    except ValueError:
        state.request.warnings.append(f"{token.value} is not a subnet and was not used.")
        return
    if interface.ip == interface.network.network_address:
        state.place("subnet", token.value, token)
    else:
        ip(state, token)


def ip(state: State, token: Token) -> None:
    if not _is_address(token.value):
        state.request.warnings.append(f"{token.value} is not an address and was not used.")
    elif state.last_label == "gateway":
        state.place("gateway", token.value, token)
    elif state.last_label == "virtual_ip" and state.focus:
        state.focus.set("virtual_ip", token.value, state.quote(token))
    elif state.focus:
        state.focus.ips.append(token.value)
        state.focus.causes["ips"] = state.quote(token)
    state.last_label = ""


def _is_address(text: str) -> bool:
    try:
        return not ip_interface(text).ip.is_multicast and not ip_interface(text).ip.is_unspecified
    except ValueError:
        return False


def size_word(state: State, token: Token) -> None:
    state.give("size", token.value, token, early=_announces(state) or state.focus is None)


def ha(state: State, token: Token) -> None:
    if _noun_follows(state):
        state.early.is_ha = True
    elif state.focus and not state.focus.is_umbrella:
        state.focus.is_ha = True
    else:
        state.request.is_ha = True


def _announces(state: State) -> bool:
    """Whether a value stands before its noun: "a 4-core, 8 GB Postgres server", "3 ubuntu servers"."""
    return _noun_follows(state) and (
        state.pending is not None or state.focus is None or state.link in ("comma", "and", "")
    )


def _noun_follows(state: State) -> bool:
    for token in state.tokens[state.position + 1 : state.position + 6]:
        if token.kind in NOUNS:
            return True
        if token.kind not in _TRANSPARENT:
            return False
    return False
