"""What can be done to a draft. Each operation answers what has to be asked first, an empty text when it is done, or None when
the words are not about the draft."""

from collections.abc import Callable, Mapping, Sequence

from alma.errors import BadRequest
from blueprints.generation import generate
from blueprints.revising import hearing, matching
from blueprints.revising.arranging import called, fewer, make_available, spread, whole
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import about, chosen, is_whole, listed, missing, number_of, only, stems, which
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard
from blueprints.revising.matching import meant
from blueprints.revising.removing import remove, remove_backups
from blueprints.revising.said import Said, causes_of, moved, said_values
from blueprints.revising.stepping import steps
from blueprints.revising.swapping import swapped
from blueprints.schema import Resource

_SIZES = ("cpu", "memory", "disk")
_DOWN = frozenset({"halve", "smaller", "fewer"})
_ONCE = frozenset({"double", "halve"})


def carry_out(draft: Draft, clause: Clause) -> str | None:
    """Do what is said. Raises BadRequest for what cannot be."""
    return _OPERATIONS.get(clause.verb, _set)(draft, clause)


# -- more --------------------------------------------------------------------------------------------
def _more(draft: Draft, clause: Clause) -> str:
    """One more of what is there; a size that grows; or something that is not there yet."""
    heard = clause.phrases[0]
    if _grows(draft, heard):
        return _resize(draft, clause)
    found = meant(heard, draft.resources) or _of_a_kind(draft, heard)
    if not found:
        return _add(draft, clause)
    if len(stems(found)) > 1:
        return f"Of which one do you want more: {listed(found)}?"
    draft.recount(found, number_of(found) + (heard.number or 1))
    return ""


def _grows(draft: Draft, heard: Heard) -> bool:
    """Whether more of a size is wanted, of something that is there: "more memory for the database"."""
    is_size = bool(_sizes(heard)) and heard.names_nothing and not _names_machines(heard)
    return (is_size or bool(about(draft, heard))) and _names_size(heard)


def _names_size(heard: Heard) -> bool:
    """Whether a size is named or given."""
    return bool(_sizes(heard) or said_values(heard.text).values.keys() & {*_SIZES})


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
    return "" if _added_to_kind(draft, heard) else _add_new(draft, heard)


def _added_to_kind(draft: Draft, heard: Heard) -> bool:
    """Count further what is there and shall be the same; False when something else is wanted."""
    following = _followed(draft, heard)
    alike = following or meant(heard.objects, draft.resources)
    if len(stems(alike)) != 1 or _is_special(heard):
        return False
    draft.recount(alike, number_of(alike) + (1 if following else heard.number or 1))
    return True


def _add_new(draft: Draft, heard: Heard) -> str:
    """What the planner makes of the words, with its causes."""
    try:
        made = generate(heard.text)
    except BadRequest as error:
        return error.message
    if not made["resources"]:
        return " ".join(made["metadata"].get("questions") or ["What shall be added?"])
    for resource in made["resources"]:
        causes = causes_of(made, resource["name"])
        draft.add(resource, {key: moved(cause, heard.start) for key, cause in causes.items()})
    return ""


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
        return f"Which one shall be called {name}: {listed(found or draft.resources)}?"
    draft.rename(found[0], name.strip("\"'“”"))
    return ""


def _swap(draft: Draft, clause: Clause) -> str | None:
    """Another program, where a pair of them is said; else a program is a value like others."""
    return "" if swapped(draft, clause.phrases[0]) else _set(draft, clause)


def _is_special(heard: Heard) -> bool:
    """Whether it is to be unlike those that there are."""
    said = said_values(heard.text)
    return bool(said.parts or said.values.keys() - {"count"})


# -- values ------------------------------------------------------------------------------------------
def _resize(draft: Draft, clause: Clause) -> str:
    """To the values that are said, which hold for the phrases after them too; else by half or twice."""
    said = Said()
    for phrase in clause.phrases:
        found = chosen(draft, clause, phrase) or only(draft, phrase)
        if question := missing(draft, phrase) or _unclear(draft, clause, phrase, found):
            return question
        if by := steps(phrase):
            _step(draft, found, by)
        elif said := said_values(phrase.text, phrase.start) or said:
            if question := _give(draft, found, said):
                return question
        else:
            _scale(draft, clause, phrase, found)
    return ""


def _unclear(draft: Draft, clause: Clause, phrase: Heard, found: Sequence[Resource]) -> str:
    """What to ask where nothing is meant, or "it" would be everything."""
    if found and not is_whole(draft, phrase, found):
        return ""
    return which(draft, clause.verb if clause.verb in _ONCE else "resize")


def _step(draft: Draft, found: Sequence[Resource], by: Mapping[str, int]) -> None:
    """By so much more or less."""
    for resource in found:
        draft.step(resource, by)


def _scale(draft: Draft, clause: Clause, phrase: Heard, found: Sequence[Resource]) -> None:
    """By half or twice: the sizes that are named here, or at first, or those of a whole machine."""
    sizes = _sizes(phrase) or _sizes(clause.phrases[0]) or ["cpu", "memory"]
    for resource in found:
        draft.scale(resource, sizes, 0.5 if clause.verb in _DOWN else 2.0)


def _fewer(draft: Draft, clause: Clause) -> str:
    """Less memory is a size; fewer machines are a number."""
    heard = clause.phrases[0]
    return _resize(draft, clause) if _names_size(heard) else fewer(draft, heard)


def _give(draft: Draft, found: Sequence[Resource], said: Said) -> str:
    """Set what the words name."""
    if "ip" in said.parts.get("network", ()) and number_of(found) > 1:
        return f"Which one is to have the address {said.parts['network']['ip']}: {listed(found)}?"
    for resource in found:
        draft.set_sizes(resource, said.values, said.causes)
        for part, values in said.parts.items():
            draft.set_part(resource, part, values, said.causes)
    return ""


def _set(draft: Draft, clause: Clause) -> str | None:
    """Values that are said of something that is there: "the database with 16 GB", "5 web servers", "use Rocky Linux"."""
    heard = clause.phrases[0]
    if hearing.mentions(heard, "backup", "backup") and heard.denies:
        return remove_backups(draft, heard)
    said = said_values(heard.text, heard.start)
    found = chosen(draft, clause, heard) or only(draft, heard) or whole(draft, heard, said)
    if heard.makes_something:
        return None
    return missing(draft, heard) or _too_much(draft, heard, found, said) or _set_found(draft, heard, found, said)


def _set_found(draft: Draft, heard: Heard, found: list[Resource], said: Said) -> str | None:
    """What is said of the draft as a whole, of the kind of its machines, or of them."""
    if not found or ((said.environment or said.max_cost) and not said):
        return _set_whole(draft, heard, said)
    if not said and hearing.mentions(heard, "machine", "lxc"):
        return _contain(draft, found)
    answer = _settle(draft, found, heard, said)
    if answer == "" and said.max_cost:
        draft.afford(said.max_cost)
    return answer


def _too_much(draft: Draft, heard: Heard, found: Sequence[Resource], said: Said) -> str:
    """Sizes for "it" are for one kind, and not for all that there is."""
    has_sizes = bool(said.values.keys() & {*_SIZES, "count"})
    return which(draft, "change") if has_sizes and is_whole(draft, heard, found) else ""


def _set_whole(draft: Draft, heard: Heard, said: Said) -> str | None:
    """Its environment and its budget, where the words name one and nothing else."""
    if not (said.environment or said.max_cost) or matching.names_other(heard, draft.resources):
        return None
    if said.environment:
        draft.move_to(said.environment)
    if said.max_cost:
        draft.afford(said.max_cost)
    if draft.changes:
        return ""
    return (
        f"The draft is for {said.environment} already."
        if said.environment
        else f"The budget is {said.max_cost:g} already."
    )


def _settle(draft: Draft, found: list[Resource], heard: Heard, said: Said) -> str | None:
    """How many, on which hosts, and with what."""
    is_apart, number = heard.has("sentences", "apart"), _wanted_number(heard, said)
    if not (said or number or is_apart):
        return None
    if number and number != number_of(found):
        if len(stems(found)) > 1:
            return f"Of which one shall there be {number}: {listed(found)}?"
        found = _recounted(draft, found, number)
    return (spread(draft, found) if is_apart else "") or _give(draft, found, said)


def _wanted_number(heard: Heard, said: Said) -> int | None:
    """How many there shall be, taken out of the values; a number by itself counts machines where no value is said."""
    count = said.values.pop("count", None)
    return count or (None if said else heard.goal or heard.last_number)


def _recounted(draft: Draft, found: Sequence[Resource], number: int) -> list[Resource]:
    """Those that there are then: what else is said of them is said of the new ones too. Raises Invalid."""
    alike = stems(found)
    draft.recount(found, number)
    draft.settle()
    return [one for one in draft.resources if matching.stem(one.name) in alike]


def _contain(draft: Draft, found: Sequence[Resource]) -> str:
    """As containers instead of virtual machines."""
    for resource in found:
        draft.set_kind(resource, "lxc")
    return "" if draft.changes else f"{listed(found)}: containers already."


def _sizes(heard: Heard) -> list[str]:
    return [name for name in _SIZES if hearing.mentions(heard, "label", name)]


_OPERATIONS: dict[str, Callable[[Draft, Clause], str | None]] = {
    "remove": remove, "rename": _rename, "swap": _swap, "more": _more, "add": _add, "double": _resize, "halve": _resize, "bigger": _resize,
    "smaller": _resize, "fewer": _fewer, "available": make_available,
}  # fmt: skip
