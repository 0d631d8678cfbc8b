"""Sizes that grow or shrink by so much: "4 GB more memory", "2 cores less", "by 4 GB", "25 % more", "three times as much"."""

import re
from collections.abc import Mapping, Sequence

from blueprints.generation.lexicon import fold
from blueprints.revising.hearing import Heard, mentions, phrases
from blueprints.schema.sizes import parse_size

_UP = r"more|extra|additional|mehr|zusatzliche?|de plus|en plus|supplementaires?|mas|in piu|di piu"
_DOWN = r"less|fewer|weniger|de moins|menos|in meno|di meno"
_NUMBER = r"(?P<number>\d{1,6}(?:[.,]\d{1,2})?)"
_SIZE = r"(?P<size>[mgt])i?[bo]"
_CORES = r"v?cpus?|cores?|kerne?n?|coeurs?|nucleos?"
_STEP = re.compile(
    rf"\b{_NUMBER} ?(?:(?:{_SIZE}|(?P<cores>{_CORES})) (?:{_UP}|(?P<down>{_DOWN}))|(?:{_UP}|(?P<down2>{_DOWN})) (?P<cores2>{_CORES}))\b"
)
_BY = re.compile(rf"\b(?:by|um|de|d|en|di) {_NUMBER} ?(?:{_SIZE}|(?P<cores>{_CORES}))\b(?! (?:to|auf|a|zu) \d)")
_AMOUNT = re.compile(rf"\b{_NUMBER} ?(?:{_SIZE}|(?P<cores>{_CORES}))\b")
_PER_CENT = re.compile(r"(?P<number>\d{1,3}) ?(?:%|(?:percent|per ?cento?|prozent|pour ?cent|por ciento)\b)")
_GROWING, _SHRINKING = frozenset({"bigger", "more"}), frozenset({"smaller", "fewer", "halve"})
_MARKS = frozenset({"a", "an", "one", "another", "new", "with", "ein", "eine", "einen", "mit", "un", "une", "una", "uno", "avec", "con"})  # fmt: skip
"""Who says one of these adds a thing, and no size of one that is there."""


def steps(heard: Heard) -> Mapping[str, int]:
    """By how many cores, or bytes of memory or disk; nothing where the words name what is to be in the end."""
    text, sign = fold(heard.text), _direction(heard.verb)
    if found := list(_STEP.finditer(text)):
        return _steps(heard, found)
    if sign and (found := list(_BY.finditer(text))):
        return _steps(heard, found, sign)
    return _steps(heard, list(_AMOUNT.finditer(text))) if heard.verb == "add" and not adds_a_thing(heard) else {}


def _steps(heard: Heard, found: Sequence[re.Match[str]], sign: int = 1) -> Mapping[str, int]:
    return dict(_step(heard, match.groupdict(), sign) for match in found)


def factor(heard: Heard) -> float | None:
    """By how much sizes are multiplied: 1.25 for "25 % more", 3 for "three times as much"; None where no figure says it."""
    said = next((float(name) for name in phrases("multiples") if heard.has("multiples", name)), None)
    share = _PER_CENT.search(fold(heard.text))
    sign = _direction(heard.verb)
    return said or (1 + sign * int(share["number"]) / 100 if share and sign else None)


def adds_a_thing(heard: Heard) -> bool:
    """Whether something of its own is added: "a disk", "another one", "with 4 GB"."""
    return bool(_MARKS & set(heard.words))


def _direction(verb: str) -> int:
    return 1 if verb in _GROWING else -1 if verb in _SHRINKING else 0


def _step(heard: Heard, said: Mapping[str, str | None], sign: int) -> tuple[str, int]:
    """So many of a unit; without one they are cores."""
    number = str(said["number"]).replace(",", ".")
    if said.get("down") or said.get("down2"):
        sign = -1
    if not said["size"]:
        return "cpu", sign * round(float(number))
    name = "disk" if mentions(heard, "label", "disk") else "memory"
    return name, sign * parse_size(f"{number}{said['size'].upper()}B")
