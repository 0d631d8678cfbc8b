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
    """A snapshot at its place. `status` is what a job does with it, empty where none does; `after` names the one before it."""

    snapshot: GuestSnapshot
    depth: int
    status: str
    after: str
    is_fork: bool
    """Whether more than one goes on from here."""


def tree(snapshots: Iterable[GuestSnapshot], busy: Mapping[int, str]) -> list[Branch]:
    """From the root down. Of several that follow one, the newest goes straight on and the others come before it, indented;
    one whose parent is not known is a root, and one that is being taken comes last."""
    rows = list(snapshots)
    names = {row.name for row in rows}
    following: dict[str, list[GuestSnapshot]] = defaultdict(list)
    for row in rows:
        following[row.parent if row.parent in names - {row.name} else ""].append(row)
    left = [(row, 0) for row in sorted(following.pop("", []), key=_age, reverse=True)]
    found: list[Branch] = []
    while left:
        row, depth = left.pop()
        after = sorted(following.pop(row.name, []), key=_age)
        left += [(one, depth + (place < len(after) - 1)) for place, one in reversed(list(enumerate(after)))]
        found.append(_branch(row, depth, names, busy, is_fork=len(after) > 1))
    return found


def _branch(row: GuestSnapshot, depth: int, names: set[str], busy: Mapping[int, str], *, is_fork: bool) -> Branch:
    status = busy.get(row.pk, "" if row.taken_at else "creating")
    return Branch(row, min(depth, DEEPEST), status, row.parent if row.parent in names else "", is_fork)


def _age(row: GuestSnapshot) -> tuple[bool, datetime, int]:
    return row.taken_at is None, row.taken_at or _FIRST, row.pk
