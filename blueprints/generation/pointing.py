"""Counts of what is only pointed at: "two nodes of the former" is read as "the former: two nodes"."""

from dataclasses import replace

from blueprints.generation.lexicon import fold, ordinals
from blueprints.generation.nouns import NOUNS
from blueprints.generation.tokens import Token

_OF = ("of", "von", "vom", "du", "de", "del", "dei", "della", "des", "di")


def turned(tokens: list[Token]) -> list[Token]:
    """The tokens with the word that points before its count."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        length = _length(tokens, place)
        found += _turned(tokens[place : place + length]) if length else tokens[place : place + 1]
        place += length or 1
    return found


def _length(tokens: list[Token], place: int) -> int:
    """How many tokens "two nodes of the former" is; 0 where nothing is counted so, or a noun follows."""
    if tokens[place].kind != "number":
        return 0
    end = place + 1 + (tokens[place + 1 : place + 2] != [] and _is_node(tokens[place + 1]))
    if not _says_of(tokens, end):
        return 0
    end += 1 + (end + 1 < len(tokens) and tokens[end + 1].kind == "definite")
    is_pointing = end < len(tokens) and fold(tokens[end].text) in ordinals()
    return end + 1 - place if is_pointing and not _is_noun_next(tokens, end + 1) else 0


def _turned(said: list[Token]) -> list[Token]:
    """ "the former: two nodes"; where no noun is said, the nodes are those of a cluster or the machines."""
    number, pointing = said[0], said[-1]
    noun = said[1] if _is_node(said[1]) else number.become("member", "node")
    front = replace(number, text=pointing.text, end=number.start)
    word = front.become("word", fold(pointing.text), said=pointing)
    return [front.become("definite", "the"), word, front.become("colon", ":"), number, noun]


def _is_node(token: Token) -> bool:
    return (token.kind == "member" and token.value == "node") or token.kind == "machine"


def _says_of(tokens: list[Token], place: int) -> bool:
    """ "of", "von", and "vom", in which the article is contained."""
    return place < len(tokens) and fold(tokens[place].text) in _OF


def _is_noun_next(tokens: list[Token], place: int) -> bool:
    return place < len(tokens) and tokens[place].kind in (*NOUNS, "word")
