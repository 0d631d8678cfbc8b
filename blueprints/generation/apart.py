"""Machines that are kept apart, in whole sentences: "no two of them may share a hypervisor", "spread over three hosts"."""

from functools import cache

from blueprints.generation.lexicon import fold, table
from blueprints.generation.neighbours import kind_at, skip
from blueprints.generation.tokens import Token

_MOST_BETWEEN = 6
_BEFORE_A_HOST = ("number", "article", "definite", "own", "another", "each", "several", "word")
_BREAKS = ("comma", "stop", "role", "software", "machine", "member")


def kept_apart(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "no two of them may share a hypervisor", "spread across three physical hosts": all of it says one thing."""
    end = _behind_share(tokens, position)
    end = _behind_hosts(tokens, end + (kind_at(tokens, end) == "join")) or end
    return (
        (tokens[position].become("spread", "spread", until=tokens[end - 1]), end - position)
        if end > position + 1
        else None
    )


def none_shares(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "none of them may share a host with another"."""
    if end := _behind_two_on_one(tokens, position):
        return tokens[position].become("spread", "spread", until=tokens[end - 1]), end - position
    behind = _behind_share(tokens, position)
    return kept_apart(tokens, position) if behind > position + 1 and _behind_hosts(tokens, behind) else None


def _behind_two_on_one(tokens: list[Token], position: int) -> int | None:
    """Where "not two of them on one hypervisor" ends."""
    if kind_at(tokens, position + 1) != "number" or tokens[position + 1].value != 2:
        return None
    for place in range(position + 2, min(position + _MOST_BETWEEN, len(tokens))):
        if tokens[place].kind == "join" and tokens[place].value == "on":
            return _behind_hosts(tokens, place + 1)
        if tokens[place].kind in _BREAKS:
            break
    return None


def _behind_share(tokens: list[Token], position: int) -> int:
    """Where "may share" ends behind "no two"; right behind the first token when there is none."""
    for place in range(position + 1, min(position + 1 + _MOST_BETWEEN, len(tokens))):
        if tokens[place].kind == "together":
            return place + 1
        if tokens[place].kind in _BREAKS:
            break
    return position + 1


def _behind_hosts(tokens: list[Token], place: int) -> int | None:
    """Where "three physical hosts" ends that begins here."""
    for end in range(place, min(place + 4, len(tokens))):
        if fold(tokens[end].text) in _words("hypervisors"):
            return end + 1
        if tokens[end].kind not in _BEFORE_A_HOST:
            break
    return None


def shares_none(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "that share no hypervisor"."""
    end = _behind_hosts(tokens, position + 2) if kind_at(tokens, position + 1) == "without" else None
    return (tokens[position].become("spread", "spread", until=tokens[end - 1]), end - position) if end else None


def spread_over(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "distributed over three hypervisors", "auf drei Hosts verteilt": a word of spreading stands before or behind."""
    end = _behind_hosts(tokens, position + 1) if tokens[position].value == "on" else None
    if end is None or kind_at(tokens, position + 1) not in ("number", "several"):
        return None
    around = [*tokens[max(0, position - 1) : position + 1], *tokens[end : end + 1]]
    if not any(fold(token.text) in _words("spreading") for token in around):
        return None
    return tokens[position].become("spread", "spread", until=tokens[end - 1]), end - position


def total(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "repartidos en hosts físicos distintos", "verteilt auf verschiedene Hosts": divided over hosts, and no sum."""
    if _shares_no_size(tokens, position):
        return tokens[position].become("word", tokens[position].value), 1
    place = skip(tokens, position + 1)
    place += kind_at(tokens, place) == "join"
    if kind_at(tokens, place) != "spread":
        return None
    return tokens[position].become("spread", "spread", until=tokens[place]), place - position + 1


def on_one(tokens: list[Token], position: int) -> tuple[Token, int] | None:
    """ "zusammen in einem LXC": no sum, but one machine for several."""
    if kind_at(tokens, position + 1) != "join" or tokens[position + 1].value != "on":
        return None
    join, *after = tokens[position + 1 : position + 4]
    has_article = bool(after) and (after[0].kind == "article" or (after[0].kind == "number" and after[0].value == 1))
    is_contracted = join.end - join.start > len(join.text)  # "in einem" is one token
    noun = after[1:] if has_article else after if is_contracted else []
    is_machine = bool(noun) and noun[0].kind == "machine"
    return (tokens[position].become("together", "together"), 1) if is_machine else None


def _shares_no_size(tokens: list[Token], position: int) -> bool:
    """ "sharing the CARP address 10.0.0.1": no sum of sizes."""
    behind = [token.kind for token in tokens[position + 1 : position + 1 + _MOST_BETWEEN]]
    is_of_address = (
        set(behind[: behind.index("ip")]) <= {"word", "definite", "article", "label"} if "ip" in behind else False
    )
    return fold(tokens[position].text) in ("sharing", "shared", "share") and is_of_address


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(table("plain")[name].split())
