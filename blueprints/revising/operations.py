"""What can be done to a draft. Each operation answers what has to be asked first, an empty text when it is done, or None when
the words are not about the draft."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from blueprints.revising import hearing, matching
from blueprints.revising.adding import add_new
from blueprints.revising.arranging import called, make_available
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import about, listed, number_of, stems
from blueprints.revising.clauses import Clause
from blueprints.revising.disks import attached
from blueprints.revising.hearing import Heard
from blueprints.revising.housing import housed
from blueprints.revising.installing import installed
from blueprints.revising.likening import likened
from blueprints.revising.matching import meant
from blueprints.revising.ordering import ordered, required
from blueprints.revising.removing import remove
from blueprints.revising.said import said_values
from blueprints.revising.setting import give, names_size, resize, set_values, sizes_named, step, take_fewer
from blueprints.revising.stepping import steps
from blueprints.revising.swapping import swapped
from blueprints.schema import Resource

_RELATIONS = (ordered, attached, housed, installed, required, likened)
"""What is said of two things at once comes first: where it stands, what it needs, and what runs on it."""


def carry_out(draft: Draft, clause: Clause) -> str | None:
    """Do what is said. Raises BadRequest for what cannot be."""
    for relation in _RELATIONS:
        if (answer := relation(draft, clause)) is not None:
            return answer
    return _OPERATIONS.get(clause.verb, set_values)(draft, clause)


# -- more --------------------------------------------------------------------------------------------
def _more(draft: Draft, clause: Clause) -> str:
    """One more of what is there; a size that grows; or something that is not there yet."""
    heard = clause.phrases[0]
    if _grows(draft, heard):
        return resize(draft, clause)
    found = meant(heard, draft.resources) or _of_a_kind(draft, heard)
    if not found:
        return _add(draft, clause)
    if len(stems(found)) > 1:
        return _("Of which one do you want more: %(names)s?") % {"names": listed(found)}
    draft.recount(found, number_of(found) + (heard.number or 1))
    return ""


def _grows(draft: Draft, heard: Heard) -> bool:
    """Whether more of a size is wanted, of something that is there: "more memory for the database"."""
    is_size = bool(sizes_named(heard)) and heard.names_nothing and not _names_machines(heard)
    return (is_size or bool(about(draft, heard))) and names_size(heard)


def _names_machines(heard: Heard) -> bool:
    return any(hearing.mentions(heard, "machine", kind) for kind in ("vm", "lxc"))


def _of_a_kind(draft: Draft, heard: Heard) -> list[Resource]:
    """ "Two more nodes" are workers where there are some; "two more" are of the only kind that there is, or asked about."""
    if not heard.names_nothing or _is_special(heard) or hearing.mentions(heard, "backup", "backup"):
        return []
    workers = [one for one in draft.machines if "worker" in matching.role_of(one)]
    return workers if heard.has("sentences", "nodes") and workers else draft.machines


def _add(draft: Draft, clause: Clause) -> str:
    """More of a kind that is there, or what the words describe."""
    heard = clause.phrases[0]
    answer = _added_value(draft, heard)
    return answer if answer is not None else "" if _added_to_kind(draft, heard) else add_new(draft, heard)


def _added_value(draft: Draft, heard: Heard) -> str | None:
    """A value that is added to what is there: "4 GB to the database", "a GPU", "nightly backups"."""
    said, by = said_values(heard.text, heard.start), steps(heard)
    if "count" in said.values or matching.names_other(heard, draft.resources) or _names_machines(heard):
        return None
    found = about(draft, heard) or ([] if said.has_sizes or by else draft.machines)
    if found and by:
        return step(draft, found, by)
    return give(draft, found, said) if found and said.adds_something else None


def _added_to_kind(draft: Draft, heard: Heard) -> bool:
    """Count further what is there and shall be the same; False when something else is wanted."""
    following = _followed(draft, heard)
    alike = following or meant(heard.objects, draft.resources) or _replicated(draft, heard)
    if len(stems(alike)) != 1 or _is_special(heard):
        return False
    draft.recount(alike, number_of(alike) + (1 if following else heard.number or 1))
    return True


def _replicated(draft: Draft, heard: Heard) -> list[Resource]:
    """ "A read replica" is one more database."""
    is_replica = heard.has("sentences", "replica") and heard.names_nothing
    return [one for one in draft.machines if matching.role_of(one) == "database"] if is_replica else []


def _followed(draft: Draft, heard: Heard) -> list[Resource]:
    """Those of which there are three, where "a fourth" is added: of what was spoken of last, if nothing is named."""
    if not heard.ordinals:
        return []
    recent = [one for one in draft.resources if one.name in draft.recent] if heard.names_nothing else []
    found = meant(heard.objects, draft.resources) or recent
    return found if number_of(found) + 1 == heard.ordinals[0] else []


# -- other -------------------------------------------------------------------------------------------
def _rename(draft: Draft, clause: Clause) -> str:
    """ "Rename db to main-db": the new name is the last word, as it is written."""
    heard = clause.phrases[0]
    *before, name = heard.text.strip(" .!\"'“”").removesuffix(" um").split()
    told = hearing.hear(" ".join(before))
    found = meant(told, draft.resources) or ([] if told.has("sentences", "whole") else about(draft, told))
    if called(draft, told, found, name.strip("\"'“”")):
        return ""
    if len(found) != 1:
        return _("Which one shall be called %(name)s: %(names)s?") % {
            "name": name,
            "names": listed(found or draft.resources),
        }
    draft.rename(found[0], name.strip("\"'“”"))
    return ""


def _swap(draft: Draft, clause: Clause) -> str | None:
    """Another program, where a pair of them is said; else a program is a value like others."""
    return "" if swapped(draft, clause.phrases[0]) else set_values(draft, clause)


def _is_special(heard: Heard) -> bool:
    """Whether it is to be unlike those that there are."""
    said = said_values(heard.text)
    return bool(said.parts or said.values.keys() - {"count"})


_OPERATIONS: dict[str, Callable[[Draft, Clause], str | None]] = {
    "remove": remove, "rename": _rename, "swap": _swap, "more": _more, "add": _add, "double": resize, "halve": resize, "bigger": resize,
    "smaller": resize, "fewer": take_fewer, "available": make_available,
}  # fmt: skip
