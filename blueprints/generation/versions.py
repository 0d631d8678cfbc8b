"""Names with what belongs to them: "ubuntu 22.04", "PostgreSQL 16", "Apache Solr"."""

import re

from blueprints.generation.lexicon import software_facts
from blueprints.generation.neighbours import is_at, kind_at
from blueprints.generation.tokens import Token

_WORDS = ("lts", "server", "sever", "version", "v", "release", "linux", "linx", "os")
_OF = ("of", "de", "di", "von")
_LEAST_YEAR, _MOST_YEAR = 1990, 2100
_VERSIONS = {
    "windows": (7, 12),
    "debian": (9, 15),
    "ubuntu": (18, 30),
    "fedora": (30, 60),
    "freebsd": (12, 20),
    "alpine": (3, 4),
}
"""What a whole number behind a system is: "windows 11 VMs" are no eleven machines, "ubuntu 3 servers" are three."""


def software_of_maker(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "Apache Solr", "grafana loki": one name, and no web server or dashboard."""
    after = tokens[position + 1] if kind_at(tokens, position + 1) == "software" else None
    if after is None or after.start != tokens[position].end + 1:
        return None
    maker, facts = tokens[position].text, software_facts(after.value)
    if maker.lower() != facts.get("maker") and (maker != "Apache" or facts.get("role") == "web"):
        return None
    return tokens[position].become("software", after.value, until=after), 2


def software_with_version(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "PostgreSQL 16 on a VM", "two PostgreSQL 16 servers": a release, and no number of machines."""
    place = position + 1
    if kind_at(tokens, place) != "number" or not tokens[place].text.replace(".", "").isdigit():
        return None
    is_near = tokens[place].start == tokens[position].end + 1
    is_release = "." in tokens[place].text or _LEAST_YEAR <= tokens[place].value < _MOST_YEAR
    if not is_near or not (
        is_release or _is_said_of_release(tokens, place + 1) or _is_release_of_counted(tokens, position)
    ):
        return None
    return tokens[position].become("software", tokens[position].value, until=tokens[place]), 2


def _is_said_of_release(tokens: list[Token], place: int) -> bool:
    """ "… 16 on", "… 16 with"."""
    return kind_at(tokens, place) == "join" and tokens[place].value in ("on", "with", "for", "as", "is")


def _is_release_of_counted(tokens: list[Token], position: int) -> bool:
    """ "a … 16 server", "two … 16 servers", "… 16 server": counted before, or only one."""
    noun = position + 2
    if kind_at(tokens, noun) not in ("machine", "member", "role"):
        return False
    before = position - 2 if _is_of(tokens, position - 1) else position - 1
    is_counted = kind_at(tokens, before) in ("number", "article", "definite")
    return is_counted or tokens[noun].text.lower() in ("server", "vm", "node", "instance", "cluster", "container")


def _is_of(tokens: list[Token], place: int) -> bool:
    """ "a pair of …"."""
    return kind_at(tokens, place) == "join" and tokens[place].text.lower() in _OF


def system_with_version(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    place = position + 1
    if kind_at(tokens, place) == "os" and str(tokens[place].value).startswith(str(tokens[position].value)):
        return tokens[place].become("os", tokens[place].value), 2
    if "-" in str(tokens[position].value):
        return _same_release(tokens, position)
    place = _past_words_of_systems(tokens, place)
    if kind_at(tokens, place) != "number" or kind_at(tokens, place + 1) in ("label", "machine"):
        return _system_before_noun(tokens, position, place)
    version = re.sub(r"^(1[0-9]|2[0-9])(04|10)$", r"\1.\2", tokens[place].text.strip(" x×"))
    return tokens[position].become(
        "os", f"{tokens[position].value}-{version}", until=tokens[place]
    ), place - position + 1


def _same_release(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "jammy 22.04", "debian 12 (bookworm)": its release once more."""
    place = position + 1 + (kind_at(tokens, position + 1) == "open")
    release = str(tokens[position].value).partition("-")[2]
    is_said = kind_at(tokens, place) in ("number", "os") and str(tokens[place].value).endswith(release)
    if not is_said or (tokens[place].kind == "number" and tokens[place].text != release):
        return None
    place += kind_at(tokens, place + 1) == "close" and place > position + 1
    return tokens[position].become("os", tokens[position].value, until=tokens[place]), place - position + 1


def _past_words_of_systems(tokens: list[Token], place: int) -> int:
    """ "Ubuntu LTS", "Windows sever 2019"."""
    while kind_at(tokens, place) == "word" and (tokens[place].value in _WORDS or _is_linux(tokens[place].value)):
        place += 1
    is_year = kind_at(tokens, place + 1) == "number" and tokens[place + 1].value >= _LEAST_YEAR
    return place + 1 if is_year and is_at(tokens, place, "machine", "any") else place


def _is_linux(word: str) -> bool:
    """ "linxu", "liunx": its letters in another order."""
    return sorted(word) == sorted("linux")


def _system_before_noun(tokens: list[Token], position: int, place: int) -> tuple[Token, int] | None:
    """ "ubuntu 22.04 servers": a number with a point, or a large one, is no count."""
    if kind_at(tokens, place) == "number" and _looks_like_version(tokens[place].text, tokens[position].value):
        return tokens[position].become("os", f"{tokens[position].value}-{tokens[place].text}", until=tokens[place]), (
            place - position + 1
        )
    return None


def _looks_like_version(text: str, family: str) -> bool:
    if "." in text:
        return True
    low, high = _VERSIONS.get(family, (5, 100))
    return text.isdigit() and (low <= int(text) <= high or int(text) >= 2000)
