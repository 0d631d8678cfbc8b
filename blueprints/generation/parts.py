"""Parts of clustered software: "three masters, five data nodes and two coordinators" are ten machines of three kinds."""

import re
from functools import cache

from blueprints.generation import sharing
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import software_facts, table
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

PART = "part"
_BARE = ("data", "ingest", "coordinating", "hot", "warm", "cold")
"""Without a noun only behind a number: "3 x data"."""
_LEADERS = (
    *("master", "coordinator", "scheduler", "controller", "control", "head", "login", "manager", "namenode", "name"),
    *("job-manager", "jobmanager", "resource-manager", "history-server"),
)
_ENUMERATES = ("colon", "open", "with")


def with_parts(text: str, tokens: list[Token]) -> list[Token]:
    """Tokens whose words name a part of software that the text names before them, where it names several of its parts."""
    owners: dict[str, int] = {}
    for token in tokens:
        if token.kind == "software" and token.value in table("parts"):
            owners.setdefault(str(token.value), token.start)
    for owner, start in owners.items():
        found = list(_words_of(owner).finditer(text, start))
        kinds = {_singular(match[0]) for match in found} | _programs_in(text, owner, found)
        if len(kinds | _plain_members(tokens, start, found)) > 1:
            tokens = _retagged(tokens, found, has_several=len(kinds) > 1)
    return tokens


def _programs_in(text: str, owner: str, found: list[re.Match[str]]) -> set[str]:
    """ "two Zabbix proxies": programs of their own are parts of what is named elsewhere, however few they are."""
    _, *others = software_facts(owner).get("programs", [""])
    beside = [m for m in found if text[: m.start()].lower().endswith((f"{owner} ", f"{owner}-"))]
    beside += [m for m in found if text[m.end() :].lower().startswith((f" {owner}", f" de {owner}", f" di {owner}"))]
    return {owner} if any(_singular(match[0]) in others for match in beside) else set()


def _plain_members(tokens: list[Token], start: int, found: list[re.Match[str]]) -> set[str]:
    """ "a primary, two replicas and three sentinels": parts that every cluster has."""
    taken = [match.start() for match in found]
    counted = [
        token for place, token in enumerate(tokens) if token.kind == "member" and _is_counted(tokens[:place][-2:])
    ]
    return {str(t.value) for t in counted if t.start > start and t.start not in taken} if found else set()


def _is_counted(before: list[Token]) -> bool:
    """ "two replicas", "a primary", "two Galera nodes"."""
    kinds = [token.kind for token in before]
    return kinds[-1:] in (["number"], ["article"]) or kinds == ["number", "software"]


@cache
def _words_of(owner: str) -> re.Pattern[str]:
    names = sorted(table("parts")[owner], key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(_in_any_number, names))})\b", re.IGNORECASE)


def _in_any_number(name: str) -> str:
    """ "data node", "data-nodes", "proxies"."""
    plain = name.replace(" ", "[ -]")
    return f"{plain[:-1]}(?:y|ys|ies)" if name.endswith("y") else f"{plain}s?"


def _retagged(tokens: list[Token], found: list[re.Match[str]], *, has_several: bool) -> list[Token]:
    """One token for each span that begins and ends where tokens do."""
    kept: list[Token] = []
    for token in tokens:
        match = next((match for match in found if match.start() <= token.start < match.end()), None)
        if match is None or token.end > match.end():
            kept.append(token)
        elif token.start == match.start() and _may_be_part(
            kept, token, is_one_of_several=has_several or match[0].lower().endswith("s")
        ):
            kept.append(Token("member", PART, token.text, *match.span()))
        elif not (kept and kept[-1].value == PART and kept[-1].end == match.end()):
            kept.append(token)
    return kept


def _may_be_part(before: list[Token], token: Token, *, is_one_of_several: bool) -> bool:
    """ "Redis with Sentinel" installs it, "with three sentinels" counts it."""
    if token.text.lower() in _BARE:
        return bool(before) and before[-1].kind == "number"
    is_behind = bool(before) and before[-1].kind == "software" and before[-1].end >= token.start - 1
    return not is_behind or is_one_of_several


def _singular(word: str) -> str:
    """ "Data nodes" and "data node" are the same part."""
    plain = re.sub(r"\W+", " ", word.lower())
    if any(plain in names for names in table("parts").values()):
        return plain
    return f"{plain[:-3]}y" if plain.endswith("ies") else plain.removesuffix("s")


def _label(word: str) -> str:
    """ "dedicated master node" and "master" are the same part."""
    return re.sub(r"^dedicated | (?:node|host|cluster)$| ?knoten$", "", word).replace(" ", "-")


def named(walk: Walk, phrase: Phrase) -> bool:
    """Turn to the part that the phrase names; False when nothing here has such parts."""
    word = _word(walk, phrase)
    whose = set(phrase.software)
    cluster = [g for g in walk.request.groups if _has_part(g, word) and (not whose or whose & set(g.software))]
    if not cluster:
        return False
    label = _label(word)
    same = next((group for group in cluster if group.part == label), None)
    whole = next((group for group in cluster if not group.part), None)
    if same is not None:
        _count(walk, same, phrase)
        walk.turn_to(same)
    elif phrase.count is None and whole is not None:
        walk.turn_to(whole)
    elif whole is not None and whole.count is None and not whole.has_sizes and not whole.replicas:
        whole.part, whole.role = label, _role(label, whole)
        _count(walk, whole, phrase)
        walk.turn_to(whole)
    else:
        _split(walk, whole or cluster[-1], label, phrase)
    return True


def is_other(walk: Walk, known: Group, phrase: Phrase) -> bool:
    """ "a Zabbix server …, and a separate Zabbix proxy"."""
    is_part = phrase.member == PART and bool(known.part) and phrase.count is not None
    return is_part and known.part != _label(_word(walk, phrase))


def label(group: Group, walk: Walk, phrase: Phrase) -> None:
    """ "three Nomad servers", "three VMs for the Nomad servers": a part when the clients are named as well."""
    if phrase.member == PART and phrase.software and not group.part:
        group.part = _label(_word(walk, phrase))


def _word(walk: Walk, phrase: Phrase) -> str:
    """ "proxy" of "two Zabbix proxies" and of "deux proxys Zabbix"."""
    token = next((one for one in phrase.tokens if one.value == PART), phrase.tokens[-1])
    return _singular(walk.quote(token).text)


def programs(group: Group) -> list[str]:
    """The software of a group; a part that is a program of its own is called by its own name: "zabbix-proxy"."""
    owner, *others = group.software or [""]
    names = software_facts(owner).get("programs", [])
    if group.part not in names:
        return group.software
    own = f"{owner}-{group.part}"
    return [owner, own, *others] if group.part == names[0] else [own, *others]


def _role(label: str, group: Group) -> str:
    """Workers and web servers of Airflow are workers and web servers; who hands out the work is no worker."""
    if group.role == "worker" and label in _LEADERS:
        return "coordinator"
    return {"worker": "worker", "web-server": "web", "webserver": "web"}.get(label, group.role)


def _has_part(group: Group, word: str) -> bool:
    return any(word in table("parts").get(name, ()) for name in group.software)


def _count(walk: Walk, group: Group, phrase: Phrase) -> None:
    if phrase.insists and phrase.count and group.count is None:
        group.set("count", int(phrase.count.value), walk.quote(phrase.count))
        group.is_counted = True


def _split(walk: Walk, whole: Group, label: str, phrase: Phrase) -> None:
    """Machines of their own, out of the number that was given for all when there was one: "six nodes: three brokers, …"."""
    part = sharing.copy_of(whole)
    adds_up = _add_up(walk, whole)
    is_divided = walk.link in _ENUMERATES or phrase.is_part or whole in walk.pools
    is_pool = not whole.part and bool(whole.count) and (adds_up or (is_divided and not whole.has_sizes))
    part.part, part.role, part.count, part.replicas = label, _role(label, part), None, 0
    for size in sharing.SIZES:
        if adds_up:
            part.general.add(size)
        elif size not in walk.request.defaults.causes:
            setattr(part, size, None)
            part.causes.pop(size, None)
    _count(walk, part, phrase)
    if is_pool and whole.count:
        whole.count -= part.count or 1
        walk.pools.append(whole)
    walk.add(part)
    if is_pool and whole.count is not None and whole.count <= 0:
        walk.drop(whole)


def _add_up(walk: Walk, whole: Group) -> bool:
    """ "five Consul nodes, three servers and two clients": the parts are as many as the whole."""
    numbers = [int(e.count.value) for e in walk.elements if isinstance(e, Phrase) and e.count and e.member == PART]
    counted = (whole.count or 0) + sum(g.count or 0 for g in walk.here if g.part and g.software == whole.software)
    return len(numbers) > 1 and sum(numbers) == counted
