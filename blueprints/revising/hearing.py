"""What somebody says about a draft: the verb, the parts of the draft that are meant, numbers and ordinals."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from blueprints.generation.lexicon import LONGEST_PHRASE, fold, host_stems, language_of, senses
from blueprints.generation.numerals import number_of
from blueprints.schema import Resource
from blueprints.schema.types import ROLE_OF_TYPE, normal

_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_HOST = re.compile(r"(?<![\w.-])([a-z](?:[a-z0-9-]*[a-z])?)-?(\d{1,4})(?![\w.-]*\w)", re.ASCII)
_SENTENCE = re.compile(r"[^.!?;\n]+(?:[.](?=\S)[^.!?;\n]+)*[.!?;\n]*")
_MAKING = frozenset({"create", "build", "deploy", "provision", "erstelle", "baue", "cree", "crea", "crear"})
_CROWDS = frozenset({"workers"})
"""Parts of names that mean all of a kind, where only one kind is called so: the workers of a cluster."""
_STRENGTH = (
    "undo", "rename", "swap", "remove", "double", "halve", "bigger", "smaller", "fewer", "more", "add", "available",
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

    def _end(self, kind: str, name: str) -> int:
        """Where the first of these phrases ends; 0 when none is said."""
        found = [(at, -len(phrase)) for phrase in phrases(kind)[name] if (at := self._at(phrase)) is not None]
        at, size = min(found, default=(0, 0))
        return at - size

    @property
    def software(self) -> list[str]:
        """The programs that it names."""
        return [value for kind, value in _senses(self) if kind == "software"]

    @property
    def hosts(self) -> list[str]:
        """What looks like the name of one machine: "web-1", "db2"."""
        found = ((match[1], match[0]) for match in _HOST.finditer(fold(self.text)))
        return [name for stem_, name in found if stem_ in host_stems() or stem_.split("-")[0] in host_stems()]

    @property
    def names_nothing(self) -> bool:
        """Whether neither a program nor a role is named: "give it 16 GB"."""
        return not any(kind in ("software", "role") for kind, _ in _senses(self))

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
        if said == ["add"] and self._begins and not self._adds:
            return ""
        if "add" in said and "remove" not in said and self.position("operations", "add") == 0:
            return "more" if "more" in said else "add"
        return said[0] if said else ""

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
    words = tuple(_WORD.findall(fold(text)))
    return Heard(text, words, language_of(list(words)), start)


def without_sentence(text: str, kind: str, name: str) -> str:
    """What is said without the sentences that say one of these phrases; everything else stays in its place."""
    return _SENTENCE.sub(lambda match: " " * len(match[0]) if hear(match[0]).has(kind, name) else match[0], text)


def meant(heard: Heard, resources: Sequence[Resource]) -> list[Resource]:
    """The parts of the draft that the sentence means: by their own names, by what runs on them or what they are for; or
    all of them when it says so. Who is named stands for its role: "the replica" is not every database."""
    by_name = named(heard, resources)
    said = set(_senses(heard)) - {sense for one in by_name for sense in senses_of(one)}
    by_software = [one for one in resources if any(("software", name) in said for name in software_of(one))]
    said -= {("role", role_of(one)) for one in by_software}
    by_role = [one for one in resources if ("role", role_of(one)) in said]
    found = [one for one in resources if one in by_name or one in by_software or one in by_role]
    if found:
        return found
    return list(resources) if heard.has("everything", "all") else _by_part(heard, resources)


def senses_of(resource: Resource) -> set[tuple[str, str]]:
    """The role and the software of a part, as the vocabulary has them."""
    return {("role", role_of(resource)), *(("software", name) for name in software_of(resource))}


def names_other(heard: Heard, resources: Sequence[Resource]) -> bool:
    """Whether a role or a program is named that none of them has."""
    known = {sense for one in resources for sense in senses_of(one)}
    return any(sense not in known for sense in _senses(heard) if sense[0] in ("role", "software"))


def stem(name: str) -> str:
    """What siblings share: `web-server` of `web-server-2`."""
    return re.sub(r"-?\d+$", "", name)


def named(heard: Heard, resources: Sequence[Resource]) -> list[Resource]:
    """Those whose name is said, whole or without its number; `db-replica` is not also `db`."""
    whole = [(one, name) for one in resources for name in (spoken(one.name), *_short(heard, one)) if heard.says(name)]
    stems = [(one, spoken(stem(one.name))) for one in resources if heard.says(spoken(stem(one.name)))]
    found = whole or stems
    return [one for one, name in found if not any(_within(name, other) for _, other in found if other != name)]


def _short(heard: Heard, resource: Resource) -> Iterator[tuple[str, ...]]:
    """How it may be called for short: "web-1" for `web-server-1`."""
    number = resource.name.removeprefix(stem(resource.name)).lstrip("-")
    for host in heard.hosts if number else ():
        kind, said = _HOST.fullmatch(host).groups()  # type: ignore[union-attr]
        if said.lstrip("0") == number and (
            senses().get((kind,)) in senses_of(resource) or kind == resource.name.split("-")[0]
        ):
            yield spoken(host)


def _by_part(heard: Heard, resources: Sequence[Resource]) -> list[Resource]:
    """Whoever alone has a word that is said in its name: "the replica" for `db-replica`."""
    said = {*heard.words, *(word.removesuffix("s") for word in heard.words if word in _CROWDS)}
    parts = [(one, part) for one in resources for part in set(spoken(one.name)) if len(part) > 2 and part in said]
    owners: dict[str, list[Resource]] = {}
    for one, part in parts:
        owners.setdefault(part, []).append(one)
    alone = [one for part, rows in owners.items() if len(rows) == 1 or _is_crowd(part, rows) for one in rows]
    return [one for one in resources if one in alone]


def _is_crowd(part: str, rows: Sequence[Resource]) -> bool:
    return f"{part}s" in _CROWDS and len({stem(row.name) for row in rows}) == 1


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    size = len(part)
    return any(whole[at : at + size] == part for at in range(len(whole) - size + 1))


def spoken(name: str) -> tuple[str, ...]:
    """A name as somebody says it: `db-replica` is "db replica"."""
    return tuple(_WORD.findall(fold(name)))


def role_of(resource: Resource) -> str:
    """What it is for."""
    return resource.specs.role or ROLE_OF_TYPE.get(normal(resource.type), normal(resource.type))


def software_of(resource: Resource) -> Sequence[str]:
    """What runs on it."""
    return [name.lower() for name in (*(resource.specs.software or ()), resource.specs.engine or "") if name]


def _senses(heard: Heard) -> Iterator[tuple[str, str]]:
    """Everything that the vocabulary of the planner knows in the sentence, the longest phrase first."""
    return (sense for _, _, sense in _spots(heard))


def definite_others(heard: Heard, resources: Sequence[Resource]) -> list[str]:
    """What is spoken of as if it were there, and is none of these: "the database"."""
    known, articles = {sense for one in resources for sense in senses_of(one)}, phrases("sentences")["definite"]
    return [
        " ".join(heard.words[at:end])
        for at, end, sense in _spots(heard)
        if at and sense[0] in ("role", "software") and sense not in known and (heard.words[at - 1],) in articles
    ]


def _spots(heard: Heard) -> Iterator[tuple[int, int, tuple[str, str]]]:
    """The same with where each begins and ends."""
    known, at = senses(), 0
    while at < len(heard.words):
        for size in range(min(LONGEST_PHRASE, len(heard.words) - at), 0, -1):
            sense = known.get(heard.words[at : at + size])
            if sense is not None:
                yield at, at + size, (sense.kind, sense.value)
                at += size - 1
                break
        at += 1


def mentions(heard: Heard, kind: str, value: str) -> bool:
    """Whether the sentence says this sense, such as the label "memory"."""
    return (kind, value) in set(_senses(heard))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


@cache
def phrases(kind: str) -> Mapping[str, Sequence[tuple[str, ...]]]:
    """The phrases of a kind, folded, by what they mean."""
    return {name: [tuple(phrase.split()) for phrase in rows] for name, rows in _table()[kind].items()}
