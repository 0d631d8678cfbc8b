"""Writes down what happened in a process: the log of requests, the tokens that keys used, who waits and what is under way;
all of it in one transaction a second, or at once when somebody begins or ends to wait."""

import asyncio
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from alma.accounts.models import ApiKey
from alma.monitoring.tallies import tallies
from instances import demand, queueing
from instances.models import Instance, Load, RequestRecord, Router, TokenUse, Waiter
from instances.router.calls import Call
from instances.router.line import Register, Ticket

logger = logging.getLogger(__name__)

MOST_KEPT = 20_000
"""Of the log, while the database is away; the oldest are given up first."""
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_CHANGING = [
    "instance", "model", "is_streamed", "state", "http_status", "prompt_tokens", "completion_tokens", "queue_seconds",
    "first_token_seconds", "duration_seconds", "ended_at", "error",
]  # fmt: skip
Tokens = tuple[int, int]


@dataclass
class Batch:
    """What is to be written."""

    records: dict[UUID, RequestRecord] = field(default_factory=dict)
    waits: dict[UUID, Ticket] = field(default_factory=dict)
    leaves: set[UUID] = field(default_factory=set)
    loads: dict[int, Load] = field(default_factory=dict)
    uses: dict[tuple[int, date], Tokens] = field(default_factory=dict)
    keeps: dict[int, datetime | None] = field(default_factory=dict)

    def absorb(self, older: "Batch") -> None:
        """Take over what could not be written; what is newer counts."""
        for name in ("records", "waits", "loads", "keeps"):
            setattr(self, name, getattr(older, name) | getattr(self, name))
        for marker in self.leaves:
            self.waits.pop(marker, None)
        self.leaves |= older.leaves
        for key, tokens in older.uses.items():
            self.use(key, tokens)
        for marker in list(self.records)[: max(0, len(self.records) - MOST_KEPT)]:
            del self.records[marker]

    def use(self, key: tuple[int, date], tokens: Tokens) -> None:
        """A key used tokens on a day."""
        before = self.uses.get(key, (0, 0))
        self.uses[key] = (before[0] + tokens[0], before[1] + tokens[1])


class Clerk(Register):
    """Of one process."""

    def __init__(self, bell: asyncio.Event) -> None:
        self.marker = uuid4()
        self.bell = bell
        self.open: dict[UUID, Call] = {}
        self.unwritten: Counter[int] = Counter()
        """By key the tokens that the database does not know yet."""
        self._batch = Batch()
        self._standing: set[UUID] = set()
        """Who was to be written down as waiting and has not left."""
        self._told: dict[int, tuple[int, datetime | None]] = {}

    # -- what happens --------------------------------------------------------------------------------
    def begin(self, call: Call) -> None:
        """A request has come."""
        self.open[call.marker] = call

    def end(self, call: Call) -> None:
        """A request is over."""
        self.open.pop(call.marker, None)
        prompt, completion = call.meter.tokens()
        key_id = call.caller.actor.key_id
        if call.caller.actor.organization_id is not None:
            self._batch.records[call.marker] = call.row(self.marker)
        if key_id is not None and prompt + completion:
            self._batch.use((key_id, timezone.now().date()), (prompt, completion))
            self.unwritten[key_id] += prompt + completion
        tallies.add(
            {
                f"inference.requests.{call.outcome}": 1, "inference.tokens.prompt": prompt,
                "inference.tokens.completion": completion,
                "inference.queue.microseconds": int(call.queue_seconds * 1_000_000),
                "inference.first_token.microseconds": int((call.meter.first_seconds or 0) * 1_000_000),
                "inference.first_token.requests": int(call.meter.first_at is not None),
            }
        )  # fmt: skip

    def wait(self, ticket: Ticket) -> None:
        """Write down that somebody waits, now."""
        self._batch.leaves.discard(ticket.marker)
        self._batch.waits[ticket.marker] = ticket
        self._standing.add(ticket.marker)
        self.bell.set()

    def leave(self, ticket: Ticket) -> None:
        """Nobody waits there any more. Most waits were too short to be written down: nothing is to be struck off then."""
        if ticket.marker not in self._standing:
            return
        self._standing.remove(ticket.marker)
        if self._batch.waits.pop(ticket.marker, None) is None:
            self._batch.leaves.add(ticket.marker)
            self.bell.set()

    def keep(self, pk: int, until: datetime | None) -> None:
        """An instance shall not be stopped before then."""
        self._batch.keeps[pk] = until

    def note_loads(self, outstanding: Counter[int], ended: dict[int, datetime]) -> None:
        """How much is under way, as far as it is not written already."""
        for pk in outstanding.keys() | ended.keys():
            now = (outstanding[pk], ended.get(pk))
            if self._told.get(pk) != now:
                self._told[pk] = now
                self._batch.loads[pk] = Load(
                    router_id=self.marker, instance_id=pk, outstanding=max(0, now[0]), ended_at=now[1]
                )

    # -- writing -------------------------------------------------------------------------------------
    def collect(self) -> Batch:
        """All that is to be written now, taken out."""
        batch, self._batch = self._batch, Batch()
        for call in self.open.values():
            if call.caller.actor.organization_id is not None:
                batch.records[call.marker] = call.row(self.marker)
        return batch

    def put_back(self, batch: Batch) -> None:
        """It could not be written: try again with what comes next."""
        self._batch.absorb(batch)

    def give_up(self) -> None:
        """It can never be written: what is under way is told anew."""
        self._told.clear()

    def written(self, batch: Batch) -> None:
        """It stands in the database."""
        for (key_id, _), tokens in batch.uses.items():
            self.unwritten[key_id] -= sum(tokens)
        self.unwritten += Counter()


@transaction.atomic
def write(batch: Batch, marker: UUID, read_at: datetime | None) -> set[UUID]:
    """Everything of a batch; who did not get into a line any more. The row of the router comes first: its loads must not be
    older than what it has read."""
    router = Router(marker=marker, node=settings.ALMA_NODE, pid=os.getpid(), seen_at=timezone.now(), read_at=read_at)
    Router.objects.bulk_create(
        [router], update_conflicts=True, unique_fields=["marker"], update_fields=["seen_at", "read_at"]
    )
    if batch.leaves:
        gone = Waiter.objects.filter(router_id=marker, request_id__in=[one.hex for one in batch.leaves])
        queueing.leave(list(gone.values_list("pk", flat=True)))
    instances = _there(Instance, batch.loads)
    Load.objects.bulk_create(
        [one for one in batch.loads.values() if one.instance_id in instances],
        update_conflicts=True, unique_fields=["router", "instance"], update_fields=["outstanding", "ended_at"],
    )  # fmt: skip
    RequestRecord.objects.bulk_create(
        batch.records.values(), batch_size=200, update_conflicts=True, unique_fields=["marker"], update_fields=_CHANGING
    )
    for pk, until in batch.keeps.items():
        demand.keep(pk, until)
    _use(batch)
    return _join(batch, marker)


def _join(batch: Batch, marker: UUID) -> set[UUID]:
    """Stand in the lines, instance by instance, in the order in which they came."""
    refused = set(batch.waits)
    wanted: dict[int, list[Ticket]] = defaultdict(list)
    for ticket in batch.waits.values():
        wanted[ticket.target.pk].append(ticket)
    for instance in Instance.objects.filter(pk__in=wanted).order_by("pk"):
        entries = [
            queueing.Entry(one.marker.hex, one.label, one.deadline, one.since) for one in wanted.pop(instance.pk)
        ]
        refused -= {UUID(row.request_id) for row in queueing.join(marker, instance, entries)}
    return refused - {one.marker for tickets in wanted.values() for one in tickets}


def _there(model: type[Instance] | type[ApiKey], pks: Iterable[int]) -> set[int]:
    """Those that exist still: what a request was about may have been deleted meanwhile."""
    wanted = set(pks)
    return set(model.objects.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()


def _use(batch: Batch) -> None:
    keys = _there(ApiKey, [key_id for key_id, _ in batch.uses])
    for (key_id, day), (prompt, completion) in sorted(batch.uses.items()):
        if key_id in keys:
            TokenUse.objects.get_or_create(key_id=key_id, day=day)
            TokenUse.objects.filter(key_id=key_id, day=day).update(
                prompt_tokens=F("prompt_tokens") + prompt, completion_tokens=F("completion_tokens") + completion
            )
