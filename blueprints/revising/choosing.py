"""Which parts of a draft are meant, and how they are called."""

from collections.abc import Sequence
from itertools import chain

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from blueprints.revising import hearing, matching
from blueprints.revising.changing import Draft
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard
from blueprints.revising.matching import meant
from blueprints.schema import Resource


def about(draft: Draft, heard: Heard) -> list[Resource]:
    """The parts that are meant; of "it" those that the words before were about, or all where there were none."""
    found = meant(heard, draft.resources)
    is_it = draft.changes or heard.has("sentences", "pronouns")
    if found or not is_it or matching.definite_others(heard, draft.resources):
        return found  # "la base de datos" is no "la"
    return [one for one in draft.resources if one.name in draft.recent] or list(draft.resources)


def wanted(draft: Draft, clause: Clause, phrase: Heard) -> list[Resource]:
    """The parts that are meant, without those that are not to be touched."""
    kept = phrase.exceptions
    spared = [one for heard in (*clause.spared, *([kept] if kept else [])) for one in meant(heard, draft.resources)]
    return [one for one in about(draft, phrase.with_exceptions if kept else phrase) if one not in spared]


def chosen(draft: Draft, clause: Clause, phrase: Heard) -> list[Resource]:
    """The same, of which only the second where that is said."""
    found = wanted(draft, clause, phrase)
    if not phrase.ordinals or len(found) < 2 or len(stems(found)) > 1:
        return found
    return list(chain.from_iterable(nth(found, position, 1) for position in phrase.ordinals))


def is_whole(draft: Draft, heard: Heard, found: Sequence[Resource]) -> bool:
    """Whether "it" stands for the whole draft, of several kinds: too much to take away or to double unasked."""
    return len(found) == len(draft.resources) and len(stems(found)) > 1 and not meant(heard, draft.resources)


def only(draft: Draft, heard: Heard) -> list[Resource]:
    """The one machine that there is, where no other is named."""
    return draft.machines if len(draft.machines) == 1 and heard.names_nothing else []


def nth(found: list[Resource], position: int, number: int) -> list[Resource]:
    """The one at that place; of "the first two" and "the last two" so many."""
    if number > len(found):
        return []
    if position < 0:
        return found[-number:]
    return found[position - 1 : position - 1 + (number if position == 1 else 1)]


def number_of(found: Sequence[Resource]) -> int:
    """How many machines these are."""
    return sum(one.specs.count or 1 for one in found)


def stems(found: Sequence[Resource]) -> set[str]:
    return {matching.stem(one.name) for one in found}


def which(draft: Draft, question: str) -> str:
    """A question, and what there is to choose from."""
    return f"{question} {there_is(draft.resources)}"


def missing(draft: Draft, heard: Heard) -> str:
    """What to say when a machine is named that the draft does not have; nothing when none is."""
    strangers = [name for name in heard.hosts if not matching.named(hearing.hear(name), draft.resources)]
    return _no_such(strangers[0], draft) if strangers else ""


def _no_such(name: str, draft: Draft) -> str:
    return _("There is no %(name)s in this draft, but %(names)s.") % {"name": name, "names": listed(draft.resources)}


def there_is(resources: Sequence[Resource]) -> str:
    """All of them, in a sentence."""
    sentence = ngettext("There is %(names)s.", "There are %(names)s.", len(resources))
    return sentence % {"names": listed(resources)}


def listed(resources: Sequence[Resource]) -> str:
    """Their names, as one says them."""
    names = [one.name for one in resources]
    if len(names) < 2:
        return names[0] if names else _("nothing yet")
    return _("%(most)s and %(last)s") % {"most": ", ".join(names[:-1]), "last": names[-1]}
