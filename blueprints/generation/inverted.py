"""Clauses put in the usual order: "on a VM with 6 cores, Harbor", "three replicas follow one primary", "the six members of one
ScyllaDB cluster", "a VM, 6 cores, shared by Loki and Grafana"."""

import re

from blueprints.generation.lexicon import fold, words_of
from blueprints.generation.phrases import OF, Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.values import VALUE_KINDS

_VALUES = (*VALUE_KINDS, "comma", "join", "number", "article", "label", "word")
_OPENS = ("comma", "stop", "colon", "dash", "open", "close")
_MOST_WORDS = 6
_FAR = 20
_GUEST = re.compile(r"(?:vm|machine|maschine|container|conteneur|contenedor|lxc|box)$", re.IGNORECASE)
"""What several things share by running on it; those who share a database server only use it."""


def uninverted(elements: list[Element], text: str) -> list[Element]:
    """The sentence with each machine before what is said of it."""
    found = _with_members_counted(_with_primary_first(_divided(elements)))
    return _housed(_shared(found, text))


def _divided(elements: list[Element]) -> list[Element]:
    """ "Distribute 20 cores and 80 GB across …": what is handed out is a total."""
    first = elements[0] if elements else None
    is_said = isinstance(first, Token) and first.kind == "word" and fold(first.text) in words_of("dividing")
    has_value = any(isinstance(e, Token) and e.kind in ("cpu", "memory", "disk", "size") for e in elements[1:3])
    if not isinstance(first, Token) or not is_said or not has_value:
        return elements
    return [first.become("total", "total"), *elements[1:]]


def _with_primary_first(elements: list[Element]) -> list[Element]:
    """ "Three replicas should follow one MySQL primary": a primary with three replicas."""
    first = elements[0] if elements else None
    if not isinstance(first, Phrase) or not first.is_member or not first.insists:
        return elements
    end = next((n for n, e in enumerate(elements[1:_MOST_WORDS], 1) if isinstance(e, Phrase)), 0)
    verbs = [token for token in elements[1:end] if isinstance(token, Token)]
    primary = elements[end]
    if not isinstance(primary, Phrase) or primary.member != "primary" or not (primary.software or primary.role):
        return elements
    said = next((token for token in verbs if fold(token.text) in words_of("following")), None)
    return [primary, said.become("join", "with"), first, *elements[end + 1 :]] if said else elements


def _with_members_counted(elements: list[Element]) -> list[Element]:
    """ "the six members of one ScyllaDB cluster": one cluster, and six machines."""
    for place, noun in enumerate(elements[2:], 2):
        members, of = elements[place - 2], elements[place - 1]
        if not isinstance(noun, Phrase) or not isinstance(members, Phrase) or not _is_join(of, OF):
            continue
        is_one = noun.count is not None and noun.count.value == 1 and bool(noun.software)
        is_cluster = any(isinstance(e, Token) and e.text.lower() == "cluster" for e in elements[place + 1 : place + 2])
        if is_one and is_cluster and members.is_member and members.insists:
            noun.count = members.count
            return [*elements[: place - 2], noun, *elements[place + 1 :]]
    return elements


def _is_join(element: Element, words: tuple[str, ...]) -> bool:
    return isinstance(element, Token) and element.kind == "join" and element.text.lower() in words


def _shared(elements: list[Element], text: str) -> list[Element]:
    """ "One VM, 6 cores, shared by Loki and Grafana": what runs on it."""
    place = next((n for n, e in enumerate(elements) if isinstance(e, Token) and fold(e.text) in words_of("sharing")), 0)
    nouns = [e for e in elements[:place] if isinstance(e, Phrase)]
    if len(nouns) != 1 or nouns[0].software or not _GUEST.search(text[nouns[0].start : nouns[0].end]):
        return elements
    guests, end = _listed(elements, place + 1)
    is_one = nouns[0].count is None or nouns[0].count.value == 1
    if len(guests) < 2 or not is_one or not all(guest.software for guest in guests):
        return elements
    _move_in(nouns[0], guests)
    return [*elements[:place], *elements[end:]]


def _listed(elements: list[Element], start: int) -> tuple[list[Phrase], int]:
    """The bare names from here on, small words before them and "and" between, and the place behind."""
    guests: list[Phrase] = []
    end = start
    for place, element in enumerate(elements[start : start + _FAR], start):
        if isinstance(element, Phrase):
            if element.count is not None or element.kind:
                break
            guests.append(element)
            end = place + 1
        elif element.kind not in ("comma", "join", *(() if guests else ("word", "total"))):
            break
    return guests, end


def _is_one_machine(noun: Phrase) -> bool:
    """ "a VM", "one monitoring VM"; nothing that has its software already."""
    return bool(noun.kind) and not noun.software and (noun.count is None or noun.count.value == 1)


def _housed(elements: list[Element]) -> list[Element]:
    """ "…, on a dedicated VM with 6 cores and 12 GB, Harbor": a Harbor VM with 6 cores."""
    for place, element in enumerate(elements):
        if isinstance(element, Token) and element.kind == "join" and element.value == "on":
            home_at = _home(elements, place)
            guest_at = _guest(elements, home_at) if home_at else 0
            if home_at and guest_at and _opens(elements, place):
                _take(elements, home_at, guest_at)
                return [*elements[:place], *elements[home_at:guest_at], *_housed(elements[guest_at + 1 :])]
    return elements


def _home(elements: list[Element], place: int) -> int:
    """Where the one machine stands behind an "on"; 0 where none does."""
    end = place + 1
    while end < min(len(elements), place + 3) and isinstance(token := elements[end], Token):
        if token.kind not in ("definite", "word", "another"):
            return 0
        end += 1
    noun = elements[end] if end < len(elements) else None
    return end if isinstance(noun, Phrase) and noun.is_machine and _is_one_machine(noun) else 0


def _guest(elements: list[Element], home: int) -> int:
    """Where the name of what runs there stands: behind values of the machine, and with none of its own."""
    place = next((n for n, e in enumerate(elements[home + 1 :][:_FAR], home + 1) if isinstance(e, Phrase)), 0)
    between = [e for e in elements[home + 1 : place] if isinstance(e, Token)]
    guest = elements[place]
    is_bare = isinstance(guest, Phrase) and guest.count is None and not guest.kind and bool(guest.software)
    if not place or not is_bare or any(token.kind not in _VALUES for token in between):
        return 0
    has_values = any(token.kind in VALUE_KINDS for token in between)
    is_set_off = between[-1:] != [] and between[-1].kind == "comma"
    return place if (has_values and is_set_off) or _is_called(elements, home, between) else 0


def _is_called(elements: list[Element], home: int, between: list[Token]) -> bool:
    """ "zwei Kerne, 1 GB: in diesem Container soll Mosquitto laufen": the values stand before."""
    before = elements[:home]
    is_told = any(isinstance(e, Token) and e.kind == "colon" for e in before[-4:])
    has_values = any(isinstance(e, Token) and e.kind in VALUE_KINDS for e in before)
    is_new = not any(isinstance(e, Phrase) for e in before)
    return is_told and has_values and is_new and all(token.kind in ("word", "join") for token in between)


def _opens(elements: list[Element], place: int) -> bool:
    """The "on" begins a clause: "VLAN 5 on a VM" does not."""
    before = elements[place - 1] if place else None
    return before is None or (isinstance(before, Token) and (before.kind in _OPENS or before.value == "and"))


def _take(elements: list[Element], home: int, guest: int) -> None:
    noun, runs = elements[home], elements[guest]
    if isinstance(noun, Phrase) and isinstance(runs, Phrase):
        noun.role = runs.role
        _move_in(noun, [runs])


def _move_in(home: Phrase, guests: list[Phrase]) -> None:
    """The machine is what runs on it, and no longer one of something's own."""
    home.software = list(dict.fromkeys(name for guest in guests for name in guest.software))
    home.before = [token for token in home.before if token.kind not in ("own", "another")]
    home.is_definite = False
