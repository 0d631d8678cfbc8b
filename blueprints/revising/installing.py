"""Programs on machines that are there: "install docker on the web servers", "the app needs Java 17", "fail2ban everywhere"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from blueprints.generation.lexicon import fold, ordinary_words, software_facts
from blueprints.revising import matching
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import is_whole, listed, nth, stems, which
from blueprints.revising.clauses import Clause
from blueprints.revising.hearing import Heard, phrases, senses_in, spots_of
from blueprints.revising.matching import meant
from blueprints.revising.placing import place
from blueprints.revising.properties import properties
from blueprints.revising.said import said_values
from blueprints.revising.setting import SIZES, give
from blueprints.revising.swapping import exchange
from blueprints.schema import Resource

_READY = frozenset({"", "add", "more", "install", "swap"})
_NAME = re.compile(r"[A-Za-z][\w.+-]*")
_RUNTIMES = frozenset({"docker", "podman", "docker-compose"})


@dataclass(frozen=True)
class Wish:
    """What is to run, known programs and packages, and the words that say where."""

    programs: Sequence[str]
    packages: Sequence[str]
    where: Heard

    @property
    def told(self) -> str:
        """All of it."""
        return ", ".join([*self.programs, *self.packages])


def installed(draft: Draft, clause: Clause) -> str | None:
    """Let machines run something more; None where no program is spoken of that belongs on one."""
    heard = clause.phrases[0]
    if clause.verb not in _READY or heard.makes_something:
        return None
    wish = _wished(draft, heard)
    if wish is None:
        return None
    found = _machines(draft, heard, wish)
    if not found or is_whole(draft, wish.where, found):
        return _asked(draft, heard, wish)
    if not _belongs(draft, heard, wish, found):
        return None
    for resource in found:
        _install(draft, resource, wish, heard)
    if (said := said_values(heard.text, heard.start)).values.keys() & {*SIZES}:
        return give(draft, found, replace(said, properties=()))
    already = _("%(names)s: %(what)s already.") % {"names": listed(found), "what": wish.told}
    return "" if draft.changes else already


def _wished(draft: Draft, heard: Heard) -> Wish | None:
    """What stands before "on", or behind "needs"; a package only where somebody says to install it."""
    begin, end = _reach(heard)
    spots = [(at, to, value) for at, to, (kind, value) in spots_of(heard) if kind == "software" and begin <= at < end]
    programs = list(dict.fromkeys(value for _, _, value in spots))
    packages = _packages(heard.part(begin, end)) if heard.has("operations", "install") and not programs else []
    if not (programs or packages):
        return None
    return Wish(programs, packages, _without(heard, spots))


def _without(heard: Heard, spots: Sequence[tuple[int, int, str]]) -> Heard:
    """The rest of the words: where it is to run."""
    taken = {at for first, last, _ in spots for at in range(first, last)}
    words = tuple(word for at, word in enumerate(heard.words) if at not in taken)
    text = heard.text
    for first, last, _value in reversed(spots):
        part = heard.part(first, last)
        begin = part.start - heard.start
        text = text[:begin] + text[begin + len(part.text) :]
    return Heard(text, words, heard.language, heard.start)


def _reach(heard: Heard) -> tuple[int, int]:
    """Between which words the programs stand; nowhere where the words put nothing on anything."""
    needing, serving, onto = (_first(heard, name) for name in ("needing", "serving", "onto"))
    if needing is not None:
        return needing + 1, len(heard.words)
    if serving is not None and heard.has("sentences", "using"):
        return 0, serving
    installs = heard.has("operations", "install")
    if not (installs or heard.has("sentences", "moving") or heard.has("operations", "add")):
        return 0, 0
    return 0, onto if onto is not None else len(heard.words) if installs or heard.has("everything", "all") else 0


def _first(heard: Heard, name: str) -> int | None:
    """Where the first of these words ends; of a place, something stands before it."""
    least = 0 if name == "needing" else 1
    found = [(_at(heard, phrase, least), len(phrase)) for phrase in phrases("sentences")[name]]
    return min((at + size - 1 for at, size in found if at is not None), default=None)


def _at(heard: Heard, phrase: tuple[str, ...], least: int) -> int | None:
    size = len(phrase)
    places = range(least, len(heard.words) - size + 1)
    return next((at for at in places if heard.words[at : at + size] == phrase), None)


def _packages(heard: Heard) -> list[str]:
    """Names that no word of the vocabulary is."""
    known = ordinary_words() | {word for phrase in phrases("operations")["install"] for word in phrase}
    rows = (name for name in _NAME.findall(heard.text) if fold(name) not in known)
    return [name.lower() for name in rows if not any(senses_in(Heard(name, (fold(name),), heard.language)))]


def _machines(draft: Draft, heard: Heard, wish: Wish) -> list[Resource]:
    """Where it is to run: what is named, "it", everything, or the only kind that there is."""
    found = _counted(meant(wish.where, draft.resources), wish.where)
    if found or matching.names_other(wish.where, draft.resources):
        return found
    if not (wish.where.has("sentences", "pronouns") or heard.has("operations", "install")):
        return []
    return [one for one in draft.machines if one.name in draft.recent] or draft.machines


def _counted(found: list[Resource], where: Heard) -> list[Resource]:
    """Those of "the second web server"; all of them where none is counted."""
    if not where.ordinals or len(stems(found)) != 1:
        return found
    return [one for position in where.ordinals for one in nth(found, position, 1)]


def _asked(draft: Draft, heard: Heard, wish: Wish) -> str | None:
    """On which machines, where "it" is said of several kinds, or nothing of where; None where it may be a machine of its own."""
    is_it = wish.where.has("sentences", "pronouns") or heard.has("operations", "install")
    is_it |= _first(heard, "needing") is not None and not _is_machine(wish)
    is_other = matching.names_other(wish.where, draft.resources)
    if is_other or not is_it or (_is_machine(wish) and not heard.has("operations", "install")):
        return None
    return which(draft, _("On what shall %(programs)s be installed?") % {"programs": wish.told})


def _is_machine(wish: Wish) -> bool:
    """Whether a program is usually a machine of its own: a database is, Docker and Java are not."""
    return any(not _is_beside(name) for name in wish.programs)


def _is_beside(name: str) -> bool:
    facts = software_facts(name)
    return name in _RUNTIMES or bool(facts.get("addon") or facts.get("runtime") or not facts.get("role"))


def _belongs(draft: Draft, heard: Heard, wish: Wish, found: Sequence[Resource]) -> bool:
    """Who says where puts it there; what somebody only needs may be a machine of its own."""
    is_put = _first(heard, "needing") is None and not heard.has("sentences", "using")
    return is_put or all(_is_beside(name) or _fits(name, one) for name in wish.programs for one in found)


def _fits(name: str, resource: Resource) -> bool:
    """Whether the program does what the machine is for."""
    facts = software_facts(name)
    return matching.role_of(resource) in (facts.get("role"), *facts.get("plays", ()))


def _install(draft: Draft, resource: Resource, wish: Wish, heard: Heard) -> None:
    """Beside what it runs, or in the place of what does the same."""
    runs = list(matching.software_of(resource))
    new = [name for name in wish.programs if name not in runs]
    kept = _kept_beside(runs, new)
    gone = [name for name in runs if name not in kept]
    if len(new) == len(gone) == 1:
        exchange(draft, resource, gone[0], new[0])
    elif new:
        draft.set_sizes(resource, {"software": [*kept, *new]})
    _install_packages(draft, resource, wish.packages)
    for one in properties(heard) if len([*kept, *new]) <= 1 else ():
        if one.key == "version":
            place(draft, resource, one)


def _kept_beside(runs: Sequence[str], new: Sequence[str]) -> list[str]:
    """What stays where the new programs come: all that does not do the same."""
    roles = {software_facts(name).get("role") for name in new if not _is_beside(name)}
    return [name for name in runs if _is_beside(name) or software_facts(name).get("role") not in roles]


def _install_packages(draft: Draft, resource: Resource, packages: Sequence[str]) -> None:
    before = list(resource.specs.packages or ())
    if further := [name for name in packages if name not in before]:
        what = _("with the package %(names)s") % {"names": ", ".join(further)}
        draft.put(resource, "packages", [*before, *further], what)
