"""Taking parts out of a draft, or their backups. Each answers what has to be asked first, an empty text when it is done."""

from itertools import chain

from django.utils.translation import gettext as _

from blueprints.generation.lexicon import software_facts
from blueprints.revising import hearing, matching
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import about, is_whole, listed, missing, nth, number_of, stems, wanted, which
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard
from blueprints.revising.matching import meant
from blueprints.revising.placing import take_away
from blueprints.schema import Resource

_PARTS = ("vlan", "gateway", "network", "gpu", "disk", "cpu", "memory", "software")


def remove(draft: Draft, clause: Clause) -> str:
    gone: list[Resource] = []
    for phrase in clause.phrases:
        if (gone or draft.has_lost) and phrase.has("sentences", "pronouns") and not meant(phrase, draft.resources):
            continue  # "drop the cache, we do not need it" speaks of what is gone already
        is_backup = hearing.mentions(phrase, "backup", "backup")
        question = remove_backups(draft, phrase) if is_backup else _note_removed(draft, clause, phrase, gone)
        if question:
            return question
    for resource in [one for one in draft.resources if one in gone]:
        draft.remove(resource)
    return ""


def _note_removed(draft: Draft, clause: Clause, phrase: Heard, gone: list[Resource]) -> str:
    """Collect what is to go, so that "the first and the second" count the same row."""
    phrase = phrase.from_negative
    objects, kept = phrase.objects, phrase.exceptions
    found = wanted(draft, clause, objects) or meant(phrase, draft.resources)
    if _taken_away(draft, phrase, objects) or _uninstalled(draft, phrase, objects):
        return ""
    if question := missing(draft, phrase) or _doubted(draft, phrase, found):
        return question
    return _pick(draft, found, objects, gone) if kept is None else _keep(draft, found, kept, gone)


def _taken_away(draft: Draft, phrase: Heard, objects: Heard) -> bool:
    """Whether a network, a GPU or a further disk was meant, and is gone: of what is named, or of all that have one."""
    label = next((part for part in _PARTS if hearing.mentions(objects, "label", part)), "")
    found, before = meant(phrase, draft.resources), len(draft.changes)
    found = found or (draft.machines if phrase.names_nothing else [])
    for one in found if label else ():
        take_away(draft, one, label)
    return len(draft.changes) > before


def _uninstalled(draft: Draft, phrase: Heard, objects: Heard) -> bool:
    """Whether a program was meant that runs beside what a machine is for, and is gone from there."""
    names, before = {*objects.software}, len(draft.changes)
    places = [one for one in meant(phrase, draft.resources) if names & {*matching.software_of(one)}]
    for resource in places:
        kept = [name for name in matching.software_of(resource) if name not in names]
        is_beside = kept or all(software_facts(name).get("role") != matching.role_of(resource) for name in names)
        if is_beside and matching.stem(resource.name) not in names:
            draft.set_sizes(resource, {"software": kept})
    return len(draft.changes) > before


def _doubted(draft: Draft, phrase: Heard, found: list[Resource]) -> str:
    """What to ask where nothing, everything, or only a part of a machine is named."""
    objects = phrase.objects
    is_said = meant(phrase, draft.resources) or phrase.has("sentences", "pronouns")
    if not (found and is_said) or is_whole(draft, phrase, found):
        return which(draft, _("What shall I remove?"))  # "drop the tables" is not what was spoken of before
    if any(hearing.mentions(objects, "label", part) for part in _PARTS):
        return _("I take out whole machines. What shall %(names)s have instead?") % {"names": listed(found)}
    if objects is not phrase and objects.software:
        return _("I take out whole machines, not what runs on them. Is %(names)s to go?") % {"names": listed(found)}
    return ""


def _keep(draft: Draft, found: list[Resource], kept: Heard, gone: list[Resource]) -> str:
    """All but these, or all but so many."""
    spared = meant(kept, found)
    if len(spared) < len(found) and spared:
        gone += [one for one in found if one not in spared]
        return ""
    if not kept.number or len(stems(found)) > 1:
        return _("Which of %(names)s shall stay?") % {"names": listed(found)}
    draft.recount(found, kept.number)
    return ""


def _pick(draft: Draft, found: list[Resource], said: Heard, gone: list[Resource]) -> str:
    """The second, the first and the last, two of them, or all."""
    if said.ordinals and len(found) > 1:
        return _pick_places(found, said, gone)
    total, number = number_of(found), said.number or (1 if said.is_one and len(stems(found)) == 1 else None)
    if said.ordinals or (number and number < total):
        draft.recount(found, total - (number or 1))
        return ""
    gone += found
    return ""


def _pick_places(found: list[Resource], said: Heard, gone: list[Resource]) -> str:
    """Those at the places that are said, of one kind."""
    if len(stems(found)) > 1:
        return _("Which one: %(names)s?") % {"names": listed(found)}
    picked = [nth(found, position, said.number or 1) for position in said.ordinals]
    gone += chain.from_iterable(picked)
    return "" if all(picked) else _("There are %(number)s of them, and no such one.") % {"number": number_of(found)}


def remove_backups(draft: Draft, phrase: Heard) -> str:
    wanted, before = about(draft, phrase) or draft.machines, len(draft.changes)
    for resource in wanted:
        draft.put(resource, "backup", None, _("no backups"))
    return (
        ""
        if len(draft.changes) > before
        else _("There are no backups in this draft of %(names)s.") % {"names": listed(wanted)}
    )
