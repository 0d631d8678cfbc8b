"""Tokens read from left to right: which machines are meant, and which value belongs to which of them."""

from collections.abc import Callable

from blueprints.generation import members, mentions, reach, surroundings, values
from blueprints.generation.facts import Request
from blueprints.generation.state import State
from blueprints.generation.tokens import Token

Reading = Callable[[State, Token], None]
_KEEPS_PHRASE_OPEN = ("role", "software", "machine", "member", "word")


def read(text: str, tokens: list[Token], language: str) -> Request:
    """Everything that the request says."""
    state = State(text, tokens, Request(language=language))
    for position, token in enumerate(tokens):
        state.position = position
        if token.start >= state.named_until:
            _read_one(state, token)
    surroundings.finish(state)
    return state.request


def _read_one(state: State, token: Token) -> None:
    if group := state.named_here(token):
        state.focus, state.cohort, state.is_open = group, [], False
        return
    reading = _READINGS.get(token.kind)
    if reading:
        reading(state, token)
    if token.kind not in _KEEPS_PHRASE_OPEN:
        state.is_open = False


_READINGS: dict[str, Reading] = {
    "number": values.number,
    "article": values.article,
    "count": values.count,
    "os": values.system,
    "cpu": values.cpu,
    "memory": values.memory,
    "disk": values.disk,
    "size": values.size,
    "gpu": values.gpu,
    "label": values.label,
    "vlan": values.vlan,
    "cidr": values.cidr,
    "ip": values.ip,
    "each": reach.each,
    "total": reach.total,
    "all": reach.all_of_them,
    "join": reach.join,
    "stop": reach.stop,
    "comma": reach.comma,
    "colon": reach.colon,
    "dash": reach.comma,
    "open": reach.opened,
    "close": reach.comma,
    "without": reach.without,
    "word": reach.word,
    "ha": values.ha,
    "spread": reach.spread,
    "another": reach.another,
    "together": reach.together,
    "exact": reach.exactly,
    "size_word": values.size_word,
    "role": mentions.role,
    "software": mentions.software,
    "machine": mentions.machine,
    "member": members.member,
    "order": surroundings.order,
    "backup": surroundings.backup,
    "schedule": surroundings.schedule,
    "days": surroundings.days,
    "environment": surroundings.environment,
    "region": surroundings.region,
    "money": surroundings.money,
    "verb": surroundings.verb,
}
