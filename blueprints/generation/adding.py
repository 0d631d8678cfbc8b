"""Machines beside those that were counted: "three nodes for etcd and three nodes for Patroni"; and parts that are more than the
whole: "five web servers: three for the shop and four for the portal"."""

from django.utils.translation import gettext as _

from blueprints.generation.facts import Group
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk


def ask_about_rest(walk: Walk, count: int) -> None:
    """So many are taken from machines of which fewer are left."""
    pool = next((group for group in reversed(walk.pools) if group.sentence == walk.sentence), None)
    if pool is not None and count > max(1, pool.count or 0):
        walk.request.ask(
            _(
                "The request contradicts itself: of the machines that it counts, %(left)s are left, and it goes on with %(count)s. "
                "How many are there in total?"
            )
            % {"left": pool.count or _("none"), "count": count}
        )


def ask_about_listed(walk: Walk, whole: Group, others: list[Group]) -> None:
    """ "Six VMs: four web servers and three databases"."""
    listed = [group for group in others if group.sentence == whole.sentence and group.count is not None]
    number = sum(group.count or 1 for group in listed)
    if len(listed) > 1 and whole.count is not None and number > whole.count:
        walk.request.ask(
            _(
                "The request contradicts itself: it counts %(count)s machines in total, and its parts add up to %(sum)s. "
                "Which of the two do you want?"
            )
            % {"count": whole.count, "sum": number}
        )
        walk.drop(whole)


def begins_another(walk: Walk, known: Group, phrase: Phrase) -> bool:
    """ "Three nodes for etcd and three nodes for Patroni"."""
    ahead = walk.elements[walk.position + 1 : walk.position + 3]
    is_next = walk.kinds_before(1) in (["join"], ["comma"], ["and"]) and walk.link in ("and", "comma")
    if not (is_next and phrase.insists and phrase.member == "node" and known.count is not None and len(ahead) == 2):
        return False
    join, noun = ahead
    if not isinstance(join, Token) or join.value != "for" or not isinstance(noun, Phrase) or noun.count is not None:
        return False
    return bool(noun.software) and set(noun.software).isdisjoint(known.software)


def is_for_another(walk: Walk) -> bool:
    """ "Two VMs for Consul, two for Vault": none is left of those that were counted, and it is something else."""
    noun = walk.elements[walk.position + 2 : walk.position + 3]
    software = set(noun[0].software) if noun and isinstance(noun[0], Phrase) else set()
    has_open = any(group.is_generic or software & set(group.software) for group in walk.request.groups)
    return bool(software) and bool(walk.focus and walk.focus.software) and not has_open


def begin_another(walk: Walk, token: Token) -> None:
    """So many machines like those before, for what is named next."""
    kind, system = (walk.focus.kind, walk.focus.os) if walk.focus else ("", "")
    walk.part = walk.add(Group(count=max(1, int(token.value)), is_counted=True, kind=kind, os=system))
    walk.link = ""
