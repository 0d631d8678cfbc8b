"""Machines that are looked after and not built: "monitor 120 hosts and 8 routers with one Zabbix VM", "soll 80 Server überwachen"."""

from blueprints.generation.lexicon import fold
from blueprints.generation.nouns import NOUNS
from blueprints.generation.stories import VALUES, begins_with, describes, ends_with, quoted, says
from blueprints.generation.tokens import Token

_MOST_WORDS = 2
_NEAR = 2
_MOST_MACHINES = 200
_FARTHEST = 10
_LISTED = 3
"""So many tokens are "40 workstations and"."""
_POINTING = ("definite", "each", "all")


def without_tended(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens without the objects of such verbs, unless they are spoken of again or nothing else is described."""
    gone: set[int] = set()
    for place, token in enumerate(tokens):
        end = _end_of_object(tokens, place) if token.kind == "number" and token.value > 1 else 0
        if end and place not in gone and _is_tended(text, tokens, place, end):
            gone.update(range(place, _end_of_list(tokens, end)))
    kept = [token for place, token in enumerate(tokens) if place not in gone]
    are_told_again = any(_is_told_again(kept, tokens[place]) for place in gone)
    return kept if gone and describes(kept) and not are_told_again else tokens


def _end_of_object(tokens: list[Token], place: int) -> int:
    """Behind "120 Linux hosts"; 0 where no noun is counted, or a size is given to what is."""
    end = place + 1
    while end < len(tokens) and end <= place + _MOST_WORDS and tokens[end].kind in ("word", "os"):
        end += 1
    noun = end
    while end < len(tokens) and tokens[end].kind in NOUNS and tokens[end].value != "monitoring":
        end += 1
    has_values = any(token.kind in VALUES for token in tokens[end : end + _NEAR])
    return end if end > noun and not has_values else 0


def _end_of_list(tokens: list[Token], end: int) -> int:
    """ "120 hosts, 8 routers and 3 firewalls"."""
    while end + 1 < len(tokens) and (tokens[end].kind == "comma" or tokens[end].value == "and"):
        following = _end_of_object(tokens, end + 1) if tokens[end + 1].kind == "number" else 0
        if not following:
            break
        end = following
    return end


def _is_tended(text: str, tokens: list[Token], place: int, end: int) -> bool:
    before = tokens[max(0, place - _MOST_WORDS) : place]
    if any(token.kind in (*_POINTING, "colon", "stop", "backup") for token in before):
        return False
    said_before, said_behind = tokens[max(0, place - _NEAR - 1) : place], tokens[end : end + _NEAR]
    if _are_people(text, tokens, place, end):
        return True
    is_object = ends_with(quoted(text, said_before), "tending", 1) or begins_with(quoted(text, said_behind), "tended")
    return is_object or (tokens[end - 1].value == "any" and _is_behind_others(tokens, place))


def _are_people(text: str, tokens: list[Token], place: int, end: int) -> bool:
    """ "the factory has 300 workers": more than can be built, or had by what is no group of machines."""
    if not begins_with(quoted(text, tokens[end - 1 : end]), "people"):
        return False
    start = next((n for n in range(place - 1, -1, -1) if tokens[n].kind in ("stop", "comma", "colon")), -1) + 1
    subject = tokens[start:place]
    is_had = ends_with(quoted(text, subject), "employing", 1) and not says(quoted(text, subject), "grouping")
    return tokens[place].value > _MOST_MACHINES or (is_had and not any(token.kind in NOUNS for token in subject))


def _is_behind_others(tokens: list[Token], place: int) -> bool:
    """ "for 40 workstations and 12 servers": behind what is counted and is no machine."""
    before = tokens[max(0, place - _FARTHEST) : place]
    while len(before) > _LISTED and before[-1].value in ("and", ",") and before[-3].kind == "number":
        if before[-2].kind != "word" and before[-2].value != "any":
            break
        before = before[:-3]
        if before[-1].value == "for":
            return True
    return False


def _is_told_again(kept: list[Token], gone: Token) -> bool:
    """ "Zabbix watches two web servers. The web servers have 4 GB.": described elsewhere."""
    if gone.kind not in NOUNS or (gone.kind == "machine" and gone.value == "any"):
        return False
    return any(
        fold(token.text) == fold(gone.text) and before.kind in _POINTING
        for before, token in zip(kept, kept[1:], strict=False)
    )
