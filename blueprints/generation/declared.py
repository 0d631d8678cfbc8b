"""Networks that are only listed in one sentence and used by their place in a later one: "VLAN 110 for web and 120 for data. The
web servers go into the former"."""

from collections.abc import Iterator

from blueprints.generation.lexicon import fold, ordinals
from blueprints.generation.nouns import NOUNS
from blueprints.generation.tokens import Token

Network = list[Token]
_NETWORKS = ("vlan", "cidr")
_INTO = ("nel", "nella", "nello", "ins", "im")
_ONE = ("one", "ones", "network", "subnet", "segment", "netz", "reseau", "red", "rete")


def used(tokens: list[Token]) -> list[Token]:
    """The tokens without such a list, and with its networks where a later sentence points to them."""
    sentences = list(_sentences(tokens))
    for place, sentence in enumerate(sentences):
        networks = _listed(sentence)
        later = [_resolved(one, networks) for one in sentences[place + 1 :]] if len(networks) > 1 else []
        if any(len(new) != len(old) or new != old for new, old in zip(later, sentences[place + 1 :], strict=False)):
            return [token for one in (*sentences[:place], *later) for token in one]
    return tokens


def _sentences(tokens: list[Token]) -> Iterator[list[Token]]:
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        if token.kind == "stop" and token.text != ";":
            yield found
            found = []
    yield found


def _listed(sentence: list[Token]) -> list[Network]:
    """The networks of a sentence that counts nothing else."""
    found: list[Network] = []
    for place, token in enumerate(sentence):
        if token.kind in _NETWORKS:
            _add(found, token)
        elif token.kind == "number" and found and found[-1][-1].kind == "vlan" and _is_joined(sentence, place):
            _add(found, token.become("vlan", int(token.value)))
        elif token.kind == "number" and not _is_heading(sentence, place):
            return []
    return found


def _add(networks: list[Network], token: Token) -> None:
    """A VLAN and its subnet are one network."""
    if networks and [one.kind for one in networks[-1]] == ["vlan"] and token.kind == "cidr":
        networks[-1].append(token)
    else:
        networks.append([token])


def _is_joined(sentence: list[Token], place: int) -> bool:
    """ "… and 120 for data"."""
    after = sentence[place + 1 : place + 2]
    is_last = not after or after[0].kind in ("join", "open", "comma", "stop")
    return is_last and (sentence[place - 1].kind == "comma" or sentence[place - 1].value == "and")


def _is_heading(sentence: list[Token], place: int) -> bool:
    """ "There are two networks: …"."""
    after = sentence[place + 1 : place + 2]
    return bool(after) and after[0].kind not in (*NOUNS, "size_word", "os")


def _resolved(sentence: list[Token], networks: list[Network]) -> list[Token]:
    """With the network that each "into the former" means."""
    found: list[Token] = []
    place = 0
    while place < len(sentence):
        end = _end_of_pointing(sentence, place)
        which = _which(sentence[end - 1], networks) if end else None
        found.append(sentence[place] if which is None else _into(sentence[place]))
        if which is not None:
            found += [sentence[end - 1].become(one.kind, one.value, said=one) for one in which]
        place = (end + _says_one(sentence, end)) if which is not None else place + 1
    return found


def _into(token: Token) -> Token:
    return token.become("join", "on")


def _end_of_pointing(sentence: list[Token], place: int) -> int:
    """Behind the word that points, when "into the former" begins here and no noun follows; else 0."""
    token = sentence[place]
    if not (token.kind == "join" and token.value == "on") and fold(token.text) not in _INTO:
        return 0
    end = place + 1 + (place + 1 < len(sentence) and sentence[place + 1].kind == "definite")
    if end >= len(sentence) or fold(sentence[end].text) not in ordinals():
        return 0
    behind = end + 1 + _says_one(sentence, end + 1)
    is_noun = behind < len(sentence) and sentence[behind].kind in NOUNS
    return 0 if is_noun else end + 1


def _says_one(sentence: list[Token], place: int) -> int:
    """ "into the first one", "into the second network"."""
    return int(place < len(sentence) and fold(sentence[place].text) in _ONE)


def _which(token: Token, networks: list[Network]) -> Network | None:
    """The network at this place of the list."""
    place = ordinals()[fold(token.text)]
    return networks[place] if place < len(networks) else None
