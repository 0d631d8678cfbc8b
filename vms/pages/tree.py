"""The snapshots of a machine as a tree: the trunk runs straight down, and what branched off before stands indented."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vms.models import GuestSnapshot

DEEPEST = 6
"""Branches further in are not indented any more."""
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Branch:
    """A snapshot at its place, or, without one, the machine as it is now. `status` is what a job does with it, empty where none
    does; `after` names the one before it."""

    snapshot: GuestSnapshot | None
    depth: int
    status: str
    after: str
    is_fork: bool
    """Whether more than one goes on from here."""


def tree(snapshots: Iterable[GuestSnapshot], busy: Mapping[int, str]) -> list[Branch]:
    """From the root down. Of several that follow one, the machine itself or else the newest goes straight on and the others come
    before it, indented; one whose parent is not known is a root, and one that is being taken comes last."""
    rows = list(snapshots)
    names = {row.name for row in rows}
    following: dict[str, list[GuestSnapshot]] = defaultdict(list)
    for one in rows:
        following[one.parent if one.parent in names - {one.name} else ""].append(one)
    left: list[tuple[GuestSnapshot | None, int, str]]
    left = [(row, 0, "") for row in sorted(following.pop("", []), key=_age, reverse=True)]
    found: list[Branch] = []
    while left:
        row, depth, after = left.pop()
        next_ones = _next(row, following)
        name = row.name if row else ""
        left += [
            (one, depth + (place < len(next_ones) - 1), name) for place, one in reversed(list(enumerate(next_ones)))
        ]
        found.append(Branch(row, min(depth, DEEPEST), _status(row, busy), after, len(next_ones) > 1))
    return found


def _next(row: GuestSnapshot | None, following: dict[str, list[GuestSnapshot]]) -> list[GuestSnapshot | None]:
    """What goes on from a snapshot, the machine as it is now last."""
    if row is None:
        return []
    return [*sorted(following.pop(row.name, []), key=_age), *([None] if row.is_current else [])]


def _status(row: GuestSnapshot | None, busy: Mapping[int, str]) -> str:
    return busy.get(row.pk, "" if row.taken_at else "creating") if row else ""


def _age(row: GuestSnapshot) -> tuple[bool, datetime, int]:
    return row.taken_at is None, row.taken_at or _FIRST, row.pk
