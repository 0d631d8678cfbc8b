"""Whether a noun says what runs on machines that were named: "servers with Docker", "a VM for Jenkins", "nginx on both"."""

import re

from blueprints.generation import building
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, software_facts
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_RUNTIMES = {"docker", "podman", "docker-compose"}
_INSTALLS = ("with", "on", "for", "as", "colon", "open", "is", "and_its")
_ACTIVITIES = (
    "load balancing",
    "loadbalancing",
    "balancing",
    "lastv",
    "lastenv",
    "repartition de",
    "equilibrage",
    "balanceo",
    "bilanciamento",
)
_MACHINE = re.compile(r"(?:vm|server|machine|box|host|container|lxc|maschine|serveur|servidor|macchina)\b")
_INSTALLED = re.compile(r"(?:pre-?|vor)?(?:install(?:ed|iert|és?|ées?|at[oaie]$)|instalad[oa]s?)")
_NEAR = 40


def runs_on_all(walk: Walk, phrase: Phrase) -> bool:
    """ "a test and a production database, both PostgreSQL 16"."""
    if _is_on_both(walk, phrase):
        return True
    is_said = phrase.has("all") and bool(phrase.software) and not phrase.insists and len(walk.here) > 1
    return is_said and all(group.role in ("", phrase.role) and not group.software for group in walk.here)


def _is_on_both(walk: Walk, phrase: Phrase) -> bool:
    """ "dns1 = 10.0.0.53, dns2 = 10.0.0.54. bind9 on both": what runs on those that were called by name, or counted."""
    named = walk.here or walk.last_named
    is_bare = bool(phrase.software) and phrase.count is None and _says_both(walk)
    if not is_bare or not (_are_named(named) or _are_counted(named)):
        return False
    walk.here = list(named)
    return True


def _are_named(groups: list[Group]) -> bool:
    return len(groups) > 1 and all(group.name and not group.software for group in groups)


def _are_counted(groups: list[Group]) -> bool:
    """ "two VMs", "a primary and a standby"."""
    return len(groups) == 1 and groups[0].is_generic and (groups[0].count or 1) + groups[0].replicas > 1


def _says_both(walk: Walk) -> bool:
    """ "bind9 on both", "both run bind9", "on both runs bind9"."""
    before = walk.elements[: walk.position]
    first = [kind_of(element) for element in before if kind_of(element) != "join"][:1]
    opens = first == ["all"] and not any(isinstance(e, Phrase) for e in before)
    return opens or walk.kinds_after(2) == ["join", "all"]


def belongs_to(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "servers with Docker", "a VM for Jenkins", "web servers running nginx", "Redis as cache"."""
    if _names_the_key(walk, focus, phrase):
        return True
    if (
        focus not in walk.here
        or phrase.insists
        or phrase.has("another")
        or not (walk.link or building.plays(focus, phrase.role))
    ):
        return False
    if (
        _is_linked(walk, focus)
        or (phrase.software and _is_named_in_brackets(walk, focus))
        or _plays(walk, focus, phrase)
    ):
        return True
    return not _is_beside(walk, focus) and _says_what_runs(walk, focus, phrase)


def _plays(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "nginx for TLS and load balancing", "nginx (reverse proxy)": no second machine, but what the first is for."""
    is_bare = phrase.count is None and not phrase.software and not phrase.kind
    is_activity = fold(walk.quote(phrase).text).startswith(_ACTIVITIES)
    return (
        is_bare
        and not focus.words
        and building.plays(focus, phrase.role)
        and (is_activity or walk.link not in ("and", "comma"))
    )


def _is_beside(walk: Walk, focus: Group) -> bool:
    """ "PostgreSQL 4c/8g, pgbouncer 2c/2g": sizes on both sides of the comma make two machines."""
    return walk.link == "comma" and focus.has_sizes and has_own_values(walk)


def _names_the_key(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "database: one PostgreSQL"."""
    is_key = walk.link == "colon" and walk.kinds_before(2) == ["colon", "phrase"] and bool(phrase.software)
    is_open = focus.count is None and not focus.software and not focus.has_sizes
    return is_key and phrase.insists and bool(focus.role) and is_open


def _is_linked(walk: Walk, focus: Group) -> bool:
    """ "houses Redis", "as cache", "one of them is a database"."""
    if walk.link == "houses":
        return (focus.count or 1) == 1
    return walk.link == "as" or (walk.link == "is" and focus.is_generic)


def _is_named_in_brackets(walk: Walk, focus: Group) -> bool:
    """ "a monitoring VM (Prometheus, Alertmanager and Grafana)": nothing but names, and one machine before them."""
    opened, within = _brackets(walk)
    if opened == 0 or not isinstance(walk.elements[opened - 1], Phrase):
        return False
    is_machine = focus.is_counted and (focus.count or 1) == 1 and any(_MACHINE.search(word) for word in focus.words)
    return is_machine and all(_is_plain_name(element) for element in within)


def _brackets(walk: Walk) -> tuple[int, list[Element]]:
    """Where the brackets around this place open, and what stands in them; 0 and nothing outside of brackets."""
    before, ahead = walk.elements[: walk.position], walk.elements[walk.position :]
    opened = next((n for n in range(len(before) - 1, -1, -1) if kind_of(before[n]) in ("open", "close")), None)
    closed = next((n for n, element in enumerate(ahead) if kind_of(element) == "close"), None)
    if opened is None or closed is None or kind_of(before[opened]) != "open":
        return 0, []
    return opened, [*before[opened + 1 :], *ahead[:closed]]


def _is_plain_name(element: Element) -> bool:
    if isinstance(element, Phrase):
        return bool(element.software) and element.count is None and not element.before
    return element.kind in ("comma", "slash", "and") or element.value == "and"


def _says_what_runs(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    if focus.is_generic:
        return _runs_on(walk, focus, phrase)
    return _is_installed(walk, focus, phrase) if phrase.software else _is_purpose(walk, focus, phrase)


def _is_installed(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "a VM with nginx, PHP and MySQL"; elsewhere software that fits."""
    if _runs_on_it(walk) or _is_named_with_it(walk, focus, phrase):
        return True
    if focus is walk.installing and walk.link in ("and", "comma"):
        return phrase.count is None and not phrase.is_definite and not phrase.before and not phrase.kind
    return _adds_software(walk, focus, phrase)


def _is_named_with_it(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "a mail server running Postfix and Dovecot": two names of software behind one noun, and both are what it is."""
    before = walk.elements[walk.position - 2] if walk.position > 1 else None
    if walk.link != "and" or walk.kinds_before(1) != ["join"] or not isinstance(before, Phrase):
        return False
    is_name = not _says_a_role(before) and set(before.software) <= set(focus.software)
    is_bare = _is_uncounted(phrase) and not phrase.before and not has_own_values(walk)
    return is_name and is_bare and _is_what_it_is(focus, phrase)


def _is_what_it_is(focus: Group, phrase: Phrase) -> bool:
    """ "a mail server" and a name that says no other role; neither "Postfix" alone nor "two mail servers"."""
    return (focus.count or 1) == 1 and bool(focus.words) and phrase.role in ("", focus.role)


def _says_a_role(phrase: Phrase) -> bool:
    """ "a Redis cache", not "Redis"."""
    return any(token.kind == "role" for token in phrase.tokens)


def _is_uncounted(phrase: Phrase) -> bool:
    """ "nginx", neither "two nginx" nor "an nginx VM"."""
    return phrase.count is None and not phrase.kind


def _runs_on_it(walk: Walk) -> bool:
    """ "a box with Ollama and Open WebUI on it", "…, Docker installed"."""
    ahead = walk.elements[walk.position :][:_NEAR]
    behind = ahead[
        next(
            (n for n, e in enumerate(ahead) if not isinstance(e, Phrase) and e.kind != "comma" and e.value != "and"),
            len(ahead),
        ) :
    ]
    said = [e.text.lower() for e in behind[:2] if isinstance(e, Token)]
    if said and _INSTALLED.match(said[0]):
        return True
    return said[:1] == ["on"] and said[1:] in (["it"], ["them"], ["top"], ["board"])


def _runs_on(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "a VM for Jenkins", "dev box: 4 cores, docker"."""
    if walk.link == "comma":
        is_described = focus.has_sizes or bool(focus.os) or bool(focus.name)
        return phrase.count is None and not phrase.is_definite and is_described
    return walk.link in _INSTALLS and not (walk.link == "with" and _stands_beside(walk, phrase))


def _adds_software(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "web servers with nginx", "HAProxy with keepalived"."""
    if all(map(_is_addition, phrase.software)):
        return walk.link in _INSTALLS
    if focus.software and set(focus.software) <= _RUNTIMES and walk.link == "with":
        return True
    if focus.software or not (_fits_the_role(focus, phrase) or _stands_in_brackets(walk, phrase)):
        return False
    return walk.link in _INSTALLS or (walk.link == "comma" and phrase.count is None)


def _is_addition(name: str) -> bool:
    """Docker, keepalived: it runs beside whatever a machine is for."""
    return name in _RUNTIMES or bool(software_facts(name).get("addon"))


def _fits_the_role(focus: Group, phrase: Phrase) -> bool:
    """ "web servers with nginx": its role, or a role that it can play where nothing else is said of it."""
    facts = software_facts(phrase.software[0])
    is_bare = _is_uncounted(phrase) and not _says_a_role(phrase)
    plays = ("", facts.get("role", ""), *(facts.get("plays", ()) if is_bare else ()))
    return not facts.get("role") or focus.role in plays or phrase.role == focus.role


def _stands_in_brackets(walk: Walk, phrase: Phrase) -> bool:
    """ "a reverse proxy (Grafana)", "(Grafana, …": alone, or the first of a list."""
    is_enclosed = walk.kinds_before(1) == ["open"] and walk.kinds_after(1) in (["close"], ["comma"])
    return is_enclosed and phrase.count is None


def has_own_values(walk: Walk) -> bool:
    """ "…, pgbouncer 2c/2g": sizes right behind a noun are its own."""
    return walk.kinds_after(1)[:1] in (["cpu"], ["memory"], ["size"], ["spec"])


def _is_purpose(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "Loki for logging"."""
    is_bare = phrase.count is None and not phrase.is_definite and not phrase.kind
    return walk.link == "for" and is_bare and bool(focus.software)


def _stands_beside(walk: Walk, phrase: Phrase) -> bool:
    """ "with a load balancer in front": no software that runs on them."""
    return phrase.role == "load_balancer" and (phrase.count is not None or "order" in walk.kinds_after(2))
