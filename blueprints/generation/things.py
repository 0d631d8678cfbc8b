"""Machines for things that no lexicon has: "two consumers with 2 GB", "an OCR engine (4 cores, 8 GB)", "the consumers get 4 GB"."""

from blueprints.generation import building
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import counted_words
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.sharing import SIZES
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_MOST_WORDS = 3
_VALUES = (*SIZES, "size", "spec")
_INTRODUCES = ("at", "on", "da")
_NOT_AFTER = ("for", "on", "with", "as", "is", "named")
_LEAST = 4
_BEGINS = ("stop", "comma", "and", "definite", "colon", "dash")


def counted(walk: Walk, token: Token) -> bool:
    """A number or an article, words of no meaning, and sizes right behind them: machines for whatever that is."""
    before = walk.elements[walk.position - 1] if walk.position else None
    if walk.is_negated or (isinstance(before, Token) and before.value in _NOT_AFTER):
        return False
    words, end = _words(walk.elements[walk.position + 1 : walk.position + 2 + _MOST_WORDS])
    if not words or not (
        have_sizes(walk.elements[end + walk.position + 1 : end + walk.position + 3])
        or _is_said_again(walk, token, words)
    ):
        return False
    group = walk.add(Group(is_counted=True, words={word.value for word in words}))
    group.set("count", max(1, int(token.value)), walk.quote(token))
    walk.things.append(group)
    walk.named_until = max(walk.named_until, words[-1].end)
    return True


def _words(following: list[Element]) -> tuple[list[Token], int]:
    """The unknown words that follow, and how many they are."""
    words: list[Token] = []
    for element in following[: _MOST_WORDS + 1]:
        if not isinstance(element, Token) or element.kind != "word" or element.value in counted_words():
            break
        words.append(element)
    is_thing = 0 < len(words) <= _MOST_WORDS and len(words[-1].value) >= _LEAST
    return (words, len(words)) if is_thing else ([], 0)


def have_sizes(following: list[Element]) -> bool:
    """ "(2 cores", "with 4 GB", "at 2 GB apiece"."""
    if len(following) < 2 or not isinstance(following[0], Token) or not isinstance(following[1], Token):
        return False
    first, second = following[0], following[1]
    introduces = first.kind == "open" or first.value == "with" or first.text.lower() in _INTRODUCES
    return introduces and second.kind in _VALUES


def _is_said_again(walk: Walk, token: Token, words: list[Token]) -> bool:
    """ "two consumers; consumers have 1 core": counted here, described later."""
    plural = words[-1].text.lower()
    rest = walk.text[words[-1].end :].lower()
    return int(token.value) > 1 and plural.endswith("s") and f" {plural} " in rest and bool(walk.request.groups)


def spoken_of(walk: Walk, token: Token) -> bool:
    """ "The consumers get 4 GB": back to what was counted under this word."""
    group = next((g for g in walk.things if _is_called(g, token.value) and g in walk.request.groups), None)
    before = walk.elements[walk.position - 1] if walk.position else None
    is_first = before is None or isinstance(before, Phrase) or before.kind in _BEGINS or before.value == "and"
    if group is None or not is_first:
        return False
    walk.turn_to(group)
    return True


def _is_called(group: Group, word: str) -> bool:
    return word in group.words or f"{word}s" in group.words or word.removesuffix("s") in group.words


def on_machines(walk: Walk, phrase: Phrase) -> bool:
    """ "two reading desks in LXC containers", "a spam filter on a separate box": things that no lexicon has, as machines."""
    is_own = phrase.has("own", "another")
    if walk.link not in ("on", "as") or not (is_own or (phrase.count is None and building.kind(phrase))):
        return False
    number, first = _counted_thing(walk)
    if (
        first is None
        or first.value in counted_words()
        or number.kind not in ("number", "article" if is_own else "number")
    ):
        return False
    phrase.count = number
    phrase.before = [token for token in phrase.before if token.kind != "own"]
    building.new(walk, phrase)
    return True


def _counted_thing(walk: Walk) -> tuple[Token, Token | None]:
    """The number or article and the unknown word behind it, when nothing but words stands between them and this place."""
    back = walk.position - 1
    while back > 0 and isinstance(walk.elements[back], Token) and walk.elements[back].kind in ("join", "word"):
        back -= 1
    number, first = walk.elements[back], walk.elements[back + 1]
    before = walk.elements[back - 1] if back > 0 else None
    if isinstance(before, Token) and before.kind in ("definite", "all"):  # "each of the three sits on another host"
        return Token("", "", "", 0, 0), None
    if isinstance(number, Token) and isinstance(first, Token) and first.kind == "word":
        return number, first
    return Token("", "", "", 0, 0), None
