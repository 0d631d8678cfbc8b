"""Numbers and values that are handed out in order: "nginx, redis and postgres with 1, 2 and 8 GB respectively"."""

import re
from collections.abc import Iterator
from dataclasses import replace

from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import kind_of

_WORDS = ("respectively", "respectivement", "respectivamente", "rispettivamente", "beziehungsweise", "resp", "bzw")
_SIZES = ("cpu", "memory", "disk", "size")
_VALUES = (*_SIZES, "vlan", "ip", "cidr", "os")
Run = list[Token]


def shared_out(elements: list[Element]) -> list[Element]:
    """The sentence with each number given to its noun, when there are as many numbers as nouns."""
    if not any(map(_is_respectively, elements)):
        return _elliptic(elements)
    nouns = [e for e in elements if isinstance(e, Phrase) and not _is_plain(e)]
    if len(nouns) > 1 and (runs := _runs_of(elements, len(nouns))):
        return _values_given(elements, nouns, runs)
    for number in (_number_of_hosts(elements), *_numbers_of_machines(elements)):
        if number > 1 and (runs := _runs_of(elements, number)):
            return _handed_to_hosts(elements, runs)
    return _counts_given(elements, [noun for noun in nouns if not noun.insists])


def _elliptic(elements: list[Element]) -> list[Element]:
    """ "ash, birch and cedar with 4, 8 and 16 GB": so many sizes of which only the last has a unit are for one each."""
    for number in (_number_of_hosts(elements), *_numbers_of_machines(elements)):
        runs = [run for run in _runs_of(elements, number) if _is_in_one_unit(elements, run)] if number > 1 else []
        if runs:
            return _handed_to_hosts(elements, runs)
    return elements


def _is_in_one_unit(elements: list[Element], run: Run) -> bool:
    """ "4, 8 and 16 GB"."""
    before = elements[elements.index(run[-1]) - 1]
    is_joined = isinstance(before, Token) and before.value == "and"
    return is_joined and {token.kind for token in run[:-1]} == {"number"} and run[-1].kind in _SIZES


def _numbers_of_machines(elements: list[Element]) -> list[int]:
    """ "two database servers" are two."""
    return [int(e.count.value) for e in elements if isinstance(e, Phrase) and e.insists and e.count is not None]


def _number_of_hosts(elements: list[Element]) -> int:
    """ "pg-s, pg-m and pg-l" are three."""
    return sum(len(e.value) for e in elements if isinstance(e, Token) and e.kind == "host")


def _is_respectively(element: Element) -> bool:
    return isinstance(element, Token) and element.text.lower() in _WORDS


def _is_plain(noun: Phrase) -> bool:
    """ "servers", "nodes": nothing that is named."""
    return noun.is_machine or noun.is_member


def _runs_of(elements: list[Element], length: int) -> list[Run]:
    """Those with as many values as there are nouns."""
    return [run for run in _runs(elements) if len(run) == length]


def _counts_given(elements: list[Element], nouns: list[Phrase]) -> list[Element]:
    """ "web, app and database tiers with 2, 3 and 1 servers respectively"."""
    counted = [e for e in elements if isinstance(e, Phrase) and _is_plain(e) and e.insists]
    numbers = [n for n in map(_number, elements) if n is not None]
    if not nouns or len(nouns) != len(numbers):
        return elements
    for noun, number in zip(nouns, numbers, strict=True):
        noun.count = number
    return [e for e in elements if e not in counted and e not in numbers]


def _number(element: Element) -> Token | None:
    if isinstance(element, Phrase):
        return element.count if element.insists and _is_plain(element) else None
    return element if element.kind == "number" else None


def _runs(elements: list[Element]) -> Iterator[Run]:
    """Values one after the other: "1, 2 and 8 GB", "VLAN 10 and 20"."""
    run: Run = []
    for place, element in enumerate(elements):
        if isinstance(element, Token) and (element.kind in _VALUES or element.kind == "number"):
            if run and (elements[place - 1] is run[-1] or not _are_alike(run[-1], element)):
                yield run
                run = []
            run.append(element)
        elif isinstance(element, Phrase) or not (element.kind == "comma" or element.value in ("and", "bzw")):
            yield run
            run = []
    yield run


def _are_alike(one: Token, other: Token) -> bool:
    return one.kind == other.kind or "number" in (one.kind, other.kind)


def _values_given(elements: list[Element], nouns: list[Phrase], runs: list[Run]) -> list[Element]:
    """Each noun followed by its values."""
    runs = [_in_one_unit(run) for run in runs if any(token.kind != "number" for token in run)]
    taken = {token.start for run in runs for token in run}
    found: list[Element] = []
    for element in elements:
        if isinstance(element, Phrase):
            values = [run[nouns.index(element)] for run in runs] if element in nouns else []
            found += [element, *values]
        elif element.start not in taken:
            found.append(element)
    return found


def _handed_to_hosts(elements: list[Element], runs: list[Run]) -> list[Element]:
    """ "pg-s, pg-m and pg-l with 100, 200 and 400 GB": one token with a value for each of those that were named."""
    found = list(elements)
    for run in runs:
        if all(token.kind == "number" for token in run):
            continue
        values = _in_one_unit(run)
        place = next(n for n, e in enumerate(found) if e.start == run[0].start)
        found = [e for e in found if isinstance(e, Phrase) or e.start not in {token.start for token in run}]
        shared = run[0].become("shared", values, until=run[-1])
        last = max((n for n, e in enumerate(found) if kind_of(e) == "host"), default=-1)
        if last >= place:  # "with 4 and 8 GB, called alpha and beta"
            place, shared = last + 1, replace(shared, start=found[last].end, end=found[last].end)
        found.insert(place, shared)
    return found


def _in_one_unit(run: Run) -> Run:
    """Bare numbers are what the value beside them is."""
    typed = next(token for token in reversed(run) if token.kind != "number")
    unit = _unit(typed)
    return [token if token.kind != "number" else token.become(typed.kind, int(token.value * unit)) for token in run]


def _unit(token: Token) -> int:
    number = re.search(r"[0-9]+(?:[.,][0-9]+)?", token.text)
    if token.kind not in _SIZES or number is None:
        return 1
    return int(token.value / float(number[0].replace(",", ".")))
