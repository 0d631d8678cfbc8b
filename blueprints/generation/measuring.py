"""What is said of a value: that it is of each, in total, or of all; what is only ruled out does not count."""

from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.sharing import SIZES
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_FAR = 80
"""Farther away in one sentence, nothing is about a value any more."""
_PER = ("per", "pro", "par", "por")
_MARKS = ("each", "total", "all")


def mark(walk: Walk) -> str:
    """each, total or all, whichever is said of this value: what follows it, or else what came before."""
    following = walk.elements[walk.position + 1 : walk.position + 3]
    if len(following) > 1 and isinstance(following[1], Phrase) and _is_per(following[0], following[1]):
        return "each"
    before = walk.elements[walk.position - 1] if walk.position else None
    if isinstance(before, Token) and (said := _mark_of(walk, before)):  # "insgesamt 30 TB und je 64 GB"
        return said
    if (behind := marks_behind(walk)) and not (_is_of_the_next(walk) and _mark_before(walk) == "total"):
        return "total" if "total" in behind and "each" not in behind else behind[0]
    return _mark_before(walk)


def _is_of_the_next(walk: Walk) -> bool:
    """ "96 GB and 24 cores in total, per node 500 GB": a mark behind a comma and before a size is that of the size."""
    ahead = [kind_of(element) for element in walk.elements[walk.position + 1 :][:_FAR]]
    place = next((n for n, kind in enumerate(ahead) if kind in _MARKS), 0)
    return (
        place > 0
        and ahead[place - 1] == "comma"
        and ahead[place + 1 : place + 2] in ([kind] for kind in (*SIZES, "size"))
    )


def _is_per(before: Element, noun: Phrase) -> bool:
    """ "8 GB for each server", "100 GB per web server"."""
    return noun.has("each") or (isinstance(before, Token) and before.text.lower() in _PER and noun.count is None)


def _mark_before(walk: Walk) -> str:
    near = _near(walk)[0]
    for place, element in reversed([*enumerate(near)]):
        if isinstance(element, Phrase):
            return "each" if element.has("each") else "all" if element.has("all") and element.count is None else ""
        if element.value == "but" or element.kind == "host":
            return ""
        if element.kind == "total" and _sums_up_machines(near, place):
            continue
        if (said := _mark_of(walk, element)) and not _is_refused(near, place):
            return said
    return "total" if not walk.here and _is_all_in_total(walk) else ""


def _sums_up_machines(elements: list[Element], place: int) -> bool:
    """ "eight VMs in total, 4 GB": how many machines, and no total of sizes."""
    before, after = elements[place - 1 : place] if place else [], elements[place + 1 : place + 2]
    is_counted = bool(before) and isinstance(before[0], Phrase) and before[0].insists
    return is_counted and bool(after) and isinstance(after[0], Token) and after[0].kind == "comma"


def _is_refused(elements: list[Element], place: int) -> bool:
    """ "per node, not for the cluster": a mark that is only named to be ruled out."""
    back = place - 1
    while back >= 0 and isinstance(element := elements[back], Token) and element.kind in ("word", "join", "definite"):
        back -= 1
    return back >= 0 and isinstance(element := elements[back], Token) and element.kind == "without"


def _near(walk: Walk) -> tuple[list[Element], list[Element]]:
    """What stands before and behind, as far as it matters."""
    return walk.elements[max(0, walk.position - _FAR) : walk.position], walk.elements[walk.position :][:_FAR]


def _is_all_in_total(walk: Walk) -> bool:
    """A total is said somewhere, and nothing of each."""
    before, behind = _near(walk)
    return {_mark_of(walk, e) for e in (*before, *behind) if isinstance(e, Token)} & {"each", "total"} == {"total"}


def marks_behind(walk: Walk) -> list[str]:
    """The marks between this value and the next noun, or the next value of its kind; "… and all of them" is something else."""
    here, found, before = walk.elements[walk.position], list[str](), ""
    for place in range(walk.position + 1, min(walk.position + _FAR, len(walk.elements))):
        element = walk.elements[place]
        if isinstance(element, Phrase):
            found += ["each"] if not found and _is_each_of(walk, place) else []
            break
        if isinstance(here, Token) and element.kind in (here.kind, "host"):
            break
        said = _mark_of(walk, element)
        is_of_the_next = bool(found) and element.kind in (*SIZES, "size")  # "24 TB in equal parts, 16 GB each"
        if is_of_the_next or (said == "all" and before == "and"):
            break
        found += [said] if said and not _is_refused(walk.elements, place) else []
        before = str(element.value)
    return found


def _is_each_of(walk: Walk, place: int) -> bool:
    """ "64 GB of RAM and 16 cores on every machine", "… for every node": nothing but values between."""
    noun = walk.elements[place]
    between = {e.kind for e in walk.elements[walk.position + 1 : place] if isinstance(e, Token)}
    is_every = isinstance(noun, Phrase) and (noun.is_machine or noun.is_member) and noun.has("each")
    return is_every and between <= {*SIZES, "size", "join"}


def _mark_of(walk: Walk, token: Token) -> str:
    """ "together" is a total of several, and one machine for single ones."""
    if token.kind == "together" and (walk.focus is None or (walk.focus.count or 1) > 1):
        return "total"
    return token.kind if token.kind in _MARKS else ""
