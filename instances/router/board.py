"""What instances there are and what can be asked of each, as one process knows it: read again at each change, and each
second, for a ring may be lost."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from alma.errors import DomainError
from instances import limits, queueing
from instances.models import Instance, Node, Router
from instances.router.threads import Threads

DOUBT_SECONDS = 1.0
"""For so long an instance that was not reached is not asked again, unless it was started anew."""
Status, Wish = Instance.Status, Instance.Wish


@dataclass(frozen=True)
class Target:
    """One instance as the router sees it. `serves` says that it can be asked now, `may_serve` that it is worth waiting."""

    pk: int
    organization_id: int
    name: str
    aliases: tuple[str, ...]
    backend: str
    url: str
    key: str
    marker: str
    shown_status: str
    reason: str
    serves: bool
    may_serve: bool
    is_well: bool
    has_room: bool
    """Whether it could be started now, as far as the limits say."""
    is_unlisted: bool
    concurrency: int | None
    defaults: Mapping[str, Any]
    ready_in: float | None
    """Seconds, as far as past starts tell."""
    created_at: datetime


Model = tuple[int, str]
"""An organization and a name or an alias in it."""


class Board:
    """All instances, by the names that requests use."""

    def __init__(self, threads: Threads) -> None:
        self.read_at: datetime | None = None
        self.routers = 1
        self._threads = threads
        self._models: Mapping[Model, list[Target]] = {}
        self._all: Mapping[int, list[Target]] = {}
        self._doubts: dict[int, tuple[str, float]] = {}
        self._keys: dict[str, str] = {}
        self._reading = asyncio.Lock()
        self._began = 0.0

    def find(self, model: Model) -> list[Target]:
        """The instances that answer to a name: one, or replicas that share an alias."""
        return self._models.get(model, [])

    def of(self, organization_id: int | None) -> list[Target]:
        """Those of an organization, by name."""
        return self._all.get(organization_id or 0, [])

    async def refresh(self) -> None:
        """Read again, unless a reading that began after this call did."""
        asked = time.monotonic()
        async with self._reading:
            if self._began > asked:
                return
            self._began = time.monotonic()
            read_at, rows, self.routers = await self._threads.read(_read, self._keys)
            models, all_ = defaultdict(list), defaultdict(list)
            for row in rows:
                all_[row.organization_id].append(row)
                for name in (row.name, *row.aliases):
                    models[row.organization_id, name].append(row)
            self._models, self._all, self.read_at = dict(models), dict(all_), read_at

    def doubt(self, target: Target) -> None:
        """It was not reached: ask it again in a while, or as soon as it is another process."""
        self._doubts[target.pk] = (target.marker, time.monotonic() + DOUBT_SECONDS)

    def is_open(self, target: Target) -> bool:
        """Whether it can be asked now."""
        marker, until = self._doubts.get(target.pk, ("", 0.0))
        return target.serves and not (marker == target.marker and time.monotonic() < until)


def _read(keys: dict[str, str]) -> tuple[datetime, list[Target], int]:
    """When it was before, the instances, and how many routers live."""
    read_at = timezone.now()
    nodes = {node.name: node for node in Node.objects.all()}
    rows = list(Instance.objects.exclude(wanted=Wish.REMOVED))
    for marker in keys.keys() - {row.marker for row in rows}:
        del keys[marker]
    crowded = limits.without_room(rows, {name for name, node in nodes.items() if node.is_lost})
    targets = [_target(row, nodes.get(row.node), keys, has_room=row.pk not in crowded) for row in rows]
    return read_at, targets, max(1, Router.objects.living().count())


def _target(row: Instance, node: Node | None, keys: dict[str, str], *, has_room: bool) -> Target:
    row.is_on_lost_node = is_lost = node is not None and node.is_lost
    serves = row.status in Instance.SERVING and _is_settled(row)
    return Target(
        row.pk, row.organization_id, row.name, tuple(row.aliases), row.backend,
        url=f"http://{_bracketed(node.address if node else '127.0.0.1')}:{row.port}",
        key=_key(row, keys) if serves else "", marker=row.marker, shown_status=row.shown_status,
        reason=f"The machine {row.node} of {row.name} is away." if is_lost else row.reason.partition("\n")[0],
        serves=serves and row.draining_since is None and not is_lost,
        may_serve=_may_serve(row) and not is_lost,
        is_well=row.status == Status.RUNNING, has_room=has_room, is_unlisted=row.is_unlisted, concurrency=row.concurrency,
        defaults=row.request_defaults, ready_in=queueing.estimate(row, timezone.now()),
        created_at=row.created_at,
    )  # fmt: skip


def _is_settled(row: Instance) -> bool:
    """Whether its state is that of the last wish for it to run."""
    return row.wanted == Wish.RUNNING and row.is_up_to_date


def _may_serve(row: Instance) -> bool:
    """Whether a request may wait for it."""
    has_failed = row.status == Status.FAILED and _is_settled(row)
    return (row.starts_on_demand or row.wanted == Wish.RUNNING) and not has_failed


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _key(row: Instance, keys: dict[str, str]) -> str:
    """The key of a start, unsealed once; one that cannot be opened any more is none."""
    if row.key_sealed and row.marker not in keys:
        try:
            keys[row.marker] = row.key
        except DomainError:
            return ""
    return keys.get(row.marker, "")
