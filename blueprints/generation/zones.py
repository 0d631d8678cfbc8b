"""Networks that are called by a name: what is said of "front-net" or "the DMZ" once holds wherever it is named again."""

from dataclasses import dataclass, field

from blueprints.generation.lexicon import fold, table, words_of
from blueprints.generation.tokens import Token

_VALUES = ("vlan", "cidr")
_BETWEEN = ("colon", "open", "close", "slash", "dash", "definite", "article", "word")
_JOINS = ("is", "with", "on", "as", "to", "named", "and")
_BEHIND = ("is", "for", "as", "named")
_NOUNS = ("role", "software", "machine", "member", "host")
_NAMING = ("word", "role", "environment", "backup", "label", "machine", "software", "kept", "verb")
_WHICH = ("which", "welches", "qui", "que", "che")
_LEAST_NAME = 3
_MOST_BETWEEN = 6


@dataclass(slots=True)
class _Mention:
    """A network named from token `start` to before `end`; `until` is behind what is said of it there."""

    name: str
    start: int
    end: int
    until: int = 0
    said: list[Token] = field(default_factory=list)


def resolved(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens with each network that is only named replaced by what was said of it elsewhere."""
    tokens = list(tokens)
    mentions = _mentions(text, tokens)
    for mention in mentions:
        tokens[mention.start] = _as_word(tokens[mention.start])
    known = _declared(tokens, mentions)
    used = [mention for mention in mentions if not mention.said and mention.name in known]
    names = {mention.name for mention in used}
    dropped = [m for m in mentions if m.said and m.name in names and not _has_noun(tokens, m, mentions)]
    return _replaced(tokens, sorted([*used, *dropped], key=lambda one: one.start), known)


def _replaced(tokens: list[Token], mentions: list[_Mention], known: dict[str, list[Token]]) -> list[Token]:
    """Without these mentions; where nothing was said, with what is known of the network instead."""
    found, position = list[Token](), 0
    for mention in mentions:
        found += tokens[position : mention.start]
        if not mention.said:
            found += [_at(tokens[mention.start], token) for token in known[mention.name]]
        position = max(mention.end, mention.until)
    return found + tokens[position:]


def _at(place: Token, token: Token) -> Token:
    """What was said elsewhere, at this place; it quotes where it was said."""
    return place.become(token.kind, token.value, said=token)


def _as_word(token: Token) -> Token:
    """ "the database network" is no database."""
    is_alone = token.end - token.start == len(token.text)
    return token.become("word", token.text.lower()) if token.kind in _NOUNS and is_alone else token


def _mentions(text: str, tokens: list[Token]) -> list[_Mention]:
    found: list[_Mention] = []
    given = {fold(token.text) for place, token in enumerate(tokens) if _is_given_name(tokens, place)}
    position = 0
    while position < len(tokens):
        name, end = _name(text, tokens, position)
        if not name and fold(tokens[position].text) in given and _may_be_given(tokens, position):
            name, end = fold(tokens[position].text), position + 1
        if name:
            found.append(_Mention(name, position, end))
        position = max(end, position + 1)
    return found


def _is_given_name(tokens: list[Token], place: int) -> bool:
    """ "front (VLAN 31, …)", "front = VLAN 31": any word can be the name of a network."""
    token, behind = tokens[place], [one.kind for one in tokens[place + 1 : place + 3]]
    is_word = token.kind == "word" or (token.kind == "label" and token.value == "cpu")  # a network that is called core
    is_name = is_word and len(token.text) >= _LEAST_NAME and fold(token.text) not in _small_words()
    return is_name and behind in (["open", "vlan"], ["colon", "vlan"], ["dash", "vlan"])


def _may_be_given(tokens: list[Token], place: int) -> bool:
    """Where it is given, and "in front", "on the front"."""
    before = [token for token in tokens[max(0, place - 2) : place] if token.kind != "definite"][-1:]
    is_into = bool(before) and (fold(before[0].text) in words_of("into") or before[0].value in ("and", "comma"))
    return _is_given_name(tokens, place) or is_into


def _name(text: str, tokens: list[Token], position: int) -> tuple[str, int]:
    """ "front-net", "the camera VLAN", "DMZ": its name and the place behind it."""
    token, after = tokens[position], tokens[position + 1 : position + 2]
    said = token.text.lower()
    if _is_longer_than_said(token):
        return "", position + 1
    if not _may_name(token):
        return "lan" if said == "lan" else "", position + 1
    if len(token.text) < _LEAST_NAME:
        return "", position + 1
    word = _zones().get(said, "")
    if after and _is_network(text, token, after[0]):
        return word or said, position + 2
    return word or (said if _qualifies_vlan(token, after) else ""), position + 1


def _qualifies_vlan(token: Token, after: list[Token]) -> bool:
    """ "cameras VLAN 30", not "the VLAN 30"."""
    is_before = [one.kind for one in after] == ["vlan"]
    return is_before and token.kind == "word" and token.value not in _small_words()


def _is_longer_than_said(token: Token) -> bool:
    """A token that reaches over more words than its text, and is no verb."""
    return token.end - token.start > len(token.text) and token.kind != "verb"


def _may_name(token: Token) -> bool:
    """ "front", "camera", "database"; neither "VLAN" nor "network"."""
    return token.kind in _NAMING and not _is_label(token, "vlan", "network")


def _is_network(text: str, token: Token, after: Token) -> bool:
    """ "-net", "network", "VLAN" right behind a word that can be its name."""
    between = text[token.end : after.start]
    if between in ("-", "_"):
        return after.text.lower() in ("net", "lan", "network", "netz", "vlan")
    is_label = _is_label(after, "network", "vlan") and not after.text.lower().startswith("bridge")
    return between == " " and is_label and (token.value not in _small_words() or token.kind != "word")


def _small_words() -> frozenset[str]:
    return frozenset(table("plain")["ordinary"].split()) - frozenset(_zones())


def _zones() -> dict[str, str]:
    """Every word that names a network by itself, and the name."""
    return {word: name for name, words in table("plain")["zones"].items() for word in words.split()}


def _declared(tokens: list[Token], mentions: list[_Mention]) -> dict[str, list[Token]]:
    """What is said of each, behind its name or before it."""
    known: dict[str, list[Token]] = {}
    starts = {mention.start for mention in mentions}
    taken: set[int] = set()
    for mention in mentions:
        mention.said, mention.until = _said_behind(tokens, mention, starts, known)
        taken.update(range(mention.end, mention.until))
        if mention.said:
            known.setdefault(mention.name, mention.said)
    for mention in mentions:
        if mention.said or mention.name in known:
            continue
        mention.said, mention.start = _said_before(tokens, mention.start, taken)
        if mention.said:
            known[mention.name] = mention.said
    return known


def _said_behind(
    tokens: list[Token], mention: _Mention, starts: set[int], known: dict[str, list[Token]]
) -> tuple[list[Token], int]:
    said: list[Token] = []
    until, place = mention.end, mention.end
    while place < len(tokens) and place - until <= _MOST_BETWEEN and place not in starts:
        if number := _tagged(tokens, mention, place, known):
            tokens[place] = number
        if found := _value_at(tokens, place, said):
            said += found
            until = place + 1
        elif not _leads_on(tokens, place):
            break
        place += 1
    if said and _kind_at(tokens, until) == "close":
        until += 1
    return said, until


def _value_at(tokens: list[Token], place: int, said: list[Token]) -> list[Token]:
    """A VLAN or a range that was not said yet, or "gateway 10.0.0.1" with both its tokens."""
    token = tokens[place]
    if token.kind in _VALUES and all(one.kind != token.kind for one in said):
        return [token]
    is_gateway = token.kind == "ip" and _is_label(tokens[place - 1], "gateway")
    return [tokens[place - 1], token] if is_gateway else []


def _kind_at(tokens: list[Token], place: int) -> str:
    """The kind of the token there; "" behind the last and before the first."""
    return tokens[place].kind if 0 <= place < len(tokens) else ""


def _tagged(tokens: list[Token], mention: _Mention, place: int, known: dict[str, list[Token]]) -> Token | None:
    """ "is tagged 300", "which is number 25"; "the DMZ is tagged 300, the internal network 310"."""
    if tokens[place].kind != "number":
        return None
    between = tokens[mention.end - 1 : place]
    is_marked = any(token.value in table("plain")["tags"].split() or _is_label(token, "vlan") for token in between)
    is_parallel = place == mention.end and any(token.kind == "vlan" for said in known.values() for token in said)
    return tokens[place].become("vlan", int(tokens[place].value)) if is_marked or is_parallel else None


def _leads_on(tokens: list[Token], place: int) -> bool:
    token = tokens[place]
    if token.kind in ("label", "comma") or (token.kind == "join" and token.value == "and"):
        following = tokens[place + 1 : place + 3]
        return _is_label(token, "vlan", "gateway", "network") or any(
            one.kind in (*_VALUES, "label") or one.value in _WHICH for one in following
        )
    return token.kind in _BETWEEN or (token.kind == "join" and token.value in _JOINS)


def _is_label(token: Token, *values: str) -> bool:
    return token.kind == "label" and token.value in values


def _said_before(tokens: list[Token], start: int, taken: set[int]) -> tuple[list[Token], int]:
    """ "VLAN 10 is the LAN", "VLAN 20 (DMZ)", and where that begins."""
    place = start - 1
    while place >= 0 and _links_to_name(tokens[place]):
        place -= 1
    if place == start - 1 or (place == start - 2 and tokens[place + 1].kind == "definite"):
        return [], start
    said, first = list[Token](), start
    while place not in taken and _kind_at(tokens, place) in (*_VALUES, "open", "close", "comma", "slash"):
        if tokens[place].kind in _VALUES:
            said, first = [tokens[place], *said], place
        place -= 1
    return said, first


def _links_to_name(token: Token) -> bool:
    """ "is the", "(", ":" between a value and the name of its network."""
    return token.kind in ("definite", "open", "colon") or (token.kind == "join" and token.value in _BEHIND)


def _has_noun(tokens: list[Token], mention: _Mention, mentions: list[_Mention]) -> bool:
    """Whether its sentence speaks of machines, and what is said there is theirs."""
    first, last = mention.start, mention.start
    while first > 0 and tokens[first - 1].kind != "stop":
        first -= 1
    while last < len(tokens) and tokens[last].kind != "stop":
        last += 1
    named = {place for one in mentions for place in range(one.start, one.end)}
    return any(tokens[place].kind in _NOUNS and place not in named for place in range(first, last))
