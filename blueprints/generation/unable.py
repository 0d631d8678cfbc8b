"""What cannot do without something needs it: "Jira refuses to start without PostgreSQL", "startet nicht ohne PostgreSQL"."""

import re

from blueprints.generation.lexicon import fold
from blueprints.generation.tokens import Token

_WITHOUT = ("without", "ohne", "sans", "sin", "senza")
_START = re.compile(
    r"(?:start|boot|run|work|launch|operat|function|come|lauf|funktion|geh|hochfahr|demarr|fonctionn|tourn|arranc|funcion|inici|avvi|parti|funzion)\w*$"
)
_REFUSING = ("refuses", "refuse", "fails", "unable", "verweigert", "refusent", "rechaza", "rifiuta")
_FAR = 4


def needing(tokens: list[Token]) -> list[Token]:
    """The tokens with a need where somebody says that nothing starts without it."""
    found = list(tokens)
    for place, token in enumerate(tokens):
        if token.kind == "without" and fold(token.text) in _WITHOUT:
            if (refusal := _refusal(tokens, place)) is None:
                continue
            found[place] = token.become("order", "after")
            found[refusal] = found[refusal].become("word", fold(found[refusal].text))
    return found


def _refusal(tokens: list[Token], place: int) -> int | None:
    """Where the "cannot" stands that goes with it, before or behind; None for what is only left out."""
    for near in (range(place - 1, max(-1, place - 1 - _FAR), -1), range(place + 1, min(len(tokens), place + 1 + _FAR))):
        said = _clause(tokens, near)
        refusal = next((n for n in said if _refuses(tokens[n])), None)
        if refusal is not None and any(_START.match(_word(tokens[n])) for n in said):
            return refusal
    return None


def _clause(tokens: list[Token], near: range) -> list[int]:
    """The places up to the end of the clause."""
    end = next((n for n, place in enumerate(near) if tokens[place].kind in ("stop", "comma", "colon")), len(near))
    return list(near[:end])


def _refuses(token: Token) -> bool:
    return token.kind == "without" or fold(token.text) in _REFUSING


def _word(token: Token) -> str:
    return fold(token.text.split()[-1]) if token.kind in ("word", "verb", "order", "without") else ""
