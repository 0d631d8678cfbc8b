"""Other words for what was named: "a Postfix relay … 2 GB for the relay", "Rocket.Chat … 4 GB for the chat"."""

from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_LEAST = 4
"""Shorter parts of names are in too many of them."""


def known(walk: Walk, tokens: list[Token]) -> list[Token]:
    """The tokens of a sentence with such words read as the software that they mean."""
    return [_meant(walk, tokens[:n], token) if n and token.kind == "word" else token for n, token in enumerate(tokens)]


def _meant(walk: Walk, before: list[Token], token: Token) -> Token:
    if before[-1].kind != "definite":
        return token
    if role := next((one for one in before if _is_short_for(walk, token, one)), None):
        return token.become("role", role.value)
    found = [group for group in walk.request.groups if group.software and _is_called(group, token.value)]
    return token.become("software", found[0].software[0]) if len(found) == 1 else token


def _is_short_for(walk: Walk, token: Token, role: Token) -> bool:
    """ "une base de données … sauf la base": the first word of a role of several."""
    said = fold(walk.quote(role).text) if role.kind == "role" else ""
    return said.startswith((f"{token.value} de ", f"{token.value} di "))


def _is_called(group: Group, word: str) -> bool:
    """By the word behind its name, or by a part of the name."""
    is_part = len(word) >= _LEAST and word != group.software[0] and word in group.software[0]
    return word in group.nicknames or is_part


def remember(walk: Walk, phrase: Phrase) -> None:
    """The word right behind the name of a software: "Postfix relay"."""
    after = walk.elements[walk.position + 1 : walk.position + 2]
    if walk.focus and phrase.software and after and isinstance(after[0], Token) and after[0].kind == "word":
        walk.focus.nicknames.add(after[0].value)
