"""Sentences read one after the other, each from left to right: phrases turn to machines, values go to them."""

from collections.abc import Callable, Iterator

from django.utils.translation import gettext as _

from alma.errors import BadRequest
from blueprints.generation import (
    arrows,
    attaching,
    backing,
    counting,
    destroying,
    environments,
    grouping,
    headings,
    hosts,
    housing,
    limits,
    marks,
    multiplying,
    names,
    negation,
    ordering,
    othernames,
    owners,
    placing,
    policies,
    recounting,
    references,
    refusals,
    things,
)
from blueprints.generation.alternatives import first_of
from blueprints.generation.amendments import Span
from blueprints.generation.answers import answered
from blueprints.generation.apportioning import apportioned
from blueprints.generation.correlatives import settled
from blueprints.generation.environments import counted_again, one_each
from blueprints.generation.facts import Group, Request
from blueprints.generation.finishing import finish
from blueprints.generation.inverted import uninverted
from blueprints.generation.leading import MASTERS, is_of_kubernetes
from blueprints.generation.lexicon import counted_words, fold
from blueprints.generation.lodging import lodged
from blueprints.generation.phrases import Element, Phrase, phrased
from blueprints.generation.respective import shared_out
from blueprints.generation.tokens import Token
from blueprints.generation.values import VALUE_KINDS, apply
from blueprints.generation.walk import Walk

MOST_GROUPS = 200
_IT = ("it", "er", "sie", "es", "il", "elle", "esso", "essa")


def read(text: str, tokens: list[Token], language: str, listed: list[Group], amended: list[Span]) -> Request:
    """Everything that the request says; `listed` are the machines of its tables, `amended` is where it changes itself."""
    walk = Walk(text, Request(language=language, groups=listed), amended)
    walk.listed = sum(group.count or 1 for group in listed)
    walk.has_kubernetes = any(is_of_kubernetes(t) and fold(t.text) not in MASTERS for t in tokens)
    walk.has_environments = len({t.value for t in tokens if t.kind == "environment"}) > 1
    for sentence in answered(_sentences(tokens)):
        _read_sentence(walk, sentence)
    finish(walk)
    return walk.request


def _sentences(tokens: list[Token]) -> Iterator[list[Token]]:
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        if token.kind == "stop":
            yield found
            found = []
    yield found


def _read_sentence(walk: Walk, tokens: list[Token]) -> None:
    kept = destroying.without_orders_to_destroy(walk, tokens)
    if len(kept) <= 1 and all(token.kind == "stop" for token in kept):
        return
    headings.settle_indent(walk, kept)
    elements = first_of(settled(phrased(othernames.known(walk, kept), counted_words())), walk.request)
    elements = shared_out(uninverted(elements, walk.text))
    elements = lodged(multiplying.multiplied(counted_again(one_each(elements)), walk.text))
    walk.begin(apportioned(elements, walk.focus))
    backing.spare(walk)
    if limits.take(walk):
        return
    unwanted = refusals.trailing(walk)
    for position, element in enumerate(walk.elements):
        walk.position = position
        walk.is_negated |= position in unwanted
        if element.start >= walk.named_until:
            _read_element(walk, element)
            if isinstance(element, Phrase) or element.kind == "host":
                walk.named_at[position] = list(walk.current)
    attaching.apply_waiting(walk)
    policies.end_of_sentence(walk)
    ordering.ordinals(walk)
    refusals.of_what_was_said(walk, kept)
    walk.has_colon_end = any(isinstance(e, Token) and e.kind == "colon" for e in walk.elements[-2:])


def _read_element(walk: Walk, element: Element) -> None:
    if len(walk.request.groups) > MOST_GROUPS:
        raise BadRequest(
            _("The request names more than %(count)s kinds of machines; a blueprint holds fewer.")
            % {"count": MOST_GROUPS}
        )
    if multiplying.of_each(walk, element):
        return
    if group := names.spoken_of(walk, element):
        is_listed = names.is_listed(walk) and group not in walk.current
        walk.turn_to(*(walk.current if is_listed and walk.current and all(g.name for g in walk.current) else ()), group)
        ordering.settle_order(walk, group)
        attaching.apply_waiting(walk)
        hosts.link_to_what_runs(walk)
    elif isinstance(element, Phrase):
        _read_phrase(walk, element)
    elif element.kind in _READINGS:
        _READINGS[element.kind](walk, element)
    elif element.kind in VALUE_KINDS and not negation.excludes(walk, element):
        attaching.give(walk, element)


def _read_phrase(walk: Walk, phrase: Phrase) -> None:
    if negation.excludes_phrase(walk, phrase):
        return
    walk.came_by_for = walk.link == "for" and bool(walk.waiting)
    before = len(walk.request.groups)
    if walk.has_environments:
        walk.environment = next((str(t.value) for t in phrase.before if t.kind == "environment"), walk.environment)
    grouping.resolve(walk, phrase)
    for group in walk.current:
        ordering.settle_order(walk, group)
    attaching.apply_waiting(walk)
    for token in phrase.before:
        _read_before(walk, token)
    names.quoted(walk, phrase)
    othernames.remember(walk, phrase)
    names.after_noun(walk, phrase)
    headings.settle(walk, phrase, is_new=len(walk.request.groups) > before)
    walk.distance = 0


def _read_before(walk: Walk, token: Token) -> None:
    walk.mark = ""
    if token.kind in VALUE_KINDS:
        apply(walk, token, walk.current or [walk.request.defaults])
    elif token.kind in ("ha", "environment"):
        _READINGS[token.kind](walk, token)


def _join(walk: Walk, token: Token) -> None:
    if token.value == "named":
        names.given(walk, token)
    elif token.value != "and" or walk.link not in ("for", "on", "as") or _has_been_said(walk):
        walk.link = str(token.value)
    walk.is_negated = walk.is_negated and negation.goes_on_at(walk, token)


def _has_been_said(walk: Walk) -> bool:
    """What stands behind "on" or "for": "on VLAN 10 and a VM" begins something else."""
    return walk.kinds_before(1)[:1] in (["phrase"], *([kind] for kind in VALUE_KINDS))


def _comma(walk: Walk, token: Token) -> None:
    walk.link = "comma"
    walk.is_existing = False
    negation.at_comma(walk)


def _colon(walk: Walk, token: Token) -> None:
    walk.link, walk.is_negated = "colon", False
    walk.is_existing = walk.is_existing and not negation.tells_who_asks(walk)
    headings.of_values(walk)
    headings.of_field(walk)
    names.listed(walk)


def _dash(walk: Walk, token: Token) -> None:
    _comma(walk, token)
    names.listed(walk)


def _open(walk: Walk, token: Token) -> None:
    walk.link = "open"
    names.listed(walk)


def _label(walk: Walk, token: Token) -> None:
    """A bare "GPU" is one; a network is something to describe; a virtual address comes next."""
    if token.value == "gpu" and not negation.excludes(walk, token):
        attaching.give(walk, token.become("gpu", 1))
    elif token.value == "network":
        walk.is_network = walk.kinds_before(1) == ["article"] or not walk.current
    walk.last_label = str(token.value)


def _ha(walk: Walk, token: Token) -> None:
    if negation.excludes(walk, token):
        return
    group = walk.in_focus or (walk.focus if _is_said_of_it(walk) else None)
    if token.value == "balanced":
        walk.balanced = walk.balanced or token
        for balanced in walk.current:
            balanced.is_few |= not balanced.is_umbrella
    elif group is None or group.is_umbrella or walk.kinds_before(1) == ["all"]:
        walk.request.is_ha = True
    else:
        group.is_ha = True


def _spread(walk: Walk, token: Token) -> None:
    """ "If a host dies, MongoDB has to carry on": said of what is named behind it."""
    if not walk.here and walk.focus is None and any(isinstance(e, Phrase) for e in walk.elements[walk.position :]):
        walk.waiting.append((token, ""))
        return
    placing.spread(walk, token)
    if token.value == "ha":
        _ha(walk, token)


def _is_said_of_it(walk: Walk) -> bool:
    """ "It must keep running when that server dies."."""
    return bool(walk.elements) and fold(walk.quote(walk.elements[0]).text) in _IT


def _number(walk: Walk, token: Token) -> None:
    readings = (recounting.refers_back, owners.says_again, housing.is_on_some, things.counted)
    if not any(reading(walk, token) for reading in readings):
        counting.number(walk, token)


def _article(walk: Walk, token: Token) -> None:
    if not things.counted(walk, token):
        counting.article(walk, token)


def _word(walk: Walk, token: Token) -> None:
    hosts.settle_verb(walk, token)
    if not things.spoken_of(walk, token) and not counting.twice(walk, token):
        counting.word(walk, token)


_READINGS: dict[str, Callable[[Walk, Token], None]] = {
    "join": _join,
    "number": _number,
    "article": _article,
    "rest": counting.rest,
    "factor": references.factor,
    "another": counting.another,
    "definite": references.ordinal,
    "twin": counting.twin,
    "same": marks.same,
    "all": ordering.of_all_above,
    "each": recounting.each,
    "count": counting.count,
    "comma": _comma,
    "dash": _dash,
    "colon": _colon,
    "open": _open,
    "label": _label,
    "ha": _ha,
    "spread": _spread,
    "together": placing.together,
    "exact": marks.exact,
    "model": marks.model,
    "total": counting.total,
    "without": negation.begin,
    "existing": negation.begin_existing,
    "word": _word,
    "order": ordering.order,
    "backup": negation.unless_excluded(policies.backup),
    "schedule": policies.schedule,
    "days": policies.days,
    "environment": environments.named,
    "region": policies.region,
    "money": policies.money,
    "verb": policies.verb,
    "host": hosts.read,
    "arrow": arrows.read,
}
