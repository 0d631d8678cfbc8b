"""Other words for what was named: "a Postfix relay … 2 GB for the relay", "Rocket.Chat … 4 GB for the chat"."""

from blueprints.generation.facts import Group
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_LEAST = 4
"""Shorter parts of names are in too many of them."""


def known(walk: Walk, tokens: list[Token]) -> list[Token]:
    """The tokens of a sentence with such words read as the software that they mean."""
    return [
        _meant(walk, tokens[n - 1], token) if n and token.kind == "word" else token for n, token in enumerate(tokens)
    ]


def _meant(walk: Walk, before: Token, token: Token) -> Token:
    if before.kind != "definite":
        return token
    found = [group for group in walk.request.groups if group.software and _is_called(group, token.value)]
    return token.become("software", found[0].software[0]) if len(found) == 1 else token


def _is_called(group: Group, word: str) -> bool:
    """By the word behind its name, or by a part of the name."""
    is_part = len(word) >= _LEAST and word != group.software[0] and word in group.software[0]
    return word in group.nicknames or is_part


def remember(walk: Walk, phrase: Phrase) -> None:
    """The word right behind the name of a software: "Postfix relay"."""
    after = walk.elements[walk.position + 1 : walk.position + 2]
    if walk.focus and phrase.software and after and isinstance(after[0], Token) and after[0].kind == "word":
        walk.focus.nicknames.add(after[0].value)
