"""Neighbouring tokens that mean something together: "8 cores", "RAM: 4 GB", "14 days", "ubuntu 22.04"."""

from collections.abc import Callable
from decimal import Decimal

from blueprints.generation import apart, apiece, clock, shorthand, versions
from blueprints.generation.bounds import same_unit
from blueprints.generation.lexicon import fold
from blueprints.generation.neighbours import is_at, is_range_mark, kind_at, skip
from blueprints.generation.tokens import Token
from blueprints.schema.sizes import GIB, MIB, TIB, UNITS

Rule = Callable[[list[Token], int], "tuple[Token, int] | None"]
_SIZED_LABELS = {"memory": "memory", "disk": "disk", "vram": "vram"}
_MOST_MEMORY = 2 * TIB
_UNIT_STARTS = {
    "gigab": GIB,
    "gigao": GIB,
    "terab": TIB,
    "terrab": TIB,
    "giggab": GIB,
    "gygab": GIB,
    "terao": TIB,
    "megab": MIB,
    "megao": MIB,
    "gigs": GIB,
}
_UNIT_WORDS = {"giga": GIB, "gigas": GIB, "tera": TIB, "teras": TIB}
_PAIRS = ("pair", "couple", "paar", "paire", "par", "paio", "coppia")
_NOUNS = ("machine", "role", "software", "member")
_FAR = 4
_WHEN = ("wenn", "when", "quand", "lorsque", "cuando", "quando")
_ONLY = frozenset(("erst", "only", "solo", "seulement", "soltanto"))
_STARTS = ("start", "boot", "launch", "come", "hochfahr", "demarr", "arranc", "inici", "part", "avvi")
_HOURS = 24
_MONTH = 30
_HALVES = ("half", "halbes", "halben", "demi", "medio", "mezzo")
_MOST_GPUS = 16
"""A larger number behind the name of a card is its model: RTX 4090."""


def combine(tokens: list[Token]) -> list[Token]:
    """Apply the first rule that fits at each place, from left to right."""
    found: list[Token] = []
    position = 0
    while position < len(tokens):
        token, used = _first_fit(tokens, position)
        found.append(token)
        position += used
    return found


def _first_fit(tokens: list[Token], position: int) -> tuple[Token, int]:
    for rule in _RULES.get(tokens[position].kind, ()):
        if fit := rule(tokens, position):
            return fit
    return tokens[position], 1


def _range(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """8 to 12, between three and five: the lower end counts, the higher is remembered."""
    start = position + 1 if tokens[position].kind == "bound" else position
    if kind_at(tokens, start) not in ("number", "size") or not is_range_mark(tokens, start + 1, start != position):
        return None
    end = start + 2
    if kind_at(tokens, end) not in ("number", "size"):
        return None
    kind = tokens[end].kind
    if tokens[start].kind == "size" and kind == "number":
        return None
    low = same_unit(tokens[start], tokens[end])
    if low >= tokens[end].value or tokens[start].text[:1].lower() in "x×":
        return None
    combined = Token(kind, low, tokens[start].text, tokens[position].start, tokens[end].end, high=tokens[end].value)
    rest = _first_fit([combined, *tokens[end + 1 : end + 5]], 0)
    return rest[0], end - position + rest[1]


def _said_twice(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "two (2)"."""
    following = tokens[position + 1 : position + 4]
    is_enclosed = [token.kind for token in following] == ["open", "number", "close"]
    if not is_enclosed or following[1].value != tokens[position].value:
        return None
    token, used = _first_fit([tokens[position], *tokens[position + 4 : position + 9]], 0)
    return token, used + 3


def _gpus(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "2 GPUs", "a single RTX 3090"; in "four GPU nodes" the nodes are counted."""
    if not is_at(tokens, position + 1, "label", "gpu") or kind_at(tokens, position + 2) in (
        "machine",
        "member",
        "role",
    ):
        return None
    is_model = kind_at(tokens, position + 2) == "number" and tokens[position + 2].value > _MOST_GPUS
    number = tokens[position]
    return number.become("gpu", int(number.value), until=tokens[position + 1]), 3 if is_model else 2


def _number_with_unit(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    number, after = tokens[position], position + 1
    if (
        number.text.lower() in _PAIRS
        and is_at(tokens, after, "join", "with")
        and is_at(tokens, after + 1, "label", "cpu")
    ):
        return number.become("cpu", int(number.value), until=tokens[after + 1]), 3
    kind, value = kind_at(tokens, after), tokens[after].value if after < len(tokens) else None
    if kind == "label" and value == "cpu":
        return number.become("cpu", int(number.value), until=tokens[after]), 2
    if kind == "duration" and (days := int(number.value) * int(str(value)) // _HOURS):
        return number.become("days", days, until=tokens[after]), 2
    if kind == "money":
        return number.become("money", float(number.value), until=tokens[after]), 2
    if kind == "word" and (unit := _unit(str(value))) and kind_at(tokens, after + 1) not in _NOUNS:
        has_half = _is_half(tokens, after + 1)
        last = after + (2 if has_half else 0)
        amount = Decimal(number.value) + (Decimal("0.5") if has_half else 0)
        sized = number.become("size", int(amount * unit), until=tokens[last])
        rest = _first_fit([sized, *tokens[last + 1 : last + 4]], 0)
        return rest[0], last - position + rest[1]
    return None


def _span(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "for half a year", "ein Quartal lang" with its article among the words."""
    days = int(str(tokens[position].value)) // _HOURS
    is_whole = days > _MONTH and kind_at(tokens, position - 1) not in ("number", "each")
    return (tokens[position].become("days", days), 1) if is_whole and fold(tokens[position].text) in _HALVES else None


def _is_half(tokens: list[Token], position: int) -> bool:
    """ "deux téraoctets et demi", "un tera e mezzo"."""
    is_and = is_at(tokens, position, "join", "and") and kind_at(tokens, position + 1) == "word"
    return is_and and tokens[position + 1].value in ("demi", "demie", "medio", "media", "mezzo", "mezza")


def _and_a_half(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "two and a half terabytes"."""
    is_joined = is_at(tokens, position + 1, "join", "and") and kind_at(tokens, position + 2) == "size"
    if not is_joined or "half" not in tokens[position + 2].text.lower():
        return None
    half = tokens[position + 2]
    sized = tokens[position].become("size", int((2 * tokens[position].value + 1) * half.value), until=half)
    rest = _first_fit([sized, *tokens[position + 3 : position + 6]], 0)
    return rest[0], rest[1] + 2


def _unit(word: str) -> int | None:
    """ "gigabytes", also as somebody in a hurry writes it."""
    if len(word) > 1 and word in UNITS:
        return UNITS[word]
    return _UNIT_WORDS.get(word) or next((size for start, size in _UNIT_STARTS.items() if word.startswith(start)), None)


def _size_with_label(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    label = skip(tokens, position + 1)
    if kind_at(tokens, label) != "label" or tokens[label].value not in _SIZED_LABELS:
        return None
    if kind_at(tokens, label + 1) == "colon":
        return None
    kind = _sized_kind(tokens[label], tokens[position])
    return tokens[position].become(kind, tokens[position].value, until=tokens[label]), (label - position + 1)


def _sized_kind(label: Token, size: Token) -> str:
    """What is called memory and is too large for it is a disk: the German "Speicher" is both."""
    is_both = label.text.lower() in ("speicher", "speicherplatz", "storage")
    too_large = size.value > (_MOST_MEMORY // 10 if is_both else _MOST_MEMORY)
    return "disk" if too_large and label.value == "memory" else _SIZED_LABELS[label.value]


def _label_with_value(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """RAM: 4 GB, VLAN 30, count: 2."""
    name, place = tokens[position].value, skip(tokens, position + 1, colon=True)
    if kind_at(tokens, place) == "bound" and kind_at(tokens, place - 1) == "colon":
        place += 1
    if place >= len(tokens):
        return None
    value, used = tokens[place], place - position + 1
    if name in _SIZED_LABELS and value.kind == "size":
        return value.become(_sized_kind(tokens[position], value), value.value), used
    if name == "gpu" and (card := _card(tokens, position, value)):
        return card, used if card.end == value.end else 1
    if name in ("cpu", "count", "vlan", "gpu") and value.kind == "number" and _stands_alone(tokens, place, position):
        return value.become(name, int(value.value)), used
    return None


def _card(tokens: list[Token], position: int, value: Token) -> Token | None:
    """ "GPU nodes" and "RTX 4090" are one card."""
    if kind_at(tokens, position + 1) in ("machine", "member", "role"):
        return tokens[position].become("gpu", 1)
    is_model = value.kind == "number" and value.value > _MOST_GPUS
    return tokens[position].become("gpu", 1, until=value) if is_model else None


def _stands_alone(tokens: list[Token], place: int, position: int) -> bool:
    """In "2 cores 4 servers" the 4 belongs to what follows it; after a colon it does not."""
    colon = any(token.kind == "colon" for token in tokens[position:place])
    if colon and tokens[position].value != "cpu" and is_at(tokens, place + 1, "label", "cpu"):
        return False  # "no GPU: 16 cores"
    return colon or tokens[position].value == "vlan" or kind_at(tokens, place + 1) not in ("label", "machine", "role")


def _budget(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "budget: 500", "costs under 500": the number after a word about money; "$200 a month: one VM" has had its own."""
    if kind_at(tokens, position - 1) in ("money", "number"):
        return None
    for place in range(position + 1, min(position + 4, len(tokens))):
        if isinstance(tokens[place].value, int | float | Decimal) and tokens[place].kind in ("number", "money"):
            return tokens[place].become("money", float(tokens[place].value)), place - position + 1
        if tokens[place].kind not in ("word", "bound", "colon", "join"):
            return None
    return None


def _nothing_but(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "ne démarrent qu'après la base", "n'a que 2 Go": the French "ne … que" takes nothing away."""
    behind = tokens[position + 1 : position + 1 + _FAR]
    end = next((n for n, token in enumerate(behind) if token.kind == "word" and token.value in ("que", "qu")), None)
    if tokens[position].text.lower() not in ("ne", "n") or not end or any(t.kind != "word" for t in behind[:end]):
        return None
    return tokens[position].become("word", "ne"), 1


def _not_until(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "soll erst starten, wenn die Datenbank läuft", "only boots when …": first when something is up is after it."""
    if tokens[position].value not in _WHEN:
        return None
    before = [fold(token.text) for token in tokens[max(0, position - _FAR) : position]]
    if _ONLY.isdisjoint(before) or not any(word.startswith(_STARTS) for word in before):
        return None
    return tokens[position].become("order", "after"), 1


_RULES: dict[str, tuple[Rule, ...]] = {
    "word": (_not_until,),
    "bound": (_range,),
    "ip_tail": (shorthand.ip_tail,),
    "ip": (shorthand.ip_range, shorthand.ip_from),
    "each": (shorthand.every, clock.interval),
    "spread": (apart.kept_apart,),
    "without": (apart.none_shares, _nothing_but),
    "together": (apart.shares_none,),
    "join": (apart.spread_over,),
    "software": (versions.software_of_maker, versions.software_with_version),
    "number": (
        clock.of_day,
        shorthand.host_part,
        shorthand.vlan_listed,
        shorthand.dozens,
        shorthand.tiers,
        shorthand.spec,
        shorthand.disks,
        apiece.one_for_each,
        _said_twice,
        _and_a_half,
        _range,
        _gpus,
        _number_with_unit,
    ),
    "article": (shorthand.single, apiece.a_node, _gpus, _number_with_unit),
    "size": (clock.rate, _range, _size_with_label),
    "label": (shorthand.dns_machines, _label_with_value),
    "os": (versions.system_with_version,),
    "money": (_budget,),
    "duration": (_span,),
    "total": (apart.on_one, apart.total),
}
