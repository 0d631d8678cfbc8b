"""Questions in German, French, Spanish and Italian in the English words of the documentation, by a glossary."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_WORD = re.compile(r"[a-z0-9_]+")
_LETTERS = str.maketrans({"ß": "ss", "œ": "oe", "æ": "ae", "’": "'", "ä": "a", "ö": "o", "ü": "u"})
_LONGEST = 4
ENGLISH = "en"
_ENGLISH_SMALL = frozenset(
    [
        "how",
        "what",
        "which",
        "where",
        "who",
        "why",
        "when",
        "do",
        "does",
        "did",
        "is",
        "are",
        "can",
        "could",
        "should",
        "the",
        "a",
        "an",
        "of",
        "to",
        "for",
        "with",
        "my",
        "our",
        "i",
        "you",
        "it",
        "in",
        "on",
        "and",
        "or",
        "be",
    ]
)


@dataclass(frozen=True)
class Asked:
    """A question as the documentation would put it, the language it was asked in, and what to say in that language."""

    words: str
    language: str = ENGLISH
    note: str = ""
    nothing: str = ""


def translated(question: str, vocabulary: Set[str]) -> Asked:
    """The question in English; one that is English, or of no known language, as it is. `vocabulary` are the words that the
    documentation has: a name among them stays, and any other word is none of English that only looks like it."""
    words = _WORD.findall(_folded(question))
    language = _language(words)
    if language == ENGLISH:
        return Asked(question)
    table = _table()
    english = [
        word if known or word in vocabulary else f"{word}_{language}" for word, known in _in_english(words, language)
    ]
    return Asked(" ".join(english), language, table["notes"][language], table["nothing"][language])


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _language(words: list[str]) -> str:
    """The one whose small words occur most; English when in doubt."""
    scores = {language: sum(word in small for word in words) for language, small in _small().items()}
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] > scores[ENGLISH] else ENGLISH


def _in_english(words: list[str], language: str) -> Iterator[tuple[str, bool]]:
    """Word by word, the longest phrase first, each with whether the glossary knows it."""
    at = 0
    while at < len(words):
        size, meant = next(
            (
                (n, found)
                for n in range(min(_LONGEST, len(words) - at), 0, -1)
                if (found := _meaning(words[at : at + n]))
            ),
            (1, ""),
        )
        if meant:
            yield meant, True
        elif words[at] not in _small()[language]:
            yield words[at], False
        at += size


def _meaning(words: list[str]) -> str:
    phrase = " ".join(words)
    exact, beginnings = _phrases()
    if phrase in exact:
        return exact[phrase]
    fitting = [begin for begin in beginnings if phrase.startswith(begin)] if len(words) == 1 else []
    return beginnings[max(fitting, key=len)] if fitting else ""


@cache
def _phrases() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What is said whole, and what words begin with, each with its English."""
    exact: dict[str, list[str]] = {}
    beginnings: dict[str, list[str]] = {}
    for english, phrases in _table()["words"].items():
        for phrase in phrases:
            into = beginnings if phrase.endswith("*") else exact
            into.setdefault(phrase.removesuffix("*"), []).append(english)
    return (
        {phrase: " ".join(dict.fromkeys(found)) for phrase, found in exact.items()},
        {phrase: " ".join(dict.fromkeys(found)) for phrase, found in beginnings.items()},
    )


@cache
def _small() -> Mapping[str, frozenset[str]]:
    return {ENGLISH: _ENGLISH_SMALL, **{language: frozenset(rows) for language, rows in _table()["small"].items()}}


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("glossary.toml").read_text(encoding="utf-8"))
