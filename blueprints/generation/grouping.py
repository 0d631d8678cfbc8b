"""What a noun phrase speaks of: machines not named before, machines named before, or more about them."""

from collections.abc import Callable

from blueprints.generation import (
    building,
    context,
    enumerating,
    housing,
    installing,
    kubernetes,
    machines,
    members,
    names,
    parts,
    sharing,
)
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, ordinals, software_facts
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_LABELS = {"dns": "dns_server", "router": "gateway", "routeur": "gateway", "enrutador": "gateway"}
_NEAR = 40
_SITES = ("web", "app", "cms")


def resolve(walk: Walk, phrase: Phrase) -> None:
    """Turn to what the phrase is about."""
    _fill(phrase)
    if phrase.has("existing") or context.are_hypervisors(walk, phrase):
        return
    if _are_those_named(walk, phrase):
        building.install_on_all(walk, phrase)
    elif phrase.is_machine:
        machines.machine(walk, phrase)
    elif phrase.is_member and not kubernetes.are_controllers(walk, phrase):
        members.member(walk, phrase)
    else:
        _named(walk, phrase)


def _fill(phrase: Phrase) -> None:
    """The role that a software plays, unless the phrase names one."""
    for name in phrase.software:
        phrase.role = phrase.role or role_of(name)


def role_of(software: str) -> str:
    return str(software_facts(software).get("role", ""))


def _are_those_named(walk: Walk, phrase: Phrase) -> bool:
    """ "dns1 and dns2: two bind servers": as many as were just called by name."""
    named = [group for group in walk.current if group.name]
    is_linked = walk.link in ("colon", "is", "open", "comma", "as")
    return is_linked and phrase.insists and phrase.count is not None and 1 < len(named) == int(phrase.count.value)


def _moves_in(walk: Walk, phrase: Phrase) -> bool:
    """ "Redis runs on the web server", "Postgres can share the Zammad box": a machine named before takes it in."""
    focus, home = walk.in_focus, known(walk, phrase)
    if focus is None or home is None or home is focus or walk.link != "on" or not phrase.is_definite or phrase.insists:
        return False
    if any(fold(token.text) in ordinals() for token in phrase.tokens):  # "Traefik sits on the first app VM"
        return sharing.lodge_in_one(walk, home, focus)
    return not focus.is_generic and not focus.has_sizes and sharing.move_in(walk, home, focus)


def _unbundle(walk: Walk, phrase: Phrase) -> None:
    """ "ELK: 3 x Elasticsearch, Kibana 2 GB": parts that are counted or sized for themselves are no longer one machine."""
    is_told_apart = phrase.count is not None or (walk.link != "with" and _has_its_own(walk))
    for group in list(walk.request.groups):
        if is_told_apart and set(group.bundle) & set(phrase.software) and phrase.bundle != group.bundle:
            group.software = [name for name in group.software if name not in phrase.software]
            if not group.software:
                walk.drop(group)


def _has_its_own(walk: Walk) -> bool:
    """ "Kibana 2 GB", "Elasticsearch (3 nodes)"."""
    return installing.has_own_values(walk) or walk.kinds_after(1) == ["open"]


def _named(walk: Walk, phrase: Phrase) -> None:
    """ "three web servers", "nginx", "the database"."""
    phrase.role = kubernetes.role_in(walk, phrase)
    if _moves_in(walk, phrase):
        return
    _unbundle(walk, phrase)
    focus = walk.focus
    if members.joins_its_cluster(walk, phrase):
        return
    if housing.lives_on_some(walk, phrase):
        building.new(walk, phrase)
    elif focus and _is_spread_over(walk, focus, phrase):
        focus.role = phrase.role
        building.mention_again(walk, focus, phrase)
    elif installing.runs_on_all(walk, phrase):
        walk.turn_to(*walk.here)
        building.install_on_all(walk, phrase)
    elif (enumerating.takes_one_of(walk, phrase) or _is_the_other_one(walk, phrase)) and walk.focus:
        building.install(walk, walk.focus, phrase)
        walk.installing = None
    elif focus and (sharing.takes_part(walk, phrase) or installing.belongs_to(walk, focus, phrase)):
        building.install_on_all(walk, phrase)
    elif _is_for_a_known(walk, phrase):
        walk.link = ""
    elif (before := known(walk, phrase)) and _is_same(walk, before, phrase):
        groups = _all_of_them(walk, before, phrase)
        building.mention_again(walk, before, phrase)
        walk.turn_to(*groups)
    else:
        _ask_about_exact(walk, before, phrase)
        _named_first(walk, phrase)


def _ask_about_exact(walk: Walk, before: Group | None, phrase: Phrase) -> None:
    """ "Exactly three web servers, and exactly five web servers"."""
    if before is None or phrase.count is None or not (before.is_exact and phrase.has("exact")):
        return
    is_other = before.count is not None and before.count != int(phrase.count.value)
    if is_other and before.role == phrase.role and set(before.software) == set(phrase.software):
        members.contradiction(walk, before.count or 1, int(phrase.count.value), phrase.role.replace("_", " "))


def _is_spread_over(walk: Walk, focus: Group, phrase: Phrase) -> bool:
    """ "Drupal on two web servers", "Moodle for 800 pupils: two web servers": those are what it runs on."""
    is_open = focus in walk.here and focus.role in _SITES and not focus.is_counted and _open(focus)
    is_home = phrase.insists and phrase.role in _SITES and not phrase.software
    return walk.link in ("on", "colon") and is_open and is_home and bool(focus.software)


def _is_for_a_known(walk: Walk, phrase: Phrase) -> bool:
    """ "MySQL for Zabbix": whom it serves, named before."""
    is_beside = walk.kinds_before(2) == ["join", "phrase"] and walk.link == "for" and not walk.waiting
    focus, home = walk.in_focus, known(walk, phrase)
    is_other = home is not None and home is not focus and home.sentence < walk.sentence
    return is_beside and is_other and focus is not None and bool(focus.software) and phrase.count is None


def _all_of_them(walk: Walk, known: Group, phrase: Phrase) -> list[Group]:
    """ "web01, web02 and db01. The web machines …": every one that has a name and plays the role."""
    is_plural = phrase.is_definite and phrase.count is None and walk.quote(phrase).text.lower().endswith("s")
    if not (is_plural and known.name and phrase.role and not phrase.software) or known in walk.here:
        return [known]
    return [group for group in walk.request.groups if group.name and group.role == phrase.role]


def _is_the_other_one(walk: Walk, phrase: Phrase) -> bool:
    """ "Two VMs: one runs Docker, the other one PostgreSQL"."""
    if not (phrase.is_definite and phrase.has("another") and phrase.software and phrase.insists and not phrase.kind):
        return False
    if phrase.count is None or int(phrase.count.value) != 1 or not any(g.is_generic and g.count for g in walk.here):
        return False
    sharing.begin_part(walk, 1, has_purpose=True)
    return True


def _named_first(walk: Walk, phrase: Phrase) -> None:
    """Not spoken of before: something that runs beside others, a server to ask, a purpose, or new machines."""
    if (
        _is_addon(phrase)
        and not members.is_cluster_of_its_own(walk, phrase)
        and not phrase.insists
        and not phrase.kind
        and not installing.has_own_values(walk)
    ):
        (_beside(walk, phrase) or walk.addons).extend(phrase.software)
    elif label := _label_of_others(walk, phrase):
        walk.last_label = label
    elif not context.is_only_context(walk, phrase):
        parts.label(building.new(walk, phrase), walk, phrase)


def _beside(walk: Walk, phrase: Phrase) -> list[str]:
    """ "Loki and Promtail": what was named just before and has the same purpose takes it in."""
    focus = walk.in_focus
    is_next = walk.kinds_before(2) == ["join", "phrase"] and focus is not None and focus.role == phrase.role
    return focus.software if is_next and focus is not None else []


def _is_addon(phrase: Phrase) -> bool:
    """ "keepalived": runs on what is named with it."""
    return bool(phrase.software) and all(software_facts(name).get("addon") for name in phrase.software)


def _label_of_others(walk: Walk, phrase: Phrase) -> str:
    """ "DNS 10.0.0.2", "router 10.0.0.1": which server is asked or led through, and no machine."""
    is_bare = not phrase.software and phrase.count is None and not phrase.kind and not phrase.before
    if not is_bare or not walk.current or "ip" not in walk.kinds_after(2)[:2]:
        return ""
    return _LABELS.get(walk.quote(phrase).text.lower(), "")


def known(walk: Walk, phrase: Phrase) -> Group | None:
    """The machines that these words can mean, the latest first."""
    groups = [g for g in reversed(walk.request.groups) if walk.environment in ("", g.environment) or not g.environment]
    if phrase.software:
        same = _first(groups, lambda group: _is_called_so(group, phrase) and not group.part)
        other = _first(groups, lambda group: _may_play(group, phrase) and _may_be(walk, group, phrase))
        return (
            same
            or other
            or _first(
                groups,
                lambda group: (
                    bool(set(phrase.software) & set(group.software)) and group.part not in ("agent", "replica", "")
                ),
            )
        )
    exact = _first(groups, lambda group: group.role == phrase.role and bool(building.words(walk, phrase) & group.words))
    return exact or _first(groups, lambda group: group.role == phrase.role)


def _is_called_so(group: Group, phrase: Phrase) -> bool:
    """The same software; "a small Kubernetes: single-node k3s" is one cluster."""
    is_cluster = phrase.role == "kubernetes" and group.role == "kubernetes" and group.software == ["kubernetes"]
    return is_cluster or bool(set(phrase.software) & set(group.software))


def _may_play(group: Group, phrase: Phrase) -> bool:
    """Machines of this role without software; those without a role only as long as nothing is known of them."""
    return group.role == phrase.role and not group.software and bool(group.role or not group.has_sizes)


def _open(group: Group) -> bool:
    """Named, but neither counted nor sized: what comes now may be what it is."""
    return group.count is None and not group.has_sizes


def _may_be(walk: Walk, group: Group, phrase: Phrase) -> bool:
    """ "Two proxies. HAProxy, 2 GB.": the software of what was counted in the sentence before."""
    is_said_next = group is walk.focus and group not in walk.here and not group.name and phrase.count is None
    return _unsettled(group) or (is_said_next and not phrase.kind and len(walk.current) == 1)


def _unsettled(group: Group) -> bool:
    """Spoken of, but never counted: "the database gets 8 cores"."""
    return _open(group) or (group.count is None and not group.is_counted)


def _first(groups: list[Group], matches: Callable[[Group], bool]) -> Group | None:
    return next((group for group in groups if matches(group)), None)


def _is_same(walk: Walk, known: Group, phrase: Phrase) -> bool:
    """Without a count of its own, or as the first count, a second mention is the same thing."""
    if phrase.has("another") or (known.name and names.follows(walk, phrase)) or parts.is_other(walk, known, phrase):
        return False
    if phrase.count is None and (_is_elsewhere(walk, known, phrase) or _is_item_of_its_own(walk, known)):
        return False
    if phrase.is_definite or phrase.has("each", "all") or (known.is_rate and known.count is None):
        return True
    if phrase.count is None:
        return not (known.sentence == walk.sentence and known.name)
    if known.is_counted and known.sentence == walk.sentence and phrase.count.kind == "article":
        return False
    return _open(known) or _shares_its_total(walk, known) or _fits_count(walk, known, phrase.count)


def _shares_its_total(walk: Walk, known: Group) -> bool:
    """ "Our web farm may use 32 GB overall, spread evenly over eight nginx servers"."""
    is_shared = walk.kinds_before(1) in (["total"], ["bound"], ["join"]) and walk.says("total")
    return is_shared and bool(known.totals) and known.count is None and known in walk.here


def _is_item_of_its_own(walk: Walk, known: Group) -> bool:
    """ "- Zabbix server, 4 vCPU", "- Zabbix proxy, 1 vCPU": a line that begins with it and has sizes is another machine."""
    has_sizes = any(isinstance(e, Token) and e.kind in ("cpu", "memory", "size", "spec") for e in walk.elements)
    return walk.is_item and walk.position == 0 and known.has_sizes and known.sentence < walk.sentence and has_sizes


def _fits_count(walk: Walk, known: Group, count: Token) -> bool:
    """ "a database" said again, or as many as in the sentence before, and nothing said of them since."""
    if count.kind == "article":
        return _is_only_supposed(known) or (known.sentence != walk.sentence and not known.has_sizes)
    if _unsettled(known) and int(count.value) == 1:
        return True
    return known.count == int(count.value) and known.sentence == walk.sentence - 1 and not known.has_sizes


def _is_only_supposed(known: Group) -> bool:
    """ "Everything gets 4 GB, the database 32. Build me a database and …": sized before it was asked for."""
    return known.is_supposed and known.count is None and not known.is_counted


def _is_elsewhere(walk: Walk, known: Group, phrase: Phrase) -> bool:
    """ "the mail gateway on VLAN 90, the mailbox server on VLAN 10": called otherwise, and in another network."""
    if not (known.vlan or known.ips or known.subnet) or set(phrase.software) & set(known.software):
        return False
    is_other = bool(known.words or phrase.software) and not building.words(walk, phrase) & known.words
    return is_other and bool(
        ({"vlan", "cidr"} if phrase.software else {"vlan", "ip", "cidr"}) & set(walk.kinds_after(_NEAR))
    )
