"""Networks that are listed, and then called by their place: "VLAN 10 is for management and VLAN 20 for storage; a bastion on the
former", "two networks …, one HAProxy sits in both"."""

from dataclasses import dataclass, field

from blueprints.generation.lexicon import fold, ordinals, words_of
from blueprints.generation.tokens import Token

_NOUNS = ("role", "software", "machine", "member", "host")
_COUNTS = ("number", "article")
_VALUES = ("vlan", "cidr")
_ENDS = ("stop", "comma", "close", "open", "join", "word", "colon")
_NEAR = 3


@dataclass(slots=True)
class _Network:
    """What was said of one: a VLAN, a range, a gateway, each once."""

    tokens: list[Token] = field(default_factory=list)

    def has(self, kind: str) -> bool:
        return any(token.kind == kind for token in self.tokens)


def called(before: list[Token], tokens: list[Token]) -> list[Token]:
    """The tokens with each such word replaced by what was said of its network; `before` has the whole list of them."""
    networks = _listed(before)
    if len(networks) < 2:
        return tokens
    found, position, is_called = list[Token](), 0, False
    while position < len(tokens):
        meant, used = _meant(tokens, position, networks, is_open=is_called)
        found += [tokens[position].become(one.kind, one.value, said=one) for one in meant] or [tokens[position]]
        is_called = is_called or bool(meant)
        position += used if meant else 1
    declared = {token.start for network in networks for token in network.tokens}
    return [t for t in found if t.said or t.start not in declared] if is_called else tokens


def _listed(tokens: list[Token]) -> list[_Network]:
    """The networks that are named before anything is put into them."""
    networks: list[_Network] = []
    for place, token in enumerate(tokens):
        if token.kind in _NOUNS and _is_placed(tokens, place):
            break
        is_gateway = token.kind == "ip" and place > 0 and tokens[place - 1].value == "gateway"
        if token.kind in _VALUES or is_gateway:
            if not networks or networks[-1].has(token.kind):
                networks.append(_Network())
            networks[-1].tokens += tokens[place - 1 : place + 1] if is_gateway else [token]
    return networks


def _is_placed(tokens: list[Token], place: int) -> bool:
    """ "one bastion", "the web servers"; in "VLAN 20 for storage" nothing is built."""
    near = [token.kind for token in tokens[max(0, place - _NEAR) : place]]
    return not near or any(kind in (*_COUNTS, "definite", "all") for kind in near)


def _meant(tokens: list[Token], position: int, networks: list[_Network], *, is_open: bool) -> tuple[list[Token], int]:
    """What "the former" or "both" stands for behind a preposition or as a subject, and how many tokens that is."""
    before = tokens[position - 1] if position else None
    start = position + (tokens[position].kind == "definite")
    if before is None or tokens[position].start < networks[-1].tokens[-1].end or start >= len(tokens):
        return [], 1
    is_subject = start > position and _begins(before) and (is_open or _is_next(tokens[:position], networks))
    if fold(before.text) not in words_of("into") and not is_subject:
        return [], 1
    has_noun = start + 1 < len(tokens) and tokens[start + 1].value in ("vlan", "network")
    end = start + 1 + has_noun
    if not has_noun and not _ends(tokens, end):
        return [], 1
    return _network_of(tokens[start], networks), end - position


def _begins(before: Token) -> bool:
    """Where a clause can begin."""
    return before.kind in ("stop", "comma", "colon") or before.value == "and"


def _is_next(tokens: list[Token], networks: list[_Network]) -> bool:
    """Whether nothing was named since the list: "the first is for the DNS server" is about no machine then."""
    since = [token for token in tokens if token.start > networks[-1].tokens[-1].end]
    return not any(token.kind in _NOUNS for token in since)


def _ends(tokens: list[Token], end: int) -> bool:
    """No machine comes: "in the second two web servers", and not "on the first server"."""
    return end >= len(tokens) or tokens[end].kind in (*_ENDS, *_COUNTS, "definite", "all")


def _network_of(token: Token, networks: list[_Network]) -> list[Token]:
    if token.kind == "all":
        return [one for network in networks for one in network.tokens]
    place = ordinals().get(fold(token.text))
    return networks[place].tokens if place is not None and place < len(networks) else []
