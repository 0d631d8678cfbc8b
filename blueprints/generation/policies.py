"""What surrounds the machines: order, backups, environment, region, budget, and what the request is about at all."""

from itertools import pairwise

from blueprints.generation import environments
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import deferring_words, fold, head_words
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
_LEAST_COPIES = 3
_MOST_LINES = 4
"""So many lines below "backup:" may be about it."""
_TEST_CONTEXT = {"join", "verb", "colon", "article", ""}


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
        said = walk.quote(walk.backup_token)
        if walk.schedules:
            group.set("backup_schedule", walk.schedules[-1].value, walk.quote(walk.schedules[-1]))
        elif not group.backup_schedule:
            group.set("backup_schedule", "daily", said)
        if walk.retentions:
            group.set("backup_days", walk.retentions[-1].value, walk.quote(walk.retentions[-1]))
    walk.schedules, walk.retentions = [], []


def _covered(walk: Walk) -> list[Group]:
    groups = walk.request.groups or [walk.request.defaults]
    if walk.sentence == walk.backup_sentence:
        is_for_all = not walk.here or any(isinstance(e, Token) and e.kind == "all" for e in walk.elements)
        walk.covered = groups if is_for_all else [g for g in walk.backed or walk.current if g in groups] or groups
    return [group for group in walk.covered if group in groups] or groups


def environment(walk: Walk, token: Token) -> None:
    if walk.text[max(0, token.start - 1) : token.start] == "-" and token.value != "production":
        return
    if walk.kinds_after(2) == ["colon", "environment"]:  # "Stage: PROD"
        return
    if token.value == "test" and token.text.lower() not in ("qa", "uat") and not _is_about_environment(walk):
        return
    if walk.has_environments and (_is_of_people(walk) or _comes_later(walk)):
        return
    request = walk.request
    if walk.has_environments:
        environments.turn_to(walk, token)
    if request.environment and request.environment != token.value:
        walk.environments.add(token.value)
    if not request.environment:
        request.environment = token.value
        request.causes["environment"] = walk.quote(token)


def _is_of_people(walk: Walk) -> bool:
    """ "The QA team wants …"."""
    following = walk.elements[walk.position + 1 : walk.position + 2]
    return bool(following) and isinstance(following[0], Token) and following[0].value in head_words()


def _comes_later(walk: Walk) -> bool:
    """ "the production environment will be ordered separately"."""
    ahead = walk.elements[walk.position + 1 :]
    is_end = not any(isinstance(e, Phrase) for e in ahead) and set(walk.kinds_before(1)) <= {
        "definite",
        "article",
        "word",
    }
    return is_end and any(isinstance(e, Token) and e.kind == "word" and e.value in deferring_words() for e in ahead)


def _is_about_environment(walk: Walk) -> bool:
    """ "unit tests" and "a test" are no environment; "for testing" and "Environment: TEST" are."""
    before = (walk.kinds_before(1) or [""])[0]
    following = walk.kinds_after(1)
    if before == "comma" and following in ([], ["stop"]):  # "…, 160 GB, test"
        return True
    said = walk.quote(walk.elements[walk.position]).text
    if len(said.split()) > 1 or said.endswith("umgebung"):  # "test environment"
        return True
    return before in _TEST_CONTEXT or any(kind in ("verb", "comma", "phrase", "machine") for kind in following)


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
    value = token.value
    if walk.is_negated and set(walk.quote(token).text.lower().split()) & set(_NOT_BEFORE):
        walk.is_negated, value = False, "after"
    if fold(walk.quote(token).text).startswith("behind"):
        walk.link = ""
    if value == "then" or _goes_on_after(walk, token):
        before = walk.in_focus or (walk.focus if " " in walk.quote(token).text else None)  # "only after it"
        walk.order = ("before", before) if before else walk.order
        walk.is_sequence = True
    elif earlier:
        walk.order = (value, earlier)
    elif not fold(token.text).startswith(_WANTS):  # "our school needs one JupyterHub": a school is no machine
        walk.order_ahead = value


def _goes_on_after(walk: Walk, token: Token) -> bool:
    """ "… and after those the mail server" in a sequence."""
    return walk.is_sequence and token.value == "after" and walk.kinds_before(1) in (["join"], ["comma"])


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
    walk.request.needs += [pair[::-1] for pair in pairs] if direction in ("before", "behind") else pairs
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
    if walk.order and walk.kinds_after(1) == ["order"] and walk.kinds_before(1) in (["join"], ["comma"]):
        is_next = getattr(walk.elements[walk.position + 1], "value", "") == "after"
        walk.order = None if is_next else walk.order
    if walk.order and walk.order[1] is not group:
        direction, other = walk.order
        walk.request.needs.append((group, other) if direction in ("before", "behind") else (other, group))
        if direction in ("before", "behind") and not _another_follows(walk):
            walk.order = ("before", group) if walk.is_sequence else None
        group.is_umbrella &= not walk.is_sequence and walk.kinds_before(1) != ["arrow"]
    elif walk.order_ahead and walk.ahead is None:
        walk.ahead = group
    elif walk.order_ahead and walk.ahead is not None and walk.ahead is not group:
        pair = (walk.ahead, group) if walk.order_ahead in ("before", "behind") else (group, walk.ahead)
        walk.request.needs.append(pair)
        walk.order_ahead, walk.ahead = "", None
