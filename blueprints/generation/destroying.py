"""Orders to delete or to stop something: a blueprint carries none of them out, and reads what is described beside them."""

from collections.abc import Sequence

from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_FARTHEST = 9
_KEPT = ("logging", "backup", "storage")
"""What is deleted after so many days, and is no machine: logs, backups."""
_PEOPLE = ("me", "us", "him", "her", "you", "myself")
"""In "my wife will kill me" no machine is killed."""


def without_orders_to_destroy(walk: Walk, tokens: list[Token]) -> list[Token]:
    """The sentence up to where it orders to delete or stop something."""
    if (
        tokens[:1]
        and tokens[0].kind == "without"
        and tokens[0].text.lower() == "drop"
        and not drops_something_in(tokens, tokens[0])
    ):
        walk.request.destroys = True
        return []
    for place, token in enumerate(tokens):
        if token.kind != "verb" or token.value != "destroy":
            continue
        if any(t.kind == "without" for t in tokens[max(0, place - 2) : place]) or _is_retention(tokens, place):
            continue
        if tokens[place + 1 : place + 2] and tokens[place + 1].value in _PEOPLE:
            continue
        walk.request.destroys = True
        before = tokens[:place] if any(_describes(token) for token in tokens[:place]) else []
        return before + tokens[_end_of_order(tokens, place) :]
    return tokens


def _is_retention(tokens: list[Token], place: int) -> bool:
    """ "delete logs after 90 days", "purge after 10 days": how long something is kept."""
    ahead = tokens[place + 1 : place + 1 + _FARTHEST]
    days = next((n for n, token in enumerate(ahead) if token.kind == "days"), -1)
    objects = ahead[:days] if days > 0 else ahead
    is_machine = any(token.kind in ("machine", "software", "role") and token.value not in _KEPT for token in objects)
    return days >= 0 and not is_machine


def _describes(token: Token) -> bool:
    """Whether something is to be built in what stands before the order: "two web servers, and delete the old one"."""
    return token.kind in ("number", "article", "cpu", "memory", "disk", "size", "os") or token.value == "build"


def _end_of_order(tokens: list[Token], place: int) -> int:
    """Where something else begins: ", keep 2 web servers", "and create a database"."""
    for end in range(place + 1, len(tokens) - 1):
        is_break = tokens[end].kind == "comma" or (tokens[end].kind == "join" and tokens[end].value in ("and", "but"))
        if is_break and (tokens[end + 1].kind in ("kept", "number") or tokens[end + 1].value == "build"):
            return end
    return len(tokens)


def drops_something_in(elements: Sequence[Element | Token], token: Token) -> bool:
    """ "drop a VM in there" adds one; "drop the VM" does not."""
    following = elements[1:2]
    is_indefinite = bool(following) and (
        following[0].count is not None
        if isinstance(following[0], Phrase)
        else following[0].kind in ("article", "number")
    )
    return token.text.lower() == "drop" and is_indefinite
