"""What was or is there and what was planned first, told before what is wanted: "we had 12 servers once", "our six servers are
old", "first we thought of four nodes, by now two will do". Nothing of the former is built, and the latter is a correction."""

from collections.abc import Iterator

from blueprints.generation.nouns import NOUNS
from blueprints.generation.stories import VALUES, begins_with, counted, describes, ends_with, quoted, says, sentences
from blueprints.generation.tokens import Token

_BREAKS = ("comma", "dash")
_FEW = 3
_MOST_BEFORE = 6
_FAR = 30


def without_bygone(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens without the clauses about what was there, unless nothing else is described."""
    clauses = [clause for sentence in sentences(tokens) for clause in _clauses(text, sentence)]
    last = max((place for place, clause in enumerate(clauses) if _asks(text, clause)), default=-1)
    kept: list[Token] = []
    for place, clause in enumerate(clauses):
        is_left_out = _is_bygone(text, clause) or (place < last and _is_there(text, clause))
        kept += [token for token in clause if token.kind == "stop"] if is_left_out else clause
    return kept if describes(kept) else tokens


def with_later_plans(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens with a correction between what was planned first and what holds now."""
    found = list(tokens)
    for place, token in enumerate(tokens):
        if _begins_now(text, tokens, place) and _was_planned(text, tokens, place):
            found[place] = token.become("correction", "fix")
    return found


def _clauses(text: str, sentence: list[Token]) -> Iterator[list[Token]]:
    """The sentence cut wherever somebody turns to what is wanted: ", now we need three", " and want one"."""
    start = 0
    for place in range(1, len(sentence)):
        if (sentence[place].kind in _BREAKS or sentence[place].kind == "join") and _turns(text, sentence, place):
            yield sentence[start:place]
            start = place
    yield sentence[start:]


def _turns(text: str, sentence: list[Token], place: int) -> bool:
    """Whether the words up to the next comma say what holds now, or ask for something."""
    token = sentence[place]
    if token.kind == "join" and token.value not in ("and", "but"):
        return False
    end = next((n for n in range(place + 1, len(sentence)) if sentence[n].kind in _BREAKS), len(sentence))
    reach = end if token.kind in _BREAKS else min(end, place + 1 + _FEW)
    return says(quoted(text, sentence[place:reach]), "now", "asking")


def _is_bygone(text: str, clause: list[Token]) -> bool:
    places = list(counted(clause))
    if not places or says(quoted(text, clause), "imagined"):
        return False
    return any(_follows(text, clause, place, "had") or _is_worn(text, clause, place) for place in places)


def _asks(text: str, clause: list[Token]) -> bool:
    return describes(clause) and says(quoted(text, clause), "asking")


def _is_there(text: str, clause: list[Token]) -> bool:
    """ "We have 12 servers in the basement. Build one VM.": counted without a size, before something is asked for."""
    places = list(counted(clause))
    if not places or says(quoted(text, clause), "imagined", "asking") or any(token.kind in VALUES for token in clause):
        return False
    return any(_follows(text, clause, place, "have") for place in places)


def _follows(text: str, clause: list[Token], place: int, verbs: str) -> bool:
    """ "we had", "es gab hier mal", right before the count."""
    return ends_with(quoted(text, clause[max(0, place - _MOST_BEFORE) : place]), verbs, _FEW)


def _is_worn(text: str, clause: list[Token], place: int) -> bool:
    """ "our six servers are old": counted behind "our" or "the", and nothing is given to them."""
    is_pointed_at = any(token.kind == "definite" for token in clause[max(0, place - 2) : place])
    has_values = any(token.kind in VALUES for token in clause)
    return is_pointed_at and not has_values and says(quoted(text, clause[place : place + _FAR]), "worn")


def _begins_now(text: str, tokens: list[Token], place: int) -> bool:
    said = quoted(text, tokens[place : place + _FEW])
    return tokens[place].kind in ("word", "join") and begins_with(said, "now")


def _was_planned(text: str, tokens: list[Token], place: int) -> bool:
    """ "Originally we wanted five web servers" stands right before, in this sentence or the last one."""
    before = tokens[max(0, place - _FAR) : place]
    while before and before[-1].kind in ("comma", "stop", "dash", "join"):
        before = before[:-1]
    start = next((n for n in range(len(before) - 1, -1, -1) if before[n].kind == "stop"), -1) + 1
    said = quoted(text, before[start:])
    return says(said, "first") and says(said, "wished") and any(t.kind in ("number", *NOUNS) for t in before[start:])
