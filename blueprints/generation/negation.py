"""What is not wanted, what exists already, and what would destroy something: how far a "no" reaches."""

import re
from collections.abc import Callable

from blueprints.generation import exceptions, refusals, replacing
from blueprints.generation.destroying import drops_something_in
from blueprints.generation.facts import Cause, Group
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_VALUES = ("cpu", "memory", "disk", "size", "os")
_MOST_WORDS_BETWEEN = 4
_REPLACE = ("replac", "ersetz", "remplac", "sustitu", "reempl", "sostitu")
_BY = ("by", "with", "durch", "mit", "par", "avec", "por", "con", "da")
_WANTING = (
    "want",
    "wants",
    "would",
    "like",
    "mochten",
    "wollen",
    "voulons",
    "voudrions",
    "queremos",
    "quisieramos",
    "vogliamo",
    "vorremmo",
)
"""What is said before may exist; what is said behind is to be built."""
_HARM = re.compile(
    r"(?:ever )?(?:be |go |take |bring |tear |knock )*(?:down|fail|lose|interrupt|affect|stop|break|harm|hurt|unavailable|offline|outage|ausfall|unterbr|tomber|s.arreter|caer|caerse|cadere|fermarsi)"
)
_SIZES = ("size", "memory", "disk")
_START = re.compile(
    r"(?:ever |even )?(?:be |go |come |get |bring |let |to )*(?:start|boot|launch|switch|turn|power|bring|up\b|demarr|lanc|arranc|inici|avvi)"
)
_FARTHEST_ORDER = 9
Reading = Callable[[Walk, Token], None]


def begin(walk: Walk, token: Token) -> None:
    if _is_answer(walk):
        _refuse_key(walk)
        return
    if exceptions.begins(walk, token):
        walk.link = "except"
        return
    if _keeps_apart(walk) or _governs_harm(walk) or drops_something_in(walk.elements[walk.position :], token):
        return
    walk.is_negated, walk.distance, walk.negated_from = True, 0, walk.position
    walk.is_replacing = fold(token.text).startswith(_REPLACE)


def _keeps_apart(walk: Walk) -> bool:
    """ "no two web servers on the same hypervisor": nothing is unwanted but that they stand together."""
    ahead = walk.elements[walk.position + 1 : walk.position + 5]
    place = next((n for n, e in enumerate(ahead) if isinstance(e, Token) and e.kind in ("together", "spread")), None)
    if place is None or not isinstance(ahead[0], Phrase) or not ahead[0].insists:
        return False
    if isinstance(together := ahead[place], Token):
        walk.elements[walk.position + 1 + place] = together.become("spread", "spread")
    ahead[0].count, ahead[0].is_definite = None, True
    return True


def _is_answer(walk: Walk) -> bool:
    """ "Backup: none", "back up neither"."""
    return walk.kinds_before(1) in (["colon"], ["backup"]) and walk.kinds_after(1) in (
        [],
        ["stop"],
        ["comma"],
        ["close"],
    )


def _refuse_key(walk: Walk) -> None:
    back = 2 if walk.kinds_before(1) == ["colon"] else 1
    key = walk.elements[walk.position - back] if walk.position >= back else None
    if isinstance(key, Phrase) and walk.focus in walk.here and walk.focus is not None:
        walk.request.excluded.update(key.software or [key.role])
        walk.drop(walk.focus)
    elif isinstance(key, Token) and key.kind in ("backup", "label"):
        (walk.in_focus.lacks if walk.in_focus and key.kind == "backup" else walk.request.excluded).add(str(key.value))
        walk.backup_token = None if key.kind == "backup" else walk.backup_token


def goes_on_at(walk: Walk, join: Token) -> bool:
    """ "no cache and no queue", "do not put it into a container"."""
    if ends_replacing(walk, join) or (
        join.value == "and" and walk.kinds_before(1) == ["backup"] and walk.kinds_after(1) == ["phrase"]
    ):
        return False
    return (
        join.value in ("and", "to", "with")
        or (join.value == "for" and _is_behind_machine(walk))
        or join.text.lower() == "be"
        or (join.value == "on" and _is_still_open(walk))
    )


def _is_behind_machine(walk: Walk) -> bool:
    """ "no second server for the database": nothing is built for it, which is no word against a database."""
    before = walk.elements[walk.position - 1] if walk.position else None
    return isinstance(before, Phrase) and before.is_machine


def _is_still_open(walk: Walk) -> bool:
    """ "Do not put it into a container": the noun that is not wanted is still to come."""
    return not any(isinstance(element, Phrase) for element in walk.elements[walk.negated_from : walk.position])


def _governs_harm(walk: Walk) -> bool:
    """ "must not take down our queue", "don't start it until …": says what has to hold, and takes nothing away."""
    following = walk.elements[walk.position + 1 : walk.position + 4]
    ahead = " ".join(fold(walk.quote(element).text) for element in following if isinstance(element, Token))
    if _HARM.match(ahead) is not None:
        return True
    return _START.match(ahead) is not None and _puts_after(walk)


def _puts_after(walk: Walk) -> bool:
    """ "don't start Zabbix before MySQL runs" is after; in "must not start before …" there is nothing to exclude."""
    ahead = walk.elements[walk.position + 1 :][:_FARTHEST_ORDER]
    place = next((n for n, e in enumerate(ahead) if isinstance(e, Token) and e.kind == "order"), 0)
    order = ahead[place] if ahead else None
    if not isinstance(order, Token) or [kind_of(e) for e in ahead[:place]].count("phrase") != 1:
        return False
    walk.elements[walk.position + 1 + place] = order.become("order", "after")
    return True


def begin_existing(walk: Walk, token: Token) -> None:
    """ "we already have Prometheus"; "the database is hosted elsewhere"."""
    group = walk.in_focus
    if token.value != "after":
        walk.is_existing = True
    elif group is not None and not group.has_sizes:
        walk.request.excluded.update(name for name in group.software or [group.role] if name)
        walk.drop(group)


def tells_who_asks(walk: Walk) -> bool:
    """ "We run a small museum: two web servers"; "Already there: two web servers" and "We run a cluster: …" say what there is."""
    before = walk.elements[: walk.position]
    place = next((n for n, e in enumerate(before) if kind_of(e) == "existing"), len(before))
    between = [kind_of(element) for element in before[place + 1 :]]
    return between[:1] == ["article"] and "word" in between and "phrase" not in between


def at_comma(walk: Walk) -> None:
    """A list of things that are not wanted goes on behind a comma, if nothing else begins there."""
    if not _is_list(walk.elements[walk.position + 1 : walk.position + 5]):
        walk.is_negated = False


def _is_list(following: list[Element]) -> bool:
    """ "…, cache or queue": bare nouns to the end."""
    kinds = [_kind(element) for element in following]
    is_last = kinds[1:2] == ["join"] and kinds[2:3] == ["noun"] and kinds[3:4] in ([], ["stop"], ["comma"])
    return kinds[:1] == ["noun"] and (is_last or kinds[1:3] == ["comma", "noun"])


def _kind(element: Element) -> str:
    if isinstance(element, Token):
        return element.kind
    return "noun" if element.count is None and not element.before else "phrase"


def ends_replacing(walk: Walk, token: Token) -> bool:
    """ "replace the old proxy by two Caddy servers": what comes behind is wanted."""
    return walk.is_replacing and token.text.lower() in _BY


def at_word(walk: Walk) -> None:
    word = walk.elements[walk.position]
    if isinstance(word, Token) and ends_replacing(walk, word):
        walk.is_negated = walk.is_replacing = False
    if isinstance(word, Token) and word.value in _WANTING:
        walk.is_existing = False
    walk.distance += 1
    if walk.distance > _MOST_WORDS_BETWEEN or _begins_anew(walk, word):
        walk.is_negated = False


def _begins_anew(walk: Walk, word: Element) -> bool:
    """ "Instead of Apache we use nginx"."""
    return (
        isinstance(word, Token) and word.value in ("we", "i", "wir", "ich", "nous", "je") and not _is_still_open(walk)
    )


def excludes(walk: Walk, token: Token) -> bool:
    """A single word that is not wanted: a system, a GPU, backups."""
    if token.kind == "os" and walk.kinds_after(2) == ["join", "without"] and not walk.is_negated:
        walk.request.excluded.add(str(token.value).split("-")[0])
        return True
    if walk.is_negated and token.kind in ("os", "label", "backup", "gpu", "ha"):
        lacking = walk.in_focus.lacks if walk.in_focus and token.value in ("gpu", "backup") else walk.request.excluded
        lacking.add(str(token.value).split("-")[0])
        if token.kind == "backup" and refusals.is_of_all_backups(walk) and not walk.is_amended(token):
            walk.request.defaults.lacks.add("backup")
        return True
    return walk.is_negated and (token.kind == "cpu" or (token.kind in _SIZES and walk.kinds_before(1) == ["without"]))


def unless_excluded(reading: Reading) -> Reading:
    def read(walk: Walk, token: Token) -> None:
        if not excludes(walk, token):
            reading(walk, token)

    return read


def excludes_phrase(walk: Walk, phrase: Phrase) -> bool:
    """Machines that are not wanted, or not to be made because they exist."""
    if not walk.is_negated and not walk.is_existing:
        return False
    if walk.is_negated and phrase.insists and walk.distance > 1:
        walk.is_negated = False
        return False
    if replacing.is_replaced(walk, phrase) or (walk.is_negated and walk.link == "for"):
        return True
    names = phrase.software or [phrase.role] if phrase.role or phrase.software else [_guest(phrase.kind)]
    is_there = walk.is_existing or walk.is_replacing or phrase.has("existing")
    _drop_what_is_taken_back(walk, phrase)
    left_out = walk.request.existing if is_there and not phrase.software else walk.request.excluded
    left_out.update(name for name in names if name)
    if phrase.is_member:
        walk.request.excluded.add(phrase.member)
    if phrase.role == "kubernetes":
        walk.request.excluded.add("kubernetes")
    walk.distance = 0
    return True


def _drop_what_is_taken_back(walk: Walk, phrase: Phrase) -> None:
    """ "PS: forget the Redis": described before, and no contradiction."""
    if not walk.is_negated or phrase.is_machine or phrase.is_member or walk.is_replacing:
        return
    sign = walk.elements[walk.negated_from]
    is_to_forget = isinstance(sign, Token) and refusals.is_to_forget(sign)
    for group in list(walk.request.groups):
        is_it = bool(set(phrase.software) & set(group.software)) if phrase.software else group.role == phrase.role
        if is_it and group.sentence < walk.sentence and (is_to_forget or walk.amends(phrase, _named(group))):
            walk.drop(group)


def _named(group: Group) -> Cause | None:
    """Where a group was named first."""
    return next((group.causes[name] for name in ("software", "role") if name in group.causes), None)


def _guest(kind: str) -> str:
    return "container" if kind == "lxc" else "vm" if kind == "vm" else ""
