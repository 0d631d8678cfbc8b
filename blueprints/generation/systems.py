"""Operating systems that are called by more than a name and a number: "SLES 15 SP6", "Server 2022 Core", "alma 9", "el9"."""

import re
from collections.abc import Iterator
from functools import cache

from blueprints.generation.lexicon import fold, number_words, table, words_of
from blueprints.generation.tokens import Token

_BETWEEN = r"(?:linux|enterprise|server|core|stream|leap|lts|release|version|datacenter|standard|v)"
_EDITION = (
    r"lts|server\s+core|core(?!\s+i\d)|data\s?center(?:\s+edition)?|standard(?:\s+edition)?|essentials|desktop\s+experience"
    r"|pro(?:fessional)?|enterprise|home|education|ltsc|(?:sp|u)\s?[0-9]|r2|sp[0-9]|minimal|numbat|jellyfish|fossa"
)
_RELEASES = {
    "windows": r"(?:20(?:08|12|16|19|22|25)|2k(?:8|12|16|19|22|25))(?:\s?r2)?|1[01]|8\.1",
    "ubuntu": r"(?:1[468]|2[0-8])(?:\.?(?:04|10))?(?:\.[0-9])?",
    "debian": r"(?:9|1[0-5])(?:\.[0-9]{1,2})?",
    "fedora": r"[34][0-9]",
    "suse": r"1[0-6](?:[.\s-]?sp[0-9]|\.[0-9])?",
    "opensuse": r"(?:15|16|42)(?:\.[0-9])?",
    "freebsd": r"1[2-6](?:\.[0-9])?",
    "openbsd": r"7\.[0-9]",
    "netbsd": r"(?:9|10)(?:\.[0-9])?",
    "alpine": r"3\.[0-9]{1,2}",
    "amazon": r"202[0-9]|2",
    "solaris": r"1[01](?:\.[0-9])?",
    "nixos": r"2[3-9]\.(?:05|11)",
    "mint": r"2[0-3](?:\.[0-9])?",
}
_OF_RED_HAT = r"(?:[6-9]|10)(?:\.[0-9]{1,2})?"
_MACHINE = r"(?=[ -](?:vms?|lxcs?|cts?|containers?|box(?:es)?|servers?|hosts?|machines?|guests?|instances?)\b)"


def systems_in(text: str) -> list[Token]:
    """Every system with its release, in order."""
    found = [*_released(text), *_bare(text)]
    return sorted(found, key=lambda token: token.start)


def _released(text: str) -> Iterator[Token]:
    for match in (*_pattern().finditer(text), *_attached().finditer(text)):
        family, name = _family_of(match["name"]), fold(match["name"])
        if re.fullmatch(_RELEASES.get(family, _OF_RED_HAT), match["release"], re.IGNORECASE) and (
            name != "server" or _begins_a_name(text[: match.start()], match["release"])
        ):
            yield Token("os", f"{family}-{_release(family, match['release'])}", match[0], *match.span())


def _bare(text: str) -> Iterator[Token]:
    """ "an arch vm": a word of everyday language that is a system right before its machine."""
    for match in re.finditer(rf"\b(?P<name>arch|void|mint|gentoo|suse){_MACHINE}", text, re.IGNORECASE):
        yield Token("os", match["name"].lower(), match[0], *match.span())


def _begins_a_name(before: str, release: str) -> bool:
    """ "two Server 2022 VMs", "on Server 2019", and not "SQL Server 2022"."""
    last = re.search(r"(\S+)[ \t]*$", before)
    word = fold(last[1]) if last else ""
    is_open = (
        not word
        or not word[-1].isalnum()
        or word in words_of("before_release")
        or word.isdigit()
        or word in number_words("en")
    )
    return is_open and release.startswith("20")


def _release(family: str, said: str) -> str:
    """ "2k19" is 2019, "2204" and "22" of Ubuntu are 22.04, "15 SP6" is 15."""
    plain = re.sub(r"[.\s-]?(?:sp[0-9]|r2)$", "", said.lower())
    if family == "windows":
        return re.sub(r"^2k(\d+)$", lambda match: f"20{match[1]:0>2}", plain)
    if family == "ubuntu":
        return re.sub(r"^(\d\d)(04|10)$", r"\1.\2", plain) if len(plain) != 2 else f"{plain}.04"
    return plain


@cache
def _names() -> dict[str, str]:
    """Every spelling of every family, also those that mean it only with a release behind them."""
    tables = table("systems")
    return {
        spelling: family
        for kind in ("systems", "others", "released", "attached")
        for family, spellings in tables[kind].items()
        for spelling in spellings
    }


def _family_of(name: str) -> str:
    return _names()[re.sub(r"[\s-]+", " ", fold(name))]


_NUMBER = r"(?P<release>(?:2k)?[0-9]+(?:\.[0-9]+){0,2}(?:[.\s-]?sp[0-9]|\s?r2)?)(?![\w%]|\.\d|-\w)"
_NO_VALUE = r"(?!\s?(?:x|gb|gib|mb|tb|cores|cpus?|vcpus?)\b)"


@cache
def _pattern() -> re.Pattern[str]:
    """The name, what may stand before the release, the release, and what edition it is."""
    names, codes = _spelled("systems", "others", "released"), "|".join(table("systems")["codenames"])
    return re.compile(
        rf"(?<![\w.-])(?P<name>{names})(?:[ -]?\b(?:{_BETWEEN}|{codes})\b)*[ -]?{_NUMBER}{_NO_VALUE}"
        rf"(?:[ -]\(?(?:{_EDITION}|{codes})\b\)?)*",
        re.IGNORECASE,
    )


@cache
def _attached() -> re.Pattern[str]:
    """ "el9", "w2k19": names that are nothing without their number."""
    return re.compile(rf"(?<![\w.-])(?P<name>{_spelled('attached')}){_NUMBER}{_NO_VALUE}", re.IGNORECASE)


def _spelled(*kinds: str) -> str:
    names = (name for kind in kinds for spellings in table("systems")[kind].values() for name in spellings)
    return "|".join(re.escape(name).replace(r"\ ", r"[\s-]") for name in sorted(names, key=len, reverse=True))
