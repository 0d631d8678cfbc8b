"""When to refuse, and when to ask back: nothing to build, too little said, or two things that cannot both be true."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from django.utils.translation import gettext as _

from alma.errors import BadRequest
from blueprints.generation import limits
from blueprints.generation.design import Part
from blueprints.generation.facts import Group, Request
from blueprints.generation.lexicon import fold, table
from blueprints.sentences import COUNT_OPEN, MACHINES_OPEN, NOTHING_SAID, term

_SOMETHING = re.compile(
    r"\b(?:something|anything|some (?:kind|sort) of|i guess|i suppose|or so|etwas|irgendwas|irgendwie|irgendein\w*|oder so|quelque chose"
    r"|une sorte de|algo|alguna especie de|o algo asi|qualcosa|una specie di|o simile)\b"
)
_UNSIZED = re.compile(
    r"\b(?:(?:not|none) too (?:small|big|large|slow)|(?:big|large|fast|powerful) enough|(?:reasonably|decently) sized|decent(?:ly)? sized?"
    r"|nicht zu (?:klein|gross)|gross genug|pas trop (?:petite?|grande?)s?|assez (?:grande?|puissante?)s?|no (?:muy|demasiado) (?:pequen[oa]|grande)s?"
    r"|suficientemente grandes?|non troppo (?:piccol[oaie]|grand[ei])|abbastanza grand[ei])\b"
)
"""Sizes of which nobody knows how large they are."""


def refuse_or_ask(request: Request, text: str) -> None:
    """BadRequest for what is no request for a blueprint; a question for one that says too little."""
    if request.groups and not (_is_question(text) and _says_nothing_exact(request)):
        if all(group.is_vague or _is_bare(group) for group in request.groups) or _is_something(request, text):
            request.ask(_(MACHINES_OPEN))
        _ask_about_size(request, text)
        return
    if request.destroys:
        raise BadRequest(
            _(
                "A blueprint describes what is to exist; it does not delete or stop anything. To remove or change machines, open an "
                "infrastructure pull request (IPR) for the blueprint that owns them and have its plan reviewed."
            )
        )
    if not request.builds or _is_question(text):
        raise BadRequest(
            _(
                "This does not describe infrastructure. Say which machines are wanted, for example "
                '"3 web servers with a load balancer and a PostgreSQL database". Changes go through an IPR.'
            )
        )
    request.ask(_(NOTHING_SAID))


def _ask_about_size(request: Request, text: str) -> None:
    """ "a database, not too small": the usual size is drawn, neither a small one nor a large one."""
    said = _UNSIZED.search(fold(text))
    for group in request.groups if said else ():
        if not group.has_sizes:
            group.size = ""
            group.causes.pop("size", None)
            request.ask(_(MACHINES_OPEN))


def _is_something(request: Request, text: str) -> bool:
    """ "something with databases": not even who asks knows what."""
    is_open = not any(group.count or group.has_sizes or group.software for group in request.groups)
    return is_open and _SOMETHING.search(fold(text)) is not None


def _is_bare(group: Group) -> bool:
    """ "our app", and not a word about it."""
    return group.is_umbrella and not (
        group.count or group.has_sizes or group.os or group.software or group.kind or group.is_ha
    )


def _is_question(text: str) -> bool:
    """ "What is Kubernetes?", "Wie wird das Wetter?": asks for knowledge, not for machines."""
    return re.match(rf"\s*(?:{'|'.join(table('plain')['asking'])})\b", fold(text)) is not None


def _says_nothing_exact(request: Request) -> bool:
    return not any(group.count or group.has_sizes or group.os or group.kind for group in request.groups)


def ask_about(request: Request, parts: list[Part]) -> None:
    """Every contradiction between what was said and what follows from it."""
    for question in (
        *_unwanted(request),
        *_impossible(request),
        *_elsewhere(request),
        *_crowded(request, parts),
        *limits.exceeded(request, parts),
    ):
        request.ask(question)


def _unwanted(request: Request) -> Iterator[str]:
    """Wanted and not wanted at once."""
    for group in request.groups:
        guest = {"lxc": "container"}.get(group.kind, group.kind)
        both = request.excluded & ({group.role, guest, *group.software} - {""})
        is_described = group.count or group.has_sizes or (group.software and not both & set(group.software))
        if both and (is_described or guest in both):
            yield _(
                "The request contradicts itself: it wants no %(what)s, and describes one. Is the %(name)s wanted or not?"
            ) % {"what": term(sorted(both)[0]), "name": _called(group)}


def _impossible(request: Request) -> Iterator[str]:
    for group in request.groups:
        if group.replicas and "replica" in request.excluded:
            yield _("The request contradicts itself: no replica, and %(count)s for the %(name)s. Which is it?") % {
                "count": group.replicas,
                "name": _called(group),
            }
        if group.is_few and group.count is None:
            yield _(COUNT_OPEN) % {"name": _called(group)}
        if group.kind == "lxc" and group.os.startswith(("windows", "freebsd")):
            system = group.os.split("-")[0].capitalize()
            yield _("%(system)s does not run in an LXC container. Is a VM meant?") % {"system": system}
            group.kind = "vm"
        if group.gpu and "gpu" in request.excluded | group.lacks:
            yield _("The request contradicts itself: no GPU, and %(count)s for the %(name)s. Which is it?") % {
                "count": group.gpu,
                "name": _called(group),
            }
        if group.count == 1 and group.is_ha:
            yield _(
                "A single %(name)s cannot be highly available. Is one enough, or shall there be several on different hosts?"
            ) % {"name": _called(group)}
    if request.groups and {"vm", "container"} <= request.excluded:
        yield _(
            "The request wants neither virtual machines nor containers, and there is nothing else to build. Which of them is it?"
        )


def _elsewhere(request: Request) -> Iterator[str]:
    """An address outside of its subnets."""
    for group in request.groups:
        subnet = group.subnet or request.network.subnet
        known = [
            ip_network(one, strict=False) for one in (subnet, *(card.get("subnet") for card in group.cards)) if one
        ]
        for address in group.ips if subnet else ():
            plain = address.split("/")[0]
            if all(ip_address(plain) not in one for one in known):
                yield _("The address %(address)s is not in the subnet %(subnet)s. Which of the two is right?") % {
                    "address": plain,
                    "subnet": subnet,
                }


def _crowded(request: Request, parts: list[Part]) -> Iterator[str]:
    """Exactly one is wanted, and more are described."""
    count = sum(part.count for part in parts)
    for group in request.groups:
        if not group.is_exact or group.count is None or not group.is_generic:
            continue
        if group.count < sum(part.count for part in parts if part.group is not group and not part.group.is_generic):
            yield _(
                "The request contradicts itself: exactly %(count)s machine, but %(number)s are described. Which do you want?"
            ) % {"count": group.count, "number": count - group.count}


def _called(group: Group) -> str:
    return term((group.software or [group.role or "machine"])[0])
