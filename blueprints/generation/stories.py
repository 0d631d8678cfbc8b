"""Lists of words that tell a story around a wish, and where they stand: "we had", "originally", "these days"."""

import re
from collections.abc import Iterator
from functools import cache

from blueprints.generation.lexicon import fold, table
from blueprints.generation.nouns import NOUNS
from blueprints.generation.tokens import Token

VALUES = ("cpu", "memory", "disk", "size", "spec", "os")
_COUNTS = ("number", "article", "several")
_NEAR = 3


def quoted(text: str, tokens: list[Token]) -> str:
    """What stands between the first and the last token, folded; "hätten" wishes and "hatten" tells, which is kept apart."""
    said = text[tokens[0].start : tokens[-1].end].lower() if tokens else ""
    return " ".join(fold(said.replace("hätt", "haett")).split())


def says(said: str, *names: str) -> bool:
    """Whether one of the words of these lists is in it."""
    return any(re.search(rf"\b(?:{words(name)})\b", said) is not None for name in names)


def begins_with(said: str, name: str) -> bool:
    return re.match(rf"(?:{words(name)})\b", said) is not None


def ends_with(said: str, name: str, most: int = 0) -> bool:
    """Whether one of the words stands at the end, but for so many words."""
    return re.search(rf"\b(?:{words(name)})(?: [^ ]+){{0,{most}}}$", said) is not None


@cache
def words(name: str) -> str:
    """A list as a pattern."""
    return "|".join(line for line in table("told")[name].split("\n") if line)


def counted(tokens: list[Token]) -> Iterator[int]:
    """Where machines are counted: "five of our old web servers"."""
    for place, token in enumerate(tokens):
        if token.kind in _COUNTS and any(other.kind in NOUNS for other in tokens[place + 1 : place + 1 + _NEAR]):
            yield place


def describes(tokens: list[Token]) -> bool:
    """Whether anything is left that could be built."""
    return any(token.kind in (*NOUNS, *VALUES) for token in tokens)


def sentences(tokens: list[Token]) -> Iterator[list[Token]]:
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        if token.kind == "stop":
            yield found
            found = []
    yield found
