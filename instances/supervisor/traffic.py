"""What the routers say: who is under way where, who waits, and who has heard that an instance takes nobody any more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Min

from instances.models import Instance, Load, Router, Waiter
from instances.supervisor.deciding import has_let_go

SKEW = timedelta(seconds=2)
"""How far the clock of another machine may be ahead of ours."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Reading:
    """What one living router says: when it last read, and by instance how many requests it has and when one last ended."""

    read_at: datetime | None
    loads: dict[int, tuple[int, datetime | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Traffic:
    """All that is under way, and since when the first of each line waits."""

    routers: Iterable[Reading]
    lines: Mapping[int, datetime]

    def outstanding(self, pk: int) -> int:
        """Requests under way at an instance."""
        return sum(router.loads[pk][0] for router in self.routers if pk in router.loads)

    def used_at(self, pk: int) -> datetime:
        """When the last one ended."""
        ends = (router.loads[pk][1] for router in self.routers if pk in router.loads)
        return max((end for end in ends if end), default=NEVER)

    def has_let_go(self, row: Instance) -> bool:
        """Whether it is drained: nothing is under way there, and nothing will come."""
        if row.draining_since is None:
            return False
        return has_let_go(
            row.draining_since, ((router.read_at, router.loads.get(row.pk, (0,))[0]) for router in self.routers)
        )


def read(here: str) -> Traffic:
    """As it is now, of the routers that live; those of other nodes than this one read another clock."""
    found: dict[UUID, Reading] = {}
    names = ("marker", "node", "read_at", "loads__instance", "loads__outstanding", "loads__ended_at")
    for marker, node, read_at, pk, outstanding, ended_at in Router.objects.living().values_list(*names):
        ahead = SKEW if node != here else timedelta(0)
        reading = found.setdefault(marker, Reading(read_at and read_at - ahead))
        if pk is not None:
            reading.loads[pk] = (outstanding, ended_at)
    lines = Waiter.objects.order_by().values_list("instance").annotate(first=Min("since"))
    return Traffic(list(found.values()), dict(lines))


def write_down(rows: Iterable[Instance]) -> None:
    """Keep with each when it was last used, for its routers come and go."""
    used: dict[int, datetime] = defaultdict(lambda: NEVER)
    names = ("instance", "outstanding", "ended_at", "router__seen_at")
    for pk, outstanding, ended_at, seen_at in Load.objects.values_list(*names):
        used[pk] = max(used[pk], ended_at or NEVER, seen_at if outstanding else NEVER)
    for row in rows:
        if used[row.pk] > (row.last_used_at or NEVER):
            row.note(last_used_at=used[row.pk])
