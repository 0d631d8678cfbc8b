"""Go the language, told apart from Go as the French write gigabytes: "10 Go web servers" are ten, "a 10 Go web server" is one."""

import re
from decimal import Decimal

from blueprints.generation.tokens import Token

_SIZE = re.compile(r"(?P<number>[0-9]+)(?P<between> )Go")
_NAME = "Go"
_SERVICES = ("services", "binaries", "daemons", "programs", "programme", "dienste")
_SIZED = ("number", "article", "label", "definite", "size")
"""Behind one of these, Go is a unit: "two 16 Go servers"."""


def told_apart(text: str, tokens: list[Token], language: str) -> list[Token]:
    """The tokens with each Go that stands between a number and programs read as the language."""
    found: list[Token] = []
    for place, token in enumerate(tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if after is None or not _are_programs(text, token, after, language):
            found.append(token)
        elif (match := _SIZE.fullmatch(token.text)) and not _is_sized(found):
            found += _number_and_name(token, match)
        else:
            found.append(_name(token) if token.text == _NAME and token.kind == "word" else token)
    return found


def _are_programs(text: str, token: Token, after: Token, language: str) -> bool:
    """ "Go backends", "Go-Backend"; French says "serveur 4 Go"."""
    is_program = after.kind == "role" or after.text.lower() in _SERVICES
    between = text[token.end : after.start]
    is_plural = between == " " and text[: after.end].endswith("s") and language != "fr"
    return is_program and (between == "-" or is_plural)


def _is_sized(before: list[Token]) -> bool:
    return bool(before) and before[-1].kind in _SIZED


def _number_and_name(token: Token, match: re.Match[str]) -> list[Token]:
    cut = token.start + match.end("number")
    number = Token("number", Decimal(match["number"]), match["number"], token.start, cut)
    return [number, _name(Token("word", "go", _NAME, cut + 1, token.end))]


def _name(token: Token) -> Token:
    return token.become("software", "golang")
