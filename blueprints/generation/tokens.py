"""Text cut into tokens: numbers, sizes, addresses, words and the marks that end a thought."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from blueprints.generation.lexicon import defence_patterns, fold
from blueprints.schema.sizes import TIB, UNITS, parse_size

_TOKEN = re.compile(
    r"""(?P<cidr>[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}(?![0-9]))
    |(?P<ip>(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9]))
    |(?P<region>\b[a-z]{2}-(?:[a-z]+-)?(?:north|south|east|west|central|northeast|southeast)[a-z]*-[0-9]\b)
    |(?P<half_tb>\b(?:half\s+a|a\s+half|un\s+demi|medio|mezzo|ein\s+halbes)[\s-]*(?:tera\w*|tb|to)\b)
    |(?P<half_dozen>\bhalf\s+a\s+dozen\b|\bhalbes\s+dutzend\b|\bdemi[\s-]douzaine\b|\bmedia\s+docena\b|\bmezza\s+dozzina\b)
    |(?P<money>[$€£]\s?[0-9]+(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)?\s?[$€£])
    |(?P<size>\b[0-9]+(?:[.,][0-9]{1,3})?(?:[\s-]?(?:[kmgtp]i?b|gigs?|gigabytes?|megs?|megabytes?|terabytes?|go|mo)|\s?T[o]|\s?[GT]|[gmt])\b)
    |(?P<cores>\b[0-9]+\s?c\b)
    |(?P<times>\b[0-9]+\s?[x×](?=\s|[a-z]|$)|(?<!\w)[x×]\s?[0-9]+\b)
    |(?P<number>\b[0-9]+(?:\.[0-9]+)?(?![\w]))
    |(?P<word>[^\W\d_][^\W_]*)
    |(?P<stop>[.!?…](?=\s|$)|[;|\n]|\.\.\.|…)
    |(?P<comma>,)|(?P<colon>[:=])|(?P<open>\()|(?P<close>\))|(?P<and>[&+])|(?P<slash>/)|(?P<dash>[–—]|(?<=[0-9])-(?=[0-9])|\s-\s)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_ATTACHED = re.compile(r"(?:ubuntu|debian|rocky|rhel|alpine|centos|fedora|windows|alma|almalinux|vlan)(?=[0-9])")
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]?")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the request. `value` is what it means, `text` what was written."""

    kind: str
    value: Any
    text: str
    start: int
    end: int
    high: Any = None

    def become(self, kind: str, value: Any, *, until: "Token | None" = None) -> "Token":
        """The same place with another meaning, perhaps reaching as far as a later token."""
        return replace(self, kind=kind, value=value, end=until.end if until else self.end)


def readable(text: str) -> tuple[str, bool]:
    """The text with sentences that address the machine blanked out, and whether there were any."""
    pattern = defence_patterns()
    cleaned = _SENTENCE.sub(lambda m: " " * len(m[0]) if pattern.search(m[0]) else m[0], text)
    return cleaned, cleaned != text


def tokenise(text: str) -> Iterator[Token]:
    """Every token, in order."""
    for match in _TOKEN.finditer(text):
        yield from _tokens_of(match)


def _tokens_of(match: re.Match[str]) -> Iterator[Token]:
    kind, text, start, end = match.lastgroup or "", match[0], match.start(), match.end()
    if kind == "word":
        yield from _word(text, start)
    elif kind in _READ:
        new_kind, value = _READ[kind](text)
        yield Token(new_kind, value, text, start, end)
    else:
        yield Token(kind, text, text, start, end)


def _word(text: str, start: int) -> Iterator[Token]:
    folded = fold(text)
    attached = _ATTACHED.match(folded)
    if attached is None:
        yield Token("word", folded, text, start, start + len(text))
        return
    cut = attached.end()
    yield Token("word", folded[:cut], text[:cut], start, start + cut)
    yield Token(
        "number", Decimal(folded[cut:]) if folded[cut:].isdigit() else 0, text[cut:], start + cut, start + len(text)
    )


def _number(text: str) -> Decimal:
    found = _DIGITS.search(text.replace(",", "."))
    return Decimal(found[0]) if found else Decimal(0)


def _size(text: str) -> tuple[str, int]:
    number, unit = text[: -len(_trailing(text))].strip(" -"), _trailing(text).lower()
    return "size", parse_size(f"{number}{unit if unit in UNITS else 'gb'}")


def _trailing(text: str) -> str:
    return _LETTERS.findall(text)[-1]


_READ = {
    "size": _size,
    "half_tb": lambda text: ("size", TIB // 2),
    "half_dozen": lambda text: ("number", Decimal(6)),
    "money": lambda text: ("money", float(_number(text))),
    "cores": lambda text: ("cpu", int(_number(text))),
    "times": lambda text: ("number", _number(text)),
    "number": lambda text: ("number", _number(text)),
}
