"""The grammar of search boxes: words, `key:value`, quotes around what has spaces, and `-` before what must not be."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

LONGEST = 200
_TOKEN = re.compile(r'(-?)(?:([A-Za-z_]+):)?(<=|>=|<|>|)("[^"]*"?|[^\s"]*)')
_PLAIN = re.compile(r'[^\s"<>:-][^\s":]*')


@dataclass(frozen=True)
class Term:
    """One condition. Of a word the key is empty; `sign` is one of < <= > >= or empty."""

    key: str
    value: str
    is_not: bool = False
    sign: str = ""

    def __str__(self) -> str:
        """As it is typed."""
        value = self.value if _PLAIN.fullmatch(self.value) else f'"{self.value}"'
        return f"{'-' if self.is_not else ''}{self.key}{':' if self.key else ''}{self.sign}{value}"


@dataclass(frozen=True)
class Search:
    """What was typed: its conditions, and sentences about what cannot be understood."""

    text: str
    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def chips(self) -> list[tuple[Term, str]]:
        """Each condition, with the search that is left without it."""
        return [
            (term, " ".join(map(str, (*self.terms[:place], *self.terms[place + 1 :]))))
            for place, term in enumerate(self.terms)
        ]


def parse(text: str, keys: Collection[str], aliases: Mapping[str, str] | None = None) -> Search:
    """Read a search of these keys, some of which have other names as well. A key without a value yet is left out."""
    text = text.replace("\0", "")[:LONGEST].strip()
    terms: list[Term] = []
    problems: list[str] = []
    for match in _TOKEN.finditer(text):
        sign, value = match[3], match[4].strip('"').strip()
        name = (match[2] or "").lower()
        key = (aliases or {}).get(name, name)
        if name and key not in keys:
            problems.append(_unknown(name, keys))
        elif value:
            terms.append(Term(key, value, bool(match[1]), sign) if key else Term("", f"{sign}{value}", bool(match[1])))
    return Search(text, tuple(terms), tuple(dict.fromkeys(problems)))


def _unknown(name: str, keys: Collection[str]) -> str:
    known = ", ".join(f"{key}:" for key in keys)
    return f"There is no filter {name[:30]}:. There are {known}. Put quotes around words that have a colon."
