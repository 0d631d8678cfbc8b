"""Which parts of a draft a sentence means: by their names, by what they are for, and by what runs on them."""

import re
from collections.abc import Iterator, Sequence

from blueprints.generation.lexicon import senses
from blueprints.revising.hearing import HOST, Heard, phrases, senses_in, spoken, spots_of
from blueprints.schema import Resource
from blueprints.schema.types import ROLE_OF_TYPE, normal

_CROWDS = frozenset({"workers"})
"""Parts of names that mean all of a kind, where only one kind is called so: the workers of a cluster."""


def meant(heard: Heard, resources: Sequence[Resource]) -> list[Resource]:
    """The parts of the draft that the sentence means: by their own names, by what runs on them or what they are for; or
    all of them when it says so. Who is named stands for its role: "the replica" is not every database."""
    by_name = named(heard, resources)
    said = set(senses_in(heard)) - _known(by_name)
    by_software = [one for one in resources if any(("software", name) in said for name in software_of(one))]
    roles = said - {("role", role_of(one)) for one in by_software}
    found = [one for one in resources if one in by_name or one in by_software or ("role", role_of(one)) in roles]
    if found:
        return found
    return list(resources) if heard.has("everything", "all") else _by_part(heard, resources)


def _known(resources: Sequence[Resource]) -> set[tuple[str, str]]:
    """The roles and the software of these."""
    return {sense for one in resources for sense in senses_of(one)}


def senses_of(resource: Resource) -> set[tuple[str, str]]:
    """The role and the software of a part, as the vocabulary has them."""
    return {("role", role_of(resource)), *(("software", name) for name in software_of(resource))}


def names_other(heard: Heard, resources: Sequence[Resource]) -> bool:
    """Whether a role or a program is named that none of them has."""
    known = _known(resources)
    return any(sense not in known for sense in senses_in(heard) if sense[0] in ("role", "software"))


def stem(name: str) -> str:
    """What siblings share: `web-server` of `web-server-2`."""
    return re.sub(r"-?\d+$", "", name)


def named(heard: Heard, resources: Sequence[Resource]) -> list[Resource]:
    """Those whose name is said, whole or without its number; `db-replica` is not also `db`."""
    whole = [(one, name) for one in resources for name in (spoken(one.name), *_short(heard, one)) if heard.says(name)]
    stems = [(one, spoken(stem(one.name))) for one in resources if heard.says(spoken(stem(one.name)))]
    found = whole or stems
    return [one for one, name in found if not any(_within(name, other) for _, other in found if other != name)]


def _short(heard: Heard, resource: Resource) -> Iterator[tuple[str, ...]]:
    """How it may be called for short: "web-1" for `web-server-1`."""
    number = resource.name.removeprefix(stem(resource.name)).lstrip("-")
    for host in heard.hosts if number else ():
        if (said := HOST.fullmatch(host)) and said[2].lstrip("0") == number and _is_kind(said[1], resource):
            yield spoken(host)


def _is_kind(word: str, resource: Resource) -> bool:
    return senses().get((word,)) in senses_of(resource) or word == resource.name.split("-")[0]


def _by_part(heard: Heard, resources: Sequence[Resource]) -> list[Resource]:
    """Whoever alone has a word that is said in its name: "the replica" for `db-replica`."""
    said = {*heard.words, *(word.removesuffix("s") for word in heard.words if word in _CROWDS)}
    parts = [(one, part) for one in resources for part in set(spoken(one.name)) if len(part) > 2 and part in said]
    owners: dict[str, list[Resource]] = {}
    for one, part in parts:
        owners.setdefault(part, []).append(one)
    alone = [one for part, rows in owners.items() if len(rows) == 1 or _is_crowd(part, rows) for one in rows]
    return [one for one in resources if one in alone]


def _is_crowd(part: str, rows: Sequence[Resource]) -> bool:
    return f"{part}s" in _CROWDS and len({stem(row.name) for row in rows}) == 1


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    size = len(part)
    return any(whole[at : at + size] == part for at in range(len(whole) - size + 1))


def role_of(resource: Resource) -> str:
    """What it is for."""
    return resource.specs.role or ROLE_OF_TYPE.get(normal(resource.type), normal(resource.type))


def software_of(resource: Resource) -> Sequence[str]:
    """What runs on it."""
    return [name.lower() for name in (*(resource.specs.software or ()), resource.specs.engine or "") if name]


def definite_others(heard: Heard, resources: Sequence[Resource]) -> list[str]:
    """What is spoken of as if it were there, and is none of these: "the database"."""
    known, articles = _known(resources), phrases("sentences")["definite"]
    return [
        " ".join(heard.words[at:end])
        for at, end, sense in spots_of(heard)
        if at and sense[0] in ("role", "software") and sense not in known and (heard.words[at - 1],) in articles
    ]
