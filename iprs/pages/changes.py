"""The changes of a plan, item by item, the destructive ones first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alma.accounts.actors import Actor
from alma.templatetags.ui import size
from blueprints.graph import Drawing, draw
from iprs.gates import verdicts
from iprs.models import IPR, PlanItem
from iprs.operating import ASKED
from iprs.pages.detail import head_context, load_standing, review_context

ORDER = (
    PlanItem.Action.DELETE, PlanItem.Action.REPLACE, PlanItem.Action.UPDATE, PlanItem.Action.CREATE, PlanItem.Action.NOOP,
)  # fmt: skip
_TITLES = {
    PlanItem.Action.DELETE: "Deletes",
    PlanItem.Action.REPLACE: "Deletes and makes anew",
    PlanItem.Action.UPDATE: "Changes in place",
    PlanItem.Action.CREATE: "Creates",
    PlanItem.Action.NOOP: "Stays as it is",
}
_SIZES = frozenset({"memory", "disk"})
_CAUSES = {
    "default": ("gear", "default", "Nobody said otherwise"),
    "placement": ("cluster", "placement", "Chosen by ALMA for this cluster"),
    "template": ("copy", "its template", "The template's own value"),
    "not in the blueprint": ("trash", "not in the blueprint", "The blueprint no longer has it"),
    ASKED: ("user", ASKED, "Whoever opened this asked for exactly this operation"),
}
_OPEN_AT_MOST = 12
_DRAWN_AT_MOST = 40


@dataclass(frozen=True)
class Row:
    """One attribute: before, after, and who said so."""

    name: str
    before: str
    after: str
    cause_icon: str
    cause: str
    cause_title: str
    is_unexplained: bool


@dataclass(frozen=True)
class ItemView:
    """A plan item as it is read."""

    item: PlanItem
    sign: str
    rows: tuple[Row, ...]
    loss: str
    is_open: bool

    @property
    def headline(self) -> str:
        """The size of a new guest at a glance."""
        after = {row.name: row.after for row in self.rows}
        cores = f"{after['cores']} core{'' if after['cores'] == '1' else 's'}" if "cores" in after else ""
        return " · ".join(part for part in (cores, after.get("memory", ""), self.item.node) if part)


@dataclass(frozen=True)
class Group:
    """Items of one action."""

    action: str
    title: str
    is_destructive: bool
    items: tuple[ItemView, ...]


def groups(items: Iterable[PlanItem]) -> list[Group]:
    """Destructive first, what stays last."""
    rows = list(items)
    is_short = len(rows) <= _OPEN_AT_MOST
    found = []
    for action in ORDER:
        views = tuple(view_of(item, is_short=is_short) for item in rows if item.action == action)
        if views:
            found.append(Group(action, _title(action, views), action in PlanItem.DESTRUCTIVE, views))
    return found


def _title(action: PlanItem.Action, views: Iterable[ItemView]) -> str:
    is_put_back = action == PlanItem.Action.REPLACE and all(view.item.keeps_guest for view in views)
    return "Puts back" if is_put_back else _TITLES[action]


def view_of(item: PlanItem, *, is_short: bool) -> ItemView:
    """One item; whatever destroys is open from the start."""
    sign = "restart" if item.action == PlanItem.Action.UPDATE and item.needs_restart else item.action
    is_open = item.is_destructive or (is_short and item.action == PlanItem.Action.UPDATE)
    return ItemView(item, sign, tuple(map(_row, item.changes)), _loss(item), is_open)


def _row(change: dict[str, Any]) -> Row:
    name, cause = change["field"], str(change.get("cause") or "")
    icon, words, title = _cause(cause)
    return Row(
        name,
        _value(name, change["before"]),
        _value(name, change["after"]),
        icon,
        words,
        title,
        is_unexplained=not cause,
    )


def _cause(cause: str) -> tuple[str, str, str]:
    if not cause:
        return "question", "unexplained", "No sentence, template or default accounts for this value"
    return _CAUSES.get(cause, ("blueprint", cause, f"The blueprint says so: {cause}"))


def _value(name: str, value: object) -> str:
    if value is None:
        return ""
    is_size = name.partition(" ")[0] in _SIZES and isinstance(value, int)
    return size(value) if is_size else str(value)


def _loss(item: PlanItem) -> str:
    """What is gone for good."""
    if not item.is_destructive:
        return ""
    number = f" (VMID {item.vmid} on {item.node})" if item.vmid else ""
    if item.action == PlanItem.Action.REPLACE and item.keeps_guest:
        return f"What {item.key}{number} holds now is lost and cannot be brought back."
    return f"{item.key}{number} is deleted. {_lost_disks(item)} erased and cannot be brought back."


def _lost_disks(item: PlanItem) -> str:
    """`Its disk of 20 GB is`, with what is known of them."""
    lost = [row["before"] for row in item.changes if row["field"].partition(" ")[0] == "disk" and row["before"]]
    if not lost:
        return "Its disks are"
    sizes = " and ".join(_value("disk", before) for before in lost)
    return f"Its disk of {sizes} is" if len(lost) == 1 else f"Its disks of {sizes} are"


def _needs(item: PlanItem, rows: Mapping[str, PlanItem]) -> list[str]:
    return [name for name in item.depends_on if name in rows and name != item.key]


def drawing_of(items: Iterable[PlanItem]) -> Drawing | None:
    """What waits for what, without guests that do neither; None when that is nothing, or too much to see anything."""
    rows = {item.key: item for item in items}
    needs = {key: _needs(item, rows) for key, item in rows.items()}
    awaited = {name for names in needs.values() for name in names}
    tied = {key: names for key, names in needs.items() if names or key in awaited}
    return draw(tied, {key: rows[key].action for key in tied}) if len(tied) <= _DRAWN_AT_MOST else None


def changes_context(ipr: IPR, actor: Actor) -> dict[str, Any]:
    """All that the tab shows."""
    judged = verdicts(ipr)
    standing = replace(load_standing(ipr, actor, judged)[0], is_reading=True)
    items = list(ipr.current_plan.items.all()) if ipr.current_plan else []
    shown = groups(items)
    return {
        **head_context(standing),
        **review_context(standing, items, list(ipr.reviews.all())),
        "groups": shown,
        "graph": drawing_of(items),
        "problems": ipr.current_plan.problems if ipr.current_plan else [],
    }
