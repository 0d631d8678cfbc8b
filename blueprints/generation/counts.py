"""What "on one VM" or "three servers" says of how many there are, and what it contradicts."""

from django.utils.translation import gettext as _

from blueprints.generation import building, sharing
from blueprints.generation.facts import Group
from blueprints.generation.members import contradiction
from blueprints.generation.phrases import Phrase
from blueprints.generation.walk import Walk


def said(walk: Walk, phrase: Phrase, focus: Group) -> Group:
    """What "on one VM" or "three servers" says of how many there are."""
    if not phrase.insists or phrase.count is None:
        return focus
    count = int(phrase.count.value)
    if count > 1 and _stays_on_one(walk, focus):
        contradiction(walk, 1, count, "hosts")
    is_on_one = count == 1 and walk.link == "on"
    if focus.count is None and (not is_on_one or _is_counted_alone(walk, phrase, focus)):
        building.count(walk, focus, phrase)
    return _share_one(walk, phrase, focus) if is_on_one else focus


def _stays_on_one(walk: Walk, focus: Group) -> bool:
    """ "exactly one database on two VMs" asks for what cannot be."""
    return walk.link == "on" and focus.is_exact and focus.count == 1


def _is_counted_alone(walk: Walk, phrase: Phrase, focus: Group) -> bool:
    """ "Gitea on exactly one VM", "Kubernetes on one VM": the number is its own, and not that of the machine it shares."""
    return (phrase.has("exact") or focus.role == "kubernetes") and len(walk.here) == 1


def _share_one(walk: Walk, phrase: Phrase, focus: Group) -> Group:
    """ "… on one VM": a contradiction when there are several of a kind."""
    sharing.put_together(walk)
    focus = walk.focus or focus
    if (focus.count or 1) > 1 and (phrase.kind == "vm" or phrase.has("exact")):
        walk.request.ask(
            _("The request contradicts itself: %(count)s of a kind, but on one machine. Which do you want?")
            % {"count": focus.count}
        )
    return focus
