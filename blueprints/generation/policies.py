"""What surrounds the machines: order, backups, region, budget, and what the request is about at all."""

from itertools import pairwise

from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_DAYS = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 30}
_ORDINALS = (
    "first",
    "zuerst",
    "d abord",
    "primero",
    "prima",
    "second",
    "third",
    "fourth",
    "last",
    "zuletzt",
    "next",
    "segundo",
    "tercero",
)
_WANTS = (
    "need",
    "requir",
    "uses",
    "brauch",
    "benotig",
    "nutzt",
    "verwendet",
    "a besoin",
    "utilise",
    "necesit",
    "usa",
    "ha bisogno",
)
_NOT_BEFORE = (
    "before",
    "bevor",
    "vor",
    "avant",
    "antes",
    "prima",
    "until",
    "till",
    "hasta",
    "jusqu'a",
    "finche",
    "finché",
    "qu'une",
)
_FORWARD = ("before", "behind")
"""Who is named first comes first."""
_LEAST_COPIES = 3
_MOST_LINES = 4
"""So many lines below "backup:" may be about it."""


def backup(walk: Walk, token: Token) -> None:
    walk.backup_sentence, walk.backup_token = walk.sentence, token
    is_of_another = any(isinstance(e, Phrase) for e in walk.elements[walk.position + 1 : walk.position + 4]) and (
        walk.kinds_after(1) in (["join"], ["definite"], ["phrase"], ["exact"])
        and not _is_and(walk.elements[walk.position + 1])
    )
    walk.backed = list(walk.current) if walk.in_focus and not is_of_another else []


def _is_and(element: Element) -> bool:
    return isinstance(element, Token) and element.value == "and"


def schedule(walk: Walk, token: Token) -> None:
    """Said before or after the word for backups, in its sentence or in the next."""
    if _is_about_backups(walk) and walk.kinds_before(1) != ["money"]:
        walk.schedules.append(token)


def days(walk: Walk, token: Token) -> None:
    if _is_about_backups(walk):
        walk.retentions.append(token)


def kept_copies(walk: Walk, token: Token) -> bool:
    """ "retain 21 of them", "keep the last 7": so many copies last as long as the schedule makes them."""
    before = [kind for kind in walk.kinds_before(4) if kind not in ("word", "definite", "existing")]
    is_of_copies = token.value >= _LEAST_COPIES and walk.kinds_after(1) == ["backup"]
    if not (before[:1] == ["kept"] or is_of_copies) or not _is_about_backups(walk):
        return False
    schedule = walk.schedules[-1].value if walk.schedules else "daily"
    walk.retentions.append(token.become("days", max(1, round(int(token.value) * _DAYS.get(schedule, 1)))))
    return True


def _is_about_backups(walk: Walk) -> bool:
    if any(isinstance(e, Token) and e.kind in ("backup", "kept") for e in walk.elements):
        return True
    return 0 <= walk.sentence - walk.backup_sentence <= (_MOST_LINES if walk.is_indented else 1)


def end_of_sentence(walk: Walk) -> None:
    """The policy of this sentence goes to the machines that it is about."""
    if walk.backup_token is None or not _is_about_backups(walk):
        return
    if not walk.request.groups:
        walk.covered = [walk.request.defaults]
    elif walk.request.defaults.backup_schedule and not walk.schedules and not walk.retentions:
        return
    for group in _covered(walk):
        _back_up(walk, group, walk.backup_token)
    walk.schedules, walk.retentions = [], []


def _back_up(walk: Walk, group: Group, said: Token) -> None:
    """As often as was said, daily where nothing was, and kept for so many days."""
    if walk.schedules:
        group.set("backup_schedule", walk.schedules[-1].value, walk.quote(walk.schedules[-1]))
    elif not group.backup_schedule:
        group.set("backup_schedule", "daily", walk.quote(said))
    if walk.retentions:
        group.set("backup_days", walk.retentions[-1].value, walk.quote(walk.retentions[-1]))


def _covered(walk: Walk) -> list[Group]:
    groups = walk.request.groups or [walk.request.defaults]
    if walk.sentence == walk.backup_sentence:
        backed = [group for group in walk.backed or walk.current if group in groups]
        walk.covered = groups if _is_for_all(walk) else backed or groups
    return [group for group in walk.covered if group in groups] or groups


def _is_for_all(walk: Walk) -> bool:
    """ "Daily backups.", "back up all of them"."""
    return not walk.here or any(isinstance(e, Token) and e.kind == "all" for e in walk.elements)


def region(walk: Walk, token: Token) -> None:
    walk.request.region = token.text.lower()
    walk.request.causes["region"] = walk.quote(token)


def money(walk: Walk, token: Token) -> None:
    """A sum; "a month" alone is no price where backups are kept that long."""
    if isinstance(token.value, float):
        walk.request.max_cost = token.value
        walk.request.causes["max_cost"] = walk.quote(token)
    elif token.text.lower() == "a" and _is_about_backups(walk):
        walk.retentions.append(token.become("days", 30))


def verb(walk: Walk, token: Token) -> None:
    """What is asked for: to build something, or to destroy something."""
    if token.value == "build":
        walk.request.builds = True


def order(walk: Walk, token: Token) -> None:
    """Remember who needs, or is needed; the machines named next complete it."""
    if token.value == "after" and _is_about_itself(walk):
        walk.link = "needs"
        return
    earlier = walk.in_focus or (walk.focus if _is_pronoun(walk) else None)
    value = _direction(walk, token)
    if fold(walk.quote(token).text).startswith("behind"):
        walk.link = ""
    if value == "then" or _goes_on_after(walk, token):
        _go_on_in_sequence(walk, token)
    elif earlier:
        walk.order = (value, earlier)
    elif not fold(token.text).startswith(_WANTS):  # "our school needs one JupyterHub": a school is no machine
        walk.order_ahead = value


def _direction(walk: Walk, token: Token) -> str:
    """The order that is said; "not before" is after, and negates nothing."""
    if walk.is_negated and not set(_NOT_BEFORE).isdisjoint(walk.quote(token).text.lower().split()):
        walk.is_negated = False
        return "after"
    return str(token.value)


def _go_on_in_sequence(walk: Walk, token: Token) -> None:
    """ "then the web servers": behind what this sentence is about, or behind "it"."""
    before = walk.in_focus or (walk.focus if " " in walk.quote(token).text else None)  # "only after it"
    walk.order = ("before", before) if before else walk.order
    walk.is_sequence = True


def _goes_on_after(walk: Walk, token: Token) -> bool:
    """ "… and after those the mail server" in a sequence."""
    return walk.is_sequence and token.value == "after" and _is_joined(walk)


def _is_about_itself(walk: Walk) -> bool:
    """ "Home Assistant needs a VM", "each needs two containers": what it runs on, and no order."""
    following = walk.elements[walk.position + 1 : walk.position + 2]
    if fold(walk.quote(walk.elements[walk.position]).text).startswith(("behind", "after")):
        return False
    return (
        bool(following)
        and isinstance(following[0], Phrase)
        and following[0].is_machine
        and not following[0].is_definite
    )


def of_all_above(walk: Walk, token: Token) -> None:
    """ "needs both of the above", "after all of them": everything that was named before."""
    if walk.order is None or walk.is_sequence or any(isinstance(e, Phrase) for e in walk.elements[walk.position :]):
        return
    direction, group = walk.order
    others = [other for other in walk.request.groups if other is not group]
    pairs = [(group, other) for other in others]
    walk.request.needs += [pair[::-1] for pair in pairs] if direction in _FORWARD else pairs
    walk.order = None


def ordinals(walk: Walk) -> None:
    """ "Database first, cache second, application third"."""
    places = [n for n, e in enumerate(walk.elements) if isinstance(e, Token) and fold(e.text) in _ORDINALS]
    follow = [n for n in places if n and kind_of(walk.elements[n - 1]) in ("phrase", "close")]
    if len(follow) > 1 and len(follow) == len(walk.here) and _text(walk, follow[0]) in _ORDINALS[:5]:
        walk.request.needs += [(later, earlier) for earlier, later in pairwise(walk.here)]


def _text(walk: Walk, place: int) -> str:
    return fold(walk.quote(walk.elements[place]).text)


def _is_pronoun(walk: Walk) -> bool:
    return (
        bool(walk.elements)
        and walk.kinds_before(1) != []
        and not any(isinstance(e, Phrase) for e in walk.elements[: walk.position])
    )


def _another_follows(walk: Walk) -> bool:
    """ "before the mail server and the Nextcloud box": both wait."""
    following = walk.elements[walk.position + 1 : walk.position + 3]
    if walk.is_sequence or len(following) < 2 or not isinstance(following[1], Phrase):
        return False
    return _is_and(following[0]) and following[1].is_definite and not following[1].insists


def settle_order(walk: Walk, group: Group) -> None:
    """The other side of "after", "before" or "behind" has been named; who is followed by such a word begins another."""
    if _begins_another(walk):
        walk.order = None
    if walk.order and walk.order[1] is not group:
        _settle_behind(walk, walk.order, group)
    elif walk.order_ahead and walk.ahead is None:
        walk.ahead = group
    elif walk.order_ahead and walk.ahead is not None and walk.ahead is not group:
        walk.request.needs.append(_waiting_first(walk.order_ahead, walk.ahead, group))
        walk.order_ahead, walk.ahead = "", None


def _begins_another(walk: Walk) -> bool:
    """ "…, and the cache after …": the noun waits itself."""
    is_followed = _is_joined(walk) and walk.kinds_after(1) == ["order"]
    return is_followed and getattr(walk.elements[walk.position + 1], "value", "") == "after"


def _settle_behind(walk: Walk, order: tuple[str, Group], group: Group) -> None:
    """ "the cache before the database": the word stands between the two."""
    direction, other = order
    walk.request.needs.append(_waiting_first(direction, group, other))
    if direction in _FORWARD and not _another_follows(walk):
        walk.order = ("before", group) if walk.is_sequence else None
    group.is_umbrella &= not walk.is_sequence and walk.kinds_before(1) != ["arrow"]


def _waiting_first(direction: str, one: Group, other: Group) -> tuple[Group, Group]:
    """Who waits, and for whom: the one for the other in "before" and "behind", else the other for the one."""
    return (one, other) if direction in _FORWARD else (other, one)


def _is_joined(walk: Walk) -> bool:
    """ "and …", ", …"."""
    return walk.kinds_before(1) in (["join"], ["comma"])
