"""What is said of each in other words: "16 GB a node", "one for each"."""

from blueprints.generation.neighbours import kind_at
from blueprints.generation.tokens import Token

_SIZED = ("memory", "disk", "vram")
_ENDS = ("", "stop", "comma", "join", "close")


def a_node(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "16 GB of RAM a node", "2 cores a VM"."""
    before = tokens[position - 1] if position else tokens[position]
    is_size = before.kind == "size" or (before.kind == "label" and before.value in ("cpu", *_SIZED))
    is_noun = kind_at(tokens, position + 1) in ("member", "machine")
    if is_size and is_noun and kind_at(tokens, position + 2) in _ENDS:
        return tokens[position].become("each", "each", until=tokens[position + 1]), 2
    return None


def one_for_each(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "two VMs, one for each", "one each": of those that were named, and no more of them."""
    place = position + 1
    if kind_at(tokens, place) == "join" and tokens[place].value == "for":
        place += 1
    is_said = tokens[position].value == 1 and kind_at(tokens, place) == "each"
    if not is_said or kind_at(tokens, place + 1) not in _ENDS or _counts_something(tokens[position - 1 : position]):
        return None
    return tokens[position].become("each", "each", until=tokens[place]), place - position + 1


def _counts_something(before: list[Token]) -> bool:
    """ "Kafka brokers: one for each" counts them."""
    return [token.kind for token in before] == ["colon"]
