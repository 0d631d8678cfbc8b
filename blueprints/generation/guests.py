"""Containers and virtual machines: of which machines "in containers" or "VMs" is said, and when two kinds cannot both be true."""

from django.utils.translation import gettext as _

from blueprints.generation import building
from blueprints.generation.facts import Group
from blueprints.generation.phrases import Phrase
from blueprints.generation.walk import Walk


def is_said(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "Redis (container)", "no containers, VMs"."""
    is_of_list = walk.link == "comma" and len(walk.here) > 1
    if walk.request.excluded & {"container", "vm"} and not phrase.insists and not is_of_list:
        return True
    is_described = walk.link in ("with", "open", "colon", "for") or _is_apposition(walk, focus, phrase)
    is_open = focus.count is None or _is_single(walk, focus, phrase) or (focus.count == 1 and walk.link == "comma")
    return is_open and not focus.is_generic and is_described


def _is_single(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "a single-node k3s: an Ubuntu VM, four cores"."""
    is_one = phrase.count is not None and int(phrase.count.value) == 1
    return walk.link == "colon" and focus.count == 1 and is_one and not focus.has_sizes


def _is_apposition(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "uptime kuma, alpine container, 1 core": the only thing that is named, and what it is."""
    is_bare = phrase.count is None and not phrase.is_definite and bool(building.kind(phrase))
    is_first = not focus.has_sizes or (phrase.has("os") and walk.kinds_after(1) in ([], ["comma"], ["stop"]))
    return walk.link == "comma" and is_bare and is_first and walk.here == [focus] and not (focus.kind or focus.os)


def settle(walk: Walk, focus: Group, phrase: Phrase) -> None:
    """What is said of one wins over what its heading says of all."""
    if walk.heading is not None and walk.heading.kind == focus.kind:
        focus.set("kind", phrase.kind, walk.quote(phrase))
        return
    walk.request.ask(
        _("The request contradicts itself: a container and a virtual machine for the same thing. Which is it?")
    )


def of_whom(walk: Walk, phrase: Phrase, focus: Group) -> list[Group]:
    """ "Gitea, Drone and a registry in containers": of all that were listed and are not yet anything else."""
    if "all" in walk.kinds_before(2):
        return walk.here
    is_plural = (
        walk.quote(phrase.tokens[-1])
        .text.lower()
        .endswith(("s", "containern", "contenedores", "maschinen", "macchine virtuali"))
    )
    is_said_of_several = walk.link in ("on", "as") or phrase.has("own")
    if not is_plural or not is_said_of_several or phrase.count is not None or (focus.count or 1) > 1:
        return [focus]
    return [group for group in walk.here if not group.kind] or [focus]


def is_instead(walk: Walk, phrase: Phrase) -> bool:
    """ "A Redis. Not a container, a VM."."""
    is_other = {"container", "vm"} & walk.request.excluded and building.kind(phrase) and not phrase.insists
    return bool(is_other) and walk.says("without") and len(walk.current) == 1


def is_another(walk: Walk, phrase: Phrase) -> bool:
    """ "a container for Gitea, VM for the ERP"."""
    kind, focus = building.kind(phrase), walk.in_focus
    is_listed = walk.kinds_before(1) == ["comma"] and phrase.count is None and walk.kinds_after(1) == ["join"]
    return is_listed and focus is not None and bool(kind and focus.kind and kind != focus.kind)
