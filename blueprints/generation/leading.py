"""Members that are named before their software: "one master, two slaves, MariaDB" says what "MariaDB: one master, two slaves" says."""

from collections.abc import Iterator

from blueprints.generation.lexicon import fold, software_facts
from blueprints.generation.nouns import NOUNS
from blueprints.generation.phrases import OF
from blueprints.generation.tokens import Token

MASTERS = ("master", "maitre", "maestro")
"""One of these may be of any software; several are of Kubernetes, unless their software is named."""
_MEMBERS = ("primary", "replica", "agent")
_BEHIND = ("join", "comma", "open", "definite", "dash", "label")
_MORE = ("role", "machine", "number", "close")
"""What may follow the name: "our MySQL database", "PostgreSQL 16"."""


def led(tokens: list[Token]) -> list[Token]:
    """The tokens with the software in front of its members, wherever a sentence names them first."""
    if any(is_of_kubernetes(token) and not _is_master(token) for token in tokens):
        return tokens
    return [token for sentence in _sentences(tokens) for token in _with_software_first(sentence)]


def is_of_kubernetes(token: Token) -> bool:
    """ "Kubernetes", "control plane", or software that makes a cluster of it, such as k3s and kubeadm."""
    if token.kind == "software":
        return software_facts(str(token.value)).get("role") == "kubernetes"
    return token.kind == "role" and token.value in ("kubernetes", "k8s_control")


def _sentences(tokens: list[Token]) -> Iterator[list[Token]]:
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        if token.kind == "stop":
            yield found
            found = []
    yield found


def _with_software_first(sentence: list[Token]) -> list[Token]:
    """ "Redis: a master and two replicas" for "a master and two replicas of Redis"."""
    places = [place for place, token in enumerate(sentence) if token.kind == "software"]
    nouns = [token for token in sentence[: places[0]] if token.kind in NOUNS] if places else []
    if not places or not _are_members(nouns) or not _is_behind(sentence, places[0]):
        return _with_followers(sentence)
    start, name = _start(sentence), sentence[places[0]]
    end = _end(sentence, places[0] + 1)
    first = sentence[start]
    front = [first.become("software", name.value, said=name), first.become("colon", ":")]
    return [*sentence[:start], *front, *map(_as_member, _without_joins(sentence[start : places[0]])), *sentence[end:]]


def _with_followers(sentence: list[Token]) -> list[Token]:
    """ "One master and a slave": who has replicas is their primary, whatever runs there."""
    has_replicas = any(token.kind == "member" and token.value == "replica" for token in sentence)
    return [_as_member(token) for token in sentence] if has_replicas else sentence


def _are_members(nouns: list[Token]) -> bool:
    """ "a master", "a primary and two replicas"; neither "a replica" alone nor "a primary DNS server"."""
    are_alike = all(_is_master(n) or n.value in _MEMBERS or n.value == "worker" for n in nouns)
    leaders = [n for n in nouns if _is_master(n) or n.value == "primary"]
    return bool(leaders) and are_alike and (len(nouns) > 1 or _is_master(nouns[0]))


def _is_behind(sentence: list[Token], place: int) -> bool:
    """ "of Redis", ", MariaDB", "for our MySQL"; "a Redis" is one more machine."""
    return _binds(sentence[place - 1]) or sentence[place - 1].kind in NOUNS


def _binds(token: Token) -> bool:
    return token.kind in _BEHIND or token.text.lower() in OF


def _start(sentence: list[Token]) -> int:
    """Where the count of the first member stands, or the member."""
    noun = next(place for place, token in enumerate(sentence) if token.kind in NOUNS)
    counts = [place for place in range(noun) if sentence[place].kind in ("number", "article")]
    return counts[-1] if counts else noun


def _end(sentence: list[Token], place: int) -> int:
    while place < len(sentence) and sentence[place].kind in _MORE:
        place += 1
    return place


def _without_joins(tokens: list[Token]) -> list[Token]:
    """ "two replicas" of "two replicas of our"."""
    while tokens and _binds(tokens[-1]):
        tokens = tokens[:-1]
    return tokens


def _as_member(token: Token) -> Token:
    return token.become("member", "primary") if _is_master(token) else token


def _is_master(token: Token) -> bool:
    return token.value == "k8s_control" and fold(token.text).rstrip("s") in MASTERS
