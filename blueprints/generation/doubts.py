"""When to refuse, and when to ask back: nothing to build, too little said, or two things that cannot both be true."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from alma.errors import BadRequest
from blueprints.generation import limits
from blueprints.generation.design import Part
from blueprints.generation.facts import Group, Request
from blueprints.generation.lexicon import fold, table

_SOMETHING = re.compile(r"\b(?:something|anything|etwas|irgendwas|quelque chose|algo|qualcosa)\b")
_TO_AN_IPR = "To remove or change machines, open an infrastructure pull request (IPR) for the blueprint that owns them and have its plan reviewed."


def refuse_or_ask(request: Request, text: str) -> None:
    """BadRequest for what is no request for a blueprint; a question for one that says too little."""
    if request.groups and not (_is_question(text) and _says_nothing_exact(request)):
        if all(group.is_vague or _is_bare(group) for group in request.groups) or _is_something(request, text):
            request.ask("How many machines do you need, of what size, and what are they for?")
        return
    if request.destroys:
        raise BadRequest(f"A blueprint describes what is to exist; it does not delete or stop anything. {_TO_AN_IPR}")
    if not request.builds or _is_question(text):
        raise BadRequest(
            "This does not describe infrastructure. Say which machines are wanted, for example "
            '"3 web servers with a load balancer and a PostgreSQL database". Changes go through an IPR.'
        )
    request.ask(
        "Which machines do you need? Say what they are for, how many, and their size, "
        'for example "2 app servers with 4 cores and 8 GB each and a PostgreSQL database".'
    )


def _is_something(request: Request, text: str) -> bool:
    """ "something with databases": not even who asks knows what."""
    is_open = not any(group.count or group.has_sizes or group.software or group.is_counted for group in request.groups)
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
            what = sorted(both)[0].replace("_", " ")
            yield f"The request contradicts itself: it wants no {what}, and describes one. Is the {_called(group)} wanted or not?"


def _impossible(request: Request) -> Iterator[str]:
    for group in request.groups:
        if group.replicas and "replica" in request.excluded:
            yield f"The request contradicts itself: no replica, and {group.replicas} for the {_called(group)}. Which is it?"
        if group.is_few and group.count is None:
            yield f"How many of the {_called(group)} do you need? Two are drawn."
        if group.kind == "lxc" and group.os.startswith(("windows", "freebsd")):
            yield f"{group.os.split('-')[0].capitalize()} does not run in an LXC container. Is a VM meant?"
            group.kind = "vm"
        if group.gpu and "gpu" in request.excluded | group.lacks:
            yield f"The request contradicts itself: no GPU, and {group.gpu} for the {_called(group)}. Which is it?"
        if group.count == 1 and group.is_ha:
            yield f"A single {_called(group)} cannot be highly available. Is one enough, or shall there be several on different hosts?"
    if request.groups and {"vm", "container"} <= request.excluded:
        yield "The request wants neither virtual machines nor containers, and there is nothing else to build. Which of them is it?"


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
                yield f"The address {plain} is not in the subnet {subnet}. Which of the two is right?"


def _crowded(request: Request, parts: list[Part]) -> Iterator[str]:
    """Exactly one is wanted, and more are described."""
    count = sum(part.count for part in parts)
    for group in request.groups:
        if not group.is_exact or group.count is None or not group.is_generic:
            continue
        if group.count < sum(part.count for part in parts if part.group is not group and not part.group.is_generic):
            yield f"The request contradicts itself: exactly {group.count} machine, but {count - group.count} are described. Which do you want?"


def _called(group: Group) -> str:
    return (group.software or [group.role])[0].replace("_", " ") if group.software or group.role else "machine"
