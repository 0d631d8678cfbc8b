"""Sizes that are said again with the one that they replace, and what somebody would have liked: neither is meant twice."""

import re
from itertools import takewhile

from blueprints.generation.lexicon import fold, table
from blueprints.generation.tokens import Token

_SIZES = ("size", "memory", "disk", "cpu")
_DIGITS = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_NEAR = 2


def settled(tokens: list[Token]) -> list[Token]:
    """The tokens with what holds: "it should be 8 GB rather than 4", "if it were up to me three, but …"."""
    return _with_sizes_replaced(_without_wishes(tokens))


def _without_wishes(tokens: list[Token]) -> list[Token]:
    """From "if it were up to me" to the "but" of the same sentence, when there is one."""
    wish = next((place for place, token in enumerate(tokens) if token.kind == "wish"), None)
    if wish is None:
        return tokens
    clause = list(takewhile(lambda token: token.kind != "stop", tokens[wish:]))
    end = next((n for n, token in enumerate(clause) if token.kind == "join" and token.value == "but"), None)
    return [*tokens[:wish], *tokens[wish + end + 1 :]] if end else tokens


def _with_sizes_replaced(tokens: list[Token]) -> list[Token]:
    """Of "8 GB rather than 4", the 8 stands where the 4 GB were said before."""
    kept: list[Token] = []
    rest = iter(enumerate(tokens))
    for place, token in rest:
        wrong = _rejected(tokens, place)
        if wrong is None:
            kept.append(token)
            continue
        value = kept[-1]
        same = next((n for n, t in enumerate(kept[:-1]) if t.kind in _SIZES and t.value == wrong), None)
        if same is not None:
            kept[same] = kept[same].become(kept[same].kind, value.value, said=value)
            kept.pop()
        next(rest)
    return kept


def _rejected(tokens: list[Token], place: int) -> int | None:
    """The size that is not to be, in bytes or cores: the number behind "rather than" may do without its unit."""
    before, *after = tokens[place - 1 : place + _NEAR] if place else tokens[:1]
    is_sign = len(after) == _NEAR and after[0].kind == "without" and fold(after[0].text) in _words()
    if not is_sign or before.kind not in _SIZES:
        return None
    number = _DIGITS.search(before.text)
    if after[1].kind in _SIZES:
        return int(after[1].value)
    is_number = after[1].kind == "number" and number is not None
    return (
        int(before.value / float(number[0].replace(",", ".")) * float(after[1].value)) if is_number and number else None
    )


def _words() -> frozenset[str]:
    return frozenset(table("plain")["instead"]["words"])
