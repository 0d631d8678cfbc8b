"""Sizes that grow or shrink by so much: "4 GB more memory", "2 cores less"."""

import re
from collections.abc import Mapping

from blueprints.generation.lexicon import fold
from blueprints.revising.hearing import Heard, mentions
from blueprints.schema.sizes import parse_size

_UP = r"more|extra|additional|mehr|zusatzliche?|de plus|en plus|supplementaires?|mas|in piu|di piu"
_DOWN = r"less|fewer|weniger|de moins|menos|in meno|di meno"
_SIZE = r"(?P<size>[mgt])i?[bo]"
_CORES = r"(?P<cores>v?cpus?|cores?|kerne?n?|coeurs?|nucleos?)"
_STEP = re.compile(
    rf"\b(?P<number>\d{{1,6}}(?:[.,]\d{{1,2}})?) ?(?:(?:{_SIZE}|{_CORES}) (?:{_UP}|(?P<down>{_DOWN}))|(?:{_UP}|(?P<down2>{_DOWN})) (?P<cores2>v?cpus?|cores?|kerne?n?|coeurs?|nucleos?))\b"
)


def steps(heard: Heard) -> Mapping[str, int]:
    """By how many cores, or bytes of memory or disk; nothing where the words name what is to be in the end."""
    found = _STEP.search(fold(heard.text))
    if found is None:
        return {}
    sign = -1 if found["down"] or found["down2"] else 1
    if found["cores"] or found["cores2"]:
        return {"cpu": sign * round(float(found["number"].replace(",", ".")))}
    name = "disk" if mentions(heard, "label", "disk") else "memory"
    return {name: sign * parse_size(f"{found['number'].replace(',', '.')}{found['size'].upper()}B")}
