"""Nouns for the parts of something already named: nodes, replicas, agents, a primary, the workers of a cluster."""

from django.utils.translation import gettext as _

from blueprints.generation import adding, building, kubernetes, parts, sharing, things
from blueprints.generation.facts import Group, rule
from blueprints.generation.lexicon import fold, software_facts
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of
from blueprints.sentences import term

STATEFUL = {"database", "cache", "search", ""}
_AGENTS_OF = {"ci", "monitoring", "kubernetes", "k8s_control", "k8s_worker", "git", "logging"}
_OF = ("of", "with", "mit", "aus", "zu", "de", "di", "con", "avec")
_HYPERVISORS = ("proxmox", "pve", "hypervisor", "esxi", "vmware", "hyper")
"""In "a three-node Proxmox homelab" the nodes are there already."""


def member(walk: Walk, phrase: Phrase) -> None:
    """ "3 nodes", "two read replicas", "the brokers"."""
    if phrase.member == parts.PART and parts.named(walk, phrase):
        return
    if phrase.has("each") and phrase.count is None and not walk.here:
        walk.turn_to(*(walk.request.groups if len(walk.last_named) < 2 or walk.says("without") else walk.last_named))
    elif not _counts_each(walk, phrase):
        _of_what(walk, phrase)


def _of_what(walk: Walk, phrase: Phrase) -> None:
    """Members of what was named, or machines of their own."""
    known = _known(walk, phrase)
    if known is None:
        if phrase.insists and not _are_people(walk, phrase):
            _unnamed(walk, phrase)
        return
    if _multiplies(walk, known, phrase):
        return
    if adding.begins_another(walk, known, phrase):
        walk.add(Group(is_counted=True)).set(
            "count", int(phrase.count.value) if phrase.count else 1, walk.quote(phrase)
        )
        return
    count = int(phrase.count.value) if phrase.count and (phrase.insists or phrase.member == "replica") else None
    _MEMBERS["node" if phrase.is_key and phrase.member != "agent" else phrase.member](walk, known, count, phrase)


def _counts_each(walk: Walk, phrase: Phrase) -> bool:
    """ "Kafka and ZooKeeper, three nodes each"."""
    is_each = phrase.insists and phrase.count is not None and walk.kinds_after(1) == ["each"]
    if not is_each or len(walk.here) < 2 or any(group.count is not None or group.is_generic for group in walk.here):
        return False
    for group in walk.here:
        group.set("count", int(phrase.count.value) if phrase.count else 1, walk.quote(phrase))
    walk.turn_to(*walk.here)
    return True


def _multiplies(walk: Walk, group: Group, phrase: Phrase) -> bool:
    """ "three shards of two replicas each" are six machines."""
    before = walk.elements[walk.position - 1] if walk.position else None
    is_of = isinstance(before, Token) and before.text.lower() in _OF
    if not (is_of and phrase.insists and phrase.count and (group.count or 1) > 1 and walk.kinds_after(1) == ["each"]):
        return False
    number = int(phrase.count.value)
    group.set("count", (group.count or 1) * number, rule(f"{group.count} times {number}"))
    return True


def joins_its_cluster(walk: Walk, phrase: Phrase) -> bool:
    """ "a Woodpecker server and three Woodpecker agents", "Nomad servers x3 and Nomad clients x4"."""
    if not phrase.software or not phrase.insists or phrase.count is None:
        return False
    if phrase.member == parts.PART:
        return parts.named(walk, phrase)
    is_agent = phrase.member == "agent" or _are_build_agents(walk, phrase)
    whole = next((g for g in reversed(walk.request.groups) if set(phrase.software) & set(g.software)), None)
    if not is_agent or whole is None or not _may_have_agents(walk, whole) or whole.part:
        return False
    _agents(walk, whole, int(phrase.count.value), phrase)
    return True


def _are_build_agents(walk: Walk, phrase: Phrase) -> bool:
    """ "four TeamCity build agents": a purpose that says whose they are."""
    said = [fold(walk.quote(token).text) for token in phrase.tokens if token.kind == "role" and token.value == "ci"]
    return any(text.endswith(("agent", "agents", "agenten", "runner", "runners", "executors")) for text in said)


def is_cluster_of_its_own(walk: Walk, phrase: Phrase) -> bool:
    """ "Patroni on three nodes": what it runs beside comes with it, unless that was named already."""
    brought = software_facts(phrase.software[0]).get("brings", "")
    ahead = next((e for e in walk.elements[walk.position + 1 : walk.position + 4] if isinstance(e, Phrase)), None)
    is_named = any(brought in group.software for group in walk.request.groups)
    are_counted = ahead is not None and ahead.insists and (ahead.is_member or ahead.is_machine)
    if not brought or is_named or not (are_counted or phrase.insists):
        return False
    phrase.software = [brought, *phrase.software]
    return True


def _may_have_agents(walk: Walk, group: Group) -> bool:
    """ "Jenkins with two agents", not "a database for the agents"."""
    return group.role in _AGENTS_OF and walk.link != "for"


def _are_people(walk: Walk, phrase: Phrase) -> bool:
    """ "the club has 320 members", "the call centre employs 12 agents", where nothing was named that has agents."""
    if phrase.member == "agent":
        ahead = walk.elements[walk.position + 1 :]
        is_sized = things.have_sizes(ahead[:2]) or any(kind_of(element) in sharing.SIZES for element in ahead[:1])
        return not is_sized and not any(isinstance(e, Phrase) and e.role in _AGENTS_OF for e in ahead)
    return walk.quote(phrase.tokens[-1]).text.lower() in ("members", "mitglieder", "membres", "miembros", "membri")


def _known(walk: Walk, phrase: Phrase) -> Group | None:
    """What they are members of: what was called so, or else what the sentence is about."""
    words = _words(phrase) - {"node", "nodes"}
    latest = reversed(walk.request.groups)
    if words & {"broker", "brokers"}:
        return next((g for g in latest if words & g.words or g.role == "queue"), walk.focus)
    if phrase.is_definite or phrase.count is None:
        return next((g for g in latest if words & g.words), walk.focus)
    return walk.focus


def _unnamed(walk: Walk, phrase: Phrase) -> None:
    following = walk.elements[walk.position + 1 : walk.position + 2]
    if following and walk.quote(following[0]).text.lower() in _HYPERVISORS:
        return
    group = walk.add(Group())
    if phrase.count:
        primary = int(phrase.member == "replica" and building.follows_a_primary(walk))
        group.set("count", int(phrase.count.value) + primary, walk.quote(phrase.count))


def _nodes(walk: Walk, group: Group, count: int | None, phrase: Phrase) -> None:
    if count is None and group.part:
        group = next((g for g in walk.request.groups if g.software == group.software and not g.part), group)
    walk.turn_to(*(walk.current if group in walk.current else [group]))
    if count is not None:
        _count_nodes(walk, group, count, phrase)


def _count_nodes(walk: Walk, group: Group, count: int, phrase: Phrase) -> None:
    """ "3 nodes" counts what was not counted, and questions what was said to be exactly another number."""
    if _is_multiple(walk):
        group.set("count", (group.count or 1) * count, walk.quote(phrase.count or phrase))
    elif group.count is None:
        group.set("count", count, walk.quote(phrase.count or phrase))
        group.words |= _words(phrase)
    elif (group.is_exact or phrase.has("exact")) and group.count != count:
        contradiction(walk, group.count, count, "nodes")


def _words(phrase: Phrase) -> set[str]:
    """ "nodes", "brokers": how the members are called."""
    return {fold(token.text) for token in phrase.tokens if token.kind == "member"}


def _is_multiple(walk: Walk) -> bool:
    """ "two shards of three members each"."""
    before = walk.elements[max(0, walk.position - 2) : walk.position]
    if len(before) < 2 or not isinstance(before[0], Phrase) or not isinstance(before[1], Token):
        return False
    return before[1].text.lower() == "of" and before[0].is_member and before[0].insists


def _replicas(walk: Walk, group: Group, count: int | None, phrase: Phrase) -> None:
    if count is None and group.replicas:
        walk.turn_to(_split_off(walk, group) if walk.waiting or walk.link == "for" else group)
        return
    number = count or 1
    if _are_some_of(walk, group, number):
        group.replicas, group.count = number, (group.count or 1) - number
    elif _is_contradicted(walk, group, number, phrase):
        contradiction(walk, group.count or 1, number, "replicas")
    elif group.count is None or number >= group.count:
        _take_replicas(walk, group, number, phrase)
    walk.turn_to(_split_off(walk, group) if group.replicas and _have_sizes_of_their_own(walk, group) else group)


def _have_sizes_of_their_own(walk: Walk, group: Group) -> bool:
    """ "a primary with 64 GB and two replicas with 32 GB"."""
    return group.has_sizes and things.have_sizes(walk.elements[walk.position + 1 : walk.position + 3])


def _are_some_of(walk: Walk, group: Group, number: int) -> bool:
    """ "Two MariaDB servers, one primary with 16 GB and one replica with 8 GB": some of those that were counted."""
    return group in walk.here and number < (group.count or 1) and _have_sizes_of_their_own(walk, group)


def _take_replicas(walk: Walk, group: Group, number: int, phrase: Phrase) -> None:
    """Beside a primary where there is data; elsewhere "3 replicas" are three machines."""
    if group.role in STATEFUL or _has_a_primary(walk, group) or number == 1:
        group.set("replicas", number, walk.quote(phrase))
    elif group.count is None:
        group.set("count", number, walk.quote(phrase))


def _has_a_primary(walk: Walk, group: Group) -> bool:
    """Directories and name servers: "an OpenLDAP server and two replicas" are three."""
    return not walk.says("total") and any(software_facts(name).get("primary") for name in group.software)


def _is_contradicted(walk: Walk, group: Group, number: int, phrase: Phrase) -> bool:
    """Whether so many cannot be among those that were counted."""
    if group.count is None:
        return False
    if group.is_exact and number > group.count - 1:
        return True
    if group.is_generic and group.count == 1:
        return phrase.insists and number > 1 and not building.follows_a_primary(walk)  # "one leader and two followers"
    is_for_each = phrase.count is None or "each" in walk.kinds_after(1)
    return not is_for_each and 2 < group.count <= number


def _split_off(walk: Walk, group: Group) -> Group:
    """The replicas as machines of their own, for they get values of their own."""
    part = sharing.copy_of(group)
    part.part, part.count, part.replicas = "replica", group.replicas, 0
    for name in sharing.SIZES:
        setattr(part, name, None)
    part.causes = {name: cause for name, cause in part.causes.items() if name not in sharing.SIZES}
    part.causes["count"] = group.causes.get("replicas", rule("the replicas"))
    group.count, group.replicas = group.count or 1, 0
    group.causes.setdefault("count", rule("one primary"))
    walk.request.groups.append(part)
    return part


def _is_called(group: Group, phrase: Phrase) -> bool:
    """ "two Jenkins agents", and later "the agents"."""
    return phrase.is_definite and not _words(phrase).isdisjoint(group.words)


def _agents(walk: Walk, group: Group, count: int | None, phrase: Phrase) -> None:
    if not _may_have_agents(walk, group):
        return
    known = next((g for g in reversed(walk.request.groups) if g.part == "agent" or _is_called(g, phrase)), None)
    if count is None and known is not None:
        walk.turn_to(known)
        return
    is_kubernetes = group.role in kubernetes.MACHINES
    kubernetes.have_agents(walk, group)
    part = Group("k8s_worker" if is_kubernetes else group.role, list(group.software), part="agent")
    part.causes["role"] = walk.quote(phrase)
    walk.add(part)
    if count:
        part.set("count", count, walk.quote(phrase.count or phrase))


def _primary(walk: Walk, group: Group, count: int | None, phrase: Phrase) -> None:
    if count is not None and group.count is None:
        group.set("count", count, walk.quote(phrase.count or phrase))
    if group.is_generic and group.count is None:
        group.set("count", 1, rule("one primary"))
    walk.turn_to(group)


def contradiction(walk: Walk, first: int, second: int, noun: str) -> None:
    walk.request.ask(
        _(
            "The request contradicts itself: it asks for exactly %(first)s and also for %(second)s %(noun)s. "
            "Which of the two do you want?"
        )
        % {"first": _("one") if first == 1 else first, "second": second, "noun": term(noun)}
    )


_MEMBERS = {"node": _nodes, "replica": _replicas, "agent": _agents, "primary": _primary, parts.PART: _nodes}
