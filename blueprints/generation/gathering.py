"""Everything on one machine: "put it all on a single VM: Gitea, Drone and a registry". What is named later moves in."""

from blueprints.generation import building, sharing
from blueprints.generation.members import contradiction
from blueprints.generation.phrases import Phrase
from blueprints.generation.walk import Walk

_HYPERVISORS = ("host", "node")


def begins(walk: Walk, phrase: Phrase) -> bool:
    """ "everything on one server": the home of all that is only named before it, and of what follows."""
    if not _is_one(walk, phrase) or not _is_said_of_all(walk, phrase):
        return False
    if any(group.has_sizes or group.is_counted or group.is_generic for group in walk.request.groups):
        return False
    walk.home = building.new(walk, phrase)
    walk.home.set("count", 1, walk.quote(phrase))
    return True


def _is_one(walk: Walk, phrase: Phrase) -> bool:
    """ "one server", "a single VM"; not "its own VM", "a VM each", nor the host that all machines run on."""
    is_single = phrase.count is not None and int(phrase.count.value) == 1 and not phrase.has("own", "each", "another")
    noun = walk.quote(phrase.tokens[-1]).text.lower()
    return is_single and "each" not in walk.kinds_after(2) and noun not in _HYPERVISORS


def _is_said_of_all(walk: Walk, phrase: Phrase) -> bool:
    """ "everything on", "all services in", with no other noun between."""
    before = walk.elements[: walk.position]
    is_before = walk.link == "on" and any(not isinstance(e, Phrase) and e.kind == "all" for e in before)
    return phrase.has("all") or (is_before and not any(isinstance(e, Phrase) for e in before))


def is_left(walk: Walk, phrase: Phrase) -> bool:
    """ "… but the database on a separate server" leaves the home; "on two separate servers" contradicts it."""
    if walk.home is None or not (phrase.has("own", "another") or (phrase.insists and _number(phrase) > 1)):
        return False
    if _number(phrase) > 1:
        contradiction(walk, 1, _number(phrase), "machines")
    walk.home = None
    return False


def _number(phrase: Phrase) -> int:
    return int(phrase.count.value) if phrase.count else 1


def gather(walk: Walk) -> None:
    """Everything that was named moves into the home, unless there are several of it."""
    home, groups = walk.home, walk.request.groups
    guests = [group for group in groups if group is not home and not group.is_generic]
    if home is None or home not in groups or not guests or len(guests) < len(groups) - 1:
        return
    if any((guest.count or 1) + guest.replicas > 1 for guest in guests):
        contradiction(walk, 1, sum((guest.count or 1) + guest.replicas for guest in guests), "machines")
        return
    home.role = home.role or guests[0].role
    for guest in guests:
        sharing.move_in(walk, home, guest)
