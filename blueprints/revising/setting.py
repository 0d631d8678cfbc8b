"""Values that are set in a draft: sizes, how many, systems, networks and what else the words name."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.pricing.budgets import budget_of
from blueprints.revising import hearing, matching
from blueprints.revising.arranging import fewer, spread, whole
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import chosen, is_whole, listed, missing, number_of, only, stems, which
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard
from blueprints.revising.matching import meant
from blueprints.revising.measures import Sizes
from blueprints.revising.placing import place
from blueprints.revising.removing import remove_backups
from blueprints.revising.said import Said, said_values
from blueprints.revising.stepping import factor, steps
from blueprints.schema import Resource

SIZES = ("cpu", "memory", "disk")
_DOWN = frozenset({"halve", "smaller", "fewer"})
_UNCLEAR = {"double": gettext_noop("What shall I double?"), "halve": gettext_noop("What shall I halve?")}
_KINDS = ("lxc", "vm")


def resize(draft: Draft, clause: Clause) -> str:
    """To the values that are said, which hold for the phrases after them too; else by so much, or so many times."""
    said = Said()
    for phrase in clause.phrases:
        by, found = steps(phrase), chosen(draft, clause, phrase) or only(draft, phrase)
        if not found and not by:  # "upgrade to Debian 13"
            found = whole(draft, phrase, said_values(phrase.text, phrase.start))
        if question := missing(draft, phrase) or _unclear(draft, clause, phrase, found):
            return question
        if by:
            step(draft, found, by)
        elif said := said_values(phrase.text, phrase.start) or said:
            if question := give(draft, found, said):
                return question
        else:
            _scale(draft, clause, phrase, found)
    return ""


def _unclear(draft: Draft, clause: Clause, phrase: Heard, found: Sequence[Resource]) -> str:
    """What to ask where nothing is meant, or "it" would be everything."""
    is_common = bool(found) and not meant(phrase, draft.resources) and not phrase.has("sentences", "pronouns")
    if found and (is_common or not is_whole(draft, phrase, found)):
        return ""
    return which(draft, _(_UNCLEAR.get(clause.verb, gettext_noop("What shall I resize?"))))


def step(draft: Draft, found: Sequence[Resource], by: Mapping[str, int]) -> str:
    """By so much more or less."""
    for resource in found:
        draft.step(resource, by)
    return ""


def _scale(draft: Draft, clause: Clause, phrase: Heard, found: Sequence[Resource]) -> None:
    """By half or twice, or by a figure: the sizes that are named here, or at first, or those of a whole machine."""
    sizes = sizes_named(phrase) or sizes_named(clause.phrases[0]) or ["cpu", "memory"]
    by = factor(phrase) or (0.5 if clause.verb in _DOWN else 2.0)
    for resource in found:
        draft.scale(resource, sizes, by)


def take_fewer(draft: Draft, clause: Clause) -> str:
    """Less memory is a size; fewer machines are a number."""
    heard = clause.phrases[0]
    return resize(draft, clause) if names_size(heard) else fewer(draft, heard)


def names_size(heard: Heard) -> bool:
    """Whether a size is named or given."""
    return bool(sizes_named(heard) or said_values(heard.text).values.keys() & {*SIZES})


def sizes_named(heard: Heard) -> list[str]:
    """The kinds of sizes that are named."""
    return [name for name in SIZES if hearing.mentions(heard, "label", name)]


def give(draft: Draft, found: Sequence[Resource], said: Said) -> str:
    """Set what the words name."""
    is_one_each = len(said.addresses) == len(found) > 1
    if "ip" in said.parts.get("network", ()) and number_of(found) > 1 and not is_one_each:
        return _("Which one is to have the address %(address)s: %(names)s?") % {
            "address": said.parts["network"]["ip"],
            "names": listed(found),
        }
    for number, resource in enumerate(found):
        draft.set_sizes(resource, said.values, said.causes)
        for part, values in said.parts.items():
            given = {**values, "ip": said.addresses[number]} if is_one_each and "ip" in values else values
            draft.set_part(resource, part, _as_before(resource, part, given, said), said.causes)
        for one in said.properties:
            place(draft, resource, one)
    return ""


def _as_before(resource: Resource, part: str, values: Sizes, said: Said) -> Sizes:
    """ "Keep the backups for 30 days" leaves the schedule as it is."""
    has_schedule = part == "backup" and resource.specs.backup is not None and not said.names_schedule
    return {key: value for key, value in values.items() if not (has_schedule and key == "schedule")}


def set_values(draft: Draft, clause: Clause) -> str | None:
    """Values that are said of something that is there: "the database with 16 GB", "5 web servers", "use Rocky Linux"."""
    heard = clause.phrases[0]
    if hearing.mentions(heard, "backup", "backup") and _declines(heard):
        return remove_backups(draft, heard)
    said = said_values(heard.text, heard.start)
    found = chosen(draft, clause, heard) or only(draft, heard) or whole(draft, heard, said)
    if heard.makes_something:
        return None
    return missing(draft, heard) or _too_much(draft, heard, found, said) or _set_found(draft, heard, found, said)


def _declines(heard: Heard) -> bool:
    """Whether it is not wanted, or not any more: "do not back up", "stop backing up"."""
    return heard.denies or heard.has("sentences", "declining")


def _set_found(draft: Draft, heard: Heard, found: list[Resource], said: Said) -> str | None:
    """What is said of the draft as a whole, of them, or of the kind of machines that they are."""
    kind = _kind_wanted(heard)
    if not (found or said) and _is_of_all(heard):
        found = draft.machines
    if not found or said.is_of_whole:
        return _set_whole(draft, heard, said)
    answer = _settle(draft, found, heard, said)
    if answer is None and kind:
        return _turn(draft, found, kind)
    if answer == "" and said.max_cost:
        draft.afford(said.max_cost, said.currency)
    return answer


def _is_of_all(heard: Heard) -> bool:
    """ "Containers, please", "on different hosts": of all machines, where nothing is named."""
    return bool(_kind_wanted(heard) or _is_apart(heard)) and heard.is_of_none


def _kind_wanted(heard: Heard) -> str:
    """Containers or virtual machines, where the words say one: of "VMs instead of containers" the first."""
    kinds = [value for kind, value in hearing.senses_in(heard) if kind == "machine" and value in _KINDS]
    if len(kinds) == 1 and _declines(heard):
        return next(kind for kind in _KINDS if kind != kinds[0])
    return kinds[0] if kinds else ""


def _turn(draft: Draft, found: Sequence[Resource], kind: str) -> str:
    """Containers instead of virtual machines, or the other way round."""
    for resource in found:
        draft.set_kind(resource, kind)
    already = _("%(names)s: containers already.") if kind == "lxc" else _("%(names)s: virtual machines already.")
    return "" if draft.changes else already % {"names": listed(found)}


def _too_much(draft: Draft, heard: Heard, found: Sequence[Resource], said: Said) -> str:
    """Sizes for "it" are for one kind, and not for all that there is."""
    return which(draft, _("What shall I change?")) if said.has_sizes and is_whole(draft, heard, found) else ""


def _set_whole(draft: Draft, heard: Heard, said: Said) -> str | None:
    """Its environment and its budget, where the words name one and nothing else."""
    if not (said.environment or said.max_cost) or matching.names_other(heard, draft.resources):
        return None
    if said.environment:
        draft.move_to(said.environment)
    if said.max_cost:
        draft.afford(said.max_cost, said.currency)
    if draft.changes:
        return ""
    if said.environment:
        return _("The draft is for %(environment)s already.") % {"environment": said.environment}
    return _("The budget is %(budget)s already.") % {"budget": budget_of(draft.document["metadata"])}


def _settle(draft: Draft, found: list[Resource], heard: Heard, said: Said) -> str | None:
    """How many, on which hosts, and with what."""
    is_apart, number = _is_apart(heard), _wanted_number(heard, said)
    if not (said or number or is_apart):
        return None
    if number and number != number_of(found):
        if len(stems(found)) > 1:
            return _("Of which one shall there be %(number)s: %(names)s?") % {"number": number, "names": listed(found)}
        found = _recounted(draft, found, number)
    return (spread(draft, found) if is_apart else "") or give(draft, found, said)


def _is_apart(heard: Heard) -> bool:
    """Whether they are to be on different hosts, or not on the same."""
    return heard.has("sentences", "apart") or (heard.has("sentences", "same host") and _declines(heard))


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
