"""What starts before what: "start the database before the web servers", "the app needs the cache", "first A, then B"."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from django.utils.translation import gettext as _

from blueprints.revising.adding import add_new
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import about, listed
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard, spots_of
from blueprints.revising.matching import meant, named, names_other
from blueprints.schema import Resource

_LATER = frozenset({"before", "then", "behind"})
"""What is said after these waits for what is said before them."""
_READY = frozenset({"", "bigger"})
"""No other operation is said: "start up" sounds like one."""
Pair = tuple[list[Resource], list[Resource]]


def ordered(draft: Draft, clause: Clause) -> str | None:
    """Let some wait for others, or no longer; None where the words put nothing in order."""
    heard = clause.phrases[0]
    declines = heard.denies or heard.has("sentences", "declining")
    says_order = heard.has("sentences", "needing") or heard.has("sentences", "waiting")
    is_ended = says_order and (declines or clause.verb == "remove")
    is_meant = is_ended if clause.verb == "remove" else declines or clause.verb in _READY
    pairs = list(_pairs(draft, heard)) if is_meant else []
    if not pairs:
        return None
    before = len(draft.changes)
    put = _release if is_ended else _wait
    for one, needed in ((one, needed) for waiting, needed in pairs for one in waiting):
        put(draft, one, needed)
    return "" if len(draft.changes) > before else _as_it_is(*pairs[0], is_ended=is_ended)


def _as_it_is(waiting: Sequence[Resource], needed: Sequence[Resource], *, is_ended: bool) -> str:
    """What to say where nothing had to change."""
    names = {"names": listed(waiting), "others": listed(needed)}
    if is_ended:
        return _("%(names)s: not after %(others)s already.") % names
    return _("%(names)s: after %(others)s already.") % names


def required(draft: Draft, clause: Clause) -> str | None:
    """ "The app needs a mail server": what is not there yet is added, and waited for."""
    heard = clause.phrases[0]
    if clause.verb not in _READY or not heard.has("sentences", "needing"):
        return None
    spots = [(at, end) for at, end, sense in spots_of(heard) if sense == ("order", "after")]
    if len(spots) != 1:
        return None
    ((at, end),) = spots
    return _require(draft, _before(draft, heard.part(0, at)), heard.part(end))


def _require(draft: Draft, waiting: Sequence[Resource], needed: Heard) -> str | None:
    """Add what is needed, where it is not there; None where it is, or nobody needs it."""
    if not waiting or not names_other(needed, draft.resources) or meant(needed, draft.resources):
        return None
    before = {row["name"] for row in draft.rows}
    if question := add_new(draft, needed):
        return question
    new = [row["name"] for row in draft.rows if row["name"] not in before]
    for one in waiting:
        draft.set_needs(one, [*draft.needs(one), *new])
        draft.tell(one, _("starts after %(names)s") % {"names": ", ".join(new)}, {})
    return ""


def _pairs(draft: Draft, heard: Heard) -> Iterator[Pair]:
    """Who waits and what for, from each word of order to the next."""
    spots = [(at, end, value) for at, end, (kind, value) in spots_of(heard) if kind == "order"]
    edges = [0, *(edge for at, end, _ in spots for edge in (at, end)), len(heard.words)]
    parts = [heard.part(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
    for (first, second), (at, _end, value) in zip(pairwise(parts), spots, strict=True):
        earlier, later = _spoken_of(draft, first, second)
        if not earlier or not later:
            continue
        is_later = value in _LATER and not (value == "before" and heard.part(0, at).has("sentences", "restrictions"))
        yield (later, earlier) if is_later else (earlier, later)


def _spoken_of(draft: Draft, first: Heard, second: Heard) -> Pair:
    """The parts on both sides: "before the web servers start, start the database" has both behind the word."""
    if not first.words:
        head, comma, tail = second.text.partition(",")
        first, second = (_heard_like(second, tail), _heard_like(second, head)) if comma else (first, second)
    later = meant(second, draft.resources)
    earlier = [one for one in _before(draft, first) if one not in later or one in named(first, draft.resources)]
    return earlier, [one for one in later if one not in earlier]


def _heard_like(heard: Heard, text: str) -> Heard:
    begin = heard.text.index(text) if text else 0
    words = len(heard.part(0).text[:begin].replace("-", " ").split())
    return heard.part(words, words + len(text.replace("-", " ").split()))


def _before(draft: Draft, first: Heard) -> Sequence[Resource]:
    """Those named; of "it needs the cache" those spoken of last."""
    found = meant(first, draft.resources)
    if found or not first.has("sentences", "pronouns"):
        return found
    recent = about(draft, first)
    return recent if len(recent) < len(draft.resources) else []


def _wait(draft: Draft, resource: Resource, needed: Sequence[Resource]) -> None:
    """Begin after these, which then do not wait for it."""
    names = draft.needs(resource)
    new = [one.name for one in needed if one.name not in names]
    if not new:
        return
    for one in needed:
        draft.set_needs(one, [name for name in draft.needs(one) if name != resource.name])
    draft.set_needs(resource, [*names, *new])
    draft.tell(resource, _("starts after %(names)s") % {"names": ", ".join(new)}, {})


def _release(draft: Draft, resource: Resource, needed: Sequence[Resource]) -> None:
    names = draft.needs(resource)
    gone = [one.name for one in needed if one.name in names]
    if gone:
        draft.set_needs(resource, [name for name in names if name not in gone])
        draft.tell(resource, _("does not wait for %(names)s any more") % {"names": ", ".join(gone)}, {})
