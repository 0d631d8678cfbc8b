"""What somebody says, taken apart: "make the database bigger, drop the cache and give web-1 8 GB" is three things to do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from blueprints.revising.hearing import Heard, hear, mentions, phrases, senses_in

_PIECE = re.compile(r"[,;:\n]+|[.!?]+(?=\s|$)|\w+", re.UNICODE)
_FIGURE = re.compile(r"(?<![\w-])\d")
"""A number that is not part of a name."""
_PORTS_BEFORE = re.compile(r"\b(?:ports?|puertos?|porte|porta)\b[\d\W]*(?:(?:and|und|et|y|e)\W*)?$", re.IGNORECASE)
"""Their numbers are one list: "ports 80 and 443"."""
_WHOLE = frozenset({"all", "every", "everything"})
_SHARED = frozenset({"remove", "bigger", "smaller", "double", "halve"})
"""What is said once for several parts: "drop the cache and the balancer"."""
_GROWING = frozenset({"add", "more"})
NamesPart = Callable[[Heard], bool]


@dataclass(frozen=True)
class Clause:
    """One thing to do: the operation, each of the phrases that say to what, and those that say to what not."""

    verb: str
    phrases: tuple[Heard, ...] = field(default_factory=tuple)
    spared: tuple[Heard, ...] = field(default_factory=tuple)

    @property
    def text(self) -> str:
        """Its words, as far as they are quoted to a person."""
        return ", ".join(phrase.text for phrase in self.phrases)


def clauses(words: str, names_part: NamesPart) -> list[Clause]:
    """The things to do, in the order in which they are said."""
    found: list[Clause] = []
    for heard in _pieces(words):
        continued = _continued(words, found[-1], heard, names_part) if found else None
        if continued is None:
            found.append(Clause(_verb(heard, names_part), (heard,)))
        else:
            found[-1] = continued
    return found


def _continued(words: str, last: Clause, heard: Heard, names_part: NamesPart) -> Clause | None:
    """What was said before together with this; None when this is another thing to do."""
    if heard.position("sentences", "restrictions") == 0 and names_part(heard):
        return replace(last, spared=(*last.spared, heard))
    if not _begins_anew(last, heard, names_part):
        joined = _joined(words, last.phrases[-1], heard)
        rest = last.phrases[:-1]
        return replace(last, verb=last.verb if rest else joined.verb, phrases=(*rest, joined))
    if _shares(last, heard, names_part):
        return replace(last, phrases=(*last.phrases, heard))
    return None


def _verb(heard: Heard, names_part: NamesPart) -> str:
    """What is to be done; "no cache" takes it out."""
    denies = heard.is_denial and names_part(heard) and not _FIGURE.search(heard.text)
    return "remove" if denies else heard.verb


def _pieces(words: str) -> Iterator[Heard]:
    """What stands between commas, ends of sentences and words like "and"."""
    connectors, begin = _connectors(), 0
    for match in _PIECE.finditer(words):
        before, after = words[begin : match.start()], words[match.end() :]
        is_between = not match[0][0].isalnum() or (
            hear(match[0]).words in connectors and not _excepts(match[0], before, after)
        )
        if is_between and not (_PORTS_BEFORE.search(before) and after.lstrip()[:1].isdigit()):
            yield from _piece(words, begin, match.start())
            begin = match.end()
    yield from _piece(words, begin, len(words))


def _excepts(connector: str, before: str, after: str) -> bool:
    """Whether it says what is spared: "all web servers but one"."""
    if hear(after[:20]).position("sentences", "restrictions") == 0:
        return False
    return connector.lower() == "but" and bool(_WHOLE & set(hear(before).words))


def _connectors() -> set[tuple[str, ...]]:
    return set(phrases("sentences")["connectors"])


def _piece(words: str, begin: int, end: int) -> Iterator[Heard]:
    text = words[begin:end]
    heard = hear(text.strip(), start=begin + len(text) - len(text.lstrip()))
    if heard.words and heard.words not in phrases("sentences")["adverbs"] and not _is_content(heard):
        yield heard


def _is_content(heard: Heard) -> bool:
    """Whether it only says that something may stay: "the web servers are fine, but …"."""
    return heard.has("sentences", "contented") and not heard.verb and not _FIGURE.search(heard.text)


def _joined(words: str, first: Heard, second: Heard) -> Heard:
    return hear(words[first.start : second.start + len(second.text)], start=first.start)


def _begins_anew(clause: Clause, heard: Heard, names_part: NamesPart) -> bool:
    """Whether all was said of the one thing, and this is another."""
    if not (clause.verb or _is_complete(clause.phrases[-1])):
        return False
    return _is_order(heard, names_part) or _sets(clause, heard, names_part) or _shares(clause, heard, names_part)


def _is_complete(heard: Heard) -> bool:
    """Whether it says what to do without a verb for it: a value, an order, or a place."""
    is_placed = heard.has("sentences", "moving") and heard.has("sentences", "onto")
    is_ordered = any(kind == "order" for kind, _ in senses_in(heard))
    return bool(_FIGURE.search(heard.text)) or is_placed or is_ordered or heard.has("sentences", "apart")


def _is_order(heard: Heard, names_part: NamesPart) -> bool:
    """Whether it says itself what to do; "without backups" only adds to what was said before."""
    if heard.has("sentences", "negative") and not names_part(heard):
        return False
    first = heard.words[:2]
    return (
        bool(heard.verb)
        or heard.position("sentences", "restrictive") == 0
        or (heard.is_denial and names_part(heard))
        or any(phrase[0] in first for phrase in phrases("sentences")["beginners"])
    )


def _sets(clause: Clause, heard: Heard, names_part: NamesPart) -> bool:
    """Whether it gives values to another part: "db with 16 GB and web-1 with 4 GB", "and daily backups for the database"."""
    if mentions(heard, "backup", "backup"):
        return names_part(heard)
    return clause.verb not in _GROWING and bool(_FIGURE.search(heard.text)) and names_part(heard)


def _shares(clause: Clause, heard: Heard, names_part: NamesPart) -> bool:
    """Whether what was said before is to be done to this as well."""
    if clause.verb not in _SHARED or _FIGURE.search(heard.text):
        return False
    if heard.position("sentences", "restrictive") == 0:
        return False
    return not heard.verb and names_part(heard) and any(map(names_part, clause.phrases))
