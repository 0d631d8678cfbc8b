"""Sizes that are those of another part: "the same memory as the database", "make web-1 as big as web-2"."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from blueprints.revising.changing import Draft
from blueprints.revising.choosing import listed, stems
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard, mentions, phrases
from blueprints.revising.matching import meant
from blueprints.revising.measures import Sizes, given
from blueprints.schema import Resource
from blueprints.schema.sizes import format_size

_SIZES = ("cpu", "memory", "disk")


def likened(draft: Draft, clause: Clause) -> str | None:
    """Give the one the sizes of the other; None where nothing is compared."""
    heard = clause.phrases[0]
    if clause.verb or not heard.has("sentences", "same"):
        return None
    compared = _compared(draft, heard)
    if compared is None:
        return None
    found, like = compared
    if len(stems(like)) > 1:
        return _("The same as which one: %(names)s?") % {"names": listed(like)}
    sizes = _written(given(like[0]))
    named = [name for name in _SIZES if mentions(heard, "label", name)] or _SIZES
    for one in found:
        draft.set_sizes(one, {name: sizes[name] for name in named})
    if draft.changes:
        return ""
    return _("%(names)s: as %(others)s already.") % {"names": listed(found), "others": listed(like)}


def _written(sizes: Mapping[str, int]) -> Sizes:
    """Sizes as a blueprint has them."""
    return {name: value if name == "cpu" else format_size(value) for name, value in sizes.items()}


def _compared(draft: Draft, heard: Heard) -> tuple[list[Resource], list[Resource]] | None:
    """What is to be like what; None where not both are named."""
    words = {phrase for phrase in phrases("sentences")["likening"] if len(phrase) == 1}
    for at in reversed([at for at, word in enumerate(heard.words) if (word,) in words]):
        like, found = meant(heard.part(at + 1), draft.resources), meant(heard.part(0, at), draft.resources)
        found = [one for one in found if one not in like]
        if like and found:
            return found, like
    return None
