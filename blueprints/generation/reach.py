"""Small words that decide how far something reaches: each, all, in total, with, no, separate, and the ends of thoughts."""

from blueprints.generation import surroundings
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import counted_words, fold
from blueprints.generation.sharing import put_together, share, starts_share
from blueprints.generation.state import State
from blueprints.generation.tokens import Token

MOST_WORDS_BETWEEN = 3
_OWN = {"its own", "their own", "eigene", "eigenen", "eigener", "propre", "propia", "propio", "proprio", "propria"}
_OF = ("of", "de", "di", "d", "von")


def each(state: State, token: Token) -> None:
    """What was said of the last machines holds for those named with them."""
    state.each_in_sentence = True
    if state.focus is None:
        return
    state.focus.totals -= state.given
    state.given, state.total_in_sentence = set(), False
    listed = [group for group in state.request.groups if group.sentence == state.focus.sentence]
    if state.position > 0 and state.tokens[state.position - 1].kind == "member":
        _copy_count(state.focus, listed)
    if not state.focus.has_sizes:
        state.cohort = [group for group in listed if not group.has_sizes]
    for group in listed:
        if not group.has_sizes and group is not state.focus:
            state.copy_sizes(state.focus, group)


def _copy_count(source: Group, groups: list[Group]) -> None:
    for group in groups:
        if group.count is None and source.count:
            group.set("count", source.count, source.causes.get("count", ""))


def total(state: State, token: Token) -> None:
    """What was just said, and what follows, is for all together."""
    if state.focus:
        state.focus.totals |= state.given
    state.given = set()
    state.total_in_sentence = True


def all_of_them(state: State, token: Token) -> None:
    """From here to the end of the sentence, and for a sentence of its own also backwards."""
    state.covers_all = bool(state.request.groups)
    if state.covers_all and not state.listed() and state.focus and state.sizes_in_sentence:
        for group in state.request.groups:
            state.copy_sizes(state.focus, group)


def join(state: State, token: Token) -> None:
    if token.value in ("with", "for") and starts_share(state):
        share(state, purpose_follows=token.value == "for")
    if token.value != "and" and not _counts_out(state, token):
        state.link = token.value
        state.negated = state.negated and token.value == "with" and state.distance < 1
        state.expire_count()
    if token.value == "named":
        surroundings.names(state, token)


def _counts_out(state: State, token: Token) -> bool:
    """ "a pair of", "une douzaine de": the count goes on."""
    return state.pending is not None and fold(token.text) in _OF and state.distance < 1


def stop(state: State, token: Token) -> None:
    state.end_sentence()


def comma(state: State, token: Token) -> None:
    state.expire_count()
    state.link = "comma"
    state.negated = False
    state.last_label = "" if state.last_label != "virtual_ip" else state.last_label


def colon(state: State, token: Token) -> None:
    comma(state, token)
    state.link = "colon"


def opened(state: State, token: Token) -> None:
    state.link = "open"
    state.expire_count()


def without(state: State, token: Token) -> None:
    state.negated, state.distance = True, 0


def word(state: State, token: Token) -> None:
    state.distance += 1
    if token.value in counted_words():
        state.expire_count()
    if state.distance > MOST_WORDS_BETWEEN:
        state.negated = False
        state.expire_count()


def spread(state: State, token: Token) -> None:
    if state.focus:
        state.focus.set("is_spread", True, state.quote(token))
    else:
        state.request.is_spread = True


def another(state: State, token: Token) -> None:
    state.is_own = fold(state.quote(token)) in _OWN
    state.is_another = not state.is_own


def together(state: State, token: Token) -> None:
    state.together = True
    put_together(state)


def exactly(state: State, token: Token) -> None:
    state.is_exact = True
