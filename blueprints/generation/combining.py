"""Neighbouring tokens that mean something together: "8 cores", "RAM: 4 GB", "14 days", "ubuntu 22.04", "two, no, three"."""

from collections.abc import Callable
from decimal import Decimal

from blueprints.generation.tokens import Token
from blueprints.schema.sizes import GIB, UNITS

Rule = Callable[[list[Token], int], "tuple[Token, int] | None"]
_SIZED_LABELS = {"memory": "memory", "disk": "disk", "vram": "vram"}
_FILLERS = {
    "of",
    "is",
    "to",
    "from",
    "de",
    "von",
    "d",
    "di",
    "extra",
    "usable",
    "total",
    "a",
    "the",
    "und",
    "vive",
    "local",
}
_RANGE_MARKS = {"to", "dash"}


def combine(tokens: list[Token]) -> list[Token]:
    """Apply the first rule that fits at each place, then settle corrections."""
    found: list[Token] = []
    position = 0
    while position < len(tokens):
        token, used = _first_fit(tokens, position)
        found.append(token)
        position += used
    return _corrected(found)


def _first_fit(tokens: list[Token], position: int) -> tuple[Token, int]:
    for rule in _RULES.get(tokens[position].kind, ()):
        if fit := rule(tokens, position):
            return fit
    return tokens[position], 1


def _kind(tokens: list[Token], position: int) -> str:
    return tokens[position].kind if 0 <= position < len(tokens) else ""


def _is(tokens: list[Token], position: int, kind: str, value: str) -> bool:
    return _kind(tokens, position) == kind and tokens[position].value == value


def _skip(tokens: list[Token], position: int, *, colon: bool = False) -> int:
    """Past small words, and past a colon when asked to."""
    while _is_filler(tokens, position) or (colon and _kind(tokens, position) == "colon"):
        position += 1
    return position


def _is_filler(tokens: list[Token], position: int) -> bool:
    if _kind(tokens, position) == "join":
        return tokens[position].value == "with" and tokens[position].text.lower() in _FILLERS
    return _kind(tokens, position) == "word" and tokens[position].value in _FILLERS


def _range(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """8 to 12, between three and five: the lower end counts, the higher is remembered."""
    start = position + 1 if tokens[position].kind == "bound" else position
    if _kind(tokens, start) not in ("number", "size") or not _is_range_mark(tokens, start + 1, start != position):
        return None
    end = start + 2
    if _kind(tokens, end) not in ("number", "size"):
        return None
    kind = tokens[end].kind
    low = _same_unit(tokens[start], tokens[end])
    combined = Token(kind, low, tokens[start].text, tokens[position].start, tokens[end].end, high=tokens[end].value)
    rest = _first_fit([combined, *tokens[end + 1 : end + 5]], 0)
    return rest[0], end - position + rest[1]


def _is_range_mark(tokens: list[Token], position: int, after_between: bool) -> bool:
    if _kind(tokens, position) == "dash":
        return True
    return _kind(tokens, position) == "join" and tokens[position].value in (("to", "and") if after_between else ("to",))


def _same_unit(low: Token, high: Token) -> int | Decimal:
    return int(low.value * GIB) if low.kind == "number" and high.kind == "size" else low.value


def _number_with_unit(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    number, after = tokens[position], position + 1
    kind, value = _kind(tokens, after), tokens[after].value if after < len(tokens) else None
    if kind == "label" and value in ("cpu", "gpu"):
        return number.become(str(value), int(number.value), until=tokens[after]), 2
    if kind == "duration":
        return number.become("days", int(number.value) * int(str(value)), until=tokens[after]), 2
    if kind == "money":
        return number.become("money", float(number.value), until=tokens[after]), 2
    if kind == "word" and value in UNITS and len(str(value)) > 1:
        sized = number.become("size", int(Decimal(number.value) * UNITS[str(value)]), until=tokens[after])
        rest = _first_fit([sized, *tokens[after + 1 : after + 4]], 0)
        return rest[0], rest[1] + 1
    return None


def _size_with_label(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    label = _skip(tokens, position + 1)
    if _kind(tokens, label) != "label" or tokens[label].value not in _SIZED_LABELS:
        return None
    if _kind(tokens, _skip(tokens, label + 1, colon=True)) == "size" and label == position + 1:
        return None
    return tokens[position].become(_SIZED_LABELS[tokens[label].value], tokens[position].value, until=tokens[label]), (
        label - position + 1
    )


def _label_with_value(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """RAM: 4 GB, VLAN 30, count: 2."""
    name, place = tokens[position].value, _skip(tokens, position + 1, colon=True)
    value = tokens[place] if place < len(tokens) else None
    if value is None:
        return None
    if name in _SIZED_LABELS and value.kind == "size":
        return value.become(_SIZED_LABELS[name], value.value), place - position + 1
    if name in ("cpu", "count", "vlan", "gpu") and value.kind == "number" and _stands_alone(tokens, place, position):
        return value.become(name, int(value.value)), place - position + 1
    return None


def _stands_alone(tokens: list[Token], place: int, position: int) -> bool:
    """In "2 cores 4 servers" the 4 belongs to what follows it; after a colon it does not."""
    colon = any(token.kind == "colon" for token in tokens[position:place])
    return colon or tokens[position].value == "vlan" or _kind(tokens, place + 1) not in ("label", "machine", "role")


def _system_with_version(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    place = position + 1
    while _kind(tokens, place) == "word" and tokens[place].value in ("lts", "server", "version", "v", "release"):
        place += 1
    if _kind(tokens, place) != "number" or _kind(tokens, place + 1) in ("label", "machine"):
        return _system_before_noun(tokens, position, place)
    version = tokens[place].text.strip(" x×")
    return tokens[position].become(
        "os", f"{tokens[position].value}-{version}", until=tokens[place]
    ), place - position + 1


def _system_before_noun(tokens: list[Token], position: int, place: int) -> tuple[Token, int] | None:
    """ "ubuntu 22.04 servers": a number with a point, or a large one, is no count."""
    if _kind(tokens, place) == "number" and _looks_like_version(tokens[place].text, tokens[position].value):
        return tokens[position].become("os", f"{tokens[position].value}-{tokens[place].text}", until=tokens[place]), (
            place - position + 1
        )
    return None


def _looks_like_version(text: str, family: str) -> bool:
    return "." in text or (text.isdigit() and (int(text) >= 2000 or family not in ("ubuntu", "windows")))


def _budget(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "budget: 500", "costs under 500": the number after a word about money."""
    for place in range(position + 1, min(position + 4, len(tokens))):
        if isinstance(tokens[place].value, int | float | Decimal) and tokens[place].kind in ("number", "money"):
            return tokens[place].become("money", float(tokens[place].value)), place - position + 1
        if tokens[place].kind not in ("word", "bound", "colon", "join"):
            return None
    return None


def _corrected(tokens: list[Token]) -> list[Token]:
    """Drop what somebody took back: "16 GB... sorry, 4 GB"."""
    kept: list[Token] = []
    used: Token | None = None
    for position, token in enumerate(tokens):
        if token.kind == "correction" or _is_plain_no(tokens, position):
            used = _take_back(kept, *_next_value(tokens, position)) or used
        elif token is not used:
            kept.append(token)
    return kept


def _is_plain_no(tokens: list[Token], position: int) -> bool:
    """ "two, no, three": a no between commas after a value."""
    return (
        tokens[position].kind == "without"
        and _kind(tokens, position - 1) in ("comma", "dash", "stop")
        and _kind(tokens, position + 1) in ("comma", "number")
        and any(token.kind in _VALUES for token in tokens[max(0, position - 4) : position])
    )


_VALUES = ("number", "article", "size", "cpu", "memory", "disk", "software", "os")


def _next_value(tokens: list[Token], position: int) -> tuple[Token | None, bool]:
    """The value that replaces the earlier one, and whether it has a noun of its own."""
    for place in range(position + 1, min(position + 6, len(tokens))):
        if tokens[place].kind in _VALUES and tokens[place].kind != "article":
            has_noun = any(token.kind in _NOUNS for token in tokens[place + 1 : place + 3])
            return tokens[place], has_noun or tokens[place].kind in _NOUNS
    return None, False


def _take_back(kept: list[Token], value: Token | None, has_noun: bool) -> Token | None:
    """Cut off what is replaced; when that would cut off its noun too, put the new value in its place."""
    if value is None:
        return None
    for back in range(len(kept) - 1, max(-1, len(kept) - 8), -1):
        if kept[back].kind == value.kind or {kept[back].kind, value.kind} <= {"size", "memory", "disk"}:
            if not has_noun and any(token.kind in _NOUNS for token in kept[back:]):
                kept[back] = kept[back].become(kept[back].kind, value.value)
                return value
            del kept[back:]
            return None
    return None


_NOUNS = ("role", "software", "machine", "member")
_RULES: dict[str, tuple[Rule, ...]] = {
    "bound": (_range,),
    "number": (_range, _number_with_unit),
    "article": (_number_with_unit,),
    "size": (_range, _size_with_label),
    "label": (_label_with_value,),
    "os": (_system_with_version,),
    "money": (_budget,),
}
