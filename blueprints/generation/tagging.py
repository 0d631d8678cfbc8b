"""Words given their meaning: phrases of the lexicon, number words, and slips of the pen."""

from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from blueprints.generation.lexicon import (
    LONGEST_PHRASE,
    Sense,
    articles,
    language_of,
    number_words,
    plain_words,
    senses,
)
from blueprints.generation.tokens import Token, tokenise

_SHORTEST_TYPO = 4


def tag(text: str) -> tuple[list[Token], str]:
    """Tokens with their senses, and the language that they are in."""
    tokens = list(tokenise(text))
    language = language_of([token.value for token in tokens if token.kind == "word"])
    return list(_tagged(tokens, language)), language


def _tagged(tokens: list[Token], language: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(tokens):
        token, used = _next(tokens, position, language)
        found.append(token)
        position += used
    return found


def _next(tokens: list[Token], position: int, language: str) -> tuple[Token, int]:
    token = tokens[position]
    if token.kind != "word":
        return token, 1
    words = _words_from(tokens, position)
    for length in range(len(words), 1, -1):
        if sense := senses().get(tuple(words[:length])):
            return token.become(*sense, until=tokens[position + length - 1]), length
    return _single(token, language), 1


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
        return token.become("number", number_words(language)[word])
    if word in articles(language):
        return token.become("article", 1)
    sense = senses().get((word,)) or _sense_of_typo(word)
    return token.become(*sense) if sense else token


@cache
def _single_words() -> list[str]:
    return sorted(words[0] for words in senses() if len(words) == 1 and len(words[0]) >= _SHORTEST_TYPO)


def _sense_of_typo(word: str) -> Sense | None:
    """The sense of the only word that this one can be a slip of."""
    if len(word) < _SHORTEST_TYPO or word in plain_words():
        return None
    allowed = 2 if len(word) >= 8 else 1
    near = process.extractOne(word, _single_words(), scorer=OSA.distance, score_cutoff=allowed)
    if near is None or near[0][0] != word[0] or (len(word) == _SHORTEST_TYPO and sorted(near[0]) != sorted(word)):
        return None
    return senses()[(near[0],)]
