"""Neighbouring tokens that mean something together: "8 cores", "RAM: 4 GB", "14 days", "ubuntu 22.04"."""

import re
from collections.abc import Callable
from decimal import Decimal

from blueprints.generation import shorthand
from blueprints.generation.lexicon import software_facts
from blueprints.generation.neighbours import is_at, is_range_mark, kind_at, skip
from blueprints.generation.tokens import Token
from blueprints.schema.sizes import GIB, TIB, UNITS

Rule = Callable[[list[Token], int], "tuple[Token, int] | None"]
_SIZED_LABELS = {"memory": "memory", "disk": "disk", "vram": "vram"}
_VERSIONS = {
    "windows": (7, 12),
    "debian": (9, 15),
    "ubuntu": (18, 30),
    "fedora": (30, 60),
    "freebsd": (12, 20),
    "alpine": (3, 4),
}
"""What a whole number behind a system is: "windows 11 VMs" are no eleven machines, "ubuntu 3 servers" are three."""
_MOST_MEMORY = 2 * TIB
_PAIRS = ("pair", "couple", "paar", "paire", "par", "paio", "coppia")
_NOUNS = ("machine", "role", "software", "member")
_HOURS = 24
_LEAST_YEAR, _MOST_YEAR = 1990, 2100
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
    low = _same_unit(tokens[start], tokens[end])
    combined = Token(kind, low, tokens[start].text, tokens[position].start, tokens[end].end, high=tokens[end].value)
    rest = _first_fit([combined, *tokens[end + 1 : end + 5]], 0)
    return rest[0], end - position + rest[1]


def _same_unit(low: Token, high: Token) -> int | Decimal:
    """ "2-4 TB": both are TB."""
    if low.kind != "number" or high.kind != "size":
        return low.value
    number = re.search(r"[0-9]+(?:[.,][0-9]+)?", high.text)
    return int(low.value * high.value / Decimal(number[0].replace(",", "."))) if number else int(low.value * GIB)


def _software_of_maker(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "Apache Solr": one name, and no web server."""
    after = tokens[position + 1] if kind_at(tokens, position + 1) == "software" else None
    if tokens[position].text != "Apache" or after is None or after.start != tokens[position].end + 1:
        return None
    if software_facts(after.value).get("role") == "web":
        return None
    return tokens[position].become("software", after.value, until=after), 2


def _software_with_version(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "PostgreSQL 16 on a VM", "two PostgreSQL 16 servers": a release, and no number of machines."""
    place = position + 1
    if kind_at(tokens, place) != "number" or not tokens[place].text.replace(".", "").isdigit():
        return None
    is_near = tokens[place].start == tokens[position].end + 1
    is_release = "." in tokens[place].text or _LEAST_YEAR <= tokens[place].value < _MOST_YEAR
    if not is_near or not (
        is_release or _is_said_of_release(tokens, place + 1) or _is_release_of_counted(tokens, position)
    ):
        return None
    return tokens[position].become("software", tokens[position].value, until=tokens[place]), 2


def _is_said_of_release(tokens: list[Token], place: int) -> bool:
    """ "… 16 on", "… 16 with"."""
    return kind_at(tokens, place) == "join" and tokens[place].value in ("on", "with", "for", "as", "is")


def _is_release_of_counted(tokens: list[Token], position: int) -> bool:
    """ "a … 16 server", "two … 16 servers", "… 16 server": counted before, or only one."""
    noun = position + 2
    if kind_at(tokens, noun) not in ("machine", "member", "role"):
        return False
    is_counted = kind_at(tokens, position - 1) in ("number", "article", "definite")
    return is_counted or tokens[noun].text.lower() in ("server", "vm", "node", "instance", "cluster", "container")


def _vlan_listed(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "VLANs 5, 6 and 7": every number of the list."""
    back = position - 1
    while back >= 0 and (kind_at(tokens, back) in ("number", "comma", "slash") or is_at(tokens, back, "join", "and")):
        back -= 1
    is_listed = (
        back != position - 1 and is_at(tokens, back, "label", "vlan") and tokens[back].text.lower().endswith("s")
    )
    if not is_listed or kind_at(tokens, position + 1) in ("label", *_NOUNS):
        return None
    return tokens[position].become("vlan", int(tokens[position].value)), 1


def _every(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "each week", "chaque mois"."""
    schedule = {"24": "daily", "168": "weekly", "720": "monthly"}
    if kind_at(tokens, position + 1) != "duration" or tokens[position + 1].value not in schedule:
        return None
    value = schedule[tokens[position + 1].value]
    return tokens[position].become("schedule", value, until=tokens[position + 1]), 2


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
    if kind == "word" and value in UNITS and len(str(value)) > 1:
        sized = number.become("size", int(Decimal(number.value) * UNITS[str(value)]), until=tokens[after])
        rest = _first_fit([sized, *tokens[after + 1 : after + 4]], 0)
        return rest[0], rest[1] + 1
    return None


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
    return colon or tokens[position].value == "vlan" or kind_at(tokens, place + 1) not in ("label", "machine", "role")


def _system_with_version(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    place = position + 1
    if kind_at(tokens, place) == "os" and str(tokens[place].value).startswith(str(tokens[position].value)):
        return tokens[place].become("os", tokens[place].value), 2
    while kind_at(tokens, place) == "word" and tokens[place].value in (
        "lts",
        "server",
        "sever",
        "version",
        "v",
        "release",
        "linux",
        "linx",
        "os",
    ):
        place += 1
    if (
        is_at(tokens, place, "machine", "any")
        and kind_at(tokens, place + 1) == "number"
        and tokens[place + 1].value >= _LEAST_YEAR
    ):
        place += 1
    if kind_at(tokens, place) != "number" or kind_at(tokens, place + 1) in ("label", "machine"):
        return _system_before_noun(tokens, position, place)
    version = re.sub(r"^(1[0-9]|2[0-9])(04|10)$", r"\1.\2", tokens[place].text.strip(" x×"))
    return tokens[position].become(
        "os", f"{tokens[position].value}-{version}", until=tokens[place]
    ), place - position + 1


def _system_before_noun(tokens: list[Token], position: int, place: int) -> tuple[Token, int] | None:
    """ "ubuntu 22.04 servers": a number with a point, or a large one, is no count."""
    if kind_at(tokens, place) == "number" and _looks_like_version(tokens[place].text, tokens[position].value):
        return tokens[position].become("os", f"{tokens[position].value}-{tokens[place].text}", until=tokens[place]), (
            place - position + 1
        )
    return None


def _looks_like_version(text: str, family: str) -> bool:
    if "." in text:
        return True
    low, high = _VERSIONS.get(family, (5, 100))
    return text.isdigit() and (low <= int(text) <= high or int(text) >= 2000)


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


_RULES: dict[str, tuple[Rule, ...]] = {
    "bound": (_range,),
    "ip_tail": (shorthand.ip_tail,),
    "ip": (shorthand.ip_range, shorthand.ip_from),
    "each": (_every,),
    "software": (_software_of_maker, _software_with_version),
    "number": (
        _vlan_listed,
        shorthand.dozens,
        shorthand.spec,
        shorthand.disks,
        _said_twice,
        _range,
        _gpus,
        _number_with_unit,
    ),
    "article": (_gpus, _number_with_unit),
    "size": (_range, _size_with_label),
    "label": (_label_with_value,),
    "os": (_system_with_version,),
    "money": (_budget,),
}
