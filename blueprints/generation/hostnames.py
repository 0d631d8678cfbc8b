"""Names of hosts as they stand in a text: "web01", "db-prod-2", "app1 to app4", "node[01-03]"."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from blueprints.generation.lexicon import fold, head_words, host_ends, host_stems, ordinary_words, senses, words_of
from blueprints.schema.names import guest_name

_MOST = 64
_STEM = r"(?<![\w.@/#-])(?P<stem>[a-z][a-z0-9]{0,20}?(?:[-_][a-z][a-z0-9]{0,20}?){0,4}?[-_]?)"
_UNTIL = r"\s?(?:-|–|\.{2,3}|to|through|thru|bis(?: zu)?|à|al?|hasta|jusqu'à|fino a)\s?"
_HOST = re.compile(
    rf"{_STEM}(?:(?P<first>[0-9]{{1,3}})(?:{_UNTIL}(?P<again>(?P=stem))?(?P<last>[0-9]{{1,3}}))?"
    r"|[\[{](?P<from>[0-9]{1,3})(?:-|–|\.{2,3}|:)(?P<to>[0-9]{1,3})[\]}])(?![\w@%]|[.,-]\w|\s?(?:gb|tb|mb|cores?|cpus?)\b)",
    re.IGNORECASE,
)


_DESCRIBED = re.compile(
    r"(?:^|[,;:\n]|\b(?:and|und|et|y|e)\b)[ \t]{0,9}[\"'„“»]?(?P<name>[a-z][a-z0-9-]{1,30})[\"'“”«]?(?:[ \t]?\(|:[ \t]*)(?=[0-9]{1,6}\s?(?:x\s)?(?:v?cpus?|cores?|c\b|kerne?|c(?:œ|oe)urs?|n(?:ú|u)cleos?|[gmt]i?b|[gmt]o|g\b|gigs?|/))",
    re.IGNORECASE | re.MULTILINE,
)


_PLAIN = re.compile(r"(?<![\w.@/#-])(?P<stem>[a-z][a-z0-9]{0,20})-(?P<end>[a-z][a-z0-9]{0,14})(?![\w@%-]|\.\w)")


_TITLE = re.compile(
    r"(?:^|(?<=[.;\n] ))(?P<noun>[a-z]{2,12}) (?P<number>[0-9]{1,2}|[A-Z])(?= ?[:=])", re.IGNORECASE | re.MULTILINE
)


_NAMED = re.compile(
    r"\b(?:(?:call|name|nenn\w{0,3}|appele\w{0,2}|nommez|llámal\w{1,2}|llamal\w{1,2}|chiamal\w) ?(?:them|sie)?|called|named|named as|genannt|namens):? (?=[a-z])",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    r"[\"'„“»]?(?P<name>[a-z][a-z0-9-]{1,30})[\"'“”«]? ?\([^()]{1,120}\)(?:,? (?:and|und|et|y|e) |, )?", re.IGNORECASE
)


SIX = r"(?<![\w:.])(?=[0-9a-f:]*[0-9a-f])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])"
"""What can be an address of IPv6: "2001:db8::10" names no host."""
_SIX = re.compile(SIX, re.IGNORECASE)
_APPOSED = re.compile(
    r"(?:[a-z],|\(|\b(?:called|named|namens|genannt|nommés|nommées|llamados|llamadas|chiamati|chiamate)) ?\Z",
    re.IGNORECASE,
)
"""What stands before a name of one letter and a number: "two web servers, w1 and w2"."""


class Host(NamedTuple):
    """The names at one place of the text."""

    start: int
    end: int
    names: tuple[str, ...]


def hosts_in(text: str) -> list[Host]:
    """Every place where one or more machines are called by a numbered name, or several by names with values behind."""
    numbered = list(_numbered(text))
    taken = {place for host in numbered for place in range(host.start, host.end)}
    others = (
        host for host in (*_called(text), *_described(text), *_plain(text), *_titled(text)) if host.start not in taken
    )
    addresses = {place for match in _SIX.finditer(text) for place in range(*match.span())}
    found = {host.start: host for host in (*others, *numbered) if host.start not in addresses}
    return sorted(found.values())


def _described(text: str) -> Iterator[Host]:
    """ "gandalf (8 cores, 32 GB), frodo (2 cores)": words of no meaning, each with values of its own."""
    found = [match for match in _DESCRIBED.finditer(text) if means_nothing(match["name"])]
    if len(found) > 1:
        yield from (Host(match.start("name"), match.end("name"), (guest_name(match["name"]),)) for match in found)


def _titled(text: str) -> Iterator[Host]:
    """ "VM 1: a web server. VM 2: same as VM 1.": titles that are numbered on, wherever they are spoken of."""
    titles = {match[0] for match in _TITLE.finditer(text) if _is_machine(match["noun"])}
    if len(titles) > 1:
        for match in re.finditer(r"\b(?:" + "|".join(map(re.escape, sorted(titles))) + r")\b", text):
            yield Host(match.start(), match.end(), (guest_name(match[0].replace(" ", "-")),))


def _is_machine(noun: str) -> bool:
    sense = senses().get((fold(noun),))
    return sense is not None and sense.kind in ("machine", "member")


def _called(text: str) -> Iterator[Host]:
    """ "Call them hermes (Traefik, 1 GB), athena (PostgreSQL) and zeus (our app)"."""
    for start in _NAMED.finditer(text):
        place = start.end()
        while (match := _IN_BRACKETS.match(text, place)) and means_nothing(match["name"]):
            yield Host(match.start("name"), match.end("name"), (guest_name(match["name"]),))
            place = match.end()


def _plain(text: str) -> Iterator[Host]:
    """ "web-a and web-b", "db-main": a known beginning and what tells it from others."""
    found = [match for match in _PLAIN.finditer(text) if not _is_said(match)]
    lettered = Counter(match["stem"] for match in found if len(match["end"]) == 1)
    found = [match for match in found if match["stem"] in host_stems() or lettered[match["stem"]] > 1]
    ends: dict[str, set[str]] = {}
    for match in filter(_tells_apart, found):
        ends.setdefault(match["stem"], set()).add(match["end"])
    for match in found:
        is_one_of_several = len(ends.get(match["stem"], ())) > 1 and _tells_apart(match)
        if is_one_of_several or len(match["end"]) == 1 or match["end"] in host_ends():
            yield Host(match.start(), match.end(), (guest_name(match[0]),))


def _is_said(match: re.Match[str]) -> bool:
    """ "web-server", "app-nodes": words of the lexicon with a hyphen."""
    words = (fold(match["stem"]), fold(match["end"]))
    return words in senses() or (words[0], words[1].removesuffix("s")) in senses()


def _tells_apart(match: re.Match[str]) -> bool:
    """An end of no meaning, or one that only says what kind of its like it is: "build-win", "db-replica", "db-small"."""
    sense = senses().get((match["end"],))
    return match["end"] not in head_words() and (sense is None or sense.kind in ("os", "member", "size_word"))


def means_nothing(word: str) -> bool:
    """Neither a word of the lexicon nor one of everyday language: a name."""
    words = tuple(fold(part) for part in re.split(r"[-_.]", word) if part)
    is_known = words in senses() or any((part,) in senses() for part in words) and len(words) == 1
    return len(word) > 1 and not is_known and words[-1] not in ordinary_words() and guest_name(word) != ""


def _numbered(text: str) -> Iterator[Host]:
    found = list(_HOST.finditer(text))
    numbers: dict[str, set[str]] = {}
    apposed = {match["stem"] for match in found if _APPOSED.search(text[: match.start()])} - {"v", "q", "c"}
    for match in found:
        numbers.setdefault(match["stem"].lower(), set()).add(match["first"] or "")
    for match in found:
        is_numbered_on = len(numbers[match["stem"].lower()]) > 1
        is_host = _is_host(match, is_numbered_on) or (is_numbered_on and match["stem"] in apposed)
        if is_host and (names := _names(match)):
            yield Host(match.start(), match.end(), names)


def _is_host(match: re.Match[str], is_numbered_on: bool) -> bool:
    """A known beginning, a leading zero, or several that only differ in the number; "postgres-16" is a version."""
    words = re.split(r"[-_]", match["stem"].lower().strip("-_"))
    if match[0][0].isupper() and not is_numbered_on and (fold(match[0]),) in senses():  # "Db2"
        return False
    if any(
        sense and sense.kind in ("os", "label")
        for sense in (senses().get((word.rstrip("0123456789"),)) for word in words)
    ):
        return False
    if words[-1] in words_of("hypervisor_stems"):
        return False
    if words[-1] in host_stems() or match["from"] or match["again"]:
        return True
    is_padded = match["first"].startswith("0") and len(match["first"]) > 1
    return (is_padded or (is_numbered_on and len(words[-1]) > 1)) and not match["stem"].isupper()


def _names(match: re.Match[str]) -> tuple[str, ...]:
    stem, first, last = match["stem"], match["first"] or match["from"], match["last"] or match["to"]
    if not last:
        return (guest_name(stem + first),)
    if not 0 < int(last) - int(first) < _MOST:
        return ()
    width = len(first) if first.startswith("0") or len(first) == len(last) else 1
    return tuple(guest_name(f"{stem}{number:0{width}}") for number in range(int(first), int(last) + 1))
