"""As many things as machines were counted: "three VMs for Gitea, Vault and Loki", "four servers: a web server with 2 GB, …"."""

from blueprints.generation import sharing
from blueprints.generation.facts import Group
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.walk import Walk

_FAR = 80
_ENDS = ("stop", "colon", "number", "rest")


def takes_one_of(walk: Walk, phrase: Phrase) -> bool:
    """Whether the phrase is one of the listed; it then takes a machine of those that were counted."""
    walk.apart = walk.apart or _listed(walk)
    if phrase not in walk.apart:
        return False
    walk.apart.remove(phrase)
    sharing.begin_part(walk, 1, has_purpose=True)
    if walk.focus is not None:
        walk.focus.general |= {name for name in sharing.SIZES if getattr(walk.focus, name) is not None}
    return True


def _listed(walk: Walk) -> list[Phrase]:
    """What is listed, when it is as many as the machines that were counted."""
    whole, ahead = walk.in_focus, walk.elements[walk.position :][:_FAR]
    if whole is None or whole.name or not whole.is_generic or whole.count in (None, 1):
        return []
    lists = [_plain(ahead)] if walk.link in ("colon", "for") else []
    lists += [_described(ahead)] if walk.link == "colon" or _opens_the_list(walk, whole) else []
    return next((listed for listed in lists if len(listed) == whole.count), [])


def _opens_the_list(walk: Walk, whole: Group) -> bool:
    """ "Two VMs, Redmine with 4 GB, MySQL with 8": names without an article, right behind those that are counted."""
    is_near = walk.kinds_before(2) == ["comma", "phrase"] and walk.here == [whole]
    return is_near and all(phrase.count is None for phrase in _described(walk.elements[walk.position :][:_FAR]))


def _plain(ahead: list[Element]) -> list[Phrase]:
    """Names with nothing but commas and "and" between them."""
    listed: list[Phrase] = []
    for element in ahead:
        if isinstance(element, Phrase):
            if element.insists or not (element.role or element.software):
                break
            listed.append(element)
        elif not (_is_between(element) or element.kind in ("word", "definite")):  # "our wiki software BookStack"
            break
    return listed


def _described(ahead: list[Element]) -> list[Phrase]:
    """The first noun of each item, whatever is said of it; nothing when an item is several machines, or a bare one."""
    listed: list[Phrase] = []
    before: list[Element] = []
    for element in ahead:
        if not isinstance(element, Phrase) and element.kind in _ENDS:
            break
        if isinstance(element, Phrase) and _begins_an_item(before, element, listed):
            if not _is_single(element):
                return []
            listed.append(element)
        before.append(element)
    return listed


def _begins_an_item(before: list[Element], phrase: Phrase, listed: list[Phrase]) -> bool:
    """ "…, a cache", and not the last name of "a web server with Apache and PHP"."""
    if not before or not _is_between(before[-1]):
        return not before
    inner = before[-2] if len(before) > 1 else None
    goes_on = isinstance(inner, Phrase) and inner not in listed and not _is_comma(before[-1])
    return not (goes_on and phrase.count is None)


def _is_comma(element: Element) -> bool:
    return not isinstance(element, Phrase) and element.kind == "comma"


def _is_single(phrase: Phrase) -> bool:
    return bool(phrase.role or phrase.software) and (phrase.count is None or int(phrase.count.value) == 1)


def _is_between(element: Element) -> bool:
    return not isinstance(element, Phrase) and (element.kind == "comma" or element.value == "and")
