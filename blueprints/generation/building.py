"""New machines, and more about machines that were named."""

from blueprints.generation import parts, sharing
from blueprints.generation.facts import Group, rule
from blueprints.generation.lexicon import fold, software_facts
from blueprints.generation.numerals import number_of
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_BOTH = (
    "both",
    "both of them",
    "beide",
    "beiden",
    "die beiden",
    "les deux",
    "tous les deux",
    "ambos",
    "ambas",
    "los dos",
    "las dos",
    "entrambi",
    "entrambe",
)
_PER = ("per", "pro", "par", "por", "je")
UMBRELLAS = ("app", "site", "anwendung", "aplica", "appli", "seite", "sito", "sitio", "shop", "portal")


def install(walk: Walk, group: Group, phrase: Phrase) -> None:
    """The phrase says more about machines that were named."""
    walk.installing = group if _opens_a_list(walk, group, phrase) else None
    if group.is_generic:
        _absorb_namesake(walk, group, phrase)
    if walk.link == "houses" and phrase.role != group.role and not phrase.software:
        group.services.append(phrase.role)
    if phrase.software and not group.software:
        group.causes["software"] = walk.quote(phrase)
    if phrase.role and (not group.role or walk.link == "as" or plays(group, phrase.role)):
        group.set("role", phrase.role, walk.quote(phrase))
    if phrase.insists and group.count is None:
        count(walk, group, phrase)
    _add_to(walk, group, phrase)
    parts.label(group, walk, phrase)
    walk.turn_to(*(walk.current if group in walk.current else [group]))


def plays(group: Group, role: str) -> bool:
    """nginx may balance the load instead of serving the web."""
    return any(role in software_facts(name).get("plays", ()) for name in group.software)


def _absorb_namesake(walk: Walk, group: Group, phrase: Phrase) -> None:
    """ "Our TYPO3 site gets old. Please prepare a server for TYPO3": spoken of before, built now."""
    for other in list(walk.request.groups):
        is_open = other.count is None and not (other.has_sizes or other.name or other.part or other.kind)
        if other is not group and is_open and set(other.software) & set(phrase.software):
            walk.request.needs = [
                (group if one is other else one, group if two is other else two) for one, two in walk.request.needs
            ]
            walk.drop(other)


def _opens_a_list(walk: Walk, group: Group, phrase: Phrase) -> bool:
    """ "a VM with nginx, PHP and MySQL": what follows is installed too."""
    if walk.link == "houses":
        return bool(phrase.software)
    is_of_each = (
        walk.kinds_before(2)[1:] == ["each"] and (group.count or 1) > 1
    )  # "three VMs, each with etcd and Patroni"
    is_listed = group.is_generic and group.is_counted and walk.link != "colon" and (is_of_each or not walk.says("each"))
    return bool(phrase.software) and (is_listed or group is walk.installing)


def _add_to(walk: Walk, group: Group, phrase: Phrase) -> None:
    group.software += [name for name in phrase.software if name not in group.software]
    group.kind = group.kind or kind(phrase)
    group.words |= words(walk, phrase)


def install_on_all(walk: Walk, phrase: Phrase) -> None:
    """ "web1 and web2, nginx": what is said of the last of a list of names is said of all of them."""
    named = [group for group in walk.current if group.name]
    groups = walk.current if len(named) == len(walk.current) or phrase.has("all") else walk.current[-1:]
    for group in groups:
        install(walk, group, phrase)
    if phrase.insists and len(groups) > 1:
        for group in groups:
            group.set("count", 1, walk.quote(phrase))
    walk.turn_to(*groups)


def mention_again(walk: Walk, group: Group, phrase: Phrase) -> None:
    if phrase.insists and (group.count is None or phrase.has("another")):
        count(walk, group, phrase)
    group.role = phrase.role if group.is_umbrella and phrase.role else group.role or phrase.role
    group.is_umbrella &= is_umbrella(walk, phrase)
    _add_to(walk, group, phrase)
    walk.turn_to(group)


def new(walk: Walk, phrase: Phrase) -> Group:
    """Machines not named before, as many as were counted."""
    group = Group(phrase.role, list(phrase.software), kind=kind(phrase), is_umbrella=is_umbrella(walk, phrase))
    group.causes["software" if phrase.software else "role" if phrase.role else "kind"] = walk.quote(phrase)
    group.words, group.bundle = words(walk, phrase), phrase.bundle
    group.is_rate = phrase.count is None and (phrase.has("each") or _is_behind_per(walk))
    group.is_exact, group.is_few, group.is_counted = phrase.has("exact"), phrase.is_several, phrase.count is not None
    group.is_supposed = phrase.is_definite and not walk.request.groups
    if heading := walk.heading:
        sharing.inherit(group, heading)
    group.software += walk.addons
    walk.addons = []
    walk.add(group)
    _count_new(walk, group, phrase)
    return group


def _is_behind_per(walk: Walk) -> bool:
    """ "4 GB per web server", "2 Kerne pro Webserver"."""
    before = walk.elements[walk.position - 1] if walk.position else None
    return isinstance(before, Token) and before.text.lower() in _PER


def _count_new(walk: Walk, group: Group, phrase: Phrase) -> None:
    """ "both", "three", "exactly one", and one for each of those who were counted."""
    number = max((_number_in(walk, token) for token in phrase.before), default=0)
    if number and walk.kinds_after(2) != ["join", "phrase"]:
        group.set("count", number, walk.quote(phrase))
    if phrase.insists or (phrase.count and phrase.has("exact")):
        count(walk, group, phrase)
    if walk.loose and phrase.count is None and phrase.is_machine and walk.request.groups == [group]:
        group.set("count", max(1, int(walk.loose.value)), walk.quote(walk.loose))  # "Oracle Linux 8, 4 of them, VM"
    if phrase.member == "replica" and phrase.insists and follows_a_primary(walk):
        group.count = (group.count or 1) + 1
    if walk.per_ahead:
        walk.per[walk.per_ahead], walk.per_ahead = group, ""
    owners = _owners(walk)
    if owners > 1:
        group.set("count", (group.count or 1) * owners, rule(f"one for each of {owners}"))
    walk.times, walk.times_before = 1, owners


def _number_in(walk: Walk, token: Token) -> int:
    """ "both" are 2, "les trois" and "all four" as many as they say."""
    words = fold(walk.quote(token).text).split() if token.kind == "all" else []
    is_number = len(words) > 1 and words[-1] not in ("of", "them")
    return 2 if " ".join(words) in _BOTH else (number_of(words[-1], walk.request.language) or 0) if is_number else 0


def _owners(walk: Walk) -> int:
    """ "each team gets a web server and a database"; "Nextcloud and GitLab, each with its own database"."""
    opening = walk.elements[walk.position]
    if isinstance(opening, Phrase) and opening.has("own") and _is_each_with(walk):
        return max(1, sum(group.count or 1 for group in walk.here[:-1]))
    return walk.times if walk.times > 1 or walk.kinds_before(1) not in (["join"], ["and"]) else walk.times_before


def _is_each_with(walk: Walk) -> bool:
    """ "each with its own database"; in "8 GB each and a separate database" there is one for all."""
    before = walk.elements[walk.position - 1] if walk.position else None
    return walk.kinds_before(2) == ["join", "each"] and isinstance(before, Token) and before.value != "and"


def follows_a_primary(walk: Walk) -> bool:
    """ "a primary and two standby DNS servers"."""
    before = walk.elements[max(0, walk.position - 2) : walk.position]
    return len(before) == 2 and isinstance(before[0], Phrase) and before[0].is_member and before[0].member == "primary"


def count(walk: Walk, group: Group, phrase: Phrase) -> None:
    if phrase.count is None:
        return
    number = max(1, int(phrase.count.value))
    is_sum = group.count is None and group.replicas > 0 and number == group.replicas + 1
    if not is_sum:  # a master with two replicas are "the same three machines"
        group.set("count", number, walk.quote(phrase.count))


def words(walk: Walk, phrase: Phrase) -> set[str]:
    return {fold(walk.quote(token).text) for token in phrase.tokens if token.kind in ("member", "role", "machine")}


def kind(phrase: Phrase) -> str:
    return "" if phrase.kind == "any" else phrase.kind


def is_umbrella(walk: Walk, phrase: Phrase) -> bool:
    words = " ".join(fold(walk.quote(token).text) for token in phrase.tokens if token.kind in ("role", "software"))
    is_the_web = phrase.is_definite and words == "web"  # "la web se cayó dos veces"
    return (
        not phrase.kind
        and not phrase.member
        and not phrase.software
        and (is_the_web or any(part in words for part in UMBRELLAS))
        and "server" not in words
    )
