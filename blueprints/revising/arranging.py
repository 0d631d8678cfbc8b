"""What is said of several machines or of the draft as a whole: how few, on which hosts, doubled against failures, and its name."""

from collections.abc import Sequence

from blueprints.revising import matching
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import about, is_whole, listed, number_of, stems, which
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard
from blueprints.revising.matching import meant
from blueprints.revising.said import Said
from blueprints.schema import Resource


def fewer(draft: Draft, heard: Heard) -> str:
    """So many less of a kind; how many shall stay is asked where it is not said."""
    found = meant(heard, draft.resources)
    if not found:
        return which(draft, "take away")
    if len(stems(found)) > 1:
        return f"Of which one do you want fewer: {listed(found)}?"
    total, number = number_of(found), heard.number
    if not number or number >= total:
        return f"There {'are' if total > 1 else 'is'} {total} of them. How many shall there be?"
    draft.recount(found, total - number)
    return ""


def make_available(draft: Draft, clause: Clause) -> str:
    """Two of each at least, on different hosts."""
    heard = clause.phrases[0]
    found = about(draft, heard)
    if not found or is_whole(draft, heard, found):
        return which(draft, "make highly available")
    kinds = {matching.stem(one.name) for one in found}
    for kind in kinds:
        alike = [one for one in draft.resources if matching.stem(one.name) == kind]
        if number_of(alike) == 1:
            draft.recount(alike, 2)
            draft.settle()
    now = [one for one in draft.resources if matching.stem(one.name) in kinds]
    return spread(draft, now) or ("" if draft.changes else f"{listed(now)}: on different hosts already.")


def spread(draft: Draft, found: Sequence[Resource]) -> str:
    """On different hosts, role by role: a database and its replica too."""
    if number_of(found) == 1:
        return f"There is only one {found[0].name}. How many shall there be, on different hosts?"
    groups: dict[str, str] = {}
    for resource in found:
        draft.keep_apart(resource, groups.setdefault(matching.role_of(resource), matching.stem(resource.name)))
    return ""


def whole(draft: Draft, heard: Heard, said: Said) -> list[Resource]:
    """Every machine, where a system, a network or a backup is said of "it", or of nothing: "use Ubuntu"."""
    is_common = bool(said.parts or "os" in said.values) and not {"cpu", "memory", "disk", "count"} & said.values.keys()
    is_open = heard.has("sentences", "beginners") or heard.has("sentences", "pronouns")
    return draft.machines if is_common and is_open and heard.names_nothing else []


def called(draft: Draft, told: Heard, found: Sequence[Resource], title: str) -> bool:
    """Whether the draft itself is to have this name, and now has it."""
    is_it = told.has("sentences", "pronouns") and (not found or is_whole(draft, told, found))
    if not (is_it or told.has("sentences", "whole")):
        return False
    draft.call(title)
    return True
