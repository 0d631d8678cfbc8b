"""Words given their meaning: phrases of the lexicon, number words, and slips of the pen."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from blueprints.generation.golang import told_apart
from blueprints.generation.lexicon import (
    LONGEST_PHRASE,
    Sense,
    articles,
    everyday_words,
    fold,
    foreign_words,
    language_of,
    number_words,
    ordinary_words,
    senses,
    software_facts,
)
from blueprints.generation.numbered import names_in
from blueprints.generation.numerals import in_words
from blueprints.generation.particles import joined
from blueprints.generation.programs import with_common_names, with_unknown_software
from blueprints.generation.purposes import server_left_out
from blueprints.generation.tokens import Token, tokenise

_LEAST_PART = 2
_LEAST_COMPOUND = 9
_NO_LAST = ("ct", "cts")
"""Architects are no containers."""
_LEAST_NAME = 3
_SHORTEST_TYPO = 4
_NOUNS = ("role", "software", "label")
_SHORT = 5
_EXACT = ("verb", "correction", "without", "existing", "definite", "part", "rest", "twin", "several")
"""What would turn a sentence around is never guessed from a slip."""
_NO_NUMBERS = ("ones",)
"""The library takes "four Linux ones" for a one."""
_LONGEST_NUMBER = 6
_HAS = "ha"
"""In Italian and Spanish a verb, and only in capitals short for high availability."""
_MAKE = ("based", "powered", "basierte", "basierter", "basiertes", "basierten")
"""nginx-based web servers are nginx web servers."""


def tag(text: str) -> tuple[list[Token], str]:
    """Tokens with their senses, and the language that they are in."""
    tokens = list(tokenise(text, names_in(text)))
    language = language_of([token.value for token in tokens if token.kind == "word"])
    tagged = with_common_names(_tagged([token for token in tokens if token.value not in _MAKE], language))
    return with_unknown_software(told_apart(text, joined(tagged), language), text, language), language


def _tagged(tokens: list[Token], language: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(tokens):
        token, used = _next(tokens, position, language)
        if found and token.kind == "number" and found[-1].kind == "number" and _is_only(found[-1]):
            found[-1] = found[-1].become("exact", "exact")
        found.append(token)
        position += used
    return found


def _is_only(token: Token) -> bool:
    """ "solo tres": before another number it counts nothing."""
    return senses().get((fold(token.text),), Sense("", "")).kind == "exact"


def _next(tokens: list[Token], position: int, language: str) -> tuple[Token, int]:
    token = tokens[position]
    if token.kind != "word":
        return token, 1
    words = _words_from(tokens, position)
    if found := server_left_out(tokens, position, words):
        return found
    for length in range(len(words), 1, -1):
        if sense := senses().get(tuple(words[:length])):
            return token.become(*sense, until=tokens[position + length - 1]), length
    if sense := _sense_of_slip(*words[:2]) if len(words) > 1 else None:
        return token.become(*sense, until=tokens[position + 1]), 2
    if number := _number(tokens[position : position + _LONGEST_NUMBER], language):
        value, length = number
        return token.become("number", Decimal(value), until=tokens[position + length - 1]), length
    single = _single(token, language)
    is_counted = position > 0 and tokens[position - 1].kind == "number"
    return (_unit(single) if is_counted and single.kind == "word" else single), 1


def _unit(token: Token) -> Token:
    """ "4 cors", "3 nods": right behind a number, even a short word can only be a slip of what is counted."""
    sense = _sense_of_unit(token.value) if token.value not in everyday_words() else None
    return token.become(*sense) if sense else token


def _is_counted(sense: Sense) -> bool:
    return sense == Sense("label", "cpu") or sense.kind in ("machine", "member")


@lru_cache(maxsize=2048)
def _sense_of_unit(word: str) -> Sense | None:
    """The unit that misses one letter, or has two in the wrong order."""
    units = (words[0] for words, sense in senses().items() if len(words) == 1 and _is_counted(sense))
    near = [
        unit
        for unit in units
        if len(word) < len(unit) and OSA.distance(word, unit) == 1 or sorted(word) == sorted(unit)
    ]
    return senses()[(near[0],)] if near and len(word) >= _LEAST_NAME else None


def _number(tokens: list[Token], language: str) -> tuple[int, int] | None:
    """A number in words, as long as it goes: "one hundred and twenty-eight"."""
    if tokens[0].value in articles(language) or tokens[0].value in _NO_NUMBERS:
        return None
    if in_words(tokens[0].text, language) is None:
        return None
    for length in range(len(tokens), 0, -1):
        if all(token.kind == "word" for token in tokens[:length]):
            value = in_words(" ".join(token.text for token in tokens[:length]), language)
            if value is not None:
                return value, length
    return None


def _words_from(tokens: list[Token], position: int) -> list[str]:
    words: list[str] = []
    for token in tokens[position : position + LONGEST_PHRASE]:
        if token.kind != "word":
            break
        words.append(token.value)
    return words


def _single(token: Token, language: str) -> Token:
    word = token.value
    if word in number_words(language):
        return token.become("number", Decimal(str(number_words(language)[word])))
    if word in articles(language):
        return token.become("article", 1)
    if word in foreign_words(language) and not token.text.isupper():  # "ha dado", and "HA"
        return token
    if word == _HAS and token.text == _HAS and language in ("it", "es"):
        return token
    sense = senses().get((word,)) or _sense_of_compound(word)
    if sense is None or (sense.kind == "machine" and (word,) not in senses()):
        sense = _sense_of_typo(word, 1 if sense else 2) or sense  # "Wepserver"
    return token.become(*sense) if sense and not _is_common_word(token, sense) else token


def _is_common_word(token: Token, sense: Sense) -> bool:
    """ "the harbour", "échange": names that are words as well are names only with a capital."""
    return sense.kind == "software" and not token.text[:1].isupper() and bool(software_facts(sense.value).get("proper"))


@lru_cache(maxsize=8192)
def _sense_of_compound(word: str) -> Sense | None:
    """ "Testmaschinen", "Nginxserver": what its first part says it is, or else its last."""
    for cut in range(_LEAST_PART, len(word) - _LEAST_PART):
        last = senses().get((word[cut:],)) if word[cut:] not in _NO_LAST else None
        if last and last.kind == "machine" and len(word) >= _LEAST_COMPOUND:
            first = senses().get((word[:cut].removesuffix("s"),)) or senses().get((word[:cut],))
            return first if first and first.kind in ("role", "software") else last
    return None


@cache
def _pairs() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Of every phrase of two words, the second by the first and the first by the second."""
    seconds: dict[str, list[str]] = {}
    firsts: dict[str, list[str]] = {}
    for words, sense in senses().items():
        if len(words) == 2 and sense.kind in _NOUNS and not _is_rare(sense):
            seconds.setdefault(words[0], []).append(words[1])
            firsts.setdefault(words[1], []).append(words[0])
    return seconds, firsts


@lru_cache(maxsize=8192)
def _sense_of_slip(first: str, second: str) -> Sense | None:
    """ "home asistant", "lod balancer": two words of which one is a slip."""
    seconds, firsts = _pairs()
    if near := _nearest(second, seconds.get(first, ())):
        return senses()[(first, near)]
    if near := _nearest(first, firsts.get(second, ())):
        return senses()[(near, second)]
    if (near := _nearest(first, sorted(seconds))) and (then := _nearest(second, seconds[near])):
        return senses()[(near, then)]
    return None


def _nearest(word: str, among: Sequence[str]) -> str:
    """The word that this one is a slip of: a letter wrong, or two in a long one."""
    if len(word) < _SHORTEST_TYPO or (word,) in senses() or word in ordinary_words() or word in everyday_words():
        return ""
    near = process.extractOne(word, among, scorer=OSA.distance, score_cutoff=2 if len(word) >= 8 else 1)
    if near is None or near[0][0] != word[0] or (_is_short(word, near[0]) and sorted(near[0]) != sorted(word)):
        return ""
    return str(near[0])


@cache
def _single_words(initial: str) -> list[str]:
    """Words that a slip with this first letter can stand for."""
    said = ((words[0], sense) for words, sense in senses().items() if len(words) == 1 and sense.kind not in _EXACT)
    words = (word for word, sense in said if not _is_rare(sense))
    return sorted(word for word in words if len(word) >= _SHORTEST_TYPO and word[0] == initial)


def _is_rare(sense: Sense) -> bool:
    """So seldom meant that a slip of the pen is no sign of it."""
    return sense.kind == "software" and bool(software_facts(sense.value).get("rare"))


@lru_cache(maxsize=8192)
def _sense_of_typo(word: str, most: int = 2) -> Sense | None:
    """The sense of the only word that this one can be a slip of."""
    if len(word) < _SHORTEST_TYPO or word in everyday_words():
        return None
    allowed = min(most, 2 if len(word) >= 8 else 1)
    near = process.extractOne(word, _single_words(word[0]), scorer=OSA.distance, score_cutoff=allowed)
    if (
        near is None
        or abs(len(near[0]) - len(word)) > 1
        or (_is_short(word, near[0]) and sorted(near[0]) != sorted(word))
    ):
        return None
    return senses()[(near[0],)]


def _is_short(word: str, near: str) -> bool:
    """ "short" is no slip of "snort": in a short word letters change places or go missing, and are not others."""
    return len(word) == _SHORTEST_TYPO or (len(word) == len(near) and len(word) <= _SHORT)
