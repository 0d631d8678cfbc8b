"""Verbs in two pieces, with what they are about between: "back everything up", "leave Grafana out", "lassen wir Redis weg"."""

from functools import cache

from blueprints.generation.lexicon import Sense, fold, table
from blueprints.generation.tokens import Token

_MEANINGS = {
    "backup": Sense("backup", "backup"),
    "without": Sense("without", "no"),
    "destroy": Sense("verb", "destroy"),
}
_BEGIN = ("word", "kept", "existing")
_MOST_BETWEEN = 6
_NO_OBJECTS = ("stop", "comma", "colon", "cpu", "memory", "disk", "size", "without")


def joined(tokens: list[Token]) -> list[Token]:
    """The tokens with each such verb said at once, where it begins."""
    found: list[Token] = []
    ends: set[int] = set()
    for place, token in enumerate(tokens):
        if place not in ends:
            meaning, end = _verb(tokens, place)
            ends.add(end)
            found.append(token.become(*_MEANINGS[meaning]) if meaning else token)
    return found


def _verb(tokens: list[Token], place: int) -> tuple[str, int]:
    """What the verb means that begins here, and where its second piece stands."""
    for meaning, (first, last) in _verbs().items() if tokens[place].kind in _BEGIN else ():
        if fold(tokens[place].text) in first and (end := _end(tokens, place, last)):
            return meaning, end
    return "", -1


def _end(tokens: list[Token], place: int, last: frozenset[str]) -> int:
    for end in range(place + 2, min(place + 2 + _MOST_BETWEEN, len(tokens))):
        if fold(tokens[end].text) in last:
            return end
        if tokens[end].kind in _NO_OBJECTS:
            break
    return 0


@cache
def _verbs() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    pieces = table("plain")["split"]
    return {name: (frozenset(said["first"].split()), frozenset(said["last"].split())) for name, said in pieces.items()}
