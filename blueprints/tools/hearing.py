"""Which tool a question asks for, by the words of `words.toml`."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rapidfuzz.fuzz import ratio

from alma.errors import BadRequest
from blueprints.drafts import draft_of
from blueprints.generation.lexicon import fold
from blueprints.pricing import default_list
from blueprints.tools import filling
from blueprints.tools.register import NAMES, REGISTER, Tool

_ALIKE = 88
"""From 0 to 100: words that are nearly a key word count as it."""
_FUZZY = 6
"""Shorter words are too easily another one."""
_REACH = 8
"""So many words a dot stands for at most."""
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_LONGEST = 2000
_SURE, _AHEAD = 5, 3
"""So high a score, and so far ahead of the next, that no model is asked which tool it is."""
_EVIDENCE = "evidence"


@dataclass(frozen=True)
class Phrase:
    """Words that say a tool, and how much they say."""

    words: tuple[str, ...]
    weight: int


@dataclass(frozen=True)
class Said:
    """A phrase in the words of a question."""

    text: str
    weight: int


@dataclass(frozen=True)
class Hearing:
    """What the rules make of a question: a tool, how sure they are, and why."""

    tool: str = ""
    is_sure: bool = False
    reason: str = ""


def hear(question: str, context: Mapping[str, Any]) -> Hearing:
    """The tool for which words and arguments say most; what the context names helps."""
    given, words = filling.documents_in(question)
    named = next((name for name in NAMES if name in words.lower()), None)
    if named:
        return Hearing(named, True, f"{named} is named.")
    found = _weighed(words, context, given)
    if found.tool:
        return found
    if "blueprint" in given:
        return Hearing("validate_blueprint", True, "The question is a blueprint.")
    if _describes_machines(question):
        return Hearing("create_blueprint", False, "The question describes machines.")
    return found


def _weighed(words: str, context: Mapping[str, Any], given: Mapping[str, Any]) -> Hearing:
    found, read = heard(filling.without_names(words)), {**filling.in_words(words), **given}
    pointed = pointed_at(read)
    scores = {name: sum(phrase.weight for phrase in found[name]) + pointed.get(name, 0) for name in REGISTER}
    best = max(scores, key=lambda name: (scores[name], _fitting(REGISTER[name], context)))
    if not scores[best]:
        return Hearing()
    second = sorted(scores.values())[-2]
    said = [*(f"“{phrase.text}”" for phrase in found[best]), *(name for name in read if best in pointed_at([name]))]
    is_sure = scores[best] >= _SURE and scores[best] - second >= _AHEAD
    return Hearing(best, is_sure, f"{best}, because of {', '.join(said)}.")


def _describes_machines(question: str) -> bool:
    try:
        return bool(draft_of(question, prices=default_list())["resources"])
    except BadRequest:
        return False


def _fitting(tool: Tool, context: Mapping[str, Any]) -> int:
    return len(context.keys() & tool.arguments.model_fields.keys())


def heard(question: str) -> dict[str, list[Said]]:
    """By tool the phrases that are said."""
    words = _corrected(_WORD.findall(fold(question[:_LONGEST])))
    there = set(words)
    return {
        name: [said for one in phrases if _may_be(one.words[0], there) and (said := _said(one, words))]
        for name, phrases in _table().items()
    }


def _may_be(key: str, words: Set[str]) -> bool:
    return key in words or (key.endswith("*") and any(_same(key, word) for word in words))


def _corrected(words: Sequence[str]) -> list[str]:
    """Words of no meaning as the key word that they nearly are: what is mistyped by a letter in eight counts."""
    known = _single()
    return [word if len(word) < _FUZZY or word in known else _nearest(word) for word in words]


@cache
def _single() -> frozenset[str]:
    return frozenset(word for phrases in _table().values() for phrase in phrases for word in phrase.words)


def _nearest(word: str) -> str:
    if any(_same(key, word) for key in _single()):
        return word
    near = [(ratio(word, key), key) for key in _single() if len(key) >= _FUZZY and not key.endswith("*")]
    best, key = max(near)
    return key if best >= _ALIKE else word


def _said(phrase: Phrase, words: Sequence[str]) -> Said | None:
    at = next(
        (at for at in range(len(words)) if _begins(phrase.words, words[at : at + _REACH + len(phrase.words)])), None
    )
    if at is None:
        return None
    shown = ("…" if key == "." else key.rstrip("*") for key in phrase.words) if "." in phrase.words else words[at:]
    return Said(" ".join([*shown][: len(phrase.words)]), phrase.weight)


def _begins(phrase: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the phrase stands at the beginning; a dot in it is any words."""
    for number, key in enumerate(phrase):
        if key == ".":
            return any(
                _begins(phrase[number + 1 :], words[at:]) for at in range(number, min(len(words), number + _REACH))
            )
        if number >= len(words) or not _same(key, words[number]):
            return False
    return True


def _same(key: str, word: str) -> bool:
    return word.startswith(key[:-1]) if key.endswith("*") else word == key


def pointed_at(arguments: Iterable[str]) -> dict[str, int]:
    """By tool how much arguments that stand in a question say for it."""
    evidence = _told()[_EVIDENCE]
    sums: Counter[str] = Counter()
    for name in arguments:
        sums.update(evidence.get(name, {}))
    return sums


@cache
def _told() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@cache
def _table() -> dict[str, list[Phrase]]:
    return {
        name: [Phrase(tuple(text.split()), int(weight)) for weight, texts in rows.items() for text in texts]
        for name, rows in _told().items()
        if name != _EVIDENCE
    }
