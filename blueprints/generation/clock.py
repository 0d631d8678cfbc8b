"""Times that count and size no machines: "at eight in the evening", "every ten minutes", "20 GB a day"."""

from functools import cache

from blueprints.generation.lexicon import fold, table
from blueprints.generation.neighbours import kind_at
from blueprints.generation.tokens import Token

INTERVAL = "interval"
_MOST_SMALL = 2
_LAST_HOUR = 24


def interval(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "every ten minutes": how often something happens."""
    is_short = kind_at(tokens, position + 1) == "number" and _text(tokens, position + 2) in _words("short")
    return (tokens[position].become("word", INTERVAL, until=tokens[position + 2]), 3) if is_short else None


def of_day(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "at eight in the evening", "um acht Uhr"."""
    if _text(tokens, position - 1) not in _words("at") or tokens[position].value > _LAST_HOUR:
        return None
    end = position + 1
    while end <= position + _MOST_SMALL and _text(tokens, end) in _words("small"):
        end += 1
    if _text(tokens, end) not in _words("of_day"):
        return None
    return tokens[position].become("word", "hour", until=tokens[end]), end - position + 1


def rate(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "300 GB per night", "20 GB a day": how fast it grows, and no size of a machine."""
    unit = _text(tokens, position + 2).removesuffix("s")
    if _text(tokens, position + 1) not in _words("per") or unit not in _words("units"):
        return None
    return tokens[position].become("word", "rate", until=tokens[position + 2]), 3


def _text(tokens: list[Token], position: int) -> str:
    return fold(tokens[position].text) if 0 <= position < len(tokens) else ""


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(table("plain")["clock"][name].split())
