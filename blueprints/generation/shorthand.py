"""Short spellings that mean several things: "4/16/200", "two data disks of 200 GB", "10.0.0.11-14", "two dozen"."""

import re
from dataclasses import replace
from decimal import Decimal
from ipaddress import ip_address
from itertools import takewhile

from blueprints.generation.lexicon import fold, tier_words
from blueprints.generation.neighbours import is_address, is_at, is_range_mark, kind_at, skip
from blueprints.generation.nouns import NOUNS
from blueprints.generation.tokens import Token
from blueprints.schema.sizes import GIB

_PLURAL = ("s", "platten", "dischi")
_MOST_ADDRESSES = 64
_THROUGH = ("through", "thru", "till", "until", "hasta", "fino", "jusqu", "bis")
_FROM_ON = frozenset(
    {
        "starting",
        "beginning",
        "start",
        "partir",
        "partire",
        "ab",
        "onwards",
        "onward",
        "upwards",
        "aufwarts",
        "fortlaufend",
        "consecutive",
        "adelante",
    }
)
_NEAR = 4
_ENDS = ("ip", "ip_tail", "number")
_DOZENS = ("dozen", "dutzend", "douzaine", "docena", "dozzin")
_MOST_LISTED = 40
"""So many tokens a list of VLANs reaches back."""
_PLURAL_ARTICLES = ("les", "las", "los", "le", "ces", "estas")
_COUNTED = ("label", "machine", "role", "software", "member")
_MOST_PARTS = 4
_MOST_CORES = 256


def disks(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "two extra disks of 200 GB", "2 x 500 GB SSD"."""
    place, is_extra = position + 1, False
    while kind_at(tokens, place) == "another":
        place, is_extra = place + 1, True
    number = tokens[position]
    if is_at(tokens, place, "label", "disk"):
        size = skip(tokens, place + 1, colon=True)
        is_extra |= tokens[place].text.lower().startswith(("data", "daten"))
        last = size + (kind_at(tokens, size + 1) == "each")
    else:
        size, last = place, place + 1
        is_plural = last < len(tokens) and (
            tokens[last].text.lower().endswith(_PLURAL) or _is_several_words(tokens[last])
        )
        is_extra |= kind_at(tokens, last) == "label" and tokens[last].text.lower().startswith(("data", "daten"))
        if not is_at(tokens, last, "label", "disk") or not (
            is_plural or number.text.lower().strip()[-1:] in ("x", "×")
        ):
            return None
    if kind_at(tokens, size) not in ("size", "disk") or number.value < 2:
        return None
    value = (int(number.value), tokens[size].value, is_extra)
    return number.become("disks", value, until=tokens[last]), last - position + 1


def _is_several_words(token: Token) -> bool:
    """ "data disks"."""
    return token.end - token.start > len(token.text)


def spec(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "4/16/200", "(2/4)": cores, memory, disk, in the order that everybody uses."""
    place, parts = position, [tokens[position]]
    while (
        len(parts) < _MOST_PARTS
        and kind_at(tokens, place + 1) == "slash"
        and kind_at(tokens, place + 2) in ("number", "size", "memory", "disk")
    ):
        parts.append(tokens[place + 2])
        place += 2
    is_enclosed = kind_at(tokens, position - 1) == "open" and kind_at(tokens, place + 1) == "close"
    if not (len(parts) == 3 or (len(parts) == 2 and is_enclosed)) or parts[0].value > _MOST_CORES:
        return None
    sizes = [int(part.value * GIB) if part.kind == "number" else part.value for part in parts[1:]]
    return parts[0].become("spec", (int(parts[0].value), *sizes), until=parts[-1]), place - position + 1


def tiers(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "a three-tier app": counts no machines."""
    if kind_at(tokens, position + 1) != "word" or tokens[position + 1].value not in tier_words():
        return None
    return tokens[position].become("word", tokens[position + 1].value, until=tokens[position + 1]), 2


def ip_tail(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "10.4.4.21, .22": the network of the address before."""
    whole = next((t for t in reversed(tokens[:position]) if t.kind in ("ip", "cidr")), None)
    if whole is None:
        return None
    whole_tail = tokens[position].become("ip", whole.value.split("/")[0].rsplit(".", 1)[0] + tokens[position].text)
    return ip_from([*tokens[:position], whole_tail, *tokens[position + 1 :]], position) or (whole_tail, 1)


def host_part(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "the gateway is the .1": the network of the address before."""
    back, number = position - 1, tokens[position]
    while kind_at(tokens, back) in ("join", "definite", "colon", "word"):
        back -= 1
    if back < 0 or not is_at(tokens, back, "label", "gateway") or not number.text.isdigit():
        return None
    whole = next((t for t in reversed(tokens[:back]) if t.kind in ("ip", "cidr")), None)
    if whole is None:
        return None
    return number.become("ip", f"{whole.value.split('/')[0].rsplit('.', 1)[0]}.{number.text}"), 1


def ip_from(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "from .11 on", "starting at 10.0.0.11", "ab 10.0.0.11": one after the other, as many as there are machines."""
    before = tokens[max(0, position - _NEAR) : position]
    after = tokens[position + 1 : position + 2]
    said = {word for token in (*_open(before), *after) for word in re.split(r"\W+", fold(token.text))}
    if not said & _FROM_ON and not any(token.kind == "bound" and token.value == "least" for token in _open(before)):
        return None
    if not is_address(tokens[position].value):
        return None
    addresses = _run(tokens[position].value, _MOST_ADDRESSES)
    return replace(tokens[position].become("ips", addresses), high="open"), 1


def _run(first: str, most: int) -> tuple[str, ...]:
    """So many addresses one after the other, and none beyond the last of its byte, or of IPv6 its group."""
    address = ip_address(first)
    most = min(most, 255 - int(address) % 256) if address.version == 4 else most
    return tuple(str(address + number) for number in range(most))


def _open(before: list[Token]) -> list[Token]:
    """What stands before it within its clause, no other address between."""
    start = max((n + 1 for n, token in enumerate(before) if token.kind in ("stop", "comma", "ip", "ips")), default=0)
    return before[start:]


def ip_range(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "10.0.0.11-14", "10.0.0.11 to 10.0.0.14": every address between."""
    if not _leads_on(tokens, position + 1) or kind_at(tokens, position + 2) not in _ENDS:
        return None
    first, length = tokens[position].value, _distance(tokens[position].value, tokens[position + 2].text) + 1
    if not 1 < length <= _MOST_ADDRESSES:
        return None
    return tokens[position].become("ips", _run(first, length), until=tokens[position + 2]), 3


def _distance(first: str, last: str) -> int:
    """How far the last address is behind the first; it may be only its end: "14", ".14"; 0 where it is none."""
    network, _, _ = first.rpartition(".")
    whole = last if ":" in last or last.count(".") == 3 else f"{network}.{last.removeprefix('.')}"
    if not (is_address(first) and is_address(whole)):
        return 0
    one, other = ip_address(first), ip_address(whole)
    return int(other) - int(one) if one.version == other.version else 0


def _leads_on(tokens: list[Token], place: int) -> bool:
    """ "-", "to", "through"."""
    if is_range_mark(tokens, place, after_between=False):
        return True
    return (
        place < len(tokens)
        and tokens[place].kind in ("word", "bound", "join", "order")
        and fold(tokens[place].text).startswith(_THROUGH)
    )


def dozens(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "two dozen", "anderthalb Dutzend"."""
    is_dozen = kind_at(tokens, position + 1) == "number" and tokens[position + 1].text.lower().startswith(_DOZENS)
    if not is_dozen:
        return None
    number = tokens[position].value * tokens[position + 1].value
    return tokens[position].become("number", number, until=tokens[position + 1]), 2


def _goes_on(tokens: list[Token], place: int) -> bool:
    return kind_at(tokens, place) in ("number", "comma", "slash", "definite", "colon") or is_at(
        tokens, place, "join", "and"
    )


def vlan_listed(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "VLANs 5, 6 and 7": every number of the list."""
    first = max(0, position - _MOST_LISTED)
    between = takewhile(lambda place: _goes_on(tokens, place), range(position - 1, first - 1, -1))
    back = position - 1 - sum(1 for _ in between)
    is_listed = back != position - 1 and is_at(tokens, back, "label", "vlan") and _are_several(tokens, back)
    if not is_listed or kind_at(tokens, position + 1) in _COUNTED:
        return None
    return tokens[position].become("vlan", int(tokens[position].value)), 1


def _are_several(tokens: list[Token], place: int) -> bool:
    """ "VLANs", and "deux VLAN", "le VLAN" where the word has no plural."""
    before = tokens[place - 1] if place else tokens[place]
    is_counted = before.kind == "number" and before.value > 1
    return tokens[place].text.lower().endswith("s") or is_counted or before.text.lower() in _PLURAL_ARTICLES


def dns_machines(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "the DNS servers are containers": with no address behind it, no server to ask is named."""
    is_asked = tokens[position].value != "dns_server" or kind_at(tokens, position + 1) in ("ip", "colon")
    return None if is_asked else (tokens[position].become("role", "dns"), 1)


def single(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "uno solo", "un seul", with no noun behind it."""
    if kind_at(tokens, position + 1) != "exact" or kind_at(tokens, position + 2) in NOUNS:
        return None
    if tokens[position + 1].text.lower() not in ("solo", "sola", "seul", "seule"):
        return None
    return tokens[position].become("number", Decimal(1), until=tokens[position + 1]), 2


def every(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "each week", "chaque mois"."""
    schedule = {"24": "daily", "168": "weekly", "720": "monthly"}
    if kind_at(tokens, position + 1) != "duration" or tokens[position + 1].value not in schedule:
        return None
    value = schedule[tokens[position + 1].value]
    return tokens[position].become("schedule", value, until=tokens[position + 1]), 2
