"""Those who get machines of their own: "24 pupils, one VM each", "one for each of our five offices", "a database for every
country: Austria, Belgium and Denmark"."""

from blueprints.generation.facts import Group, rule
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_STEM = 5
"""So many letters tell that "developer" is one of the "4 developers"."""
_PER = ("per", "pro", "par", "por", "for each", "je")
_FAR = 60
_MOST_BEFORE = 8
_OF_EACH = {"definite", "part", "join", "word", "number", "own"}


def stem_of(word: str) -> str:
    return word[:_STEM].rstrip("s")


def are_of_each(walk: Walk) -> bool:
    """ "every one of my 18 students"."""
    before = walk.kinds_before(5)
    between = before[: before.index("each")] if "each" in before else ["none"]
    return set(between) <= _OF_EACH


def counted(walk: Walk, word: str, number: int) -> None:
    """ "one machine for each of our five offices", "each of my 18 students gets a VM"."""
    walk.numbers[stem_of(word)] = number
    if walk.link == "for" and walk.in_focus is not None and walk.in_focus.count in (None, 1):
        _multiply(walk.in_focus, number)
    else:
        walk.times = number


def says_again(walk: Walk, token: Token) -> bool:
    """ "fifteen containers, one per student": those that were counted already, and no more of them."""
    ahead = walk.elements[walk.position + 1 : walk.position + 4]
    is_set_off = walk.kinds_before(1) in (["comma"], ["dash"], ["open"])
    counted = walk.in_focus.count if walk.in_focus else None
    if token.value != 1 or not is_set_off or (counted or 1) < 2 or not ahead or isinstance(ahead[0], Phrase):
        return False
    is_each = [kind_of(element) for element in ahead] == ["join", "each", "word"]
    if not is_each and (ahead[0].text.lower() not in _PER or walk.kinds_after(2) != ["join", "word"]):
        return False
    walk.named_until = max(walk.named_until, ahead[2 if is_each else 1].end)
    return True


def word(walk: Walk, token: Token) -> None:
    """A word of no meaning may be what is counted: "24 pupils", "for each pupil", "pro Schüler"."""
    stem, before = stem_of(token.value), walk.elements[walk.position - 1] if walk.position else None
    if isinstance(before, Token) and before.kind == "number":
        walk.numbers[stem] = int(before.value)
        _multiply(walk.per.pop(stem, None), int(before.value))
        if _ends_with_each(walk.elements[walk.position + 1 :][:_FAR]):
            walk.times = max(1, int(before.value))
        return
    is_each = _is_behind_each(walk)
    is_per = walk.kinds_before(1) == ["join"] and before is not None and walk.quote(before).text.lower() in _PER
    if (is_each or is_per) and walk.in_focus and (number := _number_of_listed(walk)):
        _multiply(walk.in_focus, number)
    elif walk.kinds_before(1) == ["each"]:
        _each_one(walk, stem)
    elif walk.kinds_before(1) == ["join"]:
        _for_one(walk, stem, is_per=is_per)


def _ends_with_each(ahead: list[Element]) -> bool:
    """ "four teams with two VMs each": what is counted behind them is for each of them."""
    end = next((n for n, e in enumerate(ahead) if isinstance(e, Token) and e.kind in ("each", "comma", "stop")), 0)
    is_each = end > 0 and isinstance(ahead[end], Token) and getattr(ahead[end], "kind", "") == "each"
    return is_each and isinstance(ahead[end - 1], Phrase)


def _is_behind_each(walk: Walk) -> bool:
    """ "for every country", "for each of the sites", "in each of our offices"."""
    before = walk.kinds_before(3)
    end = 2 if before[:1] == ["definite"] else 1
    return before[end - 1 : end + 1] == ["each", "join"]


def _number_of_listed(walk: Walk) -> int:
    """How many proper names are listed behind: ": Austria, Belgium and Denmark", ", that is Graz, Linz and Wels"."""
    ahead = walk.elements[walk.position + 1 :][:_FAR]
    start = next((n for n, element in enumerate(ahead[:_MOST_BEFORE]) if _is_name(element)), None)
    if start is None or any(_is_thing(element) for element in ahead[:start]):
        return 0
    names, is_open = 0, True
    for element in ahead[start:]:
        if _is_name(element):
            names, is_open = names + is_open, False
        elif not is_open and _is_between(element):
            is_open = True
        else:
            break
    return names if names > 1 else 0


def _is_name(element: Element) -> bool:
    return isinstance(element, Token) and element.kind == "word" and element.text[:1].isupper()


def _is_thing(element: Element) -> bool:
    return not isinstance(element, Token) or element.kind not in (
        "comma",
        "colon",
        "open",
        "word",
        "join",
        "definite",
        "dash",
    )


def _is_between(element: Element) -> bool:
    return isinstance(element, Token) and (element.kind == "comma" or element.value == "and")


def _each_one(walk: Walk, stem: str) -> None:
    """ "each pupil gets a VM", "a worker for every attendee"."""
    focus = walk.in_focus if walk.kinds_before(2) == ["each", "join"] and walk.link == "for" else None
    if stem in walk.numbers and focus and focus.count in (None, 1):
        _multiply(focus, walk.numbers[stem])
    elif stem in walk.numbers:
        walk.times = walk.numbers[stem]
    elif focus:
        walk.per[stem] = focus


def _for_one(walk: Walk, stem: str, *, is_per: bool) -> None:
    """ "one VM per pupil", "pro Schüler eine VM"; the number of pupils may be known or come later."""
    if walk.link == "for" and walk.focus and stem in walk.numbers:
        _multiply(walk.focus, walk.numbers[stem])
    elif is_per and walk.in_focus:
        walk.per[stem] = walk.in_focus
    elif is_per and not walk.here:
        walk.per_ahead = stem


def _multiply(group: Group | None, number: int) -> None:
    """ "one VM per student, 20 students"."""
    if group is not None:
        group.set("count", (group.count or 1) * number, rule(f"one for each of {number}"))
