"""What is said of several machines or of the draft as a whole: how few, on which hosts, doubled against failures, and its name."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from blueprints.revising import matching
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import about, is_whole, listed, number_of, stems, which
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard, mentions
from blueprints.revising.matching import meant
from blueprints.revising.said import Said
from blueprints.schema import Resource


def fewer(draft: Draft, heard: Heard) -> str:
    """So many less of a kind; how many shall stay is asked where it is not said."""
    found = meant(heard, draft.resources)
    if not found:
        return which(draft, _("What shall I take away?"))
    if len(stems(found)) > 1:
        return _("Of which one do you want fewer: %(names)s?") % {"names": listed(found)}
    total, number = number_of(found), heard.number
    if not number or number >= total:
        return ngettext(
            "There is %(total)s of them. How many shall there be?",
            "There are %(total)s of them. How many shall there be?",
            total,
        ) % {"total": total}
    draft.recount(found, total - number)
    return ""


def make_available(draft: Draft, clause: Clause) -> str:
    """Two of each at least, on different hosts."""
    heard = clause.phrases[0]
    found = about(draft, heard)
    if not found or is_whole(draft, heard, found):
        return which(draft, _("What shall I make highly available?"))
    kinds = {matching.stem(one.name) for one in found}
    for kind in kinds:
        alike = [one for one in draft.resources if matching.stem(one.name) == kind]
        if number_of(alike) == 1:
            draft.recount(alike, 2)
            draft.settle()
    now = [one for one in draft.resources if matching.stem(one.name) in kinds]
    return spread(draft, now) or (
        "" if draft.changes else _("%(names)s: on different hosts already.") % {"names": listed(now)}
    )


def spread(draft: Draft, found: Sequence[Resource]) -> str:
    """On different hosts, role by role: a database and its replica too."""
    if number_of(found) == 1:
        return _("There is only one %(name)s. How many shall there be, on different hosts?") % {"name": found[0].name}
    groups: dict[str, list[Resource]] = {}
    for resource in found:
        groups.setdefault(matching.role_of(resource), []).append(resource)
    if all(number_of(group) == 1 for group in groups.values()):
        return _("There is only one of each: %(names)s. Of which shall there be more, on different hosts?") % {
            "names": listed(found)
        }
    for group in groups.values():
        for resource in group if number_of(group) > 1 else ():
            draft.keep_apart(resource, matching.stem(group[0].name))
    return ""


def whole(draft: Draft, heard: Heard, said: Said) -> list[Resource]:
    """Every machine, where a system, a network or a backup is said of "it", or of nothing: "use Ubuntu", "the gateway is …"; of
    backups those that have some."""
    is_of_none = heard.names_nothing or any(one.key == "dns" for one in said.properties)
    if not (said.is_common and _is_open(heard) and is_of_none) or heard.names_unknown:
        return []
    is_of_backups = said.parts.keys() == {"backup"} and not said.names_schedule
    return [one for one in draft.machines if is_of_backups and one.specs.backup] or draft.machines


def _is_open(heard: Heard) -> bool:
    """Whether no machines are named, or "it" is said besides."""
    is_named = any(mentions(heard, "machine", kind) for kind in ("any", "vm", "lxc"))
    return not is_named or any(heard.has("sentences", name) for name in ("beginners", "pronouns"))


def called(draft: Draft, told: Heard, found: Sequence[Resource], title: str) -> bool:
    """Whether the draft itself is to have this name, and now has it."""
    is_it = told.has("sentences", "pronouns") and (not found or is_whole(draft, told, found))
    if not (is_it or told.has("sentences", "whole")):
        return False
    draft.call(title)
    return True
