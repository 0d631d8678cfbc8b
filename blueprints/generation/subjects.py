"""Who an order of starting is said of: "the web server and the worker need Redis", "none of them starts before it"."""

from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, words_of
from blueprints.generation.phrases import Element
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, is_and

_LINKS = ("comma", "definite", "article")
_PLURAL_ENDS = ("an", "en", "nt", "no")
_NO_VERBS = frozenset(
    ["an", "en", "con", "non", "no", "avant", "devant", "quand", "un", "ogni", "den", "einen", "wenn", "dann", "non"]
)
_SINGULAR_S = 3


def spoken_of(walk: Walk, token: Token) -> tuple[Group, ...]:
    """The machines that wait, or that others wait for; those of the clause before where "and" leaves them out."""
    if walk.in_focus is None:
        return _by_pronoun(walk, token)
    place = last_noun(walk)
    between = walk.elements[place + 1 : walk.position]
    if walk.subjects and _is_left_out(between):
        return walk.subjects
    latest = tuple(walk.named_at.get(place, walk.current[-1:]))
    return latest if _is_of_one(walk, between, token) else _present(walk, coordinated(walk, place)) or latest


def last_noun(walk: Walk) -> int:
    """The place of the latest machines that this sentence named; -1 before any."""
    return max((place for place in walk.named_at if place < walk.position), default=-1)


def coordinated(walk: Walk, place: int) -> list[Group]:
    """All of "A, B and C" whose last is at this place."""
    found = list(walk.named_at.get(place, ()))
    has_and = False
    while True:
        before = max((one for one in walk.named_at if one < place), default=None)
        if before is None or not _links(walk.elements[before + 1 : place]):
            return found
        has_and = has_and or any(map(is_and, walk.elements[before + 1 : place]))
        if not has_and:
            return found
        found, place = [*walk.named_at[before], *found], before


def _present(walk: Walk, groups: list[Group]) -> tuple[Group, ...]:
    """Each once, without what was only another word."""
    return tuple(dict.fromkeys(group for group in groups if group in walk.request.groups))


def _links(between: list[Element]) -> bool:
    """Nothing but commas and "and" between two nouns."""
    return bool(between) and all(isinstance(e, Token) and (e.kind in _LINKS or is_and(e)) for e in between)


def _is_left_out(between: list[Element]) -> bool:
    """ "… needs Redis and starts after Postgres": behind "and" neither a noun nor "which" nor "those" stands before the verb."""
    joined = next((n for n, e in enumerate(between) if is_and(e) or getattr(e, "value", "") == "but"), None)
    return joined is not None and _words(between).isdisjoint(words_of("relatives") | words_of("demonstratives"))


def _is_of_one(walk: Walk, between: list[Element], token: Token) -> bool:
    """ "a web server and a worker that needs Redis": the verb says that it is about the last alone."""
    said = [*_ordered(between), *fold(walk.quote(token).text).replace("'", " ").split()]
    if words_of("plurals") & set(said):
        return False
    if walk.request.language == "en":
        return any(map(_is_singular, said)) or bool(words_of("relatives") & set(said) and not _is_plural_verb(token))
    return not any(word.endswith(_PLURAL_ENDS) for word in said if word not in _NO_VERBS) and not _is_verbless(said)


def _is_singular(word: str) -> bool:
    """ "needs", "waiting"; neither "is" nor "unless"."""
    return (word.endswith("s") and len(word) > _SINGULAR_S and not word.endswith(("ss", "ys"))) or word.endswith("ing")


def _is_plural_verb(token: Token) -> bool:
    return fold(token.text).split()[0] in words_of("plural_needs")


def _is_verbless(said: list[str]) -> bool:
    """ "le serveur web et le worker après Redis"."""
    return set(said) <= words_of("order_prepositions")


def _by_pronoun(walk: Walk, token: Token) -> tuple[Group, ...]:
    """ "It needs …", "None of them may start before …", "Everything else waits for …"."""
    before = walk.elements[: walk.position]
    if not before or any(not isinstance(e, Token) for e in before):
        return ()
    said = _words(before)
    if words_of("universals") & said:
        return tuple(walk.request.groups)
    is_plural = words_of("plurals") & said or ("sie" in said and fold(token.text).split()[0].endswith("en"))
    return _present(walk, walk.last_named) if is_plural else tuple(walk.current[-1:])


def _words(elements: list[Element]) -> set[str]:
    return set(_ordered(elements))


def _ordered(elements: list[Element]) -> list[str]:
    return [word for e in elements if isinstance(e, Token) for word in fold(e.text).split()]
