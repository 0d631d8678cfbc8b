"""What surrounds the machines: backups, region, budget, and what the request is about at all."""

from blueprints.generation import backing
from blueprints.generation.facts import Group
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, is_and

_DAYS = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 30}
_LEAST_COPIES = 3
_MOST_LINES = 4
"""So many lines below "backup:" may be about it."""


def backup(walk: Walk, token: Token) -> None:
    walk.backup_sentence, walk.backup_token = walk.sentence, token
    is_of_another = any(isinstance(e, Phrase) for e in walk.elements[walk.position + 1 : walk.position + 4]) and (
        walk.kinds_after(1) in (["join"], ["definite"], ["phrase"], ["exact"])
        and not is_and(walk.elements[walk.position + 1])
    )
    walk.backed = list(walk.current) if walk.in_focus and not is_of_another else backing.named_behind(walk)


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
    after = [kind for kind in walk.kinds_after(2) if kind != "word"]
    is_of_copies = token.value >= _LEAST_COPIES and after[:1] in (["backup"], ["kept"])
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
    says_more = walk.schedules or walk.retentions or walk.says("backup")
    if walk.backup_token is None or not says_more or not _is_about_backups(walk):
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
        group.set("backup_schedule", _most_often(walk).value, walk.quote(_most_often(walk)))
    elif not group.backup_schedule:
        group.set("backup_schedule", "daily", walk.quote(said))
    if walk.retentions:
        group.set("backup_days", walk.retentions[-1].value, walk.quote(walk.retentions[-1]))


def _most_often(walk: Walk) -> Token:
    """Of "daily, weekly and monthly" the first counts; of "daily, no, weekly" the last."""
    first, last = walk.schedules[0], walk.schedules[-1]
    is_list = any(is_and(e) for e in walk.elements if first.end <= e.start < last.start)
    return min(walk.schedules, key=lambda token: _DAYS.get(token.value, 1)) if is_list else last


def _covered(walk: Walk) -> list[Group]:
    groups = walk.request.groups or [walk.request.defaults]
    if walk.sentence == walk.backup_sentence:
        backed = [group for group in walk.backed or walk.current if group in groups]
        walk.covered = groups if _is_for_all(walk) else backed or groups
    elif not walk.covered:
        walk.covered = walk.here
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
