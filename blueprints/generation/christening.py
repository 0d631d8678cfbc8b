"""Names given by a verb: "Call the nginx web server pelican and the second one walrus" is said as "… named pelican"."""

from dataclasses import replace

from blueprints.generation.lexicon import fold, ordinals, ordinary_words
from blueprints.generation.tokens import Token

_CALL = ("name", "call", "nenne", "benenne", "nomme", "appelle", "appelez", "llama", "chiama")
_POLITE = ("please", "bitte", "then")
_FIRST = ("definite", "article", "number")
_NOUNS = ("role", "software", "machine", "member")
_ENDS = ("stop", "comma", "open", "colon", "dash")


def christened(tokens: list[Token]) -> list[Token]:
    """The tokens with "named" before every name that such a sentence gives."""
    found: list[Token] = []
    sentence: list[Token] = []
    is_counted = False
    for token in tokens:
        sentence.append(token)
        if token.kind == "stop":
            found += _named(sentence, is_counted=is_counted)
            is_counted = is_counted or _counts_several(sentence)
            sentence = []
    return found + _named(sentence, is_counted=is_counted)


def _turned(sentence: list[Token]) -> list[Token]:
    """ "Names: zeus for the database" as "the database named zeus"."""
    found: list[Token] = []
    place = 0
    while place < len(sentence):
        end = _end_of_purpose(sentence, place)
        if end:
            token = sentence[place]
            noun = sentence[place + 2 : end]
            found += [*noun, replace(token, kind="join", value="named", end=token.start), token]
        else:
            found.append(sentence[place])
        place = end or place + 1
    return found


def _end_of_purpose(sentence: list[Token], place: int) -> int:
    """Where "zeus for the database" ends that begins here; else 0."""
    if sentence[place].kind != "host" or place + 1 == len(sentence) or sentence[place + 1].value != "for":
        return 0
    end = place + 2
    while end < len(sentence) and sentence[end].kind in ("definite", *_NOUNS):
        end += 1
    return end if sentence[end - 1].kind in _NOUNS else 0


def _counts_several(sentence: list[Token]) -> bool:
    """ "Two VMs": machines of which one may be called."""
    return any(token.kind == "number" and token.value > 1 for token in sentence)


def _named(sentence: list[Token], *, is_counted: bool) -> list[Token]:
    """One sentence, from where it begins to give names; behind machines that were counted, "the first VM" is one of them."""
    if [token.value for token in sentence[:2]] == ["named", ":"]:
        return _turned(sentence[2:])
    start = next((n for n in range(len(sentence)) if _begins(sentence, n)), None)
    if start is None:
        return sentence
    is_call = sentence[start].value in _CALL
    found = [*_without_one(sentence[:start]), sentence[start]]
    noun: list[Token] = []
    for place in range(start + 1, len(sentence)):
        token = sentence[place]
        if is_counted and _is_one_of_them(sentence, place):
            continue
        if token.kind in _NOUNS:
            noun = [*noun, token] if found[-1] in noun else [token]
        elif _is_name(token, sentence[place + 1 :]) and (given := _bearer(found, noun, is_call=is_call)):
            found = [*given, replace(token, kind="join", value="named", end=token.start)]
        found.append(token)
    return found


def _begins(sentence: list[Token], place: int) -> bool:
    """ "Call the …", "…: call one …", "the first is called …"; in "the name of the …" nobody gives a name."""
    token, before = sentence[place], sentence[place - 1] if place else None
    if token.value == "named":
        return before is not None and _is_ordinal(_without_one(sentence[:place])[-1])
    is_open = before is None or before.kind in ("comma", "colon") or before.value in _POLITE
    return is_open and token.value in _CALL and [t.kind in _FIRST for t in sentence[place + 1 : place + 2]] == [True]


def _is_name(token: Token, behind: list[Token]) -> bool:
    """A word of no meaning, and the clause ends or sizes follow in brackets."""
    is_last = not behind or behind[0].kind in _ENDS or behind[0].value == "and"
    return token.kind == "word" and token.value not in ordinary_words() and is_last


def _bearer(before: list[Token], noun: list[Token], *, is_call: bool) -> list[Token]:
    """What stands before the name: a noun as it is; behind "the second" or "the second one", the noun before once more."""
    last = _without_one(before)
    if _is_ordinal(last[-1]):
        again = [last[-1].become(one.kind, one.value) for one in noun]
        return [*last[:-1], last[-1].become("another", "another"), *again] if again else last
    is_behind = bool(noun) and before[-1] is noun[-1]
    return before if is_call and (is_behind or _is_one(before[-1])) else []


def _without_one(tokens: list[Token]) -> list[Token]:
    """ "the second one" is "the second"."""
    return tokens[:-1] if len(tokens) > 1 and _is_one(tokens[-1]) and _is_ordinal(tokens[-2]) else tokens


def _is_one_of_them(sentence: list[Token], place: int) -> bool:
    """ "the first VM": one of those that were counted in another sentence."""
    return sentence[place].kind == "machine" and _is_ordinal(sentence[place - 1])


def _is_one(token: Token) -> bool:
    return token.kind == "number" and token.value == 1


def _is_ordinal(token: Token) -> bool:
    return fold(token.text) in ordinals()
