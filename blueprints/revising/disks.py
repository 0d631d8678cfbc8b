"""A further disk for a machine that is there: "a second disk of 200 GB", "another disk with 1 TB"."""

from django.utils.translation import gettext as _

from blueprints.revising.changing import Draft
from blueprints.revising.choosing import is_whole, listed, only
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard, mentions
from blueprints.revising.matching import meant
from blueprints.revising.said import said_values
from blueprints.revising.stepping import adds_a_thing, steps
from blueprints.schema import Resource


def attached(draft: Draft, clause: Clause) -> str | None:
    """Give each that is meant one more disk; None where no such disk is spoken of."""
    heard = clause.phrases[0]
    if not _speaks_of_one(clause.verb, heard):
        return None
    said = said_values(heard.text)
    if said.values.keys() - {"disk", "count"}:
        return None
    found = meant(heard, draft.resources) or only(draft, heard)
    if not found or is_whole(draft, heard, found):
        return None
    size = said.values.get("disk")
    if size is None:
        return _("How large shall the further disk of %(names)s be?") % {"names": listed(found)}
    for resource in found:
        draft.put(
            resource, "disks", [*_further(draft, resource), size], _("a further disk of %(size)s") % {"size": size}
        )
    return ""


def _speaks_of_one(verb: str, heard: Heard) -> bool:
    """Whether a disk is added or counted, and none that is there grows."""
    is_counted = any(position > 1 for position in heard.ordinals)
    is_one = is_counted or (verb in ("add", "more") and adds_a_thing(heard))
    return mentions(heard, "label", "disk") and is_one and not steps(heard)


def _further(draft: Draft, resource: Resource) -> list[object]:
    specs = draft.row(resource.name).get("specs") or {}
    return list(specs.get(resource.specs.written.get("disks", "disks")) or ())
