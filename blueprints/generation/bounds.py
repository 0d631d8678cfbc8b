"""Two bounds of one value: "at least 16 GB but not more than 64 GB", and those that exclude each other: "exactly 8 GB, and
never less than 32 GB", "at least three web servers, but no more than two"."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext as _

from blueprints.generation.neighbours import kind_at
from blueprints.generation.tokens import Token
from blueprints.schema.sizes import GIB, format_size
from blueprints.sentences import amount

_BOUNDS = ("bound", "exact")
_SIZES = ("memory", "disk", "size")
_VALUES = ("number", "cpu", *_SIZES)
_NOUNS = ("role", "software", "machine", "member")
_BETWEEN = ("comma", "join", "word", "definite", "dash", *_NOUNS)
_MOST_BETWEEN = 6
_ENDS = ("stop", "comma", "close", "each")


def joined(tokens: list[Token]) -> list[Token]:
    """The tokens with both bounds in the first value: the lower one counts, the higher is remembered."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        second = _second(tokens, place)
        if second:
            nouns = [token for token in tokens[place + 2 : second] if token.kind in _NOUNS]
            found += [_both(_pair(tokens, place), _pair(tokens, second)), *nouns]
            place = second + 2 + (kind_at(tokens, second + 2) == "part")
        else:
            found.append(tokens[place])
            place += 1
    return found


def contradictions(tokens: list[Token]) -> Iterator[str]:
    """A question for every value whose bounds exclude each other."""
    for token in tokens:
        if token.kind in _VALUES and isinstance(token.high, int | Decimal) and token.high < token.value:
            yield _(
                "The request contradicts itself: %(least)s at least, and %(most)s at most. Which of the two is it?"
            ) % {"least": _shown(token, token.value), "most": _shown(token, token.high)}


def _shown(token: Token, value: int | Decimal) -> str:
    if token.kind in _SIZES:
        size = format_size(int(value)).replace("GB", " GB")
        return size if token.kind == "size" else amount(token.kind, size)
    return amount("cpu", value) if token.kind == "cpu" else str(value)


def _second(tokens: list[Token], place: int) -> int:
    """Where the other bound of the same value stands; 0 when there is none."""
    first = _pair(tokens, place)
    end = place + 2
    while first and end <= place + _MOST_BETWEEN and kind_at(tokens, end) in _BETWEEN:
        end += 1
    second = _pair(tokens, end) if first else ()
    if not second or first[0].value == second[0].value or "between" in (first[0].value, second[0].value):
        return 0
    has_noun = any(token.kind in _NOUNS for token in tokens[place + 2 : end])
    behind = tokens[end + 2 + (kind_at(tokens, end + 2) == "part") :][:1]
    return end if _are_of_one(first[1], second[1], behind, has_noun=has_noun) else 0


def _pair(tokens: list[Token], place: int) -> tuple[Token, ...]:
    """A bound and its value: "at least 64 GB", "64 GB at least"."""
    kinds = [kind_at(tokens, place + n) for n in range(3)]
    if kinds[0] in _BOUNDS and kinds[1] in _VALUES:
        return tokens[place], tokens[place + 1]
    if kinds[0] in _VALUES and kinds[1] == "bound" and kinds[2] not in _VALUES:
        return tokens[place + 1], tokens[place]
    return ()


def _are_of_one(first: Token, second: Token, behind: list[Token], *, has_noun: bool) -> bool:
    """Whether both values are of one kind, and nothing says that the second is of something else."""
    if first.kind in ("number", "cpu"):
        is_last = not behind or behind[0].kind in (_ENDS if has_noun else (*_ENDS, *_NOUNS))
        return second.kind == "cpu" or (second.kind == "number" and is_last)
    is_alike = second.kind in (first.kind, "size") or (first.kind == "size" and second.kind in _SIZES)
    return is_alike and not has_noun


def _both(first: tuple[Token, ...], second: tuple[Token, ...]) -> Token:
    """The first value with both bounds."""
    values = first[1], second[1]
    said = ((first[0], same_unit(*values)), (second[0], second[1].value))
    low = max(value for bound, value in said if bound.value != "most")
    high = min(value for bound, value in said if bound.value != "least")
    kind = values[1].kind if values[0].kind in ("number", "size") else values[0].kind
    whole = Decimal if kind == "number" else int
    return replace(values[0], kind=kind, value=whole(low), high=whole(high), end=values[1].end)


def same_unit(low: Token, high: Token) -> int | Decimal:
    """ "at least 2, but at most 4 TB": both are TB."""
    if low.kind != "number" or high.kind not in _SIZES:
        return low.value
    number = re.search(r"[0-9]+(?:[.,][0-9]+)?", high.text)
    return int(low.value * high.value / Decimal(number[0].replace(",", "."))) if number else int(low.value * GIB)
