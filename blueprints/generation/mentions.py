"""Nouns of the trade: when one names new machines, and when it says more about those already named."""

from collections.abc import Callable

from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, software_facts
from blueprints.generation.sharing import covers_the_list, put_together
from blueprints.generation.state import State
from blueprints.generation.tokens import Token

RUNTIMES = {"docker", "podman"}
UMBRELLAS = ("app", "site", "anwendung", "aplica", "appli", "seite", "sito", "sitio")
KUBERNETES_ROLES = {"kubernetes", "k8s_control", "k8s_worker"}


def role(state: State, token: Token) -> None:
    """ "web servers", "the database", "load balancer"."""
    name = _kubernetes_role(state, token.value)
    if _is_excluded(state, name):
        return
    if state.is_open and state.focus and not state.pending and _may_take_role(state.focus, name):
        state.focus.role = name
        state.focus.is_umbrella |= _is_umbrella(state.quote(token))
        state.is_open = True
        return
    known = _known(state, lambda group: group.role == name)
    if known and _is_same(state, known):
        _mention_again(state, known)
        return
    if _takes_purpose(state) and state.focus:
        state.focus.role = name
        return
    group = new(state, Group(role=name, is_umbrella=_is_umbrella(state.quote(token))))
    group.causes["role"] = state.quote(token)


def software(state: State, token: Token) -> None:
    """ "nginx", "a PostgreSQL database", "servers with Docker"."""
    name = token.value
    if _is_excluded(state, name):
        return
    own_role = software_facts(name).get("role", "")
    if _belongs_to_focus(state, name, own_role) and state.focus:
        _install(state.focus, name, own_role, state.quote(token))
        state.is_open = True
        state.expire_count()
        return
    known = _known(state, lambda group: name in group.software) or (_heading(state, own_role) if own_role else None)
    if known and _is_same(state, known):
        _mention_again(state, known)
        _install(known, name, own_role, state.quote(token))
        return
    _install(new(state, Group(role=own_role)), name, own_role, state.quote(token))


def machine(state: State, token: Token) -> None:
    """ "3 VMs", "on its own VM", "LXC container"; often only the last word of what was already named."""
    kind = "" if token.value == "any" else token.value
    if _is_no_machine(state, kind) or covers_the_list(state, kind):
        return
    announced = _heading(state, "") if state.pending else None
    if announced and _is_same(state, announced):
        _mention_again(state, announced)
        announced.kind = announced.kind or kind
    elif state.focus and _says_more(state):
        _say_more(state, state.focus, kind)
    else:
        new(state, Group(kind=kind)).causes["kind"] = state.quote(token)


def _is_no_machine(state: State, kind: str) -> bool:
    """Not wanted, only a sum, or only looked after."""
    if state.negated:
        state.request.excluded.update({"container" if kind == "lxc" else kind} - {""})
        state.negated = False
        return True
    if _is_sum(state):
        state.request.total_machines = state.take_count()[0]
        return True
    is_served = _is_served(state)
    if is_served:
        state.expire_count()
    return is_served


def new(state: State, group: Group) -> Group:
    """Machines not named before, as many as were counted."""
    count, insists, words = state.take_count()
    state.add(group)
    if count is not None and (insists or count > 1):
        group.set("count", count, words)
    group.is_vague = count is None and not group.has_sizes
    group.is_exact = state.is_exact
    state.is_exact = False
    return group


def _install(group: Group, name: str, own_role: str, words: str) -> None:
    if name not in group.software:
        group.software.append(name)
    group.role = group.role or own_role
    group.causes.setdefault("software", words)


def _is_excluded(state: State, name: str) -> bool:
    if state.negated:
        state.request.excluded.add(name)
        state.expire_count()
        state.distance = 0
    return state.negated


def _kubernetes_role(state: State, name: str) -> str:
    if name == "worker" and any(group.role in KUBERNETES_ROLES for group in state.request.groups):
        return "k8s_worker"
    return name


def _may_take_role(group: Group, name: str) -> bool:
    """ "PostgreSQL database", "nginx load balancer", but not "load balancer web server"."""
    return not group.role or group.role == name or bool(group.software)


def _known(state: State, matches: Callable[[Group], bool]) -> Group | None:
    return next((group for group in reversed(state.request.groups) if matches(group)), None)


def _heading(state: State, role_name: str) -> Group | None:
    """ "CI: one Jenkins": a role that was only announced."""
    return _known(
        state, lambda group: group.role == role_name and group.is_vague and group.count is None and not group.software
    )


def _is_same(state: State, known: Group) -> bool:
    """Without a count of its own, or as the first count, a second mention is the same thing."""
    if state.is_another:
        return False
    if state.pending is None or state.pending.kind == "article":
        return True
    return known.count is None and (known.is_umbrella or not (known.has_sizes or known.software))


def _mention_again(state: State, known: Group) -> None:
    count, insists, words = state.take_count()
    if count is not None and insists:
        known.set("count", count, words)
    state.meet(known)
    known.sentence = state.sentence


def _takes_purpose(state: State) -> bool:
    """A machine without a purpose, and "for", "running" or "with" before the purpose."""
    focus = state.focus
    if focus is None or focus.role or focus.software:
        return False
    return state.link in ("for", "with", "colon", "on") and not _insists(state)


def _insists(state: State) -> bool:
    return bool(state.pending and state.pending.kind == "number") or state.is_another


def _belongs_to_focus(state: State, name: str, own_role: str) -> bool:
    focus = state.focus
    if focus is None or _insists(state):
        return False
    if state.is_open and not state.pending:
        return not focus.software or own_role in ("", focus.role)
    if _takes_purpose(state):
        return True
    fits = own_role in ("", focus.role) or name in RUNTIMES
    return fits and not focus.software and state.link in ("for", "with", "open", "on", "colon")


def _is_umbrella(words: str) -> bool:
    return any(part in fold(words) for part in UMBRELLAS) and "server" not in fold(words)


def _is_served(state: State) -> bool:
    """ "monitoring for 50 hosts": machines that are looked after, not built."""
    return state.link == "for" and bool(state.focus and state.focus.role and state.pending)


def _is_sum(state: State) -> bool:
    """ "so three machines in total", "one VM each"."""
    following = state.tokens[state.position + 1 : state.position + 2]
    if not following or state.pending is None:
        return False
    return following[0].kind == "total" or (following[0].kind == "each" and bool(state.request.groups))


def _says_more(state: State) -> bool:
    """Whether "server" or "VM" only completes what is in focus."""
    if _completes_phrase(state) or _is_place(state) or _is_contrast(state):
        return True
    return not state.is_another and (_is_first_count(state) or _is_plain_reference(state))


def _completes_phrase(state: State) -> bool:
    """ "PostgreSQL server"."""
    return state.is_open and (state.pending is None or state.pending.kind == "article")


def _is_place(state: State) -> bool:
    """ "on 3 VMs", "in an LXC container", "on a separate machine", "its own VM"."""
    return state.link == "on" or state.is_own or state.together


def _is_first_count(state: State) -> bool:
    """ "web application with 3 servers"."""
    focus = state.focus
    if focus is None or focus.count is not None or focus.sentence != state.sentence:
        return False
    return bool(focus.role or focus.software) and state.link in ("with", "open", "colon", "for")


def _is_contrast(state: State) -> bool:
    """ "not a container but a VM"."""
    return bool(state.request.excluded & {"container", "vm"}) and not _insists(state)


def _is_plain_reference(state: State) -> bool:
    """ "the servers", "all VMs": no count, so nothing new."""
    return state.pending is None and bool(state.request.groups)


def _say_more(state: State, focus: Group, kind: str) -> None:
    count, insists, words = state.take_count()
    if state.link == "on" and count == 1 and not state.each_in_sentence:
        put_together(state)
        focus = state.focus or focus
    for group in state.request.groups if state.covers_all else [focus]:
        group.kind = group.kind or kind
    if count is not None and insists and focus.count is None:
        focus.set("count", count, words)
    state.is_own = state.is_another = False
