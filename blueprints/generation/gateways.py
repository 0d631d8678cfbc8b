"""Which address is the gateway: "10.0.0.1 as default gateway" is read as "gateway 10.0.0.1", and keeps it while it waits for its noun."""

from dataclasses import replace

from blueprints.generation.nouns import NOUNS
from blueprints.generation.tokens import Token

GATEWAY = "gateway"
_NAMING = ("as", "is")
_FAR = 4
_BETWEEN = ("colon", "definite", "join")


def marked(tokens: list[Token]) -> list[Token]:
    """The tokens with every address of a gateway behind that word, and marked so."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        label = _label_behind(tokens, place)
        if label:
            found += [_put_before(tokens[label], tokens[place]), replace(tokens[place], high=GATEWAY)]
            place = label + 1
            continue
        is_said = tokens[place].kind == "ip" and _is_behind_label(tokens, place)
        found.append(replace(tokens[place], high=GATEWAY) if is_said else tokens[place])
        place += 1
    return found


def _label_behind(tokens: list[Token], place: int) -> int:
    """Where the word stands in "10.0.0.1 is the gateway"; 0 where it says nothing of the address, or a machine follows."""
    if tokens[place].kind != "ip" or _is_behind_label(tokens, place):
        return 0
    ahead = tokens[place + 1 : place + 1 + _FAR]
    if not ahead or ahead[0].kind != "join" or ahead[0].value not in _NAMING:
        return 0
    end = next((n for n, token in enumerate(ahead[1:], 1) if token.kind not in ("definite", "article")), 0)
    is_gateway = bool(end) and _is_label(ahead[end])
    following = tokens[place + 2 + end : place + 3 + end]
    is_named = any(token.kind in (*NOUNS, "ip", "colon") for token in following)
    return place + 1 + end if is_gateway and not is_named else 0


def _is_behind_label(tokens: list[Token], place: int) -> bool:
    """ "gateway 10.0.0.1", "the gateway is 10.0.0.1"."""
    back = place - 1
    while back > place - _FAR and back >= 0 and tokens[back].kind in _BETWEEN:
        back -= 1
    return back >= 0 and _is_label(tokens[back])


def _is_label(token: Token) -> bool:
    return token.kind == "label" and token.value == GATEWAY


def _put_before(label: Token, address: Token) -> Token:
    return replace(label, start=address.start, end=address.start)
