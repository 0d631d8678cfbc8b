"""Shares of machines that were counted: "eight VMs, half with 8 GB, the other half with 16", "all but one of the five", "five
nodes: three have 8 GB and two have 16". Every share becomes a number "of them", or the rest."""

from decimal import Decimal

from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, fractions, words_of
from blueprints.generation.phrases import OF, Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.values import VALUE_KINDS

_BEFORE = ("article", "definite", "another", "rest")
_LEADS = ("with", "on", "for", "as", "is")
_SIZED = (*VALUE_KINDS, "number")
_SIZES = ("size", "memory", "cpu", "disk", "spec")
_NEAR_VALUE = 3
_ALL_BUT = 3
_MOST_BEFORE = 3
_MINUS = ("menos", "meno", "moins", "minus")
_PER = ("per", "pro", "par", "por", "je")
_FAR = 7
_STEM = 5


def apportioned(elements: list[Element], before: Group | None) -> list[Element]:
    """The sentence with its shares as numbers of those counted in it, or in the sentence before."""
    found: list[Element] = []
    whole = int(before.count) if before and before.count and not before.replicas else 0
    has_fraction, place = False, 0
    while place < len(elements):
        element = elements[place]
        if isinstance(element, Phrase):
            whole = _number(element) if element.insists else whole
        share, end = _share(elements, place, whole, goes_on=has_fraction)
        has_fraction |= bool(share)
        found += share or [element]
        place = end if share else place + 1
    return _marked(_with_verbs([e for n, e in enumerate(found) if not _is_more(found, n)]), whole)


def _with_verbs(elements: list[Element]) -> list[Element]:
    """ "six VMs, two of them databases and the others web servers": as if it said that they are."""
    found: list[Element] = []
    is_plain = False
    for element in elements:
        if not isinstance(element, Phrase):
            found.append(element)
            continue
        first = _token(element)
        if is_plain and element.is_part and element.count is not None and (element.role or element.software):
            found += [element.count, first.become("part", "of"), first.become("join", "is")]
            element.count, element.before = None, [token for token in element.before if token.kind != "part"]
        elif is_plain and element.count is None and found and _token(found[-1]).kind == "rest":
            found.append(first.become("join", "is"))
        is_plain = element.is_machine if element.insists else is_plain
        found.append(element)
    return found


def _is_more(elements: list[Element], place: int) -> bool:
    """ "two more for Nomad", "zwei weitere für Nomad": a number of machines, whatever was counted before."""
    word, around = elements[place], (elements[place - 1] if place else None, *elements[place + 1 : place + 2])
    if len(around) < 2 or not all(isinstance(e, Token) for e in (word, *around)):
        return False
    number, join = _token(around[0] or word), _token(around[1] or word)
    is_more = _token(word).kind == "another" or _token(word).text.lower() == "more"
    return is_more and number.kind == "number" and join.kind == "join" and join.value in ("for", "with")


def _share(elements: list[Element], place: int, whole: int, *, goes_on: bool) -> tuple[list[Element], int]:
    """What stands for the share that begins here, and the place behind it."""
    for reading in (_all_but, _fraction, _some_of, _per_place):
        share, end = reading(elements, place, whole)
        if share:
            return share, end
    return _other(elements, place) if goes_on else ([], place)


def _fraction(elements: list[Element], place: int, whole: int) -> tuple[list[Element], int]:
    """ "half of them", "ein Drittel mit", "the remaining two thirds"."""
    times, end = Decimal(1), _behind_determiners(elements, place)
    is_rest = any(map(_is_other, elements[place:end]))
    if _is_number(elements[end : end + 1]) and _part_of_one(elements[end + 1 : end + 2]):
        times, end = Decimal(getattr(elements[end], "value", 1)), end + 1
    one = _part_of_one(elements[end : end + 1])
    end += 1
    if not one:
        return [], place
    if noun := _of_counted(elements[end : end + _FAR]):
        return _named_behind(elements, place, noun, _rounded(times * one * _number(noun)))
    if not _goes_on(elements[end : end + _FAR], with_values=True):
        return [], place
    return (_rest(elements[place]) if is_rest else _of_them(elements[place], _rounded(times * one * whole))), end


def _all_but(elements: list[Element], place: int, whole: int) -> tuple[list[Element], int]:
    """ "all but one with 16 GB", "tous sauf un", "all but two of the ten VMs"."""
    three = elements[place : place + _ALL_BUT]
    if len(three) < _ALL_BUT or isinstance(three[0], Phrase) or three[0].kind != "all" or not _is_except(three[1]):
        return [], place
    end = place + _ALL_BUT
    if not isinstance(three[2], Token) or three[2].kind not in ("number", "article"):
        return [], place
    if noun := _of_counted(elements[end : end + _FAR]):
        return _named_behind(elements, place, noun, _number(noun) - int(three[2].value))
    share = (
        _of_them(three[0], whole - int(three[2].value))
        if _goes_on(elements[end : end + _FAR], with_values=True)
        else []
    )
    return share, end


def _is_except(element: Element) -> bool:
    is_except = isinstance(element, Token) and (element.kind == "without" or element.value == "but")
    return is_except or (isinstance(element, Token) and element.text.lower() in _MINUS)


def _some_of(elements: list[Element], place: int, whole: int) -> tuple[list[Element], int]:
    """ "three of the five web servers have 8 GB", "drei der fünf Webserver"."""
    first = elements[place]
    if isinstance(first, Token):
        noun = _of_counted(elements[place + 1 : place + 1 + _FAR]) if first.kind == "number" else None
        return _named_behind(elements, place, noun, int(first.value)) if noun else ([], place)
    numbers = [token for token in first.tokens if token.kind == "number"]
    if len(numbers) != 2 or first.tokens[:1] != numbers[:1] or not first.is_definite or not numbers[0].value:
        return [], place
    if numbers[0].value >= numbers[1].value or not _goes_on(elements[place + 1 : place + 1 + _FAR], with_values=True):
        return [], place
    first.tokens = first.tokens[first.tokens.index(numbers[0]) + 1 :]
    return [first, *_of_them(numbers[0], int(numbers[0].value))], place + 1


def _per_place(elements: list[Element], place: int, whole: int) -> tuple[list[Element], int]:
    """ "six brokers, two per rack in three racks": where those that were counted stand, and no more of them."""
    ahead = elements[place : place + _FAR]
    if not ahead or not all(isinstance(e, Token) for e in ahead[:4]):
        return [], place
    numbers = [n for n, e in enumerate(ahead) if isinstance(e, Token) and e.kind == "number" and n + 1 < len(ahead)]
    places = [n for n, e in enumerate(ahead) if isinstance(e, Token) and e.kind == "word"]
    if numbers[:1] != [0] or len(numbers) < 2 or not places or _token(ahead[1]).text.lower() not in _PER:
        return [], place
    unit, again = _token(ahead[places[0]]).text.lower(), _token(ahead[numbers[1] + 1]).text.lower()
    product = getattr(ahead[0], "value", 0) * getattr(ahead[numbers[1]], "value", 0)
    if again[:_STEM].rstrip("s") != unit[:_STEM].rstrip("s") or product != whole:
        return [], place
    end = place + numbers[1] + 2
    return [_token(elements[end - 1])], end


def _other(elements: list[Element], place: int) -> tuple[list[Element], int]:
    """ "half with 8 GB, the other with 16"."""
    end = _behind_determiners(elements, place)
    is_other = any(map(_is_other, elements[place:end])) and _token(elements[place]).kind != "rest"
    return (
        (_rest(elements[place]), end)
        if is_other and _goes_on(elements[end : end + _FAR], with_values=True)
        else ([], place)
    )


def _behind_determiners(elements: list[Element], place: int) -> int:
    """Where "the other", "die eine", "the remaining" end."""
    end = place
    while end < min(len(elements), place + _MOST_BEFORE) and _stands_before(elements[end]):
        end += 1
    return end


def _stands_before(element: Element) -> bool:
    return isinstance(element, Token) and (element.kind in _BEFORE or fold(element.text) in words_of("others"))


def _is_other(element: Element) -> bool:
    return isinstance(element, Token) and (
        element.kind in ("another", "rest") or fold(element.text) in words_of("others")
    )


def _is_number(elements: list[Element]) -> bool:
    return bool(elements) and isinstance(elements[0], Token) and elements[0].kind == "number"


def _part_of_one(elements: list[Element]) -> Decimal:
    """A half is 0.5; nothing for other words."""
    if not elements or isinstance(elements[0], Phrase):
        return Decimal(0)
    if elements[0].kind == "factor" and 0 < elements[0].value < 1:
        return Decimal(elements[0].value)
    parts = fractions().get(fold(elements[0].text)) if elements[0].kind == "word" else None
    return Decimal(1) / parts if parts else Decimal(0)


def _rounded(number: Decimal) -> int:
    """A share of machines is a whole number; zero for half of seven."""
    nearest = int(number + Decimal("0.5"))
    return nearest if abs(number - nearest) < Decimal("0.01") else 0


def _of_counted(following: list[Element]) -> Phrase | None:
    """ "of the eight VMs": the whole is counted behind its share."""
    noun = next((e for e in following[:3] if isinstance(e, Phrase)), None)
    if noun is None or not noun.insists or not isinstance(following[0], Token) or following[0].kind != "join":
        return None
    return noun if following[0].text.lower() in (*OF, "der") else None


def _named_behind(elements: list[Element], place: int, noun: Phrase, number: int) -> tuple[list[Element], int]:
    """The noun, and so many of them, when something is said of these."""
    end = elements.index(noun, place) + 1
    is_share = 0 < number < _number(noun) and _goes_on(elements[end : end + _FAR], with_values=True)
    return ([noun, *_of_them(elements[place], number)], end) if is_share else ([], place)


def _goes_on(following: list[Element], *, with_values: bool) -> bool:
    """What is said of a share: "of them", "with 8 GB", "get 8 GB", "in VLAN 10", "run nginx"."""
    if not following or isinstance(following[0], Phrase):
        return False
    first = following[0]
    if first.kind == "join" and first.text.lower() in OF:
        return any(isinstance(e, Token) and e.kind in VALUE_KINDS for e in following[1:2])
    if first.kind == "word":
        return first.value in words_of("holding") and _leads_to_value(following[1:])
    is_lead = first.kind == "join" and first.value in _LEADS
    return is_lead or first.kind == "part" or (with_values and first.kind in _SIZED)


def _leads_to_value(following: list[Element]) -> bool:
    return any(isinstance(e, Token) and e.kind in _SIZED for e in following[:_NEAR_VALUE])


def _number(noun: Phrase) -> int:
    return int(noun.count.value) if noun.count else 1


def _of_them(first: Element, number: int) -> list[Element]:
    """So many of those that were counted; nothing for a share that is no whole number."""
    if number < 1:
        return []
    token = _token(first)
    return [token.become("number", Decimal(number)), token.become("part", "of")]


def _rest(first: Element) -> list[Element]:
    return [_token(first).become("rest", "rest")]


def _token(element: Element) -> Token:
    return element.tokens[0] if isinstance(element, Phrase) else element


def _marked(elements: list[Element], whole: int) -> list[Element]:
    """Bare numbers that add up to the whole are of them: "five nodes: three have 8 GB and two have 16"."""
    shares = [place for place in range(len(elements)) if _is_share(elements, place)]
    number = sum(int(getattr(elements[place], "value", 0)) for place in shares)
    has_rest = any(isinstance(e, Token) and e.kind == "rest" for e in elements)
    adds_up = (number == whole and len(shares) > 1) or (has_rest and 0 < number < whole)
    if not adds_up:
        return elements
    marked: list[Element] = []
    for place, element in enumerate(elements):
        if place + 1 in shares and _token(element).kind == "rest":
            continue  # "the remaining nine"
        marked.append(element)
        if place in shares and not _is_of(elements[place + 1]):
            marked.append(_token(element).become("part", "of"))
    return [
        e
        for e, before in zip(marked, [None, *marked], strict=False)
        if not (before and _is_of(before) and _is_other(e))
    ]


def _is_of(element: Element) -> bool:
    return isinstance(element, Token) and element.kind == "part"


def _is_share(elements: list[Element], place: int) -> bool:
    """A number without a noun of which something is said."""
    element, following = elements[place], elements[place + 1 : place + 1 + _FAR]
    if not isinstance(element, Token) or element.kind != "number":
        return False
    following = following[1:] if following and _is_other(following[0]) else following
    is_named = bool(following) and isinstance(following[0], Token) and following[0].value in ("for", "as", "is")
    return not is_named and (_goes_on(following, with_values=False) or _is_sized(element, following))


def _is_sized(number: Token, following: list[Element]) -> bool:
    """ "drei 8 GB und zwei 16 GB": in letters, it can only count."""
    return number.text.isalpha() and any(isinstance(e, Token) and e.kind in _SIZES for e in following[:1])
