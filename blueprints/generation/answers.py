"""Questions that their author answers at once: "GPU? No." says that there is none."""

from collections.abc import Iterable, Iterator

from blueprints.generation.lexicon import fold
from blueprints.generation.tokens import Token

_MOST = 8
_NO = ("no", "nope", "nein", "non", "not", "nicht", "nada", "niente", "kein", "keine", "pas")


def answered(sentences: Iterable[list[Token]]) -> Iterator[list[Token]]:
    """The sentences, with the "no" of an answer moved before what was asked about."""
    asked: list[Token] = []
    for sentence in sentences:
        if asked and _is_no(sentence):
            yield [sentence[0], *asked]
            asked, sentence = [], sentence[1:]
        if asked:
            yield asked
        asked = sentence if _asks(sentence) else []
        if not asked:
            yield sentence
    if asked:
        yield asked


def _is_no(sentence: list[Token]) -> bool:
    """ "No.", "No, thanks.", "Not needed."."""
    plain = [token for token in sentence if token.kind not in ("stop", "comma")]
    first = plain[0] if plain else None
    is_no = first is not None and first is sentence[0] and fold(first.text) in _NO and first.kind == "without"
    return is_no and all(token.kind == "word" for token in plain[1:])


def _asks(sentence: list[Token]) -> bool:
    """ "GPU?", "A load balancer?": a noun, and nothing that counts it."""
    kinds = {token.kind for token in sentence}
    return 1 < len(sentence) <= _MOST and sentence[-1].text == "?" and not kinds & {"number", "size", "cpu"}
