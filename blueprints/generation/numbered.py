"""Names with numbers in them that count nothing: hosts such as web01, programs such as "3CX", systems such as "SLES 15 SP6"."""

import re
from functools import cache

from blueprints.generation.hostnames import hosts_in
from blueprints.generation.lexicon import senses
from blueprints.generation.systems import systems_in
from blueprints.generation.tokens import Token


def names_in(text: str) -> list[Token]:
    """Every such name, in order."""
    programs = [Token("software", _program(match[0]), match[0], *match.span()) for match in _programs().finditer(text)]
    hosts = [Token("host", host.names, text[host.start : host.end], host.start, host.end) for host in hosts_in(text)]
    return sorted(_apart([*programs, *systems_in(text), *hosts]), key=lambda token: token.start)


def _apart(names: list[Token]) -> list[Token]:
    """The first of those that are at one place."""
    found: list[Token] = []
    for name in names:
        if all(name.end <= one.start or one.end <= name.start for one in found):
            found.append(name)
    return found


@cache
def _programs() -> re.Pattern[str]:
    """Those of which a word begins with a digit: in any other, the digit is one of its letters."""
    names = [words for words, sense in senses().items() if sense.kind == "software" and _has_number(words)]
    spelled = ("[ _-]?".join(map(re.escape, words)) for words in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w.])(?:{'|'.join(spelled)})(?![\w.]*\d)(?!\w)", re.IGNORECASE)


def _has_number(words: tuple[str, ...]) -> bool:
    return any(word[:1].isdigit() for word in words)


def _program(text: str) -> str:
    compact = re.sub(r"[ _-]", "", text.lower())
    return next(sense.value for words, sense in senses().items() if "".join(words) == compact)
