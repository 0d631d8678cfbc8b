"""Full-text search over a few hundred passages: BM25, in the process, without a database's own search."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[a-z0-9_]+")
_SATURATION, _LENGTH_WEIGHT = 1.4, 0.7
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ments", "ment"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""))
_SHORTEST_STEM = 3
STOP_WORDS = frozenset(
    _WORD.findall(
        "a about all am an and any are as at be been but by can cannot could did do does for from get had has have how i if in"
        " into is it its just make me may my need no not of on one or our please should show so some tell than that the their"
        " them then there these they this to up us use used using want was we were what when where which who why will with"
        " would you your explain give mean means work works alma"
    )
)


def words_of(text: str) -> list[str]:
    """All words, in lower case."""
    return _WORD.findall(text.lower().replace("-", " "))


def terms(text: str) -> list[str]:
    """The words that carry meaning, cut to what their forms share."""
    return [_stem(word) for word in words_of(text) if word not in STOP_WORDS]


def _stem(word: str) -> str:
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _SHORTEST_STEM:
            if ending == "s" and stem.endswith(("s", "u", "i")):
                return word
            return (stem + instead).removesuffix("e")
    return word.removesuffix("e") if len(word) > _SHORTEST_STEM else word


@dataclass(frozen=True)
class Match:
    """A text by its number, how well it fits, and the share of the question's weight that it speaks of."""

    number: int
    score: float
    coverage: float


class Index:
    """Texts prepared for questions."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(terms(text)) for text in texts]
        self._lengths = [counts.total() for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(self._lengths)) or 1.0
        self._spread = Counter(term for counts in self._counts for term in counts)

    def search(self, question: str) -> list[Match]:
        """The texts that share a word with the question, best first.

        A word that stands nowhere weighs as much as the others do: it may be a plain verb, and the texts have another."""
        wanted = {term: self._rarity(term) for term in terms(question)}
        known = [rarity for term, rarity in wanted.items() if self._spread[term]]
        usual = sum(known) / max(1, len(known))
        wanted = {term: rarity if self._spread[term] else usual for term, rarity in wanted.items()}
        total = sum(wanted.values())
        found = [self._match(number, wanted, total) for number in range(len(self._counts))]
        return sorted((match for match in found if match.score > 0), key=lambda match: -match.score)

    def _rarity(self, term: str) -> float:
        spread = self._spread[term]
        return math.log(1 + (len(self._counts) - spread + 0.5) / (spread + 0.5))

    def _match(self, number: int, wanted: dict[str, float], total: float) -> Match:
        counts = self._counts[number]
        norm = _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * self._lengths[number] / self._mean)
        had = {term: rarity for term, rarity in wanted.items() if term in counts}
        score = sum(rarity * counts[term] * (_SATURATION + 1) / (counts[term] + norm) for term, rarity in had.items())
        return Match(number, score, sum(had.values()) / total if total else 0.0)
