"""From where to where somebody takes back or changes what the request said before: a postscript, "actually, …", "… after all".
What is said there wins over what was said before it, and nobody is asked which of the two holds."""

import re
from dataclasses import replace
from functools import cache

from blueprints.generation.lexicon import fold, table
from blueprints.generation.nouns import NOUNS
from blueprints.generation.stories import VALUES, sentences
from blueprints.generation.tokens import Token

Span = tuple[int, int]
_MEANT = (*NOUNS, *VALUES, "number", "without")


def spans(text: str, tokens: list[Token]) -> list[Span]:
    """Where amendments reach, in their order."""
    first = next((token.start for token in tokens if token.kind in _MEANT), len(text))
    found = [(m.start(), len(text)) for m in _postscript().finditer(text) if m.start() > first]
    parts = [part for part in sentences(tokens) if part]
    for place, sentence in enumerate(parts):
        start = _start(text, sentence)
        if start >= 0:
            found.append((start, _end(parts[place:], start)))
    return sorted(found)


def amends(amended: list[Span], before: int, here: int) -> bool:
    """Whether what stands here amends what stood before."""
    return any(before < start <= here <= end for start, end in amended)


def unnumbered(tokens: list[Token]) -> list[Token]:
    """ "EDIT 2: …": the second time that something is changed, and two of nothing."""
    kinds = ["", *(token.kind for token in tokens), ""]
    numbers = ("correction", "number", "colon")
    return [token for place, token in enumerate(tokens) if tuple(kinds[place : place + 3]) != numbers]


def softened(tokens: list[Token], amended: list[Span]) -> list[Token]:
    """ "Actually, remove the Redis": what was asked for before is left out, and nothing is destroyed."""
    found = list(tokens)
    for place, token in enumerate(tokens):
        noun = next((t for t in tokens[place + 1 : place + 4] if t.kind in NOUNS), None)
        if not _takes_away(token) or noun is None or not amends(amended, -1, token.start):
            continue
        if any((t.kind, t.value) == (noun.kind, noun.value) for t in tokens[:place]) and noun.kind != "machine":
            found[place] = replace(token, kind="without", value="no", text="forget")
    return found


def _takes_away(token: Token) -> bool:
    return (token.kind, token.value) == ("verb", "destroy") or (token.kind == "without" and fold(token.text) == "drop")


def _start(text: str, sentence: list[Token]) -> int:
    """Behind "sorry, I meant"; from the first word where the sentence says "after all"; -1 where it amends nothing."""
    sign = next((token for token in sentence if token.kind == "correction" and token.value == "fix"), None)
    first, last = sentence[0].start, sentence[-1].end
    if len(sentence) == 1 and not sign:
        return -1
    is_no = [token.kind for token in sentence[:2]] == ["without", "comma"]
    if is_no or re.search(rf"\b(?:{_lines('after_all')})\b", fold(text[first:last])):
        return first
    return sign.start if sign else -1


def _end(parts: list[list[Token]], start: int) -> int:
    """The end of the sentence, or of the next one: "Scratch that. Three nodes." """
    has_meaning = any(token.kind in _MEANT and token.start > start for token in parts[0])
    last = parts[0] if has_meaning or len(parts) == 1 else parts[1]
    return last[-1].end


@cache
def _postscript() -> re.Pattern[str]:
    return re.compile(
        rf"(?:^|[.!?])[^\w\n]{{0,9}}(?:(?:{_lines('postscript')})(?=[\s:.,;)\]-])|(?:{_lines('update')})(?:\s#?[0-9]{{1,2}})?\s?:)",
        re.IGNORECASE | re.MULTILINE,
    )


def _lines(name: str) -> str:
    return "|".join(line for line in table("told")[name].split("\n") if line)
