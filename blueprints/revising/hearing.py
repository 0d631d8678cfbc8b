"""What somebody says about a draft: the verb, what the vocabulary knows, numbers and ordinals."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from blueprints.generation.lexicon import LONGEST_PHRASE, Sense, fold, host_stems, language_of, senses
from blueprints.generation.numerals import number_of

_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
HOST = re.compile(r"(?<![\w.-])([a-z](?:[a-z0-9-]*[a-z])?)-?(\d{1,4})(?![\w.-]*\w)", re.ASCII)
_SENTENCE = re.compile(r"[^.!?;\n]+(?:[.](?=\S)[^.!?;\n]+)*[.!?;\n]*")
_MAKING = frozenset({"create", "build", "deploy", "provision", "erstelle", "baue", "cree", "crea", "crear"})
_STRENGTH = (
    "undo", "rename", "swap", "remove", "install", "merge", "double", "halve", "bigger", "smaller", "fewer", "more", "add", "available",
)  # fmt: skip
"""When several verbs are said, the earlier one of these is meant, but for what is added: see `verb`."""


@dataclass(frozen=True)
class Heard:
    """A sentence as folded words."""

    text: str
    words: tuple[str, ...]
    language: str
    start: int = 0
    """Where it begins in all that was said."""

    def has(self, kind: str, name: str) -> bool:
        """Whether one of the phrases of that name is said."""
        return self.position(kind, name) is not None

    def position(self, kind: str, name: str) -> int | None:
        """Where the first of these phrases begins."""
        found = [at for phrase in phrases(kind)[name] if (at := self._at(phrase)) is not None]
        return min(found, default=None)

    def says(self, phrase: Sequence[str]) -> bool:
        """Whether these words are said in a row."""
        return bool(phrase) and self._at(phrase) is not None

    def part(self, begin: int, end: int | None = None) -> "Heard":
        """What is said from one word to another, as it was written."""
        spans = _spans(self.text)[begin:end]
        if not spans:
            return replace(self, text="", words=())
        first, last = spans[0][0], spans[-1][1]
        return replace(hear(self.text[first:last], self.start + first), language=self.language)

    def _at(self, phrase: Sequence[str]) -> int | None:
        size = len(phrase)
        spots = range(len(self.words) - size + 1)
        return next((at for at in spots if self.words[at : at + size] == tuple(phrase)), None)

    @property
    def objects(self) -> "Heard":
        """As far as the things go that are meant, without what only says where they stand: "the balancer in front of web"."""
        verb = max((self._end("operations", name) for name in _STRENGTH), default=0)
        ends = [at for kind in ("context", "exceptions") if (at := self.position("sentences", kind)) is not None]
        end = min((at for at in ends if at > verb), default=len(self.words))
        return self if end == len(self.words) else replace(self, words=self.words[:end])

    @property
    def from_negative(self) -> "Heard":
        """What is said after "without", which alone is not wanted: "PostgreSQL without a replica"."""
        at = self.position("sentences", "negative")
        return self if at is None else replace(self, words=self.words[at:])

    @property
    def exceptions(self) -> "Heard | None":
        """What is said after "all but"; None when nothing is."""
        end = self._end("sentences", "exceptions")
        return replace(self, words=self.words[end:], text=" ".join(self.words[end:])) if end else None

    @property
    def with_exceptions(self) -> "Heard":
        """What is said up to them: "twice the memory for all but"."""
        end = self._end("sentences", "exceptions")
        return replace(self, words=self.words[:end])

    def _end(self, kind: str, name: str) -> int:
        """Where the first of these phrases ends; 0 when none is said."""
        found = [(at, -len(phrase)) for phrase in phrases(kind)[name] if (at := self._at(phrase)) is not None]
        at, size = min(found, default=(0, 0))
        return at - size

    @property
    def software(self) -> list[str]:
        """The programs that it names."""
        return [value for kind, value in senses_in(self) if kind == "software"]

    @property
    def hosts(self) -> list[str]:
        """What looks like the name of one machine: "web-1", "db2"."""
        found = ((match[1], match[0]) for match in HOST.finditer(fold(self.text)))
        return [name for stem_, name in found if stem_ in host_stems() or stem_.split("-")[0] in host_stems()]

    @property
    def names_nothing(self) -> bool:
        """Whether neither a program nor a role is named: "give it 16 GB"."""
        return not any(kind in ("software", "role") for kind, _ in senses_in(self))

    @property
    def names_unknown(self) -> bool:
        """Whether it speaks of something as if it were there that no vocabulary has: "put the foo on pve2"."""
        known = {place for at, end, _ in spots_of(self) for place in range(at, end)}
        spoken_of = (at + 1 for at, word in enumerate(self.words[:-1]) if (word,) in _definite())
        return any(at not in known and (self.words[at],) not in phrases("sentences")["valued"] for at in spoken_of)

    @property
    def is_of_none(self) -> bool:
        """Whether it names nothing, known or not."""
        return self.names_nothing and not self.names_unknown

    @property
    def is_denial(self) -> bool:
        """Whether it begins with a "no": "no cache"."""
        return self.position("sentences", "denials") == 0

    @property
    def denies(self) -> bool:
        """Whether there is a "no" in it."""
        return self.has("sentences", "denials") or self.has("sentences", "negative")

    @property
    def makes_something(self) -> bool:
        """Whether it is a wish of its own, which begins anew."""
        return bool(_MAKING & set(self.words))

    @property
    def verb(self) -> str:
        """The operation that is asked for, or nothing. What is added may be called big without being made bigger."""
        said = [name for name in _STRENGTH if self.has("operations", name)]
        if self.has("switches", "protected"):
            said = [name for name in said if name != "remove"]  # what is protected from deletion is not deleted
        if said == ["add"] and self._begins and not self._adds:
            return ""
        if "add" in said and "remove" not in said and self.position("operations", "add") == 0:
            return "more" if "more" in said else "add"
        return next(iter(said), "")

    @property
    def _adds(self) -> bool:
        """Whether "add" is said, or just "also"."""
        adverbs = phrases("sentences")["adverbs"]
        return any(self.says(phrase) for phrase in phrases("operations")["add"] if phrase not in adverbs)

    @property
    def _begins(self) -> bool:
        """Whether one of the words is said with which one gives or sets something."""
        return self.has("sentences", "beginners")

    @property
    def ordinals(self) -> list[int]:
        """2 for "the second", -1 for "the last"."""
        return [int(name) for name in phrases("ordinals") if self.has("ordinals", name)]

    @property
    def number(self) -> int | None:
        """The first number that is said."""
        found = (number_of(word, self.language) for word in re.findall(r"\w+", self.text))
        return next((number for number in found if number is not None and number < 1000), None)

    @property
    def is_one(self) -> bool:
        """Whether one of several is spoken of, and not which: "drop a web server"."""
        starts = {at for at, _, (kind, _value) in spots_of(self) if kind in ("role", "software", "machine")}
        return any((self.words[at - 1],) in phrases("sentences")["one of"] for at in starts if at)

    @property
    def last_number(self) -> int | None:
        """4 of "make that 4", where something is given."""
        is_given = self.has("sentences", "beginners") and bool(self.words)
        return number_of(self.words[-1], self.language) if is_given else None

    @property
    def goal(self) -> int | None:
        """5 of "scale it to 5"."""
        before = {phrase[-1] for phrase in phrases("sentences")["goals"]}
        pairs = zip(self.words, self.words[1:], strict=False)
        said = (number_of(word, self.language) for last, word in pairs if last in before)
        return next((number for number in said if number is not None and 0 < number < 1000), None)


def hear(text: str, start: int = 0) -> Heard:
    """The sentence, folded."""
    words = spoken(text)
    return Heard(text, words, language_of(list(words)), start)


def without_sentence(text: str, kind: str, name: str) -> str:
    """What is said without the sentences that say one of these phrases; everything else stays in its place."""
    return _SENTENCE.sub(lambda match: " " * len(match[0]) if hear(match[0]).has(kind, name) else match[0], text)


def spoken(name: str) -> tuple[str, ...]:
    """Folded words; of a name as somebody says it: `db-replica` is "db replica"."""
    return tuple(_WORD.findall(fold(name)))


def _spans(text: str) -> list[tuple[int, int]]:
    """Where each of the folded words stands in a text."""
    folded = [(fold(sign), place) for place, sign in enumerate(text)]
    places = [place for letters, place in folded for _ in letters]
    found = _WORD.finditer("".join(letters for letters, _ in folded))
    return [(places[match.start()], places[match.end() - 1] + 1) for match in found]


def senses_in(heard: Heard) -> Iterator[tuple[str, str]]:
    """Everything that the vocabulary of the planner knows in the sentence, the longest phrase first."""
    return (sense for _, _, sense in spots_of(heard))


def spots_of(heard: Heard) -> Iterator[tuple[int, int, tuple[str, str]]]:
    """These with where each begins and ends."""
    known, own, at = senses(), _own_senses(), 0
    while at < len(heard.words):
        for size in range(min(LONGEST_PHRASE, len(heard.words) - at), 0, -1):
            said = heard.words[at : at + size]
            sense = known.get(said) or (own.get(said) if at and heard.words[at - 1 : at] in _definite() else None)
            if sense is not None:
                yield at, at + size, (sense.kind, sense.value)
                at += size - 1
                break
        at += 1


@cache
def _own_senses() -> Mapping[tuple[str, ...], Sense]:
    """What only somebody who speaks of a draft calls so: "la base"."""
    return {phrase: Sense("role", role) for role, rows in phrases("parts").items() for phrase in rows}


def _definite() -> Sequence[tuple[str, ...]]:
    return phrases("sentences")["definite"]


def mentions(heard: Heard, kind: str, value: str) -> bool:
    """Whether the sentence says this sense, such as the label "memory"."""
    return (kind, value) in set(senses_in(heard))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


@cache
def phrases(kind: str) -> Mapping[str, Sequence[tuple[str, ...]]]:
    """The phrases of a kind, folded, by what they mean."""
    return {name: [tuple(phrase.split()) for phrase in rows] for name, rows in _table()[kind].items()}
