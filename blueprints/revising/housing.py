"""Several parts on one machine: "put them on one machine", "put redis on the app server", "merge the cache and the database"."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from blueprints.revising import matching
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import about, listed, number_of, which
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard, mentions, phrases
from blueprints.revising.matching import meant
from blueprints.revising.measures import Sizes, given
from blueprints.schema import Resource
from blueprints.schema.sizes import format_size

_READY = frozenset({"", "more", "add", "merge"})
_ELSEWHERE = ("network", "vlan", "gateway", "disk")


def housed(draft: Draft, clause: Clause) -> str | None:
    """Let one machine take in what others run; None where nothing is to share one."""
    heard = clause.phrases[0]
    if clause.verb not in _READY or any(mentions(heard, "label", name) for name in _ELSEWHERE):
        return None
    if clause.verb == "merge" or heard.has("sentences", "one machine"):
        return None if heard.has("sentences", "restrictions") or heard.denies else _together(draft, heard)
    return _onto(draft, heard) if heard.has("sentences", "moving") else None


def _together(draft: Draft, heard: Heard) -> str | None:
    """All that are meant on the first of them, or on the one that they are put on."""
    split = _split(draft, heard)
    found = meant(heard, draft.resources) or about(draft, heard)
    if number_of(found) < 2:
        return None if heard.verb != "merge" else which(draft, _("What shall share a machine?"))
    home = split[1][0] if split and number_of(split[1]) == 1 else found[0]
    return _take_in(draft, home, [one for one in found if one is not home])


def _onto(draft: Draft, heard: Heard) -> str | None:
    """What is there already, on another machine that is there."""
    split = _split(draft, heard)
    if split is None:
        return None
    guests, homes = split
    if number_of(homes) > 1:
        return _("On which one shall %(guests)s run: %(homes)s?") % {"guests": listed(guests), "homes": listed(homes)}
    return _take_in(draft, homes[0], guests)


def _split(draft: Draft, heard: Heard) -> tuple[list[Resource], list[Resource]] | None:
    """What is put, and on what; None where not both are named."""
    onto = phrases("sentences")["onto"]
    for at in (at for at, word in enumerate(heard.words) if (word,) in onto):
        homes, guests = meant(heard.part(at + 1), draft.resources), meant(heard.part(0, at), draft.resources)
        guests = [one for one in guests if one not in homes]
        if homes and guests and len(homes) < len(draft.resources):
            return guests, homes
    return None


def _take_in(draft: Draft, home: Resource, guests: Sequence[Resource]) -> str:
    """The guests are gone, and their home runs what they ran, as large as all of them."""
    software = dict.fromkeys(name for one in (home, *guests) for name in matching.software_of(one))
    _inherit_needs(draft, home, guests)
    count = {"count": 1} if (home.specs.count or 1) > 1 else {}
    draft.set_sizes(home, {**_size_of_all(home, guests), **count, **({"software": [*software]} if software else {})})
    if roles := _roles_alone(home, guests):
        draft.put(home, "services", roles, _("runs %(names)s too") % {"names": ", ".join(roles)})
    return ""


def _size_of_all(home: Resource, guests: Sequence[Resource]) -> Sizes:
    """Memory and disk add up, of cores the most is enough."""
    own, others = given(home), [(given(one), one.specs.count or 1) for one in guests]
    sums = {name: own[name] + sum(more[name] * number for more, number in others) for name in ("memory", "disk")}
    cores = max(own["cpu"], *(more["cpu"] for more, _number in others))
    return {"cpu": cores, **{name: format_size(value) for name, value in sums.items()}}


def _inherit_needs(draft: Draft, home: Resource, guests: Sequence[Resource]) -> None:
    """Take the guests away: whoever needed one needs its home, which needs what they did."""
    gone = {one.name for one in guests}
    needs = [name for guest in guests for name in draft.needs(guest)]
    others = [one for one in draft.resources if one.name not in gone | {home.name}]
    waiting = [one for one in others if gone & {*draft.needs(one)}]
    for guest in guests:
        draft.remove(guest)
    for one in waiting:
        draft.set_needs(one, [*draft.needs(one), home.name])
    kept = {row["name"] for row in draft.rows} - {home.name}
    draft.set_needs(home, [name for name in (*draft.needs(home), *needs) if name in kept])


def _roles_alone(home: Resource, guests: Sequence[Resource]) -> list[str]:
    """What guests are for of which nothing says what they run."""
    roles = (matching.role_of(one).replace("_", "-") for one in guests if not matching.software_of(one))
    return sorted({*roles} - {matching.role_of(home).replace("_", "-")})
