"""Numbers that stand alone: "5 of them", "one for nginx", "24 pupils: one VM each", "memcached 6"."""

from blueprints.generation import (
    adding,
    attaching,
    context,
    elided,
    housing,
    kubernetes,
    names,
    negation,
    owners,
    sharing,
    uncounted,
)
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, receiving_words
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.values import VALUE_KINDS
from blueprints.generation.walk import Walk, kind_of

_TWICE = ("twice", "zweimal")
_COUNTING = ("with", "colon", "open", "is")
_IT = ("it", "they", "es", "ce", "c", "son", "sono")
_SINGLE = ("uno", "una", "eine", "einer", "einen", "einem", "eins", "une", "un")
_PER = ("per", "pro", "par", "por", "al")
_BEGINS_PART = ("for", "with", "as", "is", "on")


def number(walk: Walk, token: Token) -> None:
    """A number without a noun: the first reading that fits."""
    after = _after(walk)
    if uncounted.is_meant(walk, token):
        return
    if after is not None and after.kind == "word" and owners.are_of_each(walk):
        owners.counted(walk, after.value, max(1, int(token.value)))
    elif _begins_named(walk, after):
        walk.add(Group(kind=walk.current[-1].kind, role=walk.current[-1].role, count=int(token.value), is_counted=True))
    elif elided.repeats_for(walk, after):
        attaching.give_alike(walk, token)
    elif after is not None and _begins_part(after):
        _begin_part(walk, token, after)
    elif elided.repeats(walk, after) or _is_exception(walk):
        attaching.give_alike(walk, token)
    elif _counts_focus(walk, after):
        count(walk, token)
    elif _is_first_word(walk, token):
        walk.loose = walk.loose or token


def _begin_part(walk: Walk, token: Token, after: Token) -> None:
    """ "5 of them"; in "Oracle Linux 8, 4 of them, VM" the machines come later."""
    if kubernetes.counts_of_cluster(walk, token):
        return
    if _amends_count(walk, token):
        count(walk, token)
        return
    if after.value == "for" and adding.is_for_another(walk):
        adding.begin_another(walk, token)
    elif walk.request.groups:
        adding.ask_about_rest(walk, int(token.value))
        has_purpose, is_of_them = after.value != "with", after.kind == "part"
        sharing.begin_part(walk, max(1, int(token.value)), has_purpose=has_purpose, is_of_them=is_of_them)
    elif walk.kinds_after(2)[1:] in (["comma"], ["stop"]) and token.value > 1:
        walk.loose = walk.loose or token


def _amends_count(walk: Walk, token: Token) -> bool:
    """ "Four web servers. On second thought, just three of them.": the number that holds, unless these get a purpose."""
    following = walk.elements[walk.position + 1 : walk.position + 3]
    has_purpose = any(isinstance(e, Token) and e.value in ("for", "as") for e in following)
    return walk.focus is not None and walk.amends(token, walk.focus.causes.get("count")) and not has_purpose


def _begins_named(walk: Walk, after: Token | None) -> bool:
    """ "a VM named orpheus and one named eurydice"."""
    return after is not None and after.value == "named" and walk.focus is not None and bool(walk.focus.name)


def _is_exception(walk: Walk) -> bool:
    """ "2 GB each except Immich with 8": the number is the same thing in the same unit."""
    before = walk.elements[max(0, walk.position - 4) : walk.position]
    has_alike = attaching.has_alike(walk) and walk.kinds_before(2) == ["join", "phrase"]
    return has_alike and any(isinstance(e, Token) and e.kind == "without" for e in before)


def _recounts(walk: Walk, after: Token | None) -> bool:
    """ "They asked for five Docker hosts. Since yesterday it is three.": the number that holds now."""
    back = walk.elements[max(0, walk.position - 3) : walk.position]
    said = [fold(walk.quote(element).text) for element in back if isinstance(element, Token)]
    is_it = walk.link == "is" and any(word in _IT for word in said[-3:])
    return is_it and not walk.here and walk.focus is not None and walk.focus.count is not None and _closes(after)


def _closes(after: Token | None) -> bool:
    return after is None or after.kind in ("stop", "comma", "colon")


def _is_first_word(walk: Walk, token: Token) -> bool:
    """ "3x 4c 8g": counts machines of which no noun speaks."""
    is_times = bool({token.text[:1].lower(), token.text[-1:].lower()} & {"x", "×"})
    return not walk.request.groups and (walk.position == 0 or is_times)


def _is_of_which(walk: Walk) -> bool:
    """ "the proxies, of which we want two"."""
    before = walk.kinds_before(4)
    return "part" in before and set(before[: before.index("part")]) <= {"definite", "word", "order", "verb"}


def _after(walk: Walk) -> Token | None:
    following = walk.elements[walk.position + 1 : walk.position + 2]
    return following[0] if following and isinstance(following[0], Token) else None


def _begins_part(after: Token) -> bool:
    return after.kind == "part" or (after.kind == "join" and after.value in _BEGINS_PART)


def _counts_focus(walk: Walk, after: Token | None) -> bool:
    """ "the database tier of 2", "workers, three at minimum"."""
    if walk.focus is not None and walk.focus.count is None and _is_of_which(walk):
        return True
    if _recounts(walk, after):
        return True
    focus = walk.in_focus
    if focus is None or focus.count is not None:
        return False
    is_of = walk.kinds_before(1) == ["join"] and walk.quote(walk.elements[walk.position - 1]).text.lower() == "of"
    if context.numbers_beneficiaries(walk):
        return False
    is_last = _ends_here(after) or (is_of and after is not None and after.value == "and")
    if (after is not None and after.kind == "bound") or (walk.link in _COUNTING and is_last):
        return True
    return _is_times(walk.elements[walk.position]) or _is_apposed(walk, after)


def _is_times(element: Element) -> bool:
    """ "redis 4g x3"."""
    return isinstance(element, Token) and element.text[:1].lower() in ("x", "×")


def _is_apposed(walk: Walk, after: Token | None) -> bool:
    """ "student VMs, an even dozen: …"."""
    before = [kind for kind in walk.kinds_before(4) if kind not in ("word", "article")]
    return before[:2] == ["comma", "phrase"] and (_ends_here(after) or (after is not None and after.kind == "colon"))


def twin(walk: Walk, token: Token) -> None:
    """ "and a second identical one"."""
    focus, following = walk.focus, walk.elements[walk.position + 1 : walk.position + 3]
    if focus is None:
        return
    if [kind_of(element) for element in following] == ["join", "phrase"] and getattr(
        following[0], "value", ""
    ) == "for":
        copy = walk.add(sharing.copy_of(focus))
        copy.role, copy.software, copy.count, copy.is_counted = "", [], 1, True
        copy.general = {name for name in sharing.SIZES if getattr(copy, name) is not None}
    else:
        focus.set("count", (focus.count or 1) + 1, walk.quote(token))


def _ends_here(after: Token | None) -> bool:
    return after is None or after.kind in ("stop", "comma", "close", "open", "part", "order", "colon")


def article(walk: Walk, token: Token) -> None:
    following = walk.kinds_after(1)
    if housing.is_on_some(walk, token):
        return
    if following == ["join"] and walk.request.groups and token.text.lower() in _SINGLE:
        number(walk, token)
    elif walk.kinds_before(1) == ["exact"] and walk.alike[1] == "cpu" and elided.repeats(walk, _after(walk)):
        attaching.give_alike(walk, token)


def another(walk: Walk, token: Token) -> None:
    """ "… and another for the generator": one more machine, of the same kind."""
    after, focus = _after(walk), walk.focus
    if names.begins_another(walk, after):
        return
    is_open = walk.link != "on" and walk.kinds_before(1) != ["definite"] and not _is_rate(walk)
    if (
        focus is None
        or after is None
        or not is_open
        or (after.kind, after.value) not in (("join", "for"), ("join", "with"))
    ):
        return
    if any(group in walk.request.groups for group in walk.pools):  # "one with Jenkins, and another with Gitea"
        sharing.begin_part(walk, 1, has_purpose=True)
    else:
        walk.part = walk.add(Group(count=1, is_counted=True, kind=focus.kind, os=focus.os))


def _is_rate(walk: Walk) -> bool:
    """ "3000 requests per second with 99 ms"."""
    before = walk.elements[walk.position - 1] if walk.position else None
    return isinstance(before, Token) and fold(before.text) in _PER


def rest(walk: Walk, token: Token) -> None:
    """ "the rest gets 2 GB"; in "the others are two web servers and a database" they are counted behind it."""
    others = [group for group in walk.request.groups if group not in walk.here]
    is_divided = any(group in walk.pools for group in (*walk.here, *walk.last_named))
    if walk.here and others and not is_divided and not any(group.is_generic for group in others):
        walk.turn_to(*others)
        return
    following = walk.elements[walk.position + 1 : walk.position + 3]
    if walk.kinds_after(1) == ["join"] and isinstance(following[-1], Phrase) and following[-1].count is not None:
        return
    if not housing.is_on_some(walk, token):
        sharing.begin_part(walk, None, has_purpose=True, is_of_them=True)


def count(walk: Walk, token: Token) -> None:
    group = walk.focus or walk.request.defaults
    group.set("count", max(1, int(token.value)), walk.quote(token))


def twice(walk: Walk, token: Token) -> bool:
    """ "an SMTP relay with 1 GB, twice", "FreeIPA twice (Rocky 9)"."""
    group = walk.in_focus
    is_said = walk.kinds_before(1) == ["comma"] or (walk.kinds_before(1) == ["phrase"] and _ends_here(_after(walk)))
    if token.value not in _TWICE or group is None or group.count not in (None, 1) or not is_said:
        return False
    group.set("count", 2, walk.quote(token))
    return True


def word(walk: Walk, token: Token) -> None:
    """A word of no meaning may be what is counted, what gets a machine, the key of a name, or how far a "no" reaches."""
    owners.word(walk, token)
    if token.value in receiving_words() and walk.times == 1 and _is_machine(walk.elements[walk.position + 1 :][:1]):
        walk.link = "needs"
    if token.value in ("name", "nombre", "nom", "nome") and walk.kinds_after(1) == ["colon"]:
        names.of_item(walk, token)
    negation.at_word(walk)


def _is_machine(following: list[Element]) -> bool:
    """ "Home Assistant gets a VM": what it runs on."""
    return bool(following) and isinstance(following[0], Phrase) and following[0].is_machine


def total(walk: Walk, token: Token) -> None:
    """A sentence of its own: "Divide it evenly.", "Use them all for three servers, equally." """
    values = [e for e in walk.elements if not isinstance(e, Phrase) and e.kind in VALUE_KINDS]
    if values:
        return
    has_nouns = any(isinstance(e, Phrase) for e in walk.elements)
    if has_nouns and not any(group.has_sizes for group in walk.current):
        _in_total(walk.request.defaults)
    for group in walk.current if not has_nouns else ():
        _in_total(group)


def _in_total(group: Group) -> None:
    group.totals |= {name for name in sharing.SIZES if getattr(group, name) is not None}
