"""Names of machines and networks: given ("called alpha and beta", "VM 'orion'"), and spoken of later."""

import re

from blueprints.generation import sharing
from blueprints.generation.clock import INTERVAL
from blueprints.generation.facts import Cause, Group
from blueprints.generation.hostnames import means_nothing
from blueprints.generation.lexicon import fold, senses, words_of
from blueprints.generation.phrases import Phrase
from blueprints.generation.sharing import SIZES
from blueprints.generation.tokens import Token
from blueprints.generation.values import VALUE_KINDS
from blueprints.generation.walk import Walk
from blueprints.schema.names import guest_name

_QUOTES = "\"'„“”‘’«»"
_NAME = rf"[{_QUOTES}]?[A-Za-z0-9][A-Za-z0-9.-]*[{_QUOTES}]?"
_NAMES = re.compile(
    rf"[\s:]{{0,9}}(?P<all>{_NAME}(?:\s{{0,9}}(?:,\s{{0,9}}(?:and\s{{1,9}})?|\s(?:and|und|et|y|e|&)\s{{1,9}})"
    rf"(?!(?:one|two|three|has|have|gets|needs|runs|is|hat|bekommt|recoit|tiene|ha|a|an|the|die|der|das|den|dem|des|el|los|las|le|la|les|il|lo|i|gli|with|on|each|attach|put|both|all|eine?|une?|una|ein|mit|avec|con|je|auf|give|its?|\d+)\b){_NAME})*)"
)
_QUOTED = re.compile(rf"\s{{0,9}}[{_QUOTES}](?P<name>[A-Za-z0-9][A-Za-z0-9.-]*)[{_QUOTES}]")
_ITEM = re.compile(rf"[\s:=]{{0,9}}[{_QUOTES}]?(?P<name>[A-Za-z0-9][A-Za-z0-9.-]*)[{_QUOTES}]?")
_BEHIND_NAMES = re.compile(
    r"\s{0,9}(?:[(:]|,\s{0,9}(?:\d|each|je|jew|chac|cada|ciasc)|(?:with|each|mit|je|avec|con|at)\b)", re.IGNORECASE
)
_END = re.compile(r"\s{0,9}(?:$|[.;\n])|\s[a-z]{3,12}\s{0,9}(?:$|[.\n])", re.IGNORECASE)
_BETWEEN = re.compile(r"\s{0,9},\s{0,9}(?:and\s{1,9})?|\s{1,9}(?:and|und|et|y|e|&)\s{1,9}")


def given(walk: Walk, token: Token) -> None:
    """ "called alpha and beta": machines of their own, or the name of a network."""
    if walk.kinds_after(1) == ["host"] and not walk.is_network:
        walk.link = "named"
        return
    match = _NAMES.match(walk.text, token.end)
    said = _up_to_a_verb(_BETWEEN.split(match["all"])) if match else []
    found = [guest_name(name) for name in said]
    if not match or not all(found) or _is_no_name(walk.elements[walk.position + 1 :]):
        return
    if walk.focus is None and not (walk.is_network or walk.says("label") or _describes_a_network(walk)):
        walk.named_until = walk.text.index(said[-1], match.start("all")) + len(said[-1])
        walk.turn_to(*(_called(walk, name, _cause(match)) for name in found))
        return
    if walk.is_network or walk.focus is None:
        walk.request.network.set("network", found[0], walk.quote(token))
        walk.named_until = match.start("all") + len(said[0])
        return
    walk.is_naming = _is_said_of_one(walk, found)
    found = found[: walk.focus.count or len(found)]
    parts = said[: len(found)]
    walk.named_until = walk.text.index(parts[-1], match.start("all")) + len(parts[-1])
    _name(walk, walk.focus, found, _cause(match))


def _up_to_a_verb(said: list[str]) -> list[str]:
    """ "called hermes and gets 8 GB": what the machine has is no second name."""
    end = next((n for n, word in enumerate(said) if n and fold(word) in words_of("having_sizes")), len(said))
    return said[:end]


def _describes_a_network(walk: Walk) -> bool:
    """ "VLAN 77 becomes our iSCSI network. Call it iscsi-a": nothing but a network was spoken of so far."""
    has_network = any(group.vlan or group.subnet for group in (walk.request.defaults, walk.request.network))
    return has_network and not walk.request.groups


def _is_no_name(following: list[Token | Phrase]) -> bool:
    """ "the boss called every day"."""
    after = following[0] if following else None
    return isinstance(after, Token) and (after.kind in ("each", "schedule") or after.value == INTERVAL)


def _is_said_of_one(walk: Walk, found: list[str]) -> bool:
    """ "one called alpha", "the first is called tick": the others get their names one by one."""
    back = walk.position - 1 - (walk.kinds_before(1) == ["comma"])  # "one, called alpha, has 8 GB"
    if back >= 0 and len(found) == 1 and is_one(walk.elements[back]):
        sharing.begin_part(walk, 1, has_purpose=True)
    return len(found) == 1 and walk.focus is not None and walk.focus is walk.part


def is_one(element: Token | Phrase) -> bool:
    """ "one", "die eine"."""
    return isinstance(element, Token) and (
        element.kind == "article" or (element.kind == "number" and element.value == 1)
    )


def next_called(walk: Walk, following: list[Token | Phrase]) -> bool:
    """ "…, the other beta": a word of no meaning is the name of the next one, when the one before got its name so."""
    name = following[1] if len(following) > 1 else None
    is_last = len(following) < 3 or (isinstance(following[2], Token) and following[2].kind in ("comma", "stop", "join"))
    if not walk.is_naming or not isinstance(name, Token) or name.kind != "word" or not is_last:
        return False
    sharing.begin_part(walk, 1, has_purpose=True)
    if walk.focus is not None and (walk.focus.count or 1) == 1:
        walk.focus.set("name", guest_name(name.text), walk.quote(name))
        walk.named_until = name.end
    return True


def begins_another(walk: Walk, after: Token | None) -> bool:
    """ "a host called badger, and another called otter"."""
    focus = walk.focus
    if after is None or after.value != "named" or focus is None or not focus.name:
        return False
    walk.add(Group(kind=focus.kind, count=1, is_counted=True))
    return True


def _called(walk: Walk, name: str, cause: Cause) -> Group:
    """A machine of which only the name is known so far."""
    group = walk.add(Group(count=1, is_counted=True))
    group.set("name", name, cause)
    return group


def after_noun(walk: Walk, phrase: Phrase) -> None:
    """ "VMs lab-a and lab-b"."""
    match, focus = _NAMES.match(walk.text, phrase.end), walk.focus
    if match is None or focus is None or focus.name or not phrase.is_machine:
        return
    found = [guest_name(name) for name in _BETWEEN.split(match["all"])]
    if len(found) < 2 or not (all("-" in name for name in found) or _are_plain(walk, phrase, match)):
        return
    if all(found) and len(found) == (focus.count or len(found)) and walk.text[phrase.end : phrase.end + 1] == " ":
        walk.named_until = match.end("all")
        _name(walk, focus, found, _cause(match))


def _are_plain(walk: Walk, phrase: Phrase, match: re.Match[str]) -> bool:
    """ "VMs oak and elm with 4 GB": names that mean nothing, and a clause that ends or goes on behind them."""
    focus = walk.focus
    is_new = focus is not None and focus.is_generic and focus.sentence == walk.sentence and not focus.has_sizes
    behind = walk.text[match.end("all") :]
    is_clause = _BEHIND_NAMES.match(behind) is not None or (phrase.is_definite and _END.match(behind) is not None)
    return is_new and is_clause and all(means_nothing(name) for name in _BETWEEN.split(match["all"]))


def of_item(walk: Walk, token: Token) -> None:
    """ "- name: lb1": the first line of an item, or one of its lines."""
    if _describes_a_network(walk):
        given(walk, token)
        return
    if not walk.goes_on or walk.focus is None or walk.focus.name:
        walk.add(Group())
    match = _ITEM.match(walk.text, token.end)
    if match and walk.focus and guest_name(match["name"]):
        walk.focus.set("name", guest_name(match["name"]), Cause(match["name"], match.start("name"), match.end("name")))
        walk.named_until = match.end()


def listed(walk: Walk) -> None:
    """ "Three containers: huey, dewey and louie": as many words as machines."""
    focus, match = walk.focus, _NAMES.match(walk.text, walk.elements[walk.position].end)
    if focus is None or match is None or not focus.is_generic or not focus.count or focus.name:
        return
    parts = _BETWEEN.split(match["all"])
    if len(parts) == focus.count and not any((fold(part),) in senses() or part[0].isdigit() for part in parts):
        walk.named_until = match.end("all")
        _name(walk, focus, [guest_name(part) for part in parts], _cause(match))


def _cause(match: re.Match[str]) -> Cause:
    return Cause(" ".join(match["all"].split()), match.start("all"), match.end("all"))


def quoted(walk: Walk, phrase: Phrase) -> None:
    """ "VM 'orion'"."""
    match = _QUOTED.match(walk.text, phrase.end)
    focus = walk.focus
    if match and focus and not focus.name and (focus.count or 1) == 1:
        focus.set("name", guest_name(match["name"]), Cause(match["name"], match.start("name"), match.end("name")))
        walk.named_until = match.end()


def follows(walk: Walk, phrase: Phrase) -> bool:
    """Whether the phrase gives its machines a name."""
    following = walk.elements[walk.position + 1 : walk.position + 2]
    is_called = bool(following) and isinstance(following[0], Token) and following[0].value == "named"
    return is_called or _QUOTED.match(walk.text, phrase.end) is not None


def _name(walk: Walk, group: Group, found: list[str], cause: Cause) -> None:
    if len(found) == 1 and (group.count or 1) == 1:
        group.set("name", found[0], cause)
    elif len(found) >= (group.count or 1):
        copies = [_copy(group, name, cause) for name in found]
        place = walk.request.groups.index(group)
        walk.request.groups[place : place + 1] = copies
        walk.here = [g for g in walk.here if g is not group]
        walk.turn_to(*copies)


def _copy(group: Group, name: str, cause: Cause) -> Group:
    copy = Group(group.role, list(group.software), kind=group.kind, os=group.os, count=1, sentence=group.sentence)
    for size in SIZES:
        setattr(copy, size, getattr(group, size))
    copy.causes = {**group.causes, "name": cause}
    copy.name = name
    return copy


def spoken_of(walk: Walk, element: Token | Phrase) -> Group | None:
    """A group whose own name stands at this place, or is what a title like "VM 1" stands for."""
    for group in walk.request.groups:
        if group.name and isinstance(element, Token) and element.kind == "host" and element.value == (group.name,):
            walk.named_until = element.end
            return group
        end = element.start + len(group.name)
        if (
            group.name
            and walk.text[element.start : end].lower() == group.name
            and not walk.text[end : end + 1].isalnum()
        ):
            walk.named_until = end
            return group
    return None


def is_listed(walk: Walk) -> bool:
    """ "web01, web02 and db01"; in "web01 gets 2 GB, db01 8 GB" something else begins."""
    before = walk.kinds_before(2)
    is_joined = before[:1] in (["and"], ["comma"]) or walk.link == "and"
    return is_joined and not set(before[1:]) & {*VALUE_KINDS, "label", "phrase"}
